//! What the editor tries a rule on: received events, or a pasted body, with everything the hub already knows around
//! them. Nothing is asked of the CRMs and nothing is kept.

use crate::context::Context;
use crate::error::EngineError;
use crate::links;
use crate::rulebook;
use connector::IntakeContext;
use domain::connection::ConnectorKind;
use domain::evaluate::{Facts, KnownRecord, Source};
use domain::event::Fact;
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use std::sync::Arc;
use storage::events::{self, EventFilter, StoredEvent};
use storage::links::Link;
use storage::{PageOf, connections, memory};

/// An event with what is known around it.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// The event.
    pub stored: StoredEvent,
    /// What rules would look at.
    pub facts: Facts,
}

/// Gathers facts for trying rules.
#[derive(Clone)]
pub struct Trials {
    context: Arc<Context>,
}

impl Trials {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// The newest events that fit.
    pub async fn recent(
        &self,
        workspace: WorkspaceId,
        wanted: &EventFilter,
        limit: u64,
    ) -> Result<Vec<Trial>, EngineError> {
        let page = PageOf { limit, before: None };
        let mut found = Vec::new();
        for stored in events::list(&self.context.db, workspace, wanted, page).await? {
            found.push(self.trial(stored).await?);
        }
        Ok(found)
    }

    /// One event.
    pub async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Trial, EngineError> {
        let stored = events::find(&self.context.db, workspace, id).await?;
        self.trial(stored).await
    }

    /// What a body would tell if it came to a connection now.
    pub async fn body(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        content_type: &str,
        body: &str,
    ) -> Result<Vec<Facts>, EngineError> {
        let db = &self.context.db;
        let row = connections::find(db, workspace, connection).await?;
        let catalogue = connections::catalogue(db, workspace, connection).await?;
        // The account is not compared: a body from a colleague's account is worth trying too.
        let context = IntakeContext {
            catalogue: catalogue.as_ref(),
            account: None,
            projects: &[],
            zone: None,
        };
        let intake = self.context.connectors.intake(row.kind);
        let facts = intake.parse(content_type, body.as_bytes(), context)?;
        let now = self.context.clock.now();
        let mut out = Vec::with_capacity(facts.len());
        for fact in &facts {
            out.push(self.facts(workspace, connection, fact, now).await?);
        }
        Ok(out)
    }

    async fn trial(&self, stored: StoredEvent) -> Result<Trial, EngineError> {
        let event = &stored.event;
        let facts = self
            .facts(event.workspace, event.connection, &event.fact, event.received_at)
            .await?;
        Ok(Trial { stored, facts })
    }

    async fn facts(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        fact: &Fact,
        at: Timestamp,
    ) -> Result<Facts, EngineError> {
        let db = &self.context.db;
        let book = rulebook::frame(&self.context, workspace).await?;
        let mut facts = Facts {
            kind: fact.kind,
            key: fact.key.clone(),
            records: Vec::new(),
            before: fact.before.clone(),
            changed: fact.changed.clone(),
            exists_in_other: None,
            now: self.context.clock.now(),
            zone: book.zone,
            calendar: book.calendar,
        };
        for record in std::iter::once(&fact.record).chain(&fact.related) {
            let mut known = KnownRecord {
                record: record.clone(),
                source: Source::Event,
                at,
            };
            if let Some(kept) = memory::snapshot(db, workspace, connection, &record.key).await? {
                // What the event carries is what it was then; memory only fills the gaps.
                let mut whole = kept.record;
                whole.merge(record);
                known.record = whole;
            }
            facts.records.push(known);
        }
        let anchor = facts
            .records
            .iter()
            .map(|known| known.record.key.clone())
            .find(|key| {
                matches!(
                    key.kind,
                    RecordKind::Deal | RecordKind::Lead | RecordKind::Contact | RecordKind::LeadContact
                )
            });
        if let Some(key) = anchor
            && let Some(link) = links::of(db, workspace, connection, &key).await?
        {
            facts.exists_in_other = Some(link.deal.is_some() && link.lead.is_some());
            self.add_linked(workspace, &link, &mut facts).await?;
        }
        Ok(facts)
    }

    /// What is remembered of the records on both sides of a link.
    async fn add_linked(
        &self,
        workspace: WorkspaceId,
        link: &Link,
        facts: &mut Facts,
    ) -> Result<(), EngineError> {
        let sides = [
            (link.amocrm, RecordKind::Deal),
            (link.amocrm, RecordKind::Contact),
            (link.lptracker, RecordKind::Lead),
            (link.lptracker, RecordKind::LeadContact),
        ];
        for (connection, kind) in sides {
            let Some(id) = link.id_of(kind) else { continue };
            if facts.record(kind).is_some() {
                continue;
            }
            let key = RecordKey::new(kind, id.clone());
            if let Some(kept) = memory::snapshot(&self.context.db, workspace, connection, &key).await? {
                facts.records.push(KnownRecord {
                    record: kept.record,
                    source: Source::Kept,
                    at: kept.updated_at,
                });
            }
        }
        Ok(())
    }
}

/// The content type that a CRM of this kind sends bodies with.
pub const fn usual_content_type(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::Amocrm => "application/x-www-form-urlencoded",
        ConnectorKind::Lptracker => "application/json",
    }
}
