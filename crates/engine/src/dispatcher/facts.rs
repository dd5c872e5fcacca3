//! The facts that rules look at: what the event carries, and what has to be read because a rule asks for it.

use super::batch::Case;
use super::change::Change;
use super::decide::Reading;
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use crate::rulebook::Book;
use connector::{Connector, ConnectorError, ContactQuery, Snapshot, Verdict};
use domain::catalogues::home_of;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::evaluate::{Facts, KnownRecord, Source};
use domain::event::EventKind;
use domain::field::{FieldPath, SystemField};
use domain::id::ConnectionId;
use domain::index::IndexedRule;
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use std::collections::HashMap;
use storage::connections::{self, Connection};
use storage::events::StoredEvent;
use storage::links::Link;

/// Facts with everything the rules ask for, or why they cannot be had now.
pub(super) enum Completed {
    Facts(Box<Facts>),
    /// The CRM does not answer or is not authorised: later.
    Wait {
        reason: String,
    },
    /// A CRM must be asked, and may not be now.
    NotNow,
}

/// What was read from the CRMs for one record, kept for the other events of it that wait with the first.
#[derive(Default)]
pub(super) struct Reads {
    snapshots: HashMap<(ConnectionId, RecordKey), (Snapshot, Timestamp)>,
    exists_in_other: Option<Option<bool>>,
}

/// What the event itself tells.
pub(super) fn from_event(stored: &StoredEvent, change: &Change, book: &Book, now: Timestamp) -> Facts {
    let fact = &stored.event.fact;
    let known = |record: &domain::record::Record| KnownRecord {
        record: record.clone(),
        source: Source::Event,
        at: stored.event.received_at,
    };
    Facts {
        kind: fact.kind,
        key: fact.key.clone(),
        records: std::iter::once(&fact.record)
            .chain(&fact.related)
            .map(known)
            .collect(),
        before: change.before.clone(),
        changed: change.changed.clone(),
        exists_in_other: None,
        now,
        zone: book.zone.clone(),
        calendar: book.calendar.clone(),
    }
}

/// What has to be read before the rules can be asked.
struct Wanted {
    own: Option<RecordKey>,
    other: Option<(ConnectionId, RecordKey)>,
    exists_in_other: bool,
}

impl Wanted {
    fn of(case: &Case<'_>, facts: &Facts, rules: &[&IndexedRule]) -> Self {
        let own = case.connection.kind;
        // LPTracker's webhooks may lag behind: rules act on the state that is read.
        let untrusted = own == ConnectorKind::Lptracker && !rules.is_empty();
        let (here, there): (Vec<FieldPath>, Vec<FieldPath>) = missing(facts, rules)
            .into_iter()
            .partition(|path| home_of(path.record).is_none_or(|home| home == own));
        let counterpart = |link: &Link| {
            let (other, kind) = match own {
                ConnectorKind::Amocrm => (link.lptracker, RecordKind::Lead),
                ConnectorKind::Lptracker => (link.amocrm, RecordKind::Deal),
            };
            Some((other, RecordKey::new(kind, link.id_of(kind)?.clone())))
        };
        Self {
            // A row of a file stands in no CRM yet.
            own: (case.stored.event.fact.kind != EventKind::ImportRowAccepted
                && (untrusted || !here.is_empty()))
            .then(|| readable(&case.stored.event.fact.key, facts))
            .flatten(),
            other: if there.is_empty() {
                None
            } else {
                case.link.and_then(counterpart)
            },
            exists_in_other: rules.iter().any(|entry| entry.rule.needs_other()),
        }
    }

    fn is_nothing(&self) -> bool {
        self.own.is_none() && self.other.is_none() && !self.exists_in_other
    }
}

/// Reads what the rules ask for and the event does not carry.
pub(super) async fn complete(
    context: &Context,
    case: &Case<'_>,
    mut facts: Facts,
    rules: &[&IndexedRule],
    reads: &mut Reads,
    reading: Reading,
) -> Result<Completed, EngineError> {
    let wanted = Wanted::of(case, &facts, rules);
    if !wanted.is_nothing() && reading == Reading::NotNow {
        return Ok(Completed::NotNow);
    }
    if let Some(key) = &wanted.own
        && let Err(reason) = read_into(context, case.connection, key, &mut facts, reads).await?
    {
        return Ok(Completed::Wait { reason });
    }
    if let Some((other, key)) = &wanted.other {
        let connection = connections::find(&context.db, case.stored.event.workspace, *other).await?;
        if let Err(reason) = read_into(context, &connection, key, &mut facts, reads).await? {
            return Ok(Completed::Wait { reason });
        }
    }
    if wanted.exists_in_other {
        let answer = match reads.exists_in_other {
            Some(answer) => answer,
            None => match exists_in_other(context, case, &facts).await? {
                Ok(answer) => *reads.exists_in_other.insert(answer),
                Err(reason) => return Ok(Completed::Wait { reason }),
            },
        };
        facts.exists_in_other = answer;
    }
    Ok(Completed::Facts(Box::new(facts)))
}

