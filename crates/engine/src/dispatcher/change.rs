//! What an event changed, measured against what the hub expected the record to be.

use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::Record;
use domain::time::Timestamp;
use domain::value::Value;
use storage::memory::Echo;

/// Fields that move along with other things: the time of every write, the total of payments. They say nothing
/// about what a person changed.
const VOLATILE: [SystemField; 5] = [
    SystemField::UpdatedAt,
    SystemField::UpdatedBy,
    SystemField::ClosedAt,
    SystemField::At,
    SystemField::PaymentSum,
];

/// What an event changed.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Change {
    /// Former values, as far as known.
    pub(crate) before: Vec<(FieldKey, Value)>,
    /// Fields that changed; `None` when that cannot be told.
    pub(crate) changed: Option<Vec<FieldKey>>,
    /// Fields whose value is not the one the hub expected.
    pub(crate) unexpected: Vec<FieldKey>,
}

impl Change {
    /// Leaves only what the fact itself tells: it is older than what it was measured against, so where the two differ
    /// the other one is the change, and that has been heard of already.
    pub(crate) fn keep_told(&mut self, fact: &Fact) {
        let told = of(fact, None);
        self.before = told.before;
        self.changed = Some(told.changed.unwrap_or_default());
    }

    /// Takes out what several changes after each other undid: the record holds again what it held before.
    pub(crate) fn forget_undone(&mut self, record: &Record) {
        let before = &self.before;
        let is_undone = |key: &FieldKey| {
            let former = before.iter().find(|(known, _)| known == key);
            former.is_some_and(|(_, former)| record.get(*key).is_some_and(|now| same(former, now)))
        };
        if let Some(changed) = &mut self.changed {
            changed.retain(|key| !is_undone(key));
        }
    }
}

/// Adds what an earlier fact told to a later one of the same record, so that the later one tells of both: the
/// last values, the first former ones, everything that changed.
pub(crate) fn add_up(earlier: &Fact, later: &mut Fact) {
    let mut record = earlier.record.clone();
    record.merge(&later.record);
    later.record = record;
    for (key, former) in &earlier.before {
        match later.before.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => known.clone_from(former),
            None => later.before.push((*key, former.clone())),
        }
    }
    later.changed = match (earlier.changed.clone(), later.changed.take()) {
        (Some(mut all), Some(more)) => {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
            Some(all)
        }
        // What cannot be told of one of them cannot be told of both.
        _ => None,
    };
}

/// The record as the hub expects it: last known state, with those of our own writes on top which the CRM has not
/// shown yet (made after `seen_to`). One that was seen is part of the state, and may have been changed since.
pub(crate) fn expected(
    known: Option<&Record>,
    seen_to: Timestamp,
    marks: &[Echo],
    fact: &Fact,
) -> Option<Record> {
    if known.is_none() && marks.is_empty() {
        return None;
    }
    let mut record = known
        .cloned()
        .unwrap_or_else(|| Record::new(fact.key.kind, fact.key.id.clone()));
    for mark in marks.iter().rev().filter(|mark| mark.written_at > seen_to) {
        for (key, value) in mark.fields.iter().filter(|(key, _)| !is_volatile(*key)) {
            record.set(*key, value.clone());
        }
    }
    Some(record)
}

/// Measures a fact against the expected record.
pub(crate) fn of(fact: &Fact, expected: Option<&Record>) -> Change {
    let mut change = Change::default();
    let told_before = |key: FieldKey| {
        fact.before
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    };
    if let Some(expected) = expected {
        change.before = expected
            .fields()
            .iter()
            .filter(|(key, _)| told_before(*key).is_none())
            .cloned()
            .collect();
        change.unexpected = fact
            .record
            .fields()
            .iter()
            .filter(|(key, _)| !is_volatile(*key))
            .filter(|(key, value)| expected.get(*key).is_some_and(|known| !same(known, value)))
            .map(|(key, _)| *key)
            .collect();
    }
    change.before.extend(fact.before.iter().cloned());
    let mut changed = fact.changed.clone().unwrap_or_default();
    changed.extend(change.unexpected.iter().copied());
    for (key, before) in &fact.before {
        if fact.record.get(*key).is_some_and(|now| !same(before, now)) {
            changed.push(*key);
        }
    }
    if is_creation(fact.kind) {
        changed.extend(
            fact.record
                .fields()
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, _)| *key),
        );
    }
    changed.sort_unstable();
    changed.dedup();
    let known =
        fact.changed.is_some() || expected.is_some() || !fact.before.is_empty() || is_creation(fact.kind);
    change.changed = known.then_some(changed);
    change
}

