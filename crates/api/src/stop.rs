//! Emergency stops.

use domain::id::RuleId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What is stopped. A stopped connection says so in its own state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopScope {
    /// Everything, in every workspace.
    Installation,
    /// Everything of this workspace.
    Workspace,
    /// What one rule has planned.
    Rule,
}

/// A stop in force: nothing of its scope is sent, what waits keeps its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stop {
    /// What is stopped.
    pub scope: StopScope,
    /// Which rule, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule: Option<RuleId>,
    /// Why, in the words of who stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who stopped it.
    pub stopped_by: String,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub stopped_at: Timestamp,
}

/// A stop to be put into force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PutStop {
    /// Why, for those who will read the audit log; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
