//! Leads, contacts, companies and tasks as they are read.

use crate::wire::account::{LossReason, Tag};
use crate::wire::id::{
    CompanyId, ContactId, FieldId, LeadId, PipelineId, StatusId, TaskId, TaskTypeId, UserId,
};
use crate::wire::tolerant::{Int, Known, lenient_flag, list};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// A lead.
#[derive(Clone, Debug, Deserialize)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// Name; may be empty.
    #[serde(default)]
    pub name: Known<String>,
    /// Budget as a whole number.
    #[serde(default)]
    pub price: Known<Json>,
    /// Budget with its fraction, on accounts that have it.
    #[serde(default)]
    pub price_with_minor_units: Known<Json>,
    /// Responsible user.
    #[serde(default)]
    pub responsible_user_id: Option<UserId>,
    /// Status.
    #[serde(default)]
    pub status_id: Option<StatusId>,
    /// Pipeline.
    #[serde(default)]
    pub pipeline_id: Option<PipelineId>,
    /// Reason for losing it.
    #[serde(default)]
    pub loss_reason_id: Known<Int>,
    /// Who made it; 0 is the robot.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Who changed it last; 0 is the robot.
    #[serde(default)]
    pub updated_by: Option<UserId>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<Int>,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: Option<Int>,
    /// Unix seconds; `null` while open.
    #[serde(default)]
    pub closed_at: Known<Int>,
    /// In the bin.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_deleted: bool,
    /// Filled custom fields.
    #[serde(default)]
    pub custom_fields_values: Known<FieldList>,
    /// What is around it.
    #[serde(default, rename = "_embedded")]
    pub embedded: LeadEmbedded,
}

/// What is around a lead.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LeadEmbedded {
    /// Tags; always there.
    #[serde(default)]
    pub tags: Known<TagList>,
    /// At most one; always there.
    #[serde(default)]
    pub companies: Known<LinkList>,
    /// Only with `with=contacts`.
    #[serde(default)]
    pub contacts: Known<LinkList>,
    /// Only with `with=loss_reason`: an array of one, in one text an object.
    #[serde(default, deserialize_with = "list")]
    pub loss_reason: Vec<LossReason>,
}

/// A contact or a company; their shapes differ only in the names.
#[derive(Clone, Debug, Deserialize)]
pub struct Person<Id> {
    /// Its id.
    pub id: Id,
    /// Name.
    #[serde(default)]
    pub name: Known<String>,
    /// First name; contacts only.
    #[serde(default)]
    pub first_name: Known<String>,
    /// Last name; contacts only.
    #[serde(default)]
    pub last_name: Known<String>,
    /// Responsible user.
    #[serde(default)]
    pub responsible_user_id: Option<UserId>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Who changed it last.
    #[serde(default)]
    pub updated_by: Option<UserId>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<Int>,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: Option<Int>,
    /// In the bin.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_deleted: bool,
    /// Filled custom fields, phones and e-mails among them.
    #[serde(default)]
    pub custom_fields_values: Known<FieldList>,
    /// What is around it.
    #[serde(default, rename = "_embedded")]
    pub embedded: PersonEmbedded,
}

/// A contact.
pub type Contact = Person<ContactId>;
/// A company.
pub type Company = Person<CompanyId>;

/// What is around a contact or company.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PersonEmbedded {
    /// Tags.
    #[serde(default)]
    pub tags: Known<TagList>,
    /// Company of a contact, at most one.
    #[serde(default)]
    pub companies: Known<LinkList>,
    /// Only with `with=leads`.
    #[serde(default)]
    pub leads: Known<LinkList>,
}

/// A task.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<UserId>,
    /// Who changed it last.
    #[serde(default)]
    pub updated_by: Option<UserId>,
    /// Unix seconds.
    #[serde(default)]
    pub created_at: Option<Int>,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: Option<Int>,
    /// Who does it.
    #[serde(default)]
    pub responsible_user_id: Option<UserId>,
    /// What it belongs to.
    #[serde(default)]
    pub entity_id: Option<Int>,
    /// `leads`, `contacts`, `companies`, `customers`.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// Done.
    #[serde(default)]
    pub is_completed: Option<bool>,
    /// Type.
    #[serde(default)]
    pub task_type_id: Option<TaskTypeId>,
    /// What is to be done.
    #[serde(default)]
    pub text: Option<String>,
    /// `[]` when empty, else `{text}`.
    #[serde(default)]
    pub result: Option<Json>,
    /// Deadline, Unix seconds.
    #[serde(default)]
    pub complete_till: Option<Int>,
}

/// A reference to another entity.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Link {
    /// Its id.
    pub id: Int,
    /// The main contact of a lead.
    #[serde(default, deserialize_with = "lenient_flag")]
    pub is_main: bool,
}

/// A custom field with its values.
#[derive(Clone, Debug, Deserialize)]
pub struct FieldValues {
    /// Which field.
    pub field_id: FieldId,
    /// Symbolic code, where it has one.
    #[serde(default)]
    pub field_code: Option<String>,
    /// Type in amoCRM's word.
    #[serde(default)]
    pub field_type: Option<String>,
    /// Values; their shape follows the type.
    #[serde(default, deserialize_with = "list")]
    pub values: Vec<Json>,
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident = $item:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name(pub Vec<$item>);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                list(deserializer).map(Self)
            }
        }
    )*};
}

lists! {
    /// Custom fields; `null` and `[]` both mean that none is filled.
    FieldList = FieldValues;
    /// Tags.
    TagList = Tag;
    /// References.
    LinkList = Link;
}