/// The mark of our own write that explains an event, if one does.
pub(crate) fn explained<'a>(fact: &Fact, change: &Change, marks: &'a [Echo]) -> Option<&'a Echo> {
    let newest = marks.first()?;
    let wrote = |field: SystemField| {
        let now = fact.record.get(field.into())?;
        marks.iter().find(|mark| {
            mark.fields
                .iter()
                .any(|(key, value)| *key == FieldKey::System(field) && same(value, now))
        })
    };
    match fact.kind {
        kind if is_creation(kind) => Some(newest),
        EventKind::DealStageChanged | EventKind::LeadStageChanged => {
            wrote(SystemField::Stage).filter(|_| !change.unexpected.contains(&SystemField::Stage.into()))
        }
        EventKind::DealResponsibleChanged | EventKind::LeadOwnerChanged => wrote(SystemField::Responsible)
            .filter(|_| !change.unexpected.contains(&SystemField::Responsible.into())),
        EventKind::LeadPaymentAdded => marks.iter().find(|mark| {
            mark.fields
                .iter()
                .any(|(key, _)| *key == SystemField::PaymentSum.into())
        }),
        EventKind::DealUpdated
        | EventKind::ContactUpdated
        | EventKind::CompanyUpdated
        | EventKind::LeadUpdated
        | EventKind::TaskUpdated => change.unexpected.is_empty().then_some(newest),
        _ => None,
    }
}

/// An event shows that a write of ours was carried out: it tells what we wrote, or announces what we made.
pub(crate) fn is_seen(mark: &Echo, fact: &Fact) -> bool {
    let told = mark
        .fields
        .iter()
        .filter(|(key, _)| !is_volatile(*key))
        .filter_map(|(key, ours)| fact.record.get(*key).map(|now| same(now, ours)));
    is_creation(fact.kind) || told.reduce(|all, one| all && one).unwrap_or(false)
}

/// The event announces a record that was not there before.
pub(crate) const fn is_creation(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::DealCreated
            | EventKind::ContactCreated
            | EventKind::CompanyCreated
            | EventKind::LeadCreated
            | EventKind::TaskCreated
            | EventKind::NoteAdded
    )
}

pub(crate) fn is_volatile(key: FieldKey) -> bool {
    matches!(key, FieldKey::System(field) if VOLATILE.contains(&field))
}

/// Same value although the sources spell it differently: webhooks carry texts where the API has numbers, ids
/// without names, phones in any form.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    if left.is_empty() && right.is_empty() {
        return true;
    }
    match (left, right) {
        (Value::Choice(a), Value::Choice(b)) => a.same(b),
        (Value::Choices(a), Value::Choices(b)) => {
            a.len() == b.len() && a.iter().all(|one| b.iter().any(|other| one.same(other)))
        }
        (Value::Choice(one), Value::Choices(list)) | (Value::Choices(list), Value::Choice(one)) => {
            matches!(list.as_slice(), [only] if only.same(one))
        }
        (Value::Texts(a), Value::Texts(b)) => {
            a.len() == b.len() && a.iter().all(|one| b.iter().any(|other| same_text(one, other)))
        }
        (Value::Text(one), Value::Texts(list)) | (Value::Texts(list), Value::Text(one)) => {
            matches!(list.as_slice(), [only] if same_text(only, one))
        }
        (Value::Text(a), Value::Text(b)) => same_text(a, b),
        (Value::Text(text), Value::Choice(choice)) | (Value::Choice(choice), Value::Text(text)) => {
            *text == choice.name
        }
        (Value::Text(text), other) | (other, Value::Text(text)) => plain(other).is_some_and(|it| it == *text),
        (Value::Number(a), Value::Number(b)) => a == b,
        _ => left == right,
    }
}

fn same_text(left: &str, right: &str) -> bool {
    left.trim() == right.trim() || domain::phone::same(left, right)
}

