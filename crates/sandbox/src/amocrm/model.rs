//! The things an account holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Entities that share their behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Сделка.
    #[serde(rename = "leads", alias = "lead")]
    Lead,
    /// Контакт.
    #[serde(rename = "contacts", alias = "contact")]
    Contact,
    /// Компания.
    #[serde(rename = "companies", alias = "company")]
    Company,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Lead, Self::Contact, Self::Company];

    /// Name in paths and bodies of API v4.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Lead => "leads",
            Self::Contact => "contacts",
            Self::Company => "companies",
        }
    }

    /// Name in events and hook codes.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Contact => "contact",
            Self::Company => "company",
        }
    }

    /// `element_type` of hooks.
    pub fn code(self) -> u8 {
        match self {
            Self::Contact => 1,
            Self::Lead => 2,
            Self::Company => 3,
        }
    }

    /// The kind with this plural or singular name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|k| k.plural() == name || k.singular() == name)
    }
}

/// A lead, contact or company.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Id, unique per kind.
    pub id: i64,
    /// What it is.
    pub kind: Kind,
    /// Whole name.
    pub name: String,
    /// Contacts: first name, when sent apart.
    pub first_name: String,
    /// Contacts: last name, when sent apart.
    pub last_name: String,
    /// Responsible user.
    pub responsible_user_id: i64,
    /// Author; 0 = robot.
    pub created_by: i64,
    /// Last editor; 0 = robot.
    pub updated_by: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Whether it lies in the bin.
    pub is_deleted: bool,
    /// Contacts and companies of an incoming lead not yet accepted.
    pub is_unsorted: bool,
    /// Field id → items of `values` as API v4 shows them. Empty = cleared once.
    pub values: BTreeMap<i64, Vec<Value>>,
    /// Tag ids in order.
    pub tags: Vec<i64>,
    /// Linked elements of lists: id and metadata.
    pub elements: Vec<(i64, Value)>,
    /// Leads: price in hundredths.
    pub price_minor: i64,
    /// Leads: pipeline.
    pub pipeline_id: i64,
    /// Leads: status.
    pub status_id: i64,
    /// Leads: loss reason, only with status 143.
    pub loss_reason_id: Option<i64>,
    /// Leads: moment of closing, Unix seconds.
    pub closed_at: Option<i64>,
    /// Text the search index holds until `indexed_from_ms`, and the moment the present text appears there.
    pub(crate) stale_text: String,
    pub(crate) indexed_from_ms: i64,
}

impl Entity {
    /// An entity with an id and nothing else.
    pub fn new(kind: Kind, id: i64) -> Self {
        Self {
            id,
            kind,
            name: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            responsible_user_id: 0,
            created_by: 0,
            updated_by: 0,
            created_at: 0,
            updated_at: 0,
            is_deleted: false,
            is_unsorted: false,
            values: BTreeMap::new(),
            tags: Vec::new(),
            elements: Vec::new(),
            price_minor: 0,
            pipeline_id: 0,
            status_id: 0,
            loss_reason_id: None,
            closed_at: None,
            stale_text: String::new(),
            indexed_from_ms: i64::MIN,
        }
    }

    /// First value of a field as text.
    pub fn text(&self, field_id: i64) -> Option<String> {
        let value = self.values.get(&field_id)?.first()?.get("value")?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Everything the text search looks at.
    pub(crate) fn search_text(&self) -> String {
        let mut text = format!("{} {} {}", self.name, self.first_name, self.last_name);
        for item in self.values.values().flatten() {
            if let Some(value) = item.get("value") {
                text.push('\n');
                match value {
                    Value::String(s) => text.push_str(s),
                    other => text.push_str(&other.to_string()),
                }
            }
        }
        text.to_lowercase()
    }
}

/// A user of the account.
#[derive(Clone, Debug)]
pub struct User {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Administrator.
    pub is_admin: bool,
    /// Deactivated users cannot be assigned.
    pub is_active: bool,
}

/// A pipeline with its statuses in order.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Order.
    pub sort: i64,
    /// Where new leads go by default.
    pub is_main: bool,
    /// Whether it has incoming leads.
    pub is_unsorted_on: bool,
    /// Statuses by `sort`.
    pub statuses: Vec<Status>,
}

/// A status of a pipeline.
#[derive(Clone, Debug)]
pub struct Status {
    /// Id; 142 and 143 are in every pipeline.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Order.
    pub sort: i64,
    /// Colour.
    pub color: String,
    /// Whether it is the status of incoming leads (type 1).
    pub is_unsorted: bool,
}

impl Pipeline {
    /// The status with this id.
    pub fn status(&self, id: i64) -> Option<&Status> {
        self.statuses.iter().find(|s| s.id == id)
    }

