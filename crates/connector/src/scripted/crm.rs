//! The tiny CRM behind the scripted connector.

use crate::connector::{ContactQuery, Effect, Look, Snapshot};
use crate::error::ConnectorError;
use domain::command::{FieldWrite, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Value};

/// A write that took effect.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// When, by the CRM's clock.
    pub at: Timestamp,
    /// Which write.
    pub write: Write,
    /// What it did.
    pub effect: Effect,
}

/// Records and what was done to them.
#[derive(Debug)]
pub struct Crm {
    /// The CRM's clock; it moves only when a test moves it.
    pub now: Timestamp,
    record_kind: RecordKind,
    contact_kind: RecordKind,
    next_id: i64,
    records: Vec<Record>,
    applied: Vec<Applied>,
}

impl Crm {
    /// An empty CRM whose records and contacts are of these kinds.
    pub fn new(record_kind: RecordKind, contact_kind: RecordKind, first_id: i64) -> Self {
        Self {
            now: Timestamp::default(),
            record_kind,
            contact_kind,
            next_id: first_id,
            records: Vec::new(),
            applied: Vec::new(),
        }
    }

    /// Adds or replaces a record.
    pub fn put(&mut self, record: Record) {
        self.remove(&record.key);
        self.records.push(record);
    }

    /// Takes a record away.
    pub fn remove(&mut self, key: &RecordKey) {
        self.records.retain(|known| known.key != *key);
    }

    /// One record.
    pub fn record(&self, key: &RecordKey) -> Option<&Record> {
        self.records.iter().find(|record| record.key == *key)
    }

    /// All records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// Writes that took effect.
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// A record with its contact and company.
    pub fn snapshot(&self, key: &RecordKey, related: bool) -> Option<Snapshot> {
        let record = self.record(key)?;
        let mut records = vec![record.clone()];
        if related {
            for (field, kind) in [
                (SystemField::Contact, self.contact_kind),
                (SystemField::Company, RecordKind::Company),
            ] {
                if let Some(Value::Id(id)) = record.get(field.into())
                    && let Some(around) = self.record(&RecordKey::new(kind, *id))
                {
                    records.push(around.clone());
                }
            }
        }
        Some(Snapshot { records })
    }

    /// Contacts that match, oldest first.
    pub fn find_contacts(&self, query: &ContactQuery) -> Vec<Record> {
        let has =
            |record: &Record, field: SystemField, wanted: &str, same: fn(&str, &str) -> bool| match record
                .get(field.into())
            {
                Some(Value::Texts(list)) => list.iter().any(|text| same(text, wanted)),
                Some(Value::Text(text)) => same(text, wanted),
                _ => false,
            };
        self.records
            .iter()
            .filter(|record| record.key.kind == self.contact_kind)
            .filter(|record| match query {
                ContactQuery::Phone(phone) => {
                    has(record, SystemField::Phone, phone, |a, b| tail(a) == tail(b))
                }
                ContactQuery::Email(email) => has(record, SystemField::Email, email, |a, b| {
                    a.to_lowercase() == b.to_lowercase()
                }),
                ContactQuery::Name(name) => has(record, SystemField::Name, name, |a, b| {
                    a.trim().to_lowercase() == b.trim().to_lowercase()
                }),
            })
            .cloned()
            .collect()
    }

    /// Deals or leads of a contact, newest first.
    pub fn records_of_contact(&self, contact: &RecordId) -> Vec<Record> {
        self.records
            .iter()
            .rev()
            .filter(|record| record.key.kind == self.record_kind)
            .filter(|record| match record.get(SystemField::Contact.into()) {
                Some(Value::Id(id)) => id.to_string() == contact.0,
                _ => false,
            })
            .cloned()
            .collect()
    }

