//! Comparing moments and days.

use super::number::Cmp;
use super::{Trouble, value};
use crate::calendar::{local, local_day, minute_of_day, move_by, move_day, start_of, weekday, within_day};
use crate::condition::{Moved, Span, SpanUnit};
use crate::evaluate::Facts;
use crate::time::Timestamp;
use crate::value::{Day, Value};

/// A comparison of moments.
#[derive(Clone, Debug)]
pub(crate) enum TimeCheck {
    Order(Cmp, Bound),
    Between(Bound, Bound),
    OlderThan(Span),
    WithinLast(Span),
    WithinNext(Span),
    /// Bit 1 = Monday.
    Weekday(u8),
    TimeOfDay(u16, u16),
    WorkingTime,
}

/// A fixed or moved moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    At(Timestamp),
    On(Day),
    Moved(Moved),
}

/// A moment or a day. Where one side is a day, days are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point {
    At(Timestamp),
    On(Day),
}

impl Point {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Instant(at) => Some(Self::At(*at)),
            Value::Day(day) => Some(Self::On(*day)),
            _ => None,
        }
    }

    fn day(self, facts: &Facts) -> Option<Day> {
        match self {
            Self::At(at) => local_day(at, &facts.zone),
            Self::On(day) => Some(day),
        }
    }

    pub(crate) fn cmp(self, other: Self, facts: &Facts) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Some(a.cmp(&b)),
            (a, b) => Some(a.day(facts)?.cmp(&b.day(facts)?)),
        }
    }

    /// The moment or day moved; hours and minutes turn a day into its midnight first.
    fn moved(self, by: Span, facts: &Facts) -> Option<Self> {
        match self {
            Self::At(at) => move_by(at, by, &facts.zone, &facts.calendar).map(Self::At),
            Self::On(day) if matches!(by.unit, SpanUnit::Minutes | SpanUnit::Hours) => {
                move_by(start_of(day, &facts.zone)?, by, &facts.zone, &facts.calendar).map(Self::At)
            }
            Self::On(day) => move_day(day.date()?, by, &facts.calendar).map(|date| Self::On(date.into())),
        }
    }

    pub(crate) fn value(self) -> Value {
        match self {
            Self::At(at) => Value::Instant(at),
            Self::On(day) => Value::Day(day),
        }
    }
}

impl Bound {
    /// Where it lies now.
    pub(crate) fn point(self, facts: &Facts) -> Result<Point, Trouble> {
        match self {
            Self::At(at) => Ok(Point::At(at)),
            Self::On(day) => Ok(Point::On(day)),
            Self::Moved(moved) => {
                let from = match moved.from {
                    None => Point::At(facts.now),
                    Some(path) => {
                        let value = value(facts, path).ok_or(Trouble::OtherAbsent(path))?;
                        Point::of(&value).ok_or(if value.is_empty() {
                            Trouble::OtherAbsent(path)
                        } else {
                            Trouble::OtherType(path)
                        })?
                    }
                };
                from.moved(moved.by, facts).ok_or(Trouble::NoSuchMoment)
            }
        }
    }
}

/// Now moved by a span: forwards, or backwards.
pub(crate) fn now_moved(by: Span, back: bool, facts: &Facts) -> Result<Timestamp, Trouble> {
    let n = if back {
        by.n.checked_neg().ok_or(Trouble::NoSuchMoment)?
    } else {
        by.n
    };
    move_by(facts.now, Span { n, unit: by.unit }, &facts.zone, &facts.calendar).ok_or(Trouble::NoSuchMoment)
}

impl TimeCheck {
    pub(crate) fn holds(&self, left: &Value, facts: &Facts) -> Result<bool, Trouble> {
        let Some(left) = Point::of(left) else {
            // Like every negative comparison, «не равно» holds for an empty value.
            return match left {
                Value::Empty => Ok(matches!(self, Self::Order(Cmp::NotEqual, _))),
                _ => Err(Trouble::WrongType),
            };
        };
        let order = |right: Point| left.cmp(right, facts).ok_or(Trouble::NoSuchMoment);
        let here = || match left {
            Point::At(at) => local(at, &facts.zone),
            Point::On(day) => day.date().map(|date| date.and_time(chrono::NaiveTime::MIN)),
        };
        // A day counts as the whole day: in a span it is looked at by days when the span is in days.
        let against = |edge: Timestamp, span: &Span| match (left, span.unit) {
            (Point::On(day), SpanUnit::Minutes | SpanUnit::Hours) => Ok(start_of(day, &facts.zone)
                .ok_or(Trouble::NoSuchMoment)?
                .cmp(&edge)),
            _ => order(Point::At(edge)),
        };
        match self {
            Self::Order(cmp, bound) => Ok(cmp.takes(order(bound.point(facts)?)?)),
            Self::Between(from, to) => {
                Ok(order(from.point(facts)?)?.is_ge() && order(to.point(facts)?)?.is_le())
            }
            Self::OlderThan(span) => Ok(against(now_moved(*span, true, facts)?, span)?.is_lt()),
            Self::WithinLast(span) => {
                Ok(against(now_moved(*span, true, facts)?, span)?.is_ge()
                    && against(facts.now, span)?.is_le())
            }
            Self::WithinNext(span) => {
                Ok(against(facts.now, span)?.is_ge()
                    && against(now_moved(*span, false, facts)?, span)?.is_le())
            }
            Self::Weekday(days) => {
                let date = here().ok_or(Trouble::NoSuchMoment)?.date();
                Ok(days >> weekday(date) & 1 == 1)
            }
            Self::TimeOfDay(from, to) => {
                let moment = here().ok_or(Trouble::NoSuchMoment)?;
                Ok(within_day(minute_of_day(moment), *from, *to))
            }
            Self::WorkingTime => Ok(facts
                .calendar
                .is_working_time(here().ok_or(Trouble::NoSuchMoment)?)),
        }
    }
}
