//! Is it news? What reading finds is compared with what webhooks told and with our own writes.
//!
//! A CRM tells changes in two forms. A *transition* (an entry of a history) says what a value became and when:
//! it is known if an event of the record says the same of the same moment, and ours if a mark of a write does. A
//! *state* (a row of a list) says how the record is now: it is news if something differs from the state we
//! expect, or if it changed after everything we heard of it.

use crate::dispatcher::change::{self, Change};
use domain::connection::ConnectorKind;
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::Record;
use domain::time::Timestamp;
use domain::value::Value;
use sha2::{Digest, Sha256};
use storage::connections::Connection;
use storage::events::StoredEvent;
use storage::heard::{self, Heard};
use storage::memory::{self, Echo};
use storage::{Db, StorageError};

/// A mark explains what the CRM's clock says happened at most this much before the write, in milliseconds.
const CLOCK_SLACK_MS: i64 = 5_000;
/// Events of a record that are compared with.
const LATEST: u64 = 60;
/// A webhook is late when it comes this long after what it tells, in milliseconds.
const LATE_MS: i64 = 30_000;

/// How exact a CRM tells when something changed, in milliseconds.
pub(crate) const fn grain(kind: ConnectorKind) -> i64 {
    match kind {
        ConnectorKind::Amocrm => 2_000,
        // Lists are told to the minute.
        ConnectorKind::Lptracker => 62_000,
    }
}

/// What is news in a fact that reading found: nothing, the fact, or what follows from it.
pub(super) async fn of(
    db: &Db,
    connection: &Connection,
    fact: Fact,
    since: Timestamp,
) -> Result<Vec<Fact>, StorageError> {
    let (workspace, id) = (connection.workspace, connection.id);
    let heard = heard::since(db, workspace, id, &fact.key, since, LATEST).await?;
    let at = fact.occurred_at.unwrap_or(since);
    let mut marks = memory::echoes(db, workspace, id, std::slice::from_ref(&fact.key), at).await?;
    marks.retain(|mark| mark.written_at.0 <= at.0 + CLOCK_SLACK_MS.max(grain(connection.kind)));
    if is_transition(&fact) {
        let is_known = is_told(&fact, &heard, grain(connection.kind)) || is_written(&fact, &marks);
        return Ok(if is_known { Vec::new() } else { vec![fact] });
    }
    let snapshot = memory::snapshot(db, workspace, id, &fact.key).await?;
    let seen_to = snapshot.as_ref().map_or(Timestamp(0), |it| it.seen_to);
    let known = overlaid(snapshot.map(|it| it.record), &heard);
    let expected = change::expected(known.as_ref(), seen_to, &marks, &fact);
    let Some(expected) = expected else {
        return Ok(vec![told_first(fact, since)]);
    };
    let change = change::of(&as_update(fact.clone()), Some(&expected));
    if is_state_known(&fact, &expected, &change, &heard, &marks, grain(connection.kind)) {
        return Ok(Vec::new());
    }
    Ok(consequences(fact, &change))
}

/// A webhook that came late tells what reading found before it.
pub(crate) async fn is_stale_hook(
    db: &Db,
    kind: ConnectorKind,
    stored: &StoredEvent,
    change: &Change,
) -> Result<bool, StorageError> {
    let event = &stored.event;
    let Some(at) = event.fact.occurred_at else {
        return Ok(false);
    };
    if event.received_at.0 - at.0 < LATE_MS {
        return Ok(false);
    }
    let polled =
        heard::polled_before(db, event.workspace, event.connection, &event.fact.key, event.id.0).await?;
    if polled.is_empty() {
        return Ok(false);
    }
    let grain = grain(kind);
    let is_told = is_told(&event.fact, &polled, grain);
    let is_covered = |one: &Heard| {
        let read_at = one.fact.occurred_at.unwrap_or_default();
        let is_newer = read_at.0 > at.0 + if kind == ConnectorKind::Amocrm { 0 } else { grain };
        let is_same = change.unexpected.is_empty() && read_at.0 + grain > at.0;
        !is_transition(&one.fact) && (is_newer || is_same)
    };
    Ok(match event.fact.kind {
        kind if change::is_creation(kind) => polled.iter().any(|one| !is_transition(&one.fact)),
        _ if is_transition_kind(event.fact.kind) => is_told,
        _ => polled.iter().any(is_covered),
    })
}

const fn is_transition_kind(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::DealStageChanged
            | EventKind::DealResponsibleChanged
            | EventKind::DealDeleted
            | EventKind::DealRestored
            | EventKind::ContactDeleted
            | EventKind::CompanyDeleted
            | EventKind::TaskDeleted
            | EventKind::LeadStageChanged
            | EventKind::LeadOwnerChanged
            | EventKind::LeadPaymentAdded
            | EventKind::LeadDeleted
    )
}

/// An entry of a history, not a row of a list.
fn is_transition(fact: &Fact) -> bool {
    is_transition_kind(fact.kind) || fact.changed.is_some()
}

/// The value that a transition is about; deletions have none.
const fn about(kind: EventKind) -> Option<SystemField> {
    match kind {
        EventKind::DealStageChanged | EventKind::LeadStageChanged => Some(SystemField::Stage),
        EventKind::DealResponsibleChanged | EventKind::LeadOwnerChanged => Some(SystemField::Responsible),
        EventKind::LeadPaymentAdded => Some(SystemField::PaymentSum),
        _ => None,
    }
}

