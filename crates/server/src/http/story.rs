//! Events and deliveries with everything around them, as their pages show them.

use crate::http::access::Access;
use crate::http::convert;
use crate::http::problem::Problem;
use api::chronicle::{ChronicleEvent, EchoCause, PlacedRecord};
use api::delivery::DeliveryView;
use api::event::{EventSummary, EventView, InboundBody, RecordRef};
use api::link::Link;
use api::run::RunView;
use connector::Connector;
use domain::field::SystemField;
use domain::id::{ConnectionId, EventId, RuleId};
use domain::record::{RecordKey, RecordKind};
use domain::value::Value;
use std::collections::HashMap;
use std::sync::Arc;
use storage::counts::{self, DeliveryCount};
use storage::deliveries::{self, Attempt, Delivery};
use storage::events::{self, StoredEvent};
use storage::rules::{self, RuleVersion};
use storage::runs::{self, Run};
use storage::{StorageError, chronicle, connections, links, memory};

/// Gives records the addresses of their cards and the names they were last known by.
pub struct Cards<'a, P> {
    access: &'a Access<P>,
    connectors: HashMap<ConnectionId, Arc<dyn Connector>>,
    rules: HashMap<RuleId, String>,
}

impl<'a, P> Cards<'a, P> {
    /// For the connections and rules of the caller's workspace.
    pub async fn of(access: &'a Access<P>) -> Result<Self, Problem> {
        let mut connectors = HashMap::new();
        for connection in connections::list(access.db(), access.workspace()).await? {
            if let Some(connector) = access.cards(&connection).await {
                connectors.insert(connection.id, connector);
            }
        }
        let rules = rules::names(access.db(), access.workspace())
            .await?
            .into_iter()
            .collect();
        Ok(Self {
            access,
            connectors,
            rules,
        })
    }

    fn record(&self, connection: ConnectionId, key: &RecordKey, name: Option<String>) -> RecordRef {
        RecordRef {
            kind: key.kind,
            id: key.id.clone(),
            name,
            url: self
                .connectors
                .get(&connection)
                .and_then(|connector| connector.card_url(key)),
        }
    }

    /// A record with the name it was last known by.
    async fn named(&self, connection: ConnectionId, key: &RecordKey) -> Result<RecordRef, Problem> {
        let known = memory::snapshot(self.access.db(), self.access.workspace(), connection, key).await?;
        let name = known.and_then(|known| name_of(&known.record));
        Ok(self.record(connection, key, name))
    }

    fn rule_name(&self, id: RuleId) -> String {
        self.rules
            .get(&id)
            .cloned()
            .unwrap_or_else(|| "удалённое правило".to_owned())
    }

    /// An event as lists show it.
    pub fn summary(&self, stored: &StoredEvent, count: DeliveryCount) -> EventSummary {
        let event = &stored.event;
        let fact = &event.fact;
        EventSummary {
            id: event.id,
            connection_id: event.connection,
            kind: fact.kind,
            record: self.record(event.connection, &fact.key, name_of(&fact.record)),
            origin: event.origin,
            state: convert::event_state(stored.state),
            outcome: stored.outcome.clone(),
            n_matched: stored.n_matched,
            deliveries: convert::delivery_counts(count),
            received_at: event.received_at,
            occurred_at: fact.occurred_at,
            replay_of: stored.replay_of,
        }
    }

    /// Events as lists show them.
    pub async fn summaries(&self, events: &[StoredEvent]) -> Result<Vec<EventSummary>, Problem> {
        let ids: Vec<EventId> = events.iter().map(|stored| stored.event.id).collect();
        let counts = counts::of_events(self.access.db(), self.access.workspace(), &ids).await?;
        let counts: HashMap<EventId, DeliveryCount> = counts.into_iter().collect();
        let count = |id| counts.get(id).copied().unwrap_or_default();
        Ok(events
            .iter()
            .map(|stored| self.summary(stored, count(&stored.event.id)))
            .collect())
    }