    /// Carries a write out.
    pub fn apply(&mut self, write: &Write) -> Result<Effect, ConnectorError> {
        let effect = match write {
            Write::CreateContact { kind, fields, .. } => self.create(*kind, fields, |_| {}),
            Write::CreateRecord {
                kind,
                contact,
                fields,
                stage,
                responsible,
                tags,
            } => self.create(*kind, fields, |record| {
                if let Some(id) = contact.as_ref().and_then(RecordId::number) {
                    record.set(SystemField::Contact, Value::Id(id));
                }
                if let Some(stage) = stage {
                    record.set(SystemField::Stage, Value::Stage(*stage));
                }
                if let Some(user) = responsible {
                    record.set(SystemField::Responsible, Value::User(*user));
                }
                if !tags.is_empty() {
                    record.set(SystemField::Tags, Value::Choices(tags.clone()));
                }
            }),
            Write::UpdateRecord { key, fields } => self.change(key, |record| fill(record, fields))?,
            Write::Move {
                key,
                stage,
                loss_reason,
            } => self.change(key, |record| {
                record.set(SystemField::Stage, Value::Stage(*stage));
                if let Some(id) = loss_reason {
                    record.set(SystemField::LossReason, Value::Choice(Choice::new(*id, "")));
                }
            })?,
            Write::SetResponsible { key, user } => self.change(key, |record| {
                record.set(SystemField::Responsible, Value::User(*user))
            })?,
            Write::ChangeTags { key, add, remove } => self.change(key, |record| {
                let mut tags = match record.get(SystemField::Tags.into()) {
                    Some(Value::Choices(tags)) => tags.clone(),
                    _ => Vec::new(),
                };
                tags.retain(|tag| !remove.iter().any(|gone| gone.same(tag)));
                for tag in add {
                    if !tags.iter().any(|known| known.same(tag)) {
                        tags.push(tag.clone());
                    }
                }
                record.set(SystemField::Tags, Value::Choices(tags));
            })?,
            Write::AddNote { key, .. }
            | Write::AddTask { key, .. }
            | Write::LogCall { key, .. }
            | Write::AddPayment { key, .. }
            | Write::StartCall { key } => {
                let part = self.take_id().to_string();
                Effect {
                    part: Some(part),
                    ..self.change(key, |_| {})?
                }
            }
        };
        self.applied.push(Applied {
            at: self.now,
            write: write.clone(),
            effect: effect.clone(),
        });
        Ok(effect)
    }

    /// Whether an equal write took effect at or after a moment.
    pub fn look(&self, write: &Write, since: Timestamp) -> Look {
        match self
            .applied
            .iter()
            .rev()
            .find(|applied| applied.at >= since && applied.write == *write)
        {
            Some(applied) => Look::Applied(applied.effect.clone()),
            None => Look::NotApplied,
        }
    }

    fn create(&mut self, kind: RecordKind, fields: &[FieldWrite], set: impl FnOnce(&mut Record)) -> Effect {
        let mut record = Record::new(kind, self.take_id())
            .with(SystemField::CreatedAt, Value::Instant(self.now))
            .with(SystemField::UpdatedAt, Value::Instant(self.now))
            .with(SystemField::Name, Value::Empty);
        fill(&mut record, fields);
        set(&mut record);
        let key = record.key.clone();
        self.records.push(record);
        Effect {
            key: Some(key),
            part: None,
            updated_at: Some(self.now),
        }
    }

    fn change(&mut self, key: &RecordKey, set: impl FnOnce(&mut Record)) -> Result<Effect, ConnectorError> {
        let now = self.now;
        let record = self
            .records
            .iter_mut()
            .find(|record| record.key == *key)
            .ok_or(ConnectorError::NotFound)?;
        set(record);
        record.set(SystemField::UpdatedAt, Value::Instant(now));
        Ok(Effect {
            key: Some(key.clone()),
            part: None,
            updated_at: Some(now),
        })
    }

    fn take_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

fn fill(record: &mut Record, fields: &[FieldWrite]) {
    for FieldWrite { key, value, .. } in fields {
        let value = match (key, value) {
            (FieldKey::System(SystemField::Phone | SystemField::Email), Value::Text(text)) => {
                Value::Texts(vec![text.clone()])
            }
            _ => value.clone(),
        };
        record.set(*key, value);
    }
}

/// The last ten digits of a phone.
fn tail(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(10)..].iter().collect()
}
