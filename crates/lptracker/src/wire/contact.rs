//! Contacts (contract §3.1); in webhooks their details are under `contacts`.

use super::{list, scalar};
use crate::time;
use domain::time::{Timestamp, Zone};
use serde_json::Value;

/// A contact.
#[derive(Clone, PartialEq, Debug)]
pub struct Contact {
    /// Its id.
    pub id: i64,
    /// Project it belongs to, when told.
    pub project_id: Option<i64>,
    /// Name, when told.
    pub name: Option<String>,
    /// Profession, when told.
    pub profession: Option<String>,
    /// Site, when told.
    pub site: Option<String>,
    /// Phones, addresses and the like, when told.
    pub details: Option<Vec<Detail>>,
    /// Values of contact fields, when told.
    pub fields: Option<Vec<FieldValue>>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// One way to reach a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Its id.
    pub id: Option<i64>,
    /// `phone`, `email`, `skype`, … Unknown words are kept.
    pub kind: String,
    /// The address itself.
    pub data: String,
}

/// The value of a contact or lead field.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldValue {
    /// Field id.
    pub id: i64,
    /// Type in the service's word; empty when not told.
    pub kind: String,
    /// Value as it came.
    pub value: Value,
}

impl Contact {
    /// Reads a contact; `None` without an id.
    pub fn read(value: &Value, zone: &Zone) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id")?,
            project_id: scalar::id(value, "project_id"),
            name: scalar::known_text(value, "name"),
            profession: scalar::known_text(value, "profession"),
            site: scalar::known_text(value, "site"),
            details: value
                .get("details")
                .filter(|details| details.is_array())
                .or_else(|| value.get("contacts").filter(|details| details.is_array()))
                .map(|details| list(details, Detail::read)),
            fields: value.get("fields").and_then(FieldValue::read_all),
            created_at: value.get("created_at").and_then(|at| time::instant(at, zone)),
        })
    }

    /// Data of the details of a kind.
    pub fn data<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let details = self.details.as_deref().unwrap_or_default().iter();
        details
            .filter(move |detail| detail.kind == kind)
            .map(|detail| detail.data.as_str())
    }
}

impl Detail {
    /// Reads a detail; `None` without data.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id"),
            kind: value
                .get("type")
                .and_then(scalar::text)
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
            data: value.get("data").and_then(scalar::text)?,
        })
    }
}

impl FieldValue {
    /// Reads `{id,name,type,value}`.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: scalar::id(value, "id")?,
            kind: value.get("type").and_then(scalar::text).unwrap_or_default(),
            value: value.get("value").cloned().unwrap_or(Value::Null),
        })
    }

    /// Reads a list of values, or a map from id to value. `None` when it is neither.
    pub fn read_all(value: &Value) -> Option<Vec<Self>> {
        match value {
            Value::Array(_) => Some(list(value, Self::read)),
            Value::Object(map) => Some(
                map.iter()
                    .filter_map(|(key, value)| {
                        let id = key.trim().parse().ok()?;
                        Some(Self {
                            id,
                            kind: String::new(),
                            value: value.clone(),
                        })
                    })
                    .collect(),
            ),
            _ => None,
        }
    }
}