fn plain(value: &Value) -> Option<String> {
    Some(match value {
        Value::Number(number) => number.normalize().to_string(),
        Value::Flag(flag) => String::from(if *flag { "1" } else { "0" }),
        Value::Instant(at) => at.secs().to_string(),
        Value::User(id) | Value::Id(id) => id.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{ConnectionId, DeliveryId, WorkspaceId};
    use domain::record::{RecordId, RecordKind};
    use domain::value::Stage;
    use uuid::Uuid;

    const A: Stage = Stage {
        pipeline: 1,
        status: 10,
    };
    const B: Stage = Stage {
        pipeline: 1,
        status: 11,
    };

    fn deal() -> Record {
        Record::new(RecordKind::Deal, 5)
    }

    fn fact(kind: EventKind, record: Record) -> Fact {
        Fact {
            kind,
            key: record.key.clone(),
            occurred_at: None,
            record,
            related: Vec::new(),
            before: Vec::new(),
            changed: None,
            author: None,
            dedupe: String::new(),
        }
    }

    fn mark(fields: Vec<(FieldKey, Value)>) -> Echo {
        Echo {
            workspace: WorkspaceId(Uuid::nil()),
            id: Uuid::nil(),
            connection: ConnectionId(Uuid::nil()),
            delivery: DeliveryId(Uuid::nil()),
            kind: RecordKind::Deal,
            record: Some(RecordId::from(5)),
            fields,
            chain: 0,
            written_at: Timestamp(1),
            expires_at: Timestamp(i64::MAX),
        }
    }

    fn is_echo(fact: &Fact, snapshot: &Record, marks: &[Echo]) -> bool {
        let expected = expected(Some(snapshot), Timestamp(0), marks, fact);
        explained(fact, &of(fact, expected.as_ref()), marks).is_some()
    }

    #[test]
    fn our_move_comes_back_as_an_echo() {
        let marks = [mark(vec![(SystemField::Stage.into(), Value::Stage(B))])];
        let known = deal().with(SystemField::Stage, Value::Stage(A));
        let moved = deal().with(SystemField::Stage, Value::Stage(B));
        assert!(is_echo(
            &fact(EventKind::DealStageChanged, moved.clone()),
            &known,
            &marks
        ));
        assert!(is_echo(&fact(EventKind::DealUpdated, moved), &known, &marks));
    }

    #[test]
    fn a_person_in_the_same_second_is_heard() {
        let marks = [mark(vec![(SystemField::Stage.into(), Value::Stage(B))])];
        let known = deal()
            .with(SystemField::Stage, Value::Stage(A))
            .with(SystemField::Name, Value::text("было"));
        let both = deal()
            .with(SystemField::Stage, Value::Stage(B))
            .with(SystemField::Name, Value::text("стало"));
        let update = fact(EventKind::DealUpdated, both);
        assert!(!is_echo(&update, &known, &marks));
        let expected = expected(Some(&known), Timestamp(0), &marks, &update);
        assert_eq!(
            of(&update, expected.as_ref()).changed,
            Some(vec![SystemField::Name.into()])
        );
    }

    #[test]
    fn a_person_moving_elsewhere_is_heard() {
        let marks = [mark(vec![(SystemField::Stage.into(), Value::Stage(B))])];
        let known = deal().with(SystemField::Stage, Value::Stage(B));
        let back = deal().with(SystemField::Stage, Value::Stage(A));
        assert!(!is_echo(&fact(EventKind::DealStageChanged, back), &known, &marks));
    }

    #[test]
    fn what_was_seen_to_be_written_may_be_changed_and_changed_back() {
        let marks = [mark(vec![(SystemField::Stage.into(), Value::Stage(B))])];
        let seen = marks[0].written_at;
        let ours = deal().with(SystemField::Stage, Value::Stage(B));
        let theirs = deal().with(SystemField::Stage, Value::Stage(A));
        assert!(is_seen(&marks[0], &fact(EventKind::DealUpdated, ours.clone())));
        assert!(!is_seen(&marks[0], &fact(EventKind::DealUpdated, theirs.clone())));
        assert!(!is_seen(&marks[0], &fact(EventKind::DealUpdated, deal())));

        // Moved elsewhere since: the next word of it is no news, and moving it back is.
        let update = fact(EventKind::DealUpdated, theirs.clone());
        let expected_now = expected(Some(&theirs), seen, &marks, &update);
        assert_eq!(of(&update, expected_now.as_ref()).changed, Some(Vec::new()));
        let back = fact(EventKind::DealStageChanged, ours);
        let expected_now = expected(Some(&theirs), seen, &marks, &back);
        assert!(explained(&back, &of(&back, expected_now.as_ref()), &marks).is_none());
    }

    #[test]
    fn without_a_mark_nothing_is_an_echo() {
        let known = deal().with(SystemField::Stage, Value::Stage(B));
        assert!(!is_echo(
            &fact(EventKind::DealUpdated, known.clone()),
            &known,
            &[]
        ));
    }

    #[test]
    fn spellings_do_not_count() {
        let pairs = [
            (Value::text("1500"), Value::Number(1500.into())),
            (
                Value::Texts(vec!["+7 999 123-45-67".into()]),
                Value::Texts(vec!["79991234567".into()]),
            ),
            (Value::Empty, Value::Texts(Vec::new())),
        ];
        for (left, right) in pairs {
            assert!(same(&left, &right), "{left:?} {right:?}");
        }
        assert!(!same(&Value::Number(1.into()), &Value::Empty));
    }
}
