//! Would a rule match an event of ours, with no more known than what the walk tells?

use super::effect::Happening;
use super::state::{Place, State};
use crate::check::{Check, Ctx, Demanded, Test};
use crate::compile::{CompiledRule, Node};
use crate::condition::Operand;
use crate::connection::ConnectorKind;
use crate::evaluate::{Calendar, Facts, KnownRecord, Source, Verdict};
use crate::field::{FieldKey, FieldPath, Moment, SystemField};
use crate::record::{Record, RecordKey, RecordKind};
use crate::time::{Timestamp, Zone};
use crate::value::{Choice, Value};

/// Fields that a CRM changes along with others.
const VOLATILE: [SystemField; 9] = [
    SystemField::UpdatedAt,
    SystemField::UpdatedBy,
    SystemField::ClosedAt,
    SystemField::Pipeline,
    SystemField::LossReason,
    SystemField::PaymentSum,
    SystemField::IsDeal,
    SystemField::At,
    SystemField::Source,
];

const RECORDS: [(ConnectorKind, &[RecordKind]); 2] = [
    (
        ConnectorKind::Amocrm,
        &[RecordKind::Deal, RecordKind::Contact, RecordKind::Company],
    ),
    (
        ConnectorKind::Lptracker,
        &[RecordKind::Lead, RecordKind::LeadContact],
    ),
];

/// The event as the rules of its source would see it.
pub(super) fn facts(rule: &CompiledRule, happening: &Happening, state: &State) -> Facts {
    let mut records = Vec::new();
    for (kind, list) in RECORDS {
        let Some((connection, _)) = rule.scope().side(kind) else {
            continue;
        };
        for record in list {
            // An id that is no number is no value a condition could be compared with.
            let mut known = Record::new(*record, "");
            for (key, value) in state.constants(connection, *record) {
                known.set(key, value.clone());
            }
            records.push(KnownRecord {
                record: known,
                source: Source::Event,
                at: Timestamp(0),
            });
        }
    }
    let mut changed = happening.changed.clone();
    changed.extend(open(happening, state));
    Facts {
        kind: happening.kind,
        key: RecordKey::new(happening.record, ""),
        records,
        before: happening.before.clone(),
        changed: Some(changed),
        exists_in_other: happening.is_linked.then_some(true),
        now: Timestamp(0),
        zone: Zone::moscow(),
        calendar: Calendar::default(),
    }
}

/// Fields of which cannot be told whether they changed.
fn open(happening: &Happening, state: &State) -> Vec<FieldKey> {
    let unsteady = state
        .unsteady
        .iter()
        .filter(|place| (place.0, place.1) == (happening.connection, happening.record))
        .map(|place| place.2);
    happening
        .maybe
        .iter()
        .copied()
        .chain(unsteady)
        .chain(VOLATILE.map(FieldKey::from))
        .filter(|key| !happening.changed.contains(key))
        .collect()
}

/// Whether the rule matches.
pub(super) fn judge(rule: &CompiledRule, happening: &Happening, state: &State) -> Verdict {
    let facts = facts(rule, happening, state);
    let open = open(happening, state);
    verdict(&rule.root, &open, &mut Ctx::new(&facts))
}

fn verdict(node: &Node, open: &[FieldKey], ctx: &mut Ctx<'_>) -> Verdict {
    match node {
        Node::All(list) => list
            .iter()
            .fold(Verdict::True, |all, inner| all.and(verdict(inner, open, ctx))),
        Node::Any(list) => list
            .iter()
            .fold(Verdict::False, |any, inner| any.or(verdict(inner, open, ctx))),
        Node::Not(inner) => verdict(inner, open, ctx).negate(),
        Node::Test(test) => tested(test, open, ctx),
    }
}

fn tested(test: &Test, open: &[FieldKey], ctx: &mut Ctx<'_>) -> Verdict {
    let of_the_moment = |path: FieldPath| {
        matches!(
            path.record,
            RecordKind::Event | RecordKind::Call | RecordKind::Note | RecordKind::Task
        )
    };
    let other_side = matches!(&*test.with, Operand::Field(path) if of_the_moment(*path));
    if matches!(test.check, Check::Time(_)) || of_the_moment(test.path) || other_side {
        return Verdict::Unknown;
    }
    let is_open = matches!(test.check, Check::Change(_))
        && test.path.record == ctx.facts.key.kind
        && open.contains(&test.path.key);
    match test.holds(ctx) {
        // Listed as changed only because it may have: the value now can still rule it out.
        Ok(true) if is_open => Verdict::Unknown,
        Ok(holds) => holds.into(),
        // What is broken never matches.
        Err(crate::check::Trouble::Broken(_)) => Verdict::False,
        Err(_) => Verdict::Unknown,
    }
}

/// Takes over what had to hold when the rule matched.
pub(super) fn assume(rule: &CompiledRule, state: &mut State) {
    assume_node(rule, &rule.root, state);
}

fn assume_node(rule: &CompiledRule, node: &Node, state: &mut State) {
    match node {
        Node::All(list) => list.iter().for_each(|inner| assume_node(rule, inner, state)),
        Node::Any(list) => {
            if let [only] = &**list {
                assume_node(rule, only, state);
            }
        }
        Node::Not(_) => {}
        Node::Test(test) => {
            if let Some((place, value)) = pinned(rule, test) {
                state.learn(place, &value);
            }
        }
    }
}

/// The only value with which a comparison holds.
fn pinned(rule: &CompiledRule, test: &Test) -> Option<(Place, Value)> {
    if test.path.moment == Moment::Before || test.path.key == SystemField::Pipeline.into() {
        return None;
    }
    let kind = crate::catalogues::home_of(test.path.record)?;
    let (connection, _) = rule.scope().side(kind)?;
    let value = if matches!(test.check, Check::Presence(true)) {
        Value::Empty
    } else {
        let mut list = test.check.demanded()?;
        if list.len() != 1 {
            return None;
        }
        match list.pop()? {
            Demanded::Stage(stage) => Value::Stage(stage),
            Demanded::User(user) => Value::User(user),
            Demanded::Id(id) => Value::Id(id),
            Demanded::Number(number) => Value::Number(number),
            Demanded::Flag(flag) => Value::Flag(flag),
            Demanded::Option { id: Some(id), name } => Value::Choice(Choice::new(id, name)),
            // Spellings that count as the same are not the same text.
            Demanded::Text(_) | Demanded::Option { id: None, .. } => return None,
        }
    };
    Some(((connection, test.path.record, test.path.key), value))
}
