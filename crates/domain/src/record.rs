//! The CRM-neutral shape of deals, leads, contacts and companies.

use crate::field::FieldKey;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Kinds of records. A `Deal` lives in amoCRM, a `Lead` in LPTracker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// amoCRM «сделка» (`leads` in its API).
    Deal,
    /// amoCRM «контакт».
    Contact,
    /// amoCRM «компания».
    Company,
    /// LPTracker «лид».
    Lead,
    /// LPTracker contact of a lead.
    LeadContact,
    /// A telephone call.
    Call,
    /// amoCRM «задача».
    Task,
    /// amoCRM «примечание», LPTracker comment.
    Note,
    /// amoCRM «неразобранное».
    Unsorted,
    /// The structure of a CRM account itself (fields, funnels).
    Structure,
    /// The event itself: `event.at` is when it happened, `event.author` does not exist in every CRM. Rules
    /// look at it for «сейчас рабочее время»; nothing is written to it.
    Event,
}

impl RecordKind {
    /// Stable word used in texts, URLs and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deal => "deal",
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Lead => "lead",
            Self::LeadContact => "lead_contact",
            Self::Call => "call",
            Self::Task => "task",
            Self::Note => "note",
            Self::Unsorted => "unsorted",
            Self::Structure => "structure",
            Self::Event => "event",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Russian name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Deal => "Сделка",
            Self::Contact => "Контакт",
            Self::Company => "Компания",
            Self::Lead => "Лид",
            Self::LeadContact => "Контакт лида",
            Self::Call => "Звонок",
            Self::Task => "Задача",
            Self::Note => "Примечание",
            Self::Unsorted => "Неразобранное",
            Self::Structure => "Структура",
            Self::Event => "Событие",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Deal,
        Self::Contact,
        Self::Company,
        Self::Lead,
        Self::LeadContact,
        Self::Call,
        Self::Task,
        Self::Note,
        Self::Unsorted,
        Self::Structure,
        Self::Event,
    ];
}

/// An id given by a CRM. Kept as text: some are numbers, some UUIDs, some opaque strings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(pub String);

impl RecordId {
    /// The number in the id, where the CRM uses numbers.
    pub fn number(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl From<i64> for RecordId {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl From<&str> for RecordId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record inside one connection.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RecordKey {
    /// What it is.
    pub kind: RecordKind,
    /// Its id in the CRM.
    pub id: RecordId,
}

impl RecordKey {
    /// Joins kind and id.
    pub fn new(kind: RecordKind, id: impl Into<RecordId>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// A record with what is known of it. A field that is not in `fields` is *absent*: unknown, not empty.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Which record this is.
    pub key: RecordKey,
    /// Known fields, ascending by key, each once. Use [`Record::set`] to keep it so.
    fields: Vec<(FieldKey, Value)>,
}

impl Record {
    /// A record of which nothing is known yet.
    pub fn new(kind: RecordKind, id: impl Into<RecordId>) -> Self {
        Self {
            key: RecordKey::new(kind, id),
            fields: Vec::new(),
        }
    }

    /// What a field holds, or `None` when that is unknown.
    pub fn get(&self, key: FieldKey) -> Option<&Value> {
        self.fields
            .binary_search_by_key(&key, |(k, _)| *k)
            .ok()
            .map(|at| &self.fields[at].1)
    }

    /// Sets a field, replacing what was known.
    pub fn set(&mut self, key: impl Into<FieldKey>, value: Value) {
        let key = key.into();
        match self.fields.binary_search_by_key(&key, |(k, _)| *k) {
            Ok(at) => self.fields[at].1 = value,
            Err(at) => self.fields.insert(at, (key, value)),
        }
    }

    /// Sets a field and returns the record, for building.
    #[must_use]
    pub fn with(mut self, key: impl Into<FieldKey>, value: Value) -> Self {
        self.set(key, value);
        self
    }

    /// Known fields in ascending order.
    pub fn fields(&self) -> &[(FieldKey, Value)] {
        &self.fields
    }

    /// Takes over every field that the newer record knows.
    pub fn merge(&mut self, newer: &Record) {
        for (key, value) in &newer.fields {
            self.set(*key, value.clone());
        }
    }
}
