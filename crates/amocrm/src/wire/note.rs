//! Notes as they are read.

use crate::wire::id::{NoteId, UserId};
use crate::wire::tolerant::{Int, lenient_text};
use serde::Deserialize;
use serde_json::Value as Json;

/// A note. Its kinds are open-ended: `params` stays raw.
#[derive(Clone, Debug, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// What it belongs to.
    #[serde(default)]
    pub entity_id: Option<Int>,
    /// Who made it; 0 is the robot.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<Int>,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: Option<Int>,
    /// `common`, `call_in`, `call_out`, `service_message`…
    #[serde(default, deserialize_with = "lenient_text")]
    pub note_type: String,
    /// Its content.
    #[serde(default)]
    pub params: Json,
}

impl Note {
    /// A member of the content as text; numbers are written out.
    pub fn param(&self, name: &str) -> Option<String> {
        match self.params.get(name)? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