    /// The first status a lead may be created in.
    pub fn first_status(&self) -> Option<&Status> {
        self.statuses.iter().find(|s| !s.is_unsorted)
    }

    /// The status of incoming leads.
    pub fn unsorted_status(&self) -> Option<&Status> {
        self.statuses.iter().find(|s| s.is_unsorted)
    }
}

/// A custom field definition.
#[derive(Clone, Debug)]
pub struct Field {
    /// Id, unique in the account.
    pub id: i64,
    /// Whose field.
    pub kind: Kind,
    /// Name.
    pub name: String,
    /// `text`, `select`, …
    pub field_type: String,
    /// Code such as PHONE.
    pub code: Option<String>,
    /// Order.
    pub sort: i64,
    /// Options.
    pub enums: Vec<Choice>,
    /// Cannot be edited by people.
    pub is_api_only: bool,
    /// Made by amoCRM.
    pub is_predefined: bool,
    /// Statuses that demand it.
    pub required_statuses: Vec<Value>,
    /// Currency of `monetary`.
    pub currency: Option<String>,
}

/// An option of a field.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Id.
    pub id: i64,
    /// Text; for PHONE and EMAIL the kind.
    pub value: String,
    /// Order.
    pub sort: i64,
    /// Code.
    pub code: Option<String>,
}

/// A tag; ids and names are per entity kind.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Id.
    pub id: i64,
    /// Whose tag.
    pub kind: Kind,
    /// Name, exact.
    pub name: String,
    /// Six hex digits, leads only.
    pub color: Option<String>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Id.
    pub id: i64,
    /// Entity it belongs to.
    pub entity: Option<(Kind, i64)>,
    /// Text.
    pub text: String,
    /// Type id.
    pub task_type_id: i64,
    /// Deadline, Unix seconds.
    pub complete_till: i64,
    /// Seconds.
    pub duration: i64,
    /// Done.
    pub is_completed: bool,
    /// Result text and the id it got.
    pub result: Option<(i64, String)>,
    /// Responsible user.
    pub responsible_user_id: i64,
    /// Author.
    pub created_by: i64,
    /// Last editor.
    pub updated_by: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// A note or a call.
#[derive(Clone, Debug)]
pub struct Note {
    /// Id.
    pub id: i64,
    /// Entity it belongs to.
    pub entity: (Kind, i64),
    /// `common`, `call_in`, …
    pub note_type: String,
    /// Content.
    pub params: Value,
    /// Responsible user.
    pub responsible_user_id: i64,
    /// Author.
    pub created_by: i64,
    /// Last editor.
    pub updated_by: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Pinned.
    pub is_pinned: bool,
}

/// A line of the history.
#[derive(Clone, Debug)]
pub struct Event {
    /// 26 characters.
    pub id: String,
    /// Type key.
    pub event_type: String,
    /// Singular kind, or `task`.
    pub entity_type: &'static str,
    /// Entity id.
    pub entity_id: i64,
    /// Author; 0 = robot.
    pub created_by: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// State before.
    pub before: Value,
    /// State after.
    pub after: Value,
}

/// An incoming lead that waits for a decision.
#[derive(Clone, Debug)]
pub struct Unsorted {
    /// 60 hex digits.
    pub uid: String,
    /// `forms` or `sip`.
    pub category: String,
    /// Pipeline it waits in.
    pub pipeline_id: i64,
    /// Source id of the sender.
    pub source_uid: String,
    /// Source name of the sender.
    pub source_name: String,
    /// As sent.
    pub metadata: Value,
    /// Unix seconds.
    pub created_at: i64,
    /// The lead already made for it.
    pub lead_id: i64,
    /// Contacts already made for it.
    pub contacts: Vec<i64>,
    /// Companies already made for it.
    pub companies: Vec<i64>,
}

/// A webhook subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Id.
    pub id: i64,
    /// Address, the key.
    pub destination: String,
    /// Event codes.
    pub settings: Vec<String>,
    /// Order.
    pub sort: i64,
    /// Switched off after too many failures.
    pub disabled: bool,
    /// Who subscribed.
    pub created_by: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Moments (virtual ms) of failed attempts in the last two hours.
    pub failures_ms: Vec<i64>,
}

/// A Digital Pipeline hook on a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageHook {
    /// Address.
    pub url: String,
    /// Pipeline.
    pub pipeline_id: i64,
    /// Status.
    pub status_id: i64,
    /// Also when a lead is created there.
    #[serde(default = "yes")]
    pub on_create: bool,
    /// Moments of failed attempts in the last five minutes.
    #[serde(skip)]
    pub failures_ms: Vec<i64>,
    /// Silent until then (virtual ms).
    #[serde(skip)]
    pub paused_until_ms: i64,
}

fn yes() -> bool {
    true
}
