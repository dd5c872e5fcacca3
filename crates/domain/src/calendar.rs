//! Local time, working days and spans of time.
//!
//! Nothing here reads a clock: «now» and the zone are given.

mod cron;
mod format;
#[cfg(test)]
mod tests;

pub use cron::Cron;
pub use format::{DateTimeFormat, FormatError, parse_date};

use crate::condition::{Span, SpanUnit};
use crate::evaluate::Calendar;
use crate::time::{Timestamp, Zone};
use crate::value::Day;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// The longest span a rule may speak of, in its own unit: about a hundred years of days.
pub const MAX_SPAN: i64 = 36_500;

impl Day {
    /// A day that exists.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let this = Self { year, month, day };
        this.date().map(|_| this)
    }

    /// As a date of the calendar; `None` for a day that does not exist.
    pub fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, u32::from(self.month), u32::from(self.day))
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        let small = |n: u32| u8::try_from(n).unwrap_or(0);
        Self {
            year: date.year(),
            month: small(date.month()),
            day: small(date.day()),
        }
    }
}

/// The local date and time of an instant; `None` outside the years that dates can say.
pub fn local(at: Timestamp, zone: &Zone) -> Option<NaiveDateTime> {
    let shifted = at.0.checked_add(i64::from(zone.offset_secs(at)) * 1000)?;
    DateTime::from_timestamp_millis(shifted).map(|moment| moment.naive_utc())
}

/// The local calendar day of an instant.
pub fn local_day(at: Timestamp, zone: &Zone) -> Option<Day> {
    local(at, zone).map(|moment| moment.date().into())
}

/// The instant of a local date and time. A time that a transition skips or repeats is read with the offset in
/// force before it.
pub fn instant(moment: NaiveDateTime, zone: &Zone) -> Timestamp {
    let wall = moment.and_utc().timestamp_millis();
    let with = |offset: i32| Timestamp(wall.saturating_sub(i64::from(offset) * 1000));
    // Try the offsets around this time; the earlier one first.
    let before = zone.offset_secs(Timestamp(wall.saturating_sub(86_400_000)));
    let after = zone.offset_secs(Timestamp(wall.saturating_add(86_400_000)));
    for offset in [before, after] {
        if zone.offset_secs(with(offset)) == offset {
            return with(offset);
        }
    }
    with(before)
}

/// The first instant of a local day; `None` for a day that does not exist.
pub fn start_of(day: Day, zone: &Zone) -> Option<Timestamp> {
    Some(instant(day.date()?.and_time(NaiveTime::MIN), zone))
}

/// Day of the week, 1 = Monday.
pub fn weekday(date: NaiveDate) -> u8 {
    u8::try_from(date.weekday().number_from_monday()).unwrap_or(0)
}

/// Minutes since local midnight.
pub fn minute_of_day(moment: NaiveDateTime) -> u16 {
    u16::try_from(moment.hour() * 60 + moment.minute()).unwrap_or(0)
}

/// Inside a stretch of the day, start included, end not; a stretch may pass midnight, and one whose ends are
/// equal is the whole day.
pub fn within_day(minute: u16, from: u16, to: u16) -> bool {
    match from.cmp(&to) {
        std::cmp::Ordering::Less => (from..to).contains(&minute),
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Greater => minute >= from || minute < to,
    }
}

impl Calendar {
    /// Neither weekend nor holiday, or worked all the same.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        let day = Day::from(date);
        self.working.contains(&day)
            || (self.weekdays.contains(&weekday(date)) && !self.holidays.contains(&day))
    }

    /// A working day and inside working hours.
    pub fn is_working_time(&self, moment: NaiveDateTime) -> bool {
        self.is_working_day(moment.date())
            && within_day(minute_of_day(moment), self.from_minute, self.to_minute)
    }

    /// The day a number of working days later (or earlier); the day itself when the number is 0. `None` when
    /// the calendar has too few working days.
    pub fn move_working_days(&self, from: NaiveDate, n: i64) -> Option<NaiveDate> {
        let mut date = from;
        let mut left = n.unsigned_abs();
        // A calendar without working days must not be searched for ever: ten calendar days for each one.
        let mut patience = left.checked_mul(10)?.checked_add(400)?;
        while left > 0 {
            patience = patience.checked_sub(1)?;
            date = if n > 0 { date.succ_opt()? } else { date.pred_opt()? };
            if self.is_working_day(date) {
                left -= 1;
            }
        }
        Some(date)
    }
}

/// Moves a day; hours and minutes move it by whole days they make.
pub fn move_day(date: NaiveDate, by: Span, calendar: &Calendar) -> Option<NaiveDate> {
    if by.n.abs() > MAX_SPAN * 24 * 60 {
        return None;
    }
    let days = match by.unit {
        SpanUnit::Minutes => by.n / (24 * 60),
        SpanUnit::Hours => by.n / 24,
        SpanUnit::Days => by.n,
        SpanUnit::Weeks => by.n.checked_mul(7)?,
        SpanUnit::WorkingDays if by.n.abs() > MAX_SPAN => return None,
        SpanUnit::WorkingDays => return calendar.move_working_days(date, by.n),
    };
    let count = Days::new(days.unsigned_abs());
    if days < 0 {
        date.checked_sub_days(count)
    } else {
        date.checked_add_days(count)
    }
}

/// Moves an instant. Days, weeks and working days keep the local time of day, minutes and hours are exact.
pub fn move_by(at: Timestamp, by: Span, zone: &Zone, calendar: &Calendar) -> Option<Timestamp> {
    let exact = |unit_ms: i64| at.0.checked_add(by.n.checked_mul(unit_ms)?).map(Timestamp);
    match by.unit {
        SpanUnit::Minutes => exact(60_000),
        SpanUnit::Hours => exact(3_600_000),
        SpanUnit::Days | SpanUnit::Weeks | SpanUnit::WorkingDays => {
            let here = local(at, zone)?;
            let date = move_day(here.date(), by, calendar)?;
            Some(instant(date.and_time(here.time()), zone))
        }
    }
}

/// Federal holidays of Russia that stand in the Labour Code, for one year. The government's yearly transfers
/// are entered in [`Calendar::holidays`] and [`Calendar::working`].
pub fn russian_holidays(year: i32) -> Vec<Day> {
    const FIXED: [(u8, u8); 14] = [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (1, 5),
        (1, 6),
        (1, 7),
        (1, 8),
        (2, 23),
        (3, 8),
        (5, 1),
        (5, 9),
        (6, 12),
        (11, 4),
    ];
    FIXED
        .into_iter()
        .map(|(month, day)| Day { year, month, day })
        .collect()
}

/// A working calendar of Monday to Friday, nine to six, with the federal holidays of some years.
pub fn russian_calendar(years: impl IntoIterator<Item = i32>) -> Calendar {
    Calendar {
        holidays: years.into_iter().flat_map(russian_holidays).collect(),
        ..Calendar::default()
    }
}

/// Whole minutes added to a local time, for searching ahead.
fn next_minute(moment: NaiveDateTime) -> Option<NaiveDateTime> {
    moment
        .with_second(0)?
        .with_nanosecond(0)?
        .checked_add_signed(TimeDelta::minutes(1))
}
