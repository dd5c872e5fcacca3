//! Reading records and looking for them.

use super::{AmocrmConnector, entity_path};
use crate::client::now;
use crate::convert::Entity;
use crate::phone;
use crate::wire::entity::{Company, Contact, Lead, Task};
use crate::wire::note::Note;
use crate::wire::tolerant::Known;
use connector::{ConnectorError, ContactQuery, Snapshot};
use domain::field::SystemField;
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::value::Value;

/// Ids asked for in one address, so that it stays short.
const IDS_PER_CALL: usize = 100;
/// A search by a common name finds thousands; further pages are not worth the budget.
const SEARCH_PAGES: u32 = 8;
/// How far back changed contacts are read when the search, whose index lags, finds nobody. Ms.
const FRESH_MS: i64 = 60_000;

impl AmocrmConnector {
    pub(super) async fn snapshot(
        &self,
        key: &RecordKey,
        related: bool,
    ) -> Result<Option<Snapshot>, ConnectorError> {
        let Some(record) = self.record(key).await? else {
            return Ok(None);
        };
        let mut records = vec![record];
        if related {
            for (field, kind) in [
                (SystemField::Contact, RecordKind::Contact),
                (SystemField::Company, RecordKind::Company),
            ] {
                if let Some(Value::Id(id)) = records[0].get(field.into())
                    && let Some(around) = self.record(&RecordKey::new(kind, *id)).await?
                {
                    records.push(around);
                }
            }
        }
        Ok(Some(Snapshot { records }))
    }

    /// One record. What is in the bin is not there.
    pub(super) async fn record(&self, key: &RecordKey) -> Result<Option<Record>, ConnectorError> {
        let client = &self.client;
        Ok(match key.kind {
            RecordKind::Deal => {
                let Some(path) = entity_path(Entity::Leads, &key.id) else {
                    return Ok(None);
                };
                let lead: Option<Lead> = gone(client.get(&path, &[("with", "contacts,loss_reason")]).await)?;
                lead.filter(|lead| !lead.is_deleted)
                    .map(|lead| self.reading(|reader| reader.lead(&lead)))
            }
            RecordKind::Contact => {
                let Some(path) = entity_path(Entity::Contacts, &key.id) else {
                    return Ok(None);
                };
                let contact: Option<Contact> = gone(client.get(&path, &[]).await)?;
                contact
                    .filter(|contact| !contact.is_deleted)
                    .map(|contact| self.reading(|reader| reader.contact(&contact)))
            }
            RecordKind::Company => {
                let Some(path) = entity_path(Entity::Companies, &key.id) else {
                    return Ok(None);
                };
                let company: Option<Company> = gone(client.get(&path, &[]).await)?;
                company
                    .filter(|company| !company.is_deleted)
                    .map(|company| self.reading(|reader| reader.company(&company)))
            }
            RecordKind::Task => {
                let Some(id) = key.id.number() else {
                    return Ok(None);
                };
                let task: Option<Task> = gone(client.get(&format!("/api/v4/tasks/{id}"), &[]).await)?;
                task.map(|task| self.reading(|reader| reader.task(&task).0))
            }
            RecordKind::Note => self.note(&key.id).await?,
            _ => {
                return Err(ConnectorError::Unsupported {
                    what: "чтение записи этого вида",
                });
            }
        })
    }

    /// A note by id alone: amoCRM wants to know what it belongs to, so each kind is asked in turn.
    async fn note(&self, id: &RecordId) -> Result<Option<Record>, ConnectorError> {
        let Some(id) = id.number() else { return Ok(None) };
        for entity in Entity::ALL {
            let path = format!("/api/v4/{}/notes/{id}", entity.word());
            if let Some(note) = gone(self.client.get::<Note>(&path, &[]).await)? {
                return Ok(Some(self.reading(|reader| reader.note(entity, &note).0)));
            }
        }
        Ok(None)
    }