/// Some event says the same of the same moment.
fn is_told(fact: &Fact, heard: &[Heard], grain: i64) -> bool {
    let at = fact.occurred_at.unwrap_or_default();
    let value = |fact: &Fact| about(fact.kind).and_then(|field| fact.record.get(field.into()).cloned());
    heard.iter().any(|one| {
        one.fact.kind == fact.kind
            && one
                .fact
                .occurred_at
                .is_some_and(|then| (then.0 - at.0).abs() <= grain)
            && match (value(fact), value(&one.fact)) {
                (Some(left), Some(right)) => change::same(&left, &right),
                _ => true,
            }
    })
}

/// Marks of ours say that we made every value of a transition.
fn is_written(fact: &Fact, marks: &[Echo]) -> bool {
    let values = fact.record.fields();
    !values.is_empty()
        && values.iter().all(|(field, value)| {
            marks
                .iter()
                .flat_map(|mark| &mark.fields)
                .any(|(written, ours)| written == field && change::same(ours, value))
        })
}

/// The remembered state with what waits for dispatch laid over it, in the order in which it happened.
fn overlaid(snapshot: Option<Record>, heard: &[Heard]) -> Option<Record> {
    let known_at = snapshot
        .as_ref()
        .and_then(|known| match known.get(SystemField::UpdatedAt.into()) {
            Some(Value::Instant(at)) => Some(*at),
            _ => None,
        });
    let is_overtaken = |at: Timestamp| known_at.is_some_and(|known| known > at);
    let mut waiting: Vec<&Heard> = heard
        .iter()
        .filter(|one| one.is_waiting && !one.fact.occurred_at.is_some_and(is_overtaken))
        .collect();
    waiting.sort_by_key(|one| one.fact.occurred_at);
    waiting.into_iter().fold(snapshot, |known, one| {
        Some(match known {
            Some(mut known) => {
                known.merge(&one.fact.record);
                known
            }
            None => one.fact.record.clone(),
        })
    })
}

fn is_state_known(
    fact: &Fact,
    expected: &Record,
    change: &Change,
    heard: &[Heard],
    marks: &[Echo],
    grain: i64,
) -> bool {
    if !change.unexpected.is_empty() || is_payment(fact, expected, marks) {
        return false;
    }
    let at = fact.occurred_at.unwrap_or_default();
    let learnt_at = heard.iter().filter_map(|one| one.fact.occurred_at).max();
    let is_older = learnt_at.is_some_and(|learnt| at.0 <= learnt.0 + grain - 2_000);
    // Equal in all that is known: news only if it tells a field that was never known, and changed since.
    let tells_more = fact.record.fields().iter().any(|(field, value)| {
        !value.is_empty() && expected.get(*field).is_none() && !change::is_volatile(*field)
    });
    is_older || !marks.is_empty() || !tells_more
}

fn is_payment(fact: &Fact, expected: &Record, marks: &[Echo]) -> bool {
    let field = FieldKey::from(SystemField::PaymentSum);
    let is_ours = marks
        .iter()
        .flat_map(|mark| &mark.fields)
        .any(|(key, _)| *key == field);
    match (expected.get(field), fact.record.get(field)) {
        (Some(Value::Number(known)), Some(Value::Number(now))) => now > known && !is_ours,
        _ => false,
    }
}

/// A record that was never heard of: made meanwhile, or older than the connection.
fn told_first(fact: Fact, since: Timestamp) -> Fact {
    let made_at = match fact.record.get(SystemField::CreatedAt.into()) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    };
    let is_made = made_at.is_some_and(|at| at.0 >= since.0 - 60_000);
    let kind = match fact.kind {
        EventKind::LeadUpdated if is_made => EventKind::LeadCreated,
        kind => kind,
    };
    keyed(fact, kind)
}

/// A record that is known cannot be made again.
fn as_update(fact: Fact) -> Fact {
    let kind = match fact.kind {
        EventKind::DealCreated => EventKind::DealUpdated,
        EventKind::ContactCreated => EventKind::ContactUpdated,
        EventKind::CompanyCreated => EventKind::CompanyUpdated,
        EventKind::TaskCreated => EventKind::TaskUpdated,
        kind => kind,
    };
    Fact { kind, ..fact }
}

/// What a changed state means, in the kinds of events that webhooks would have told. amoCRM's history tells the
/// transitions itself; LPTracker has none.
fn consequences(fact: Fact, change: &Change) -> Vec<Fact> {
    let fact = as_update(fact);
    let mut all = Vec::new();
    if fact.kind == EventKind::LeadUpdated {
        let payment = FieldKey::from(SystemField::PaymentSum);
        let paid = fact.record.get(payment).is_some_and(|now| {
            change
                .before
                .iter()
                .any(|(key, was)| *key == payment && !change::same(was, now))
        });
        for (kind, field, holds) in [
            (EventKind::LeadStageChanged, SystemField::Stage, false),
            (EventKind::LeadOwnerChanged, SystemField::Responsible, false),
            (EventKind::LeadPaymentAdded, SystemField::PaymentSum, paid),
        ] {
            let key = FieldKey::from(field);
            if holds || change.unexpected.contains(&key) {
                let before = change
                    .before
                    .iter()
                    .filter(|(of, _)| *of == key)
                    .cloned()
                    .collect();
                all.push(keyed(
                    Fact {
                        before,
                        changed: Some(vec![key]),
                        ..fact.clone()
                    },
                    kind,
                ));
            }
        }
    }
    let kind = fact.kind;
    all.insert(0, keyed(fact, kind));
    all
}

/// Moments of lists are coarse: what the record is makes the key, too.
fn keyed(fact: Fact, kind: EventKind) -> Fact {
    let state = serde_json::to_vec(&fact.record).unwrap_or_default();
    let hash = Sha256::digest(&state);
    let dedupe = format!("{}|{}", fact.dedupe, &format!("{hash:x}")[..16]);
    Fact { kind, dedupe, ..fact }
}