/// Fields that rules read and nothing known so far holds.
fn missing(facts: &Facts, rules: &[&IndexedRule]) -> Vec<FieldPath> {
    let mut wanted: Vec<FieldPath> = rules.iter().flat_map(|entry| entry.rule.missing(facts)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// The record to read for an event: its own, or the one that its call, note or task belongs to.
fn readable(key: &RecordKey, facts: &Facts) -> Option<RecordKey> {
    match key.kind {
        RecordKind::Deal
        | RecordKind::Contact
        | RecordKind::Company
        | RecordKind::Lead
        | RecordKind::LeadContact => Some(key.clone()),
        _ => [RecordKind::Deal, RecordKind::Lead, RecordKind::Contact]
            .into_iter()
            .find_map(|kind| facts.record(kind).map(|known| known.record.key.clone())),
    }
}

/// Reads a record with its surroundings; what was read is newer than what the event carried.
async fn read_into(
    context: &Context,
    connection: &Connection,
    key: &RecordKey,
    facts: &mut Facts,
    reads: &mut Reads,
) -> Result<Result<(), String>, EngineError> {
    let place = (connection.id, key.clone());
    if let Some((snapshot, at)) = reads.snapshots.get(&place) {
        take_over(facts, snapshot, *at);
        return Ok(Ok(()));
    }
    let connector = match usable(context, connection).await? {
        Ok(connector) => connector,
        Err(reason) => return Ok(Err(reason)),
    };
    let result = connector.read(key, true).await;
    let now = context.clock.now();
    crate::connections::note(&context.db, connection, result.as_ref().err(), now).await?;
    point!(DispatchRead);
    match result {
        Ok(snapshot) => {
            let snapshot = snapshot.unwrap_or_default();
            take_over(facts, &snapshot, now);
            reads.snapshots.insert(place, (snapshot, now));
            Ok(Ok(()))
        }
        Err(error) => Ok(waits(&error)),
    }
}

/// A refusal for good leaves the fields absent, which the rules then say; anything else is waited for.
fn waits(error: &ConnectorError) -> Result<(), String> {
    match error.verdict() {
        Verdict::Permanent => Ok(()),
        _ => Err(format!("не удалось прочитать запись: {error}")),
    }
}

async fn usable(
    context: &Context,
    connection: &Connection,
) -> Result<Result<std::sync::Arc<dyn Connector>, String>, EngineError> {
    if connection.state != ConnectionState::Active {
        let reason = connection
            .state_reason
            .clone()
            .unwrap_or_else(|| "подключение не активно".to_owned());
        return Ok(Err(format!("подключение «{}»: {reason}", connection.name)));
    }
    Ok(Ok(context.working(connection).await?))
}

fn take_over(facts: &mut Facts, snapshot: &Snapshot, now: Timestamp) {
    for record in &snapshot.records {
        match facts
            .records
            .iter_mut()
            .find(|known| known.record.key.kind == record.key.kind)
        {
            Some(known) if known.record.key == record.key => {
                known.record.merge(record);
                known.source = Source::Read;
                known.at = now;
            }
            Some(_) => {}
            None => facts.records.push(KnownRecord {
                record: record.clone(),
                source: Source::Read,
                at: now,
            }),
        }
    }
}

/// Whether the record has a counterpart: by its link first, then by the contact's phones and e-mails.
async fn exists_in_other(
    context: &Context,
    case: &Case<'_>,
    facts: &Facts,
) -> Result<Result<Option<bool>, String>, EngineError> {
    if case
        .link
        .is_some_and(|link| link.deal.is_some() && link.lead.is_some())
    {
        return Ok(Ok(Some(true)));
    }
    let queries: Vec<ContactQuery> = contact_values(facts, SystemField::Phone)
        .map(|phone| ContactQuery::Phone(phone.clone()))
        .chain(contact_values(facts, SystemField::Email).map(|email| ContactQuery::Email(email.clone())))
        .collect();
    if queries.is_empty() {
        return Ok(Ok(None));
    }
    let workspace = case.stored.event.workspace;
    let others = connections::list(&context.db, workspace).await?;
    for connection in others.iter().filter(|other| other.kind != case.connection.kind) {
        let connector = match usable(context, connection).await? {
            Ok(connector) => connector,
            Err(reason) => return Ok(Err(reason)),
        };
        for query in &queries {
            match connector.find_contacts(query).await {
                Ok(found) if !found.is_empty() => return Ok(Ok(Some(true))),
                Ok(_) => {}
                Err(error) => {
                    if let Err(reason) = waits(&error) {
                        return Ok(Err(reason));
                    }
                }
            }
        }
    }
    Ok(Ok(Some(false)))
}

fn contact_values(facts: &Facts, field: SystemField) -> impl Iterator<Item = &String> {
    [RecordKind::Contact, RecordKind::LeadContact]
        .into_iter()
        .filter_map(|kind| facts.record(kind))
        .filter_map(move |known| known.record.get(field.into()))
        .filter_map(|value| match value {
            Value::Texts(texts) => Some(texts.iter()),
            _ => None,
        })
        .flatten()
}
