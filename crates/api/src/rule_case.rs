//! Test cases of a rule.

use domain::case::Expected;
use domain::evaluate::Facts;
use domain::id::TestCaseId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A test case of a rule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCase {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: TestCaseId,
    /// What it shows, in the manager's words.
    pub name: String,
    /// Everything that was known at the event.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub facts: Facts,
    /// What must come out: `matches`, and `commands` when just these must be planned.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub expected: Expected,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub updated_at: Timestamp,
}

/// A test case to be kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveRuleCase {
    /// What it shows.
    pub name: String,
    /// Everything that was known at the event, as `/trial-events` gives it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub facts: Facts,
    /// What must come out.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub expected: Expected,
}
