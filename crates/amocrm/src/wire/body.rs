//! What we write.

use serde::Serialize;
use serde_json::Value as Json;

/// A lead, contact or company to be made or changed. What is `None` or empty is not sent, and so stays as it
/// is: an entity is never sent back whole, amoCRM refuses some of its own values.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EntityBody {
    /// Which, in a batch of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// First name of a contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name of a contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Budget; a whole number, or a fraction since 2026.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Json>,
    /// Pipeline, always together with the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<i64>,
    /// Status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_id: Option<i64>,
    /// Accepted only together with status 143; `Some(Null)` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_reason_id: Option<Json>,
    /// Responsible user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible_user_id: Option<i64>,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<i64>,
    /// Custom fields; each replaces what the field held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields_values: Vec<FieldBody>,
    /// Tags to add to those there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags_to_add: Vec<TagBody>,
    /// Tags to take away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags_to_delete: Vec<TagBody>,
    /// Tags as a whole, and links on creation.
    #[serde(rename = "_embedded", skip_serializing_if = "EmbeddedBody::is_empty")]
    pub embedded: EmbeddedBody,
    /// Returned with the answer, so that it finds its item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Links by id, and the set of tags.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EmbeddedBody {
    /// `Some(None)` clears, `Some(Some)` replaces the whole set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Option<Vec<TagBody>>>,
    /// Contacts of a new lead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<LinkBody>,
    /// Company of a new lead or contact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub companies: Vec<LinkBody>,
}

impl EmbeddedBody {
    fn is_empty(&self) -> bool {
        self.tags.is_none() && self.contacts.is_empty() && self.companies.is_empty()
    }
}

/// A link on creation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LinkBody {
    /// To what.
    pub id: i64,
    /// Main contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_main: Option<bool>,
}

/// A tag: by id where it is known (a name that differs by a blank makes a new tag), else by name.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum TagBody {
    /// By id.
    Id {
        /// Its id.
        id: i64,
    },
    /// By name.
    Name {
        /// Its exact name.
        name: String,
    },
}

/// Values of one custom field.
#[derive(Clone, Debug, Serialize)]
pub struct FieldBody {
    /// Which field, by id…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_id: Option<i64>,
    /// …or by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_code: Option<&'static str>,
    /// Its values; `null` clears the field.
    pub values: Option<Vec<Json>>,
}

/// A task to be made or changed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TaskBody {
    /// Which, in a batch of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type_id: Option<i64>,
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Deadline, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_till: Option<i64>,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<i64>,
    /// `leads`, `contacts`, `companies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<&'static str>,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible_user_id: Option<i64>,
    /// Done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_completed: Option<bool>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultBody>,
    /// Returned with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Result of a task.
#[derive(Clone, Debug, Serialize)]
pub struct ResultBody {
    /// In words.
    pub text: String,
}

/// A note to be added.
#[derive(Clone, Debug, Serialize)]
pub struct NoteBody {
    /// What it belongs to.
    pub entity_id: i64,
    /// Kind and content.
    #[serde(flatten)]
    pub content: NoteContent,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Returned with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Kinds of notes that we write.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "note_type", content = "params", rename_all = "snake_case")]
pub enum NoteContent {
    /// A text.
    Common {
        /// The text.
        text: String,
    },
    /// The client called.
    CallIn(CallParams),
    /// The client was called.
    CallOut(CallParams),
}

/// A call inside a note.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CallParams {
    /// Stable id of the call.
    pub uniq: String,
    /// Length in seconds.
    pub duration: u32,
    /// Which system recorded it.
    pub source: &'static str,
    /// Address of the recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The client's phone.
    pub phone: String,
    /// Result in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_result: Option<String>,
}

/// A link to be made between existing entities.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EntityLink {
    /// To what.
    pub to_entity_id: i64,
    /// `contacts` or `companies`.
    pub to_entity_type: &'static str,
    /// Main contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<LinkMetadata>,
}

/// Properties of a link.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LinkMetadata {
    /// Written as `is_main`, read back as `main_contact`.
    pub is_main: bool,
}
