//! What an event adds to the memory of its record. Webhooks overtake each other: what is older than the memory must
//! not replace it, or the next event would look like the same change once more.

use super::batch::{Group, Outcome, Round};
use crate::reconcile::news::grain;
use domain::event::Origin;
use domain::field::SystemField;
use domain::record::Record;
use domain::time::Timestamp;
use domain::value::Value;
use storage::events::StoredEvent;

/// A CRM's clock may be ahead of ours by so much, in milliseconds. What claims to come from later yet is taken as
/// of this moment: a forged time must not make everything after it old.
const AHEAD_MS: i64 = 300_000;

/// Takes over into memory what an event tells, unless something newer is known already.
pub(super) fn take_over(group: &mut Group, outcome: &mut Outcome, round: &Round, stored: &StoredEvent) {
    if is_overtaken(group.snapshot.as_ref(), round, stored) {
        return;
    }
    let told = &stored.event.fact.record;
    let latest = group.snapshot.as_ref().and_then(updated_at).max(told_at(stored));
    let known = match &mut group.snapshot {
        Some(known) => {
            known.merge(told);
            known
        }
        none => none.insert(told.clone()),
    };
    if let Some(latest) = latest {
        known.set(SystemField::UpdatedAt, Value::Instant(latest));
    }
    outcome.snapshot.clone_from(&group.snapshot);
}

/// Whether the memory of a record is newer than what an event tells. An event without any time stands where it
/// arrived.
pub(super) fn is_overtaken(known: Option<&Record>, round: &Round, stored: &StoredEvent) -> bool {
    let (Some(known), Some(told)) = (known.and_then(updated_at), told_at(stored)) else {
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