    pub(super) async fn search_contacts(&self, query: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        let texts = match query {
            ContactQuery::Phone(phone) => phone::search_texts(phone),
            ContactQuery::Email(text) | ContactQuery::Name(text) => vec![text.trim().to_owned()],
        };
        let mut matching = Vec::new();
        let mut asked = false;
        for text in texts.iter().filter(|text| !text.is_empty()) {
            asked = true;
            let query_text = [("query", text.as_str())];
            let found: Vec<Contact> = self
                .client
                .get_some("/api/v4/contacts", &query_text, "contacts", SEARCH_PAGES)
                .await?;
            matching = self.matching(&found, query);
            if !matching.is_empty() {
                break;
            }
        }
        if asked && matching.is_empty() {
            // The index of the search lags behind by seconds; the list of changed contacts does not.
            matching = self.matching(
                &self.fresh_contacts(now().plus_ms(-FRESH_MS).secs()).await?,
                query,
            );
        }
        matching.sort_by_key(|record| (created_at(record), record.key.id.number()));
        Ok(matching)
    }

    /// Contacts changed at or after a moment (Unix seconds).
    pub(super) async fn fresh_contacts(&self, from: i64) -> Result<Vec<Contact>, ConnectorError> {
        let from = from.to_string();
        let query = [
            ("filter[updated_at][from]", from.as_str()),
            ("order[updated_at]", "desc"),
        ];
        Ok(self
            .client
            .get_page("/api/v4/contacts", &query, "contacts", 1)
            .await?
            .0)
    }

    fn matching(&self, contacts: &[Contact], query: &ContactQuery) -> Vec<Record> {
        contacts
            .iter()
            .filter(|contact| !contact.is_deleted)
            .map(|contact| self.reading(|reader| reader.contact(contact)))
            .filter(|record| fits(record, query))
            .collect()
    }

    pub(super) async fn leads_of_contact(&self, contact: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        let Some(path) = entity_path(Entity::Contacts, contact) else {
            return Ok(Vec::new());
        };
        let holder: Option<Contact> = gone(self.client.get(&path, &[("with", "leads")]).await)?;
        let ids: Vec<i64> = match holder.map(|holder| holder.embedded.leads) {
            Some(Known::Is(links)) => links.0.iter().map(|link| link.id.0).collect(),
            _ => return Ok(Vec::new()),
        };
        let mut records: Vec<Record> = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(IDS_PER_CALL) {
            let texts: Vec<String> = chunk.iter().map(i64::to_string).collect();
            let mut query = vec![("with", "contacts,loss_reason")];
            query.extend(texts.iter().map(|id| ("filter[id][]", id.as_str())));
            let leads: Vec<Lead> = self.client.get_all("/api/v4/leads", &query, "leads").await?;
            // An account that does not know a filter answers with everything.
            let asked = leads
                .iter()
                .filter(|lead| chunk.contains(&lead.id.0) && !lead.is_deleted);
            records.extend(asked.map(|lead| self.reading(|reader| reader.lead(lead))));
        }
        records.sort_by_key(|record| std::cmp::Reverse((created_at(record), record.key.id.number())));
        Ok(records)
    }
}

/// An unknown sub-resource answers 404 where an unknown entity answers 204.
pub(super) fn gone<T>(answer: Result<Option<T>, ConnectorError>) -> Result<Option<T>, ConnectorError> {
    match answer {
        Err(ConnectorError::NotFound) => Ok(None),
        other => other,
    }
}

/// When a record was made, Unix milliseconds.
pub(super) fn created_at(record: &Record) -> i64 {
    match record.get(SystemField::CreatedAt.into()) {
        Some(Value::Instant(at)) => at.0,
        _ => 0,
    }
}

fn fits(record: &Record, query: &ContactQuery) -> bool {
    let any = |field: SystemField, same: &dyn Fn(&str) -> bool| match record.get(field.into()) {
        Some(Value::Texts(texts)) => texts.iter().any(|text| same(text)),
        Some(Value::Text(text)) => same(text),
        _ => false,
    };
    match query {
        ContactQuery::Phone(phone) => any(SystemField::Phone, &|text| phone::same(text, phone)),
        ContactQuery::Email(email) => {
            let email = email.trim().to_lowercase();
            any(SystemField::Email, &|text| text.trim().to_lowercase() == email)
        }
        ContactQuery::Name(name) => any(SystemField::Name, &|text| domain::text::same_name(text, name)),
    }
}
