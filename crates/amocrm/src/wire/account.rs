//! The account and its settings: pipelines, field definitions, users, tags, webhooks.

use crate::wire::id::{
    AccountId, EnumId, FieldId, LossReasonId, PipelineId, StatusId, TagId, TaskTypeId, UserId,
};
use crate::wire::tolerant::{Int, lenient_flag, lenient_text, list};
use serde::{Deserialize, Serialize};

/// `GET /api/v4/account`.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
    /// First part of its host.
    #[serde(default, deserialize_with = "lenient_text")]
    pub subdomain: String,
    /// User that the token belongs to.
    #[serde(default)]
    pub current_user_id: Option<UserId>,
    /// Filters by custom field values are switched on.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_api_filter_enabled: bool,
    /// What `with` asked for.
    #[serde(default, rename = "_embedded")]
    pub embedded: AccountEmbedded,
}

/// Parts of an account that are read on request.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AccountEmbedded {
    /// Types of tasks.
    #[serde(default, deserialize_with = "list")]
    pub task_types: Vec<TaskType>,
    /// Formats and zone.
    #[serde(default)]
    pub datetime_settings: Option<DatetimeSettings>,
}

/// Formats and zone of an account.
#[derive(Clone, Debug, Deserialize)]
pub struct DatetimeSettings {
    /// IANA zone.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Its present offset: `+03:00`.
    #[serde(default)]
    pub timezone_offset: Option<String>,
}

/// A type of tasks.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskType {
    /// 1 «Связаться», 2 «Встреча», others are the account's own.
    pub id: TaskTypeId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
}

/// A pipeline with its statuses.
#[derive(Clone, Debug, Deserialize)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// Its name; names repeat.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
    /// Place among the pipelines.
    #[serde(default)]
    pub sort: Option<Int>,
    /// Put away by the user.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_archive: bool,
    /// Statuses.
    #[serde(default, rename = "_embedded")]
    pub embedded: PipelineEmbedded,
}

/// Statuses of a pipeline.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PipelineEmbedded {
    /// The statuses.
    #[serde(default, deserialize_with = "list")]
    pub statuses: Vec<Status>,
}

/// A status of a pipeline.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// Its id; 142 (won) and 143 (lost) are in every pipeline.
    pub id: StatusId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
    /// Place in the pipeline.
    #[serde(default)]
    pub sort: Option<Int>,
    /// Colour as `#rrggbb`.
    #[serde(default)]
    pub color: Option<String>,
    /// 1 is «Неразобранное».
    #[serde(default, rename = "type")]
    pub kind: Option<Int>,
}

/// Definition of a custom field.
#[derive(Clone, Debug, Deserialize)]
pub struct FieldDefinition {
    /// Its id.
    pub id: FieldId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
    /// Its type in amoCRM's word; new words appear.
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    pub kind: String,
    /// Symbolic code of predefined fields: `PHONE`, `EMAIL`, `POSITION`…
    #[serde(default)]
    pub code: Option<String>,
    /// Place among the fields.
    #[serde(default)]
    pub sort: Option<Int>,
    /// Options: an array, or in one sample an object keyed by id.
    #[serde(default, deserialize_with = "list")]
    pub enums: Vec<FieldEnum>,
    /// Computed by amoCRM.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_computed: bool,
}

/// An option of a field.
#[derive(Clone, Debug, Deserialize)]
pub struct FieldEnum {
    /// Its id.
    pub id: EnumId,
    /// Its text.
    #[serde(default, deserialize_with = "lenient_text")]
    pub value: String,
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
    /// Rights.
    #[serde(default)]
    pub rights: Option<Rights>,
}

/// Rights of a user.
#[derive(Clone, Debug, Deserialize)]
pub struct Rights {
    /// Records may be given to the user.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// A tag.
#[derive(Clone, Debug, Deserialize)]
pub struct Tag {
    /// Its id; unique per kind of entity.
    pub id: TagId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
}

/// A reason for losing a lead.
#[derive(Clone, Debug, Deserialize)]
pub struct LossReason {
    /// Its id.
    pub id: LossReasonId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: String,
}

/// A webhook subscription.
#[derive(Clone, Debug, Deserialize)]
pub struct Hook {
    /// Address, which is also its key.
    #[serde(default, deserialize_with = "lenient_text")]
    pub destination: String,
    /// Switched off by amoCRM after too many bad answers.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub disabled: bool,
    /// Event codes.
    #[serde(default, deserialize_with = "list")]
    pub settings: Vec<String>,
}

/// Body of `POST /api/v4/webhooks`.
#[derive(Clone, Debug, Serialize)]
pub struct HookBody<'a> {
    /// Address.
    pub destination: &'a str,
    /// Event codes: always the full list, because it is not settled whether a second call adds or replaces.
    pub settings: &'a [&'a str],
}
