//! Changes: what the source tells, what the kind of event means, what the former value shows.

use super::{Check, Ctx, Trouble, value};
use crate::evaluate::Facts;
use crate::event::EventKind;
use crate::field::{FieldKey, FieldPath, Moment, SystemField};
use crate::value::Value;

/// «Изменилось», possibly from or to something.
#[derive(Clone, Debug)]
pub(crate) enum ChangeCheck {
    Changed,
    From(Check),
    To(Check),
    BecameEmpty,
}

impl ChangeCheck {
    pub(crate) fn holds(&self, path: FieldPath, ctx: &mut Ctx<'_>) -> Result<bool, Trouble> {
        let changed = has_changed(ctx.facts, path);
        match self {
            Self::Changed => changed,
            Self::To(check) => {
                let side = match value(ctx.facts, path) {
                    Some(now) => check.holds(&now, ctx),
                    None => Err(Trouble::Absent),
                };
                and(changed, side)
            }
            Self::From(check) => {
                let side = match before(ctx.facts, path) {
                    Some(before) => check.holds(&before, ctx),
                    None => Err(Trouble::ChangeNotTold),
                };
                and(changed, side)
            }
            Self::BecameEmpty => {
                let now = value(ctx.facts, path)
                    .map(|now| now.is_empty())
                    .ok_or(Trouble::Absent);
                // A field that was empty before did not become so.
                let was = before(ctx.facts, path).is_none_or(|before| !before.is_empty());
                and(changed, now.map(|empty| empty && was))
            }
        }
    }
}

/// What is certainly unchanged needs no former value, and what has the wrong value now no history.
fn and(changed: Result<bool, Trouble>, side: Result<bool, Trouble>) -> Result<bool, Trouble> {
    match (changed, side) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(true), Ok(true)) => Ok(true),
        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
    }
}

fn before(facts: &Facts, path: FieldPath) -> Option<std::borrow::Cow<'_, Value>> {
    if is_creation(facts.kind) && path.record == facts.key.kind {
        return Some(std::borrow::Cow::Owned(Value::Empty));
    }
    value(
        facts,
        FieldPath {
            moment: Moment::Before,
            ..path
        },
    )
}

/// The field changed with this event, as far as that can be told.
pub(crate) fn has_changed(facts: &Facts, path: FieldPath) -> Result<bool, Trouble> {
    if path.record != facts.key.kind {
        return Err(Trouble::ChangeNotTold);
    }
    let now = value(facts, path);
    if is_creation(facts.kind) {
        return now.map(|now| !now.is_empty()).ok_or(Trouble::Absent);
    }
    let told = facts.changed.as_ref().map(|list| list.contains(&path.key));
    let implied = is_implied(facts.kind, path.key);
    if told == Some(true) || implied {
        return Ok(true);
    }
    match (before(facts, path), now) {
        (Some(before), Some(now)) => Ok(!is_same(&before, &now)),
        // A pipeline is part of the stage: a changed stage leaves it open whether the pipeline changed.
        _ if path.key == SystemField::Pipeline.into()
            && (is_implied(facts.kind, SystemField::Stage.into())
                || facts
                    .changed
                    .as_ref()
                    .is_some_and(|list| list.contains(&SystemField::Stage.into()))) =>
        {
            Err(Trouble::ChangeNotTold)
        }
        _ => told.ok_or(Trouble::ChangeNotTold),
    }
}

/// A record that was just made had nothing before.
const fn is_creation(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::DealCreated
            | EventKind::ContactCreated
            | EventKind::CompanyCreated
            | EventKind::TaskCreated
            | EventKind::NoteAdded
            | EventKind::UnsortedAdded
            | EventKind::LeadCreated
    )
}

/// The kind of event says by itself that the field changed.
fn is_implied(kind: EventKind, key: FieldKey) -> bool {
    let FieldKey::System(field) = key else {
        return false;
    };
    matches!(
        (kind, field),
        (
            EventKind::DealStageChanged | EventKind::LeadStageChanged,
            SystemField::Stage
        ) | (
            EventKind::DealResponsibleChanged | EventKind::LeadOwnerChanged,
            SystemField::Responsible
        ) | (EventKind::LeadPaymentAdded, SystemField::PaymentSum)
            | (EventKind::TaskCompleted, SystemField::IsDone)
    )
}

/// The same content: options by id or name and in any order, blank texts like empty.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Choice(a), Value::Choice(b)) => a.same(b),
        (Value::Choices(a), Value::Choices(b)) => {
            a.len() == b.len() && a.iter().all(|one| b.iter().any(|other| one.same(other)))
        }
        (Value::Texts(a), Value::Texts(b)) => a.len() == b.len() && a.iter().all(|one| b.contains(one)),
        (a, b) => a == b || (a.is_empty() && b.is_empty()),
    }
}
