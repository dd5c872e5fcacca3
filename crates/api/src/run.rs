//! Runs: why a rule did or did not match.

use domain::evaluate::{Explanation, Note};
use domain::id::{RuleId, RunId};
use domain::run::RunOutcome;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One rule version applied to one event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: RunId,
    /// The rule.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub rule_id: RuleId,
    /// Its name in the version used.
    pub rule_name: String,
    /// Number of the version used.
    pub rule_number: i32,
    /// `matched`, `not_matched`, `undecidable`, `stopped` or `loop_guard`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "matched"))]
    pub outcome: RunOutcome,
    /// The reason at every node of the condition; absent for runs that were not evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub explanation: Option<Explanation>,
    /// What a person should know about the actions.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub notes: Vec<Note>,
    /// How many commands were planned.
    pub n_commands: i32,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub at: Timestamp,
}