    /// The page of an event.
    pub async fn story(&self, id: EventId) -> Result<EventView, Problem> {
        let (db, workspace) = (self.access.db(), self.access.workspace());
        let stored = events::find(db, workspace, id).await?;
        let summary = self
            .summaries(std::slice::from_ref(&stored))
            .await?
            .pop()
            .ok_or_else(Problem::not_found)?;
        let body = match stored.inbound {
            Some(inbound) => present(events::inbound(db, workspace, inbound).await)?,
            None => None,
        };
        let deliveries = deliveries::of_event(db, workspace, id).await?;
        Ok(EventView {
            summary,
            body: body.map(|inbound| InboundBody {
                content_type: inbound.content_type,
                text: inbound.body,
                received_at: inbound.received_at,
            }),
            runs: self.runs(id).await?,
            records: self.records(&stored, &deliveries).await?,
            deliveries: self.deliveries(deliveries).await?,
            fact: stored.event.fact,
        })
    }

    /// Records with their cards and names.
    pub async fn placed(&self, places: &[(ConnectionId, RecordKey)]) -> Result<Vec<PlacedRecord>, Problem> {
        let mut placed = Vec::with_capacity(places.len());
        for (connection, key) in places {
            placed.push(PlacedRecord {
                connection_id: *connection,
                record: self.named(*connection, key).await?,
            });
        }
        Ok(placed)
    }

    /// Events with all that followed from them.
    pub async fn chronicle(&self, rows: &[StoredEvent]) -> Result<Vec<ChronicleEvent>, Problem> {
        let (db, workspace) = (self.access.db(), self.access.workspace());
        let ids: Vec<EventId> = rows.iter().map(|stored| stored.event.id).collect();
        let causes = chronicle::causes(db, workspace, &ids).await?;
        let found = runs::of_events(db, workspace, &ids).await?;
        let of: HashMap<_, _> = found.iter().map(|run| (run.id, run.event)).collect();
        let mut runs = self.views(found).await?;
        let mut deliveries = deliveries::of_events(db, workspace, &ids).await?;
        let summaries = self.summaries(rows).await?;
        let item = |event: EventSummary| {
            let id = event.id;
            let cause = causes.iter().find(|cause| cause.echo == id);
            ChronicleEvent {
                runs: runs.extract_if(.., |run| of.get(&run.id) == Some(&id)).collect(),
                deliveries: deliveries
                    .extract_if(.., |delivery| delivery.event == id)
                    .map(|delivery| self.delivery(delivery))
                    .collect(),
                cause: cause.map(|cause| EchoCause {
                    delivery_id: cause.delivery,
                    event_id: cause.event,
                }),
                event,
            }
        };
        Ok(summaries.into_iter().map(item).collect())
    }

    async fn runs(&self, event: EventId) -> Result<Vec<RunView>, Problem> {
        let runs = runs::of_event(self.access.db(), self.access.workspace(), event).await?;
        self.views(runs).await
    }

    async fn views(&self, runs: Vec<Run>) -> Result<Vec<RunView>, Problem> {
        let (db, workspace) = (self.access.db(), self.access.workspace());
        let ids: Vec<_> = runs.iter().map(|run| run.version).collect();
        let versions = rules::versions_by_id(db, workspace, &ids).await?;
        let view = |run: Run| {
            let version: Option<&RuleVersion> = versions.iter().find(|version| version.id == run.version);
            RunView {
                id: run.id,
                rule_id: run.rule,
                rule_name: version.map_or_else(
                    || self.rule_name(run.rule),
                    |version| version.document.name.clone(),
                ),
                rule_number: version.map_or(0, |version| version.number),
                outcome: run.outcome,
                explanation: Some(run.explanation),
                notes: run.notes,
                n_commands: run.n_commands,
                at: run.at,
            }
        };
        Ok(runs.into_iter().map(view).collect())
    }

