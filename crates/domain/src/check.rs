//! Single comparisons in the form that is applied: operands brought into shape once, nothing allocated when a
//! value is tested.
//!
//! How empty values compare is the same everywhere: a positive comparison with an empty value does not hold,
//! its negative twin does. Absent values never reach a comparison: they are unknown before.

mod build;
mod change;
mod choice;
mod code;
mod fields;
mod number;
mod phone;
mod text;
mod time;

pub(crate) use build::build;
pub(crate) use change::{ChangeCheck, has_changed, is_same};

use crate::condition::{Operand, Operator};
use crate::evaluate::Facts;
use crate::field::{FieldKey, FieldPath, Moment, SystemField};
use crate::record::RecordKind;
use crate::value::{Stage, Value};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::sync::Arc;

/// Why a comparison cannot be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// The field's value is not known.
    Absent,
    /// The value is of another type than the field.
    WrongType,
    /// The other field's value is not known.
    OtherAbsent(FieldPath),
    /// The two fields hold values that cannot be compared.
    OtherType(FieldPath),
    /// The source does not tell whether the field changed.
    ChangeNotTold,
    /// Nobody looked whether the record exists in the other CRM.
    NotLookedUp,
    /// The calendar has no working days, or the moment lies outside all years.
    NoSuchMoment,
    /// The comparison was not understood when the rule was compiled.
    Broken(Arc<str>),
}

impl Trouble {
    /// In words.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Absent => "значение поля неизвестно: источник его не сообщил".to_owned(),
            Self::WrongType => "в поле значение другого типа".to_owned(),
            Self::OtherAbsent(path) => format!("значение поля {path}, с которым сравнивают, неизвестно"),
            Self::OtherType(path) => format!("значения этого поля и поля {path} нельзя сравнить"),
            Self::ChangeNotTold => {
                "источник не сообщил, изменилось ли поле, а прежнее значение неизвестно".to_owned()
            }
            Self::NotLookedUp => "поиск записи в другой CRM не выполнен".to_owned(),
            Self::NoSuchMoment => {
                "такой момент не вычислить: проверьте календарь рабочих дней и срок".to_owned()
            }
            Self::Broken(text) => format!("условие составлено с ошибкой: {text}"),
        }
    }
}

/// A compiled comparison.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) path: FieldPath,
    pub(crate) operator: Operator,
    pub(crate) with: Arc<Operand>,
    pub(crate) check: Check,
}

/// The comparison by the kind of work it needs.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// Empty (`true`) or not empty.
    Presence(bool),
    /// Yes or no.
    Flag(bool),
    Text(text::TextCheck),
    Number(number::NumberCheck),
    Time(time::TimeCheck),
    Choice(choice::ChoiceCheck),
    Code(code::CodeCheck),
    Phone(phone::PhoneCheck),
    /// Against another field.
    Field(fields::FieldCheck),
    Change(Box<ChangeCheck>),
    /// Exists in the other CRM.
    Other(bool),
    /// Not understood.
    Broken(Arc<str>),
}

/// What a test may look at, with a buffer that all tests of one evaluation share.
pub(crate) struct Ctx<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) scratch: Vec<u8>,
}

impl<'a> Ctx<'a> {
    pub(crate) fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            scratch: Vec::new(),
        }
    }
}

impl Test {
    /// Whether it holds.
    pub(crate) fn holds(&self, ctx: &mut Ctx<'_>) -> Result<bool, Trouble> {
        self.holds_for(value(ctx.facts, self.path).as_deref(), ctx)
    }

    /// Whether it holds for the value of its field, already looked up.
    pub(crate) fn holds_for(&self, left: Option<&Value>, ctx: &mut Ctx<'_>) -> Result<bool, Trouble> {
        match (&self.check, left) {
            (Check::Change(check), _) => check.holds(self.path, ctx),
            (Check::Other(exists), _) => ctx
                .facts
                .exists_in_other
                .map(|there| there == *exists)
                .ok_or(Trouble::NotLookedUp),
            (Check::Broken(text), _) => Err(Trouble::Broken(Arc::clone(text))),
            (check, Some(left)) => check.holds(left, ctx),
            (_, None) => Err(Trouble::Absent),
        }
    }
}

