//! Reading many records with few calls: lists filtered by ids, then their contacts and companies together.

use super::AmocrmConnector;
use crate::convert::Entity;
use crate::wire::entity::{Company, Contact, Lead};
use connector::{ConnectorError, Snapshot};
use domain::field::SystemField;
use domain::record::{Record, RecordKey, RecordKind};
use domain::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Ids asked for in one address, so that it stays short.
const IDS_PER_CALL: usize = 100;

type Read = Result<Option<Snapshot>, ConnectorError>;
type Known = BTreeMap<i64, Record>;

impl AmocrmConnector {
    pub(super) async fn snapshots(&self, keys: &[RecordKey], related: bool) -> Vec<Read> {
        let mut mains: BTreeMap<RecordKind, Result<Known, ConnectorError>> = BTreeMap::new();
        for kind in [RecordKind::Deal, RecordKind::Contact, RecordKind::Company] {
            let ids = ids(keys.iter().filter(|key| key.kind == kind));
            if !ids.is_empty() {
                mains.insert(kind, self.records_of(kind, ids).await);
            }
        }
        let around = if related {
            self.around(&mains).await
        } else {
            Ok(BTreeMap::new())
        };
        let mut reads = Vec::with_capacity(keys.len());
        for key in keys {
            reads.push(match mains.get(&key.kind) {
                Some(Ok(known)) => {
                    let main = key.id.number().and_then(|id| known.get(&id));
                    joined(main, &around)
                }
                Some(Err(error)) => Err(error.clone()),
                // Tasks and notes have no lists by id.
                None => self.snapshot(key, related).await,
            });
        }
        reads
    }

    /// Contacts and companies that those records point to.
    async fn around(
        &self,
        mains: &BTreeMap<RecordKind, Result<Known, ConnectorError>>,
    ) -> Result<BTreeMap<RecordKind, Known>, ConnectorError> {
        let mut around = BTreeMap::new();
        for (field, kind) in [
            (SystemField::Contact, RecordKind::Contact),
            (SystemField::Company, RecordKind::Company),
        ] {
            let mut wanted = BTreeSet::new();
            for record in mains.values().flatten().flat_map(BTreeMap::values) {
                if let Some(Value::Id(id)) = record.get(field.into()) {
                    wanted.insert(*id);
                }
            }
            if !wanted.is_empty() {
                around.insert(kind, self.records_of(kind, wanted).await?);
            }
        }
        Ok(around)
    }

    async fn records_of(&self, kind: RecordKind, ids: BTreeSet<i64>) -> Result<Known, ConnectorError> {
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut known = Known::new();
        for chunk in ids.chunks(IDS_PER_CALL) {
            for record in self.listed(kind, chunk).await? {
                // An account that does not know a filter answers with everything.
                if let Some(id) = record.key.id.number().filter(|id| chunk.contains(id)) {
                    known.insert(id, record);
                }
            }
        }
        Ok(known)
    }

    async fn listed(&self, kind: RecordKind, ids: &[i64]) -> Result<Vec<Record>, ConnectorError> {
        let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
        let mut query: Vec<(&str, &str)> = texts.iter().map(|id| ("filter[id][]", id.as_str())).collect();
        let path = |entity: Entity| format!("/api/v4/{}", entity.word());
        Ok(match kind {
            RecordKind::Deal => {
                query.push(("with", "contacts,loss_reason"));
                let all: Vec<Lead> = self
                    .client
                    .get_some(&path(Entity::Leads), &query, "leads", 1)
                    .await?;
                let all = all.iter().filter(|lead| !lead.is_deleted);
                all.map(|lead| self.reading(|reader| reader.lead(lead))).collect()
            }
            RecordKind::Company => {
                let all: Vec<Company> = self
                    .client
                    .get_some(&path(Entity::Companies), &query, "companies", 1)
                    .await?;
                let all = all.iter().filter(|company| !company.is_deleted);
                all.map(|company| self.reading(|reader| reader.company(company)))
                    .collect()
            }
            _ => {
                let all: Vec<Contact> = self
                    .client
                    .get_some(&path(Entity::Contacts), &query, "contacts", 1)
                    .await?;
                let all = all.iter().filter(|contact| !contact.is_deleted);
                all.map(|contact| self.reading(|reader| reader.contact(contact)))
                    .collect()
            }
        })
    }
}

fn ids<'a>(keys: impl Iterator<Item = &'a RecordKey>) -> BTreeSet<i64> {
    keys.filter_map(|key| key.id.number()).collect()
}

fn joined(main: Option<&Record>, around: &Result<BTreeMap<RecordKind, Known>, ConnectorError>) -> Read {
    let Some(main) = main else { return Ok(None) };
    let around = around.as_ref().map_err(Clone::clone)?;
    let mut records = vec![main.clone()];
    for (field, kind) in [
        (SystemField::Contact, RecordKind::Contact),
        (SystemField::Company, RecordKind::Company),
    ] {
        if let Some(Value::Id(id)) = main.get(field.into())
            && let Some(found) = around.get(&kind).and_then(|known| known.get(id))
        {
            records.push(found.clone());
        }
    }
    Ok(Some(Snapshot { records }))
}
