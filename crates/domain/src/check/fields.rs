//! Comparing a field with another field.

use super::number::Cmp;
use super::time::Point;
use super::{Ctx, Trouble, value};
use crate::condition::Alike;
use crate::field::FieldPath;
use crate::phone;
use crate::text;
use crate::value::Value;
use std::cmp::Ordering;

/// How two fields are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FieldOp {
    Order(Cmp),
    Contains { negate: bool },
}

/// A comparison with another field. Two empty fields are equal; an empty field is neither before nor after
/// anything.
#[derive(Clone, Debug)]
pub(crate) struct FieldCheck {
    pub(crate) op: FieldOp,
    pub(crate) other: FieldPath,
    pub(crate) alike: Alike,
    /// Both are phones and are compared as numbers.
    pub(crate) phones: bool,
}

impl FieldCheck {
    pub(crate) fn holds(&self, left: &Value, ctx: &mut Ctx<'_>) -> Result<bool, Trouble> {
        let facts = ctx.facts;
        let right = value(facts, self.other).ok_or(Trouble::OtherAbsent(self.other))?;
        if left.is_empty() || right.is_empty() {
            let both = left.is_empty() && right.is_empty();
            return Ok(match self.op {
                FieldOp::Order(Cmp::Equal) => both,
                FieldOp::Order(Cmp::NotEqual) => !both,
                FieldOp::Order(_) => false,
                FieldOp::Contains { negate } => negate,
            });
        }
        let wrong = || Trouble::OtherType(self.other);
        match self.op {
            FieldOp::Order(cmp @ (Cmp::Equal | Cmp::NotEqual)) => {
                let equal = self.equal(left, &right, ctx).ok_or_else(wrong)?;
                Ok(equal == (cmp == Cmp::Equal))
            }
            FieldOp::Order(cmp) => {
                let order = match (left, &*right) {
                    (Value::Number(a), Value::Number(b)) => a.cmp(b),
                    (a, b) => points(a, b, ctx).ok_or_else(wrong)?,
                };
                Ok(cmp.takes(order))
            }
            FieldOp::Contains { negate } => {
                let needle = texts(&right).ok_or_else(wrong)?;
                let hay = texts(left).ok_or_else(wrong)?;
                let needles: Vec<String> = needle.map(|needle| text::normalise(needle, self.alike)).collect();
                let found = hay.into_iter().any(|hay| {
                    text::normalise_into(&mut ctx.scratch, hay, self.alike);
                    needles.iter().any(|needle| text::contains(&ctx.scratch, needle))
                });
                Ok(found != negate)
            }
        }
    }

    fn equal(&self, left: &Value, right: &Value, ctx: &Ctx<'_>) -> Option<bool> {
        Some(match (left, right) {
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::User(a), Value::User(b)) | (Value::Id(a), Value::Id(b)) => a == b,
            (Value::Stage(a), Value::Stage(b)) => a == b,
            (Value::Flag(a), Value::Flag(b)) => a == b,
            (Value::Choice(a), Value::Choice(b)) => text::same(&a.name, &b.name, self.alike),
            (Value::Instant(_) | Value::Day(_), Value::Instant(_) | Value::Day(_)) => {
                points(left, right, ctx)?.is_eq()
            }
            (a, b) => {
                let same = |a: &str, b: &str| {
                    text::same(a, b, self.alike) || (self.phones && self.alike.phone && phone::same(a, b))
                };
                texts(a)?.any(|a| texts(b).is_some_and(|mut list| list.any(|b| same(a, b))))
            }
        })
    }
}

fn points(left: &Value, right: &Value, ctx: &Ctx<'_>) -> Option<Ordering> {
    Point::of(left)?.cmp(Point::of(right)?, ctx.facts)
}

/// The texts of a value that has texts.
fn texts(value: &Value) -> Option<impl Iterator<Item = &str>> {
    let (one, many): (Option<&str>, &[String]) = match value {
        Value::Text(text) => (Some(text), &[]),
        Value::Texts(list) => (None, list),
        Value::Choice(choice) => (Some(&choice.name), &[]),
        _ => return None,
    };
    Some(one.into_iter().chain(many.iter().map(String::as_str)))
}
