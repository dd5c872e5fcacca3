//! Comparing numbers and sums.

use super::{Demanded, Trouble};
use crate::value::Value;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// A comparison of numbers.
#[derive(Clone, Debug)]
pub(crate) enum NumberCheck {
    /// The order must be among these.
    Order(Cmp, Decimal),
    /// Both ends included.
    Between(Decimal, Decimal),
    /// In a list; the flag turns it round.
    In(Box<[Decimal]>, bool),
}

/// Orders that are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cmp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Cmp {
    pub(crate) const fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl NumberCheck {
    /// See [`Check::demanded`](super::Check::demanded).
    pub(crate) fn demanded(&self) -> Option<Vec<Demanded<'_>>> {
        match self {
            Self::Order(Cmp::Equal, number) => Some(vec![Demanded::Number(*number)]),
            Self::In(list, false) => Some(list.iter().map(|number| Demanded::Number(*number)).collect()),
            _ => None,
        }
    }

    /// The bounds that a number must keep to, both included, lower first: wider than the comparison, never narrower.
    pub(crate) const fn bounds(&self) -> (Option<Decimal>, Option<Decimal>) {
        match self {
            Self::Order(Cmp::Less | Cmp::LessOrEqual, most) => (None, Some(*most)),
            Self::Order(Cmp::Greater | Cmp::GreaterOrEqual, least) => (Some(*least), None),
            Self::Between(from, to) => (Some(*from), Some(*to)),
            Self::Order(Cmp::Equal | Cmp::NotEqual, _) | Self::In(..) => (None, None),
        }
    }

    pub(crate) fn holds(&self, left: &Value) -> Result<bool, Trouble> {
        match (self, left) {
            (Self::Order(cmp, right), Value::Number(left)) => Ok(cmp.takes(left.cmp(right))),
            (Self::Between(from, to), Value::Number(left)) => Ok(from <= left && left <= to),
            (Self::In(list, negate), Value::Number(left)) => Ok(list.contains(left) != *negate),
            // Nothing is neither small nor zero: it is only unequal to everything.
            (Self::Order(cmp, _), Value::Empty) => Ok(*cmp == Cmp::NotEqual),
            (Self::Between(..), Value::Empty) => Ok(false),
            (Self::In(_, negate), Value::Empty) => Ok(*negate),
            _ => Err(Trouble::WrongType),
        }
    }
}
