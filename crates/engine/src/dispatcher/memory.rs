//! What an event adds to the memory of its record. Webhooks overtake each other: what is older than the memory must
//! not replace it, or the next event would look like the same change once more.

use super::batch::{Group, Outcome, Round};
use super::change;
use crate::reconcile::news::grain;
use domain::event::Origin;
use domain::field::SystemField;
use domain::record::Record;
use domain::time::Timestamp;
use domain::value::Value;
use storage::events::StoredEvent;
use storage::memory::Snapshot;

/// A CRM's clock may be ahead of ours by so much, in milliseconds. What claims to come from later yet is taken as
/// of this moment: a forged time must not make everything after it old.
const AHEAD_MS: i64 = 300_000;

/// Takes over into memory what an event tells, unless something newer is known already, and which of our writes it
/// shows to be carried out.
pub(super) fn take_over(group: &mut Group, outcome: &mut Outcome, round: &Round, stored: &StoredEvent) {
    let fact = &stored.event.fact;
    let seen_to = group
        .marks
        .iter()
        .filter(|mark| mark.written_at <= stored.event.received_at && change::is_seen(mark, fact))
        .map(|mark| mark.written_at)
        .max();
    let is_overtaken = is_overtaken(group.snapshot.as_ref(), round, stored);
    let known = match &mut group.snapshot {
        Some(known) if is_overtaken && seen_to.is_none_or(|to| to <= known.seen_to) => return,
        Some(known) => known,
        none => none.insert(Snapshot::new(fact.record.clone(), round.now)),
    };
    known.seen_to = known.seen_to.max(seen_to.unwrap_or_default());
    known.updated_at = round.now;
    if !is_overtaken {
        let latest = updated_at(&known.record).max(told_at(stored));
        known.record.merge(&fact.record);
        if let Some(latest) = latest {
            known.record.set(SystemField::UpdatedAt, Value::Instant(latest));
        }
    }
    outcome.snapshot.clone_from(&group.snapshot);
}

/// Whether the memory of a record is newer than what an event tells. An event without any time stands where it
/// arrived.
pub(super) fn is_overtaken(known: Option<&Snapshot>, round: &Round, stored: &StoredEvent) -> bool {
    let known = known.and_then(|known| updated_at(&known.record));
    let (Some(known), Some(told)) = (known, told_at(stored)) else {
        return false;
    };
    // Lists tell moments more coarsely than webhooks.
    let slack = match stored.event.origin {
        Origin::Poll => grain(round.connection.kind),
        _ => 0,
    };
    known.0 > told.0 + slack
}

/// When a record was as an event tells it, by the CRM's clock. LPTracker's webhooks tell only when they were caused.
fn told_at(stored: &StoredEvent) -> Option<Timestamp> {
    let event = &stored.event;
    let told = updated_at(&event.fact.record).or(event.fact.occurred_at)?;
    Some(told.min(event.received_at.plus_ms(AHEAD_MS)))
}

fn updated_at(record: &Record) -> Option<Timestamp> {
    match record.get(SystemField::UpdatedAt.into()) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    }
}
