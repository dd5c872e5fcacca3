//! Five-field cron expressions in local time.

use super::{instant, local, next_minute, weekday};
use crate::time::{Timestamp, Zone};
use chrono::{Datelike, NaiveDateTime, Timelike};

/// A parsed expression: minute, hour, day of month, month, day of week (0 and 7 = Sunday).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

impl Cron {
    /// Reads `*/15 9-18 * * 1-5`; the error is a Russian sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!(
                "в расписании {} полей вместо пяти: минуты, часы, день месяца, месяц, день недели",
                fields.len()
            ));
        };
        let mut weekday_set = field(weekdays, 0, 7, "день недели")?;
        if weekday_set >> 7 & 1 == 1 {
            weekday_set |= 1;
        }
        let this = Self {
            minutes: field(minutes, 0, 59, "минуты")?,
            hours: field(hours, 0, 23, "часы")?,
            days: field(days, 1, 31, "день месяца")?,
            months: field(months, 1, 12, "месяц")?,
            weekdays: weekday_set,
            any_day: days == "*",
            any_weekday: weekdays == "*",
        };
        let start = Timestamp(0);
        match this.next_after(start, &Zone::fixed("UTC", 0)) {
            Some(_) => Ok(this),
            None => Err("такого дня не бывает: проверьте день месяца и месяц".to_owned()),
        }
    }

    /// The first moment after the given one; `None` when there is none within eight years.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut moment = next_minute(local(after, zone)?)?;
        let end = moment.date().checked_add_days(chrono::Days::new(8 * 366))?;
        while moment.date() <= end {
            if !has(self.months, moment.month()) || !self.day_fits(moment) {
                moment = moment.date().succ_opt()?.and_hms_opt(0, 0, 0)?;
                continue;
            }
            if !has(self.hours, moment.hour()) {
                moment = moment
                    .with_minute(0)?
                    .checked_add_signed(chrono::TimeDelta::hours(1))?;
                continue;
            }
            if has(self.minutes, moment.minute()) {
                let found = instant(moment, zone);
                // A local time that a transition repeats may lie before the start: go on.
                if found > after {
                    return Some(found);
                }
            }
            moment = next_minute(moment)?;
        }
        None
    }

    /// As cron does: when both day fields are restricted, either is enough.
    fn day_fits(&self, moment: NaiveDateTime) -> bool {
        let day = has(self.days, moment.day());
        let week = has(self.weekdays, u32::from(weekday(moment.date()) % 7));
        match (self.any_day, self.any_weekday) {
            (false, false) => day || week,
            _ => day && week,
        }
    }
}

fn has(set: u64, n: u32) -> bool {
    set >> n & 1 == 1
}

fn field(text: &str, min: u32, max: u32, name: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "в расписании не понятно поле «{name}»: «{text}»; можно от {min} до {max}, *, a-b, */n, списком"
        )
    };
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (min, max),
            Some((from, to)) => (
                from.parse().map_err(|_| wrong())?,
                to.parse().map_err(|_| wrong())?,
            ),
            None => {
                let n: u32 = range.parse().map_err(|_| wrong())?;
                (n, if part.contains('/') { max } else { n })
            }
        };
        if from > to || from < min || to > max {
            return Err(wrong());
        }
        for n in (from..=to).step_by(step) {
            set |= 1 << n;
        }
    }
    Ok(set)
}