    /// Deliveries with every try.
    pub async fn deliveries(&self, rows: Vec<Delivery>) -> Result<Vec<DeliveryView>, Problem> {
        let ids: Vec<_> = rows.iter().map(|delivery| delivery.id).collect();
        let attempts = deliveries::attempts(self.access.db(), self.access.workspace(), &ids).await?;
        let mut by_delivery: HashMap<_, Vec<Attempt>> = HashMap::new();
        for attempt in attempts {
            by_delivery.entry(attempt.delivery).or_default().push(attempt);
        }
        let with_attempts = rows.into_iter().map(|delivery| {
            let tries = by_delivery.remove(&delivery.id).unwrap_or_default();
            let mut view = self.delivery(delivery);
            view.attempts = tries.into_iter().map(convert::attempt).collect();
            view
        });
        Ok(with_attempts.collect())
    }

    /// A delivery as lists show it, without its tries.
    pub fn delivery(&self, delivery: Delivery) -> DeliveryView {
        let is_final = delivery.state.is_final();
        DeliveryView {
            id: delivery.id,
            event_id: delivery.event,
            rule_id: delivery.rule,
            rule_name: self.rule_name(delivery.rule),
            connection_id: delivery.connection,
            command: delivery.command,
            state: delivery.state,
            record: delivery
                .record
                .zip(delivery.connection)
                .map(|(key, connection)| self.record(connection, &key, None)),
            error_code: delivery.error_code,
            error: delivery.error,
            n_attempts: i32::try_from(delivery.n_attempts).unwrap_or(i32::MAX),
            replay_of: delivery.replay_of,
            created_at: delivery.created_at,
            due_at: (!is_final).then_some(delivery.due_at),
            finished_at: delivery.finished_at,
            attempts: Vec::new(),
        }
    }

    /// The event's record, its counterparts on the other side, and what deliveries wrote to; each once.
    async fn records(&self, stored: &StoredEvent, written: &[Delivery]) -> Result<Vec<RecordRef>, Problem> {
        let (db, workspace) = (self.access.db(), self.access.workspace());
        let event = &stored.event;
        let mut wanted = vec![(event.connection, event.fact.key.clone())];
        for link in links::of_record(db, workspace, event.connection, &event.fact.key).await? {
            wanted.extend(sides(&link));
        }
        let written = written
            .iter()
            .filter_map(|delivery| delivery.connection.zip(delivery.record.clone()));
        wanted.extend(written);
        let mut records = Vec::new();
        for (at, (connection, key)) in wanted.iter().enumerate() {
            if !wanted[..at].contains(&(*connection, key.clone())) {
                records.push(self.named(*connection, key).await?);
            }
        }
        Ok(records)
    }

    /// A link with the cards of all its records.
    pub fn link(&self, link: &links::Link) -> Link {
        let record = |wanted: RecordKind| {
            let (connection, key) = sides(link).into_iter().find(|(_, key)| key.kind == wanted)?;
            Some(self.record(connection, &key, None))
        };
        Link {
            id: link.id,
            amocrm_connection_id: link.amocrm,
            lptracker_connection_id: link.lptracker,
            deal: record(RecordKind::Deal),
            contact: record(RecordKind::Contact),
            lead: record(RecordKind::Lead),
            lead_contact: record(RecordKind::LeadContact),
            created_at: link.created_at,
            updated_at: link.updated_at,
        }
    }
}

fn sides(link: &links::Link) -> Vec<(ConnectionId, RecordKey)> {
    let ids = [
        (link.amocrm, RecordKind::Deal, &link.deal),
        (link.amocrm, RecordKind::Contact, &link.contact),
        (link.lptracker, RecordKind::Lead, &link.lead),
        (link.lptracker, RecordKind::LeadContact, &link.lead_contact),
    ];
    ids.into_iter()
        .filter_map(|(connection, kind, id)| {
            Some((
                connection,
                RecordKey {
                    kind,
                    id: id.clone()?,
                },
            ))
        })
        .collect()
}

fn name_of(record: &domain::record::Record) -> Option<String> {
    match record.get(SystemField::Name.into()) {
        Some(Value::Text(name)) => Some(name.clone()),
        _ => None,
    }
}

/// What may have been swept away already.
fn present<T>(found: Result<T, StorageError>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StorageError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
