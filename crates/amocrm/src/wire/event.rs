//! The history of the account.

use crate::wire::id::UserId;
use crate::wire::tolerant::{Int, lenient_text, list};
use serde::Deserialize;
use serde_json::Value as Json;

/// An entry of the history: the only source with an id of its own and with former values.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// A text of 26 characters.
    #[serde(deserialize_with = "lenient_text")]
    pub id: String,
    /// `lead_added`, `lead_status_changed`…
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    pub kind: String,
    /// What it happened to.
    #[serde(default)]
    pub entity_id: Option<Int>,
    /// `lead`, `contact`, `company`, `task`…
    #[serde(default, deserialize_with = "lenient_text")]
    pub entity_type: String,
    /// Who did it; 0 is the robot.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<Int>,
    /// Objects with one key each.
    #[serde(default, deserialize_with = "list")]
    pub value_after: Vec<Json>,
    /// Objects with one key each.
    #[serde(default, deserialize_with = "list")]
    pub value_before: Vec<Json>,
}