impl Test {
    /// The right side as one value, where it is one.
    pub(crate) fn right(&self, facts: &Facts) -> Option<Value> {
        match &*self.with {
            Operand::Value(value) => Some(value.clone()),
            Operand::Day(day) => Some(Value::Day(*day)),
            Operand::Field(path) => value(facts, *path).map(Cow::into_owned),
            Operand::Moved(moved) => time::Bound::Moved(*moved)
                .point(facts)
                .ok()
                .map(time::Point::value),
            Operand::Span(by) => {
                let back = self.operator != Operator::WithinNext;
                time::now_moved(*by, back, facts).ok().map(Value::Instant)
            }
            _ => None,
        }
    }
}

impl Check {
    /// Whether it holds for a known value.
    pub(crate) fn holds(&self, left: &Value, ctx: &mut Ctx<'_>) -> Result<bool, Trouble> {
        match self {
            Self::Presence(empty) => Ok(left.is_empty() == *empty),
            Self::Flag(wanted) => match left {
                Value::Flag(flag) => Ok(flag == wanted),
                Value::Empty => Ok(false),
                _ => Err(Trouble::WrongType),
            },
            Self::Text(check) => check.holds(left, &mut ctx.scratch),
            Self::Number(check) => check.holds(left),
            Self::Time(check) => check.holds(left, ctx.facts),
            Self::Choice(check) => check.holds(left),
            Self::Code(check) => check.holds(left),
            Self::Phone(check) => check.holds(left),
            Self::Field(check) => check.holds(left, ctx),
            Self::Change(_) | Self::Other(_) => Err(Trouble::WrongType),
            Self::Broken(text) => Err(Trouble::Broken(Arc::clone(text))),
        }
    }
}

/// A value that a comparison insists on.
pub(crate) enum Demanded<'a> {
    Stage(Stage),
    User(i64),
    Id(i64),
    Number(Decimal),
    Flag(bool),
    /// Under the usual [`crate::condition::Alike`].
    Text(&'a str),
    Option {
        id: Option<i64>,
        name: &'a str,
    },
}

impl Check {
    /// The values of which the field must hold one; `None` when the comparison insists on none, or when values
    /// of another type would make it unknown rather than false in a way a look-up cannot see.
    pub(crate) fn demanded(&self) -> Option<Vec<Demanded<'_>>> {
        match self {
            Self::Flag(flag) => Some(vec![Demanded::Flag(*flag)]),
            Self::Text(check) => check.demanded(),
            Self::Number(check) => check.demanded(),
            Self::Choice(check) => check.demanded(),
            Self::Code(check) => check.demanded(),
            Self::Change(check) => match &**check {
                ChangeCheck::To(check) => check.demanded(),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The value of a field, derived ones included: a pipeline is known from the stage, the event's time is now
/// unless the engine says otherwise.
pub(crate) fn value<'a>(facts: &'a Facts, path: FieldPath) -> Option<Cow<'a, Value>> {
    if let Some(value) = facts.value(path) {
        return Some(Cow::Borrowed(value));
    }
    let FieldKey::System(field) = path.key else {
        return None;
    };
    match (path.record, field) {
        (_, SystemField::Pipeline) => {
            let stage = FieldPath {
                key: SystemField::Stage.into(),
                ..path
            };
            match facts.value(stage)? {
                Value::Stage(stage) => Some(Cow::Owned(Value::Id(stage.pipeline))),
                _ => None,
            }
        }
        (RecordKind::Event, SystemField::At) if path.moment == Moment::Now => {
            Some(Cow::Owned(Value::Instant(facts.now)))
        }
        (record, SystemField::Id)
            if record == facts.key.kind && path.moment == Moment::Now && facts.key.id.number().is_some() =>
        {
            facts.key.id.number().map(|id| Cow::Owned(Value::Id(id)))
        }
        _ => None,
    }
}
