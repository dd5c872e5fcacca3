//! Moments in words. «Now» and the zone are always given, so everything here is tested without a clock.

use domain::time::{Timestamp, Zone};
use domain::value::Day;

use crate::text::{NBSP, plural};

const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const SHORT_MONTHS: [&str; 12] = [
    "янв.",
    "февр.",
    "марта",
    "апр.",
    "мая",
    "июня",
    "июля",
    "авг.",
    "сент.",
    "окт.",
    "нояб.",
    "дек.",
];
const SHORT_WEEKDAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

/// A moment on the wall of a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// Calendar day.
    pub day: Day,
    /// Hour, 0–23.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
}

/// The wall clock of a zone at a moment.
pub fn civil(at: Timestamp, zone: &Zone) -> Civil {
    let secs = at.secs() + i64::from(zone.offset_secs(at));
    let of_day = secs.rem_euclid(86_400);
    let part = |n: i64| u8::try_from(n).unwrap_or(0);
    Civil {
        day: day_of(secs.div_euclid(86_400)),
        hour: part(of_day / 3_600),
        minute: part(of_day / 60 % 60),
        second: part(of_day % 60),
    }
}

/// The moment at which a zone's clock shows this; for the hour that a clock passes twice, one of both.
pub fn instant(wall: Civil, zone: &Zone) -> Timestamp {
    let days = number_of(wall.day);
    let secs =
        days * 86_400 + i64::from(wall.hour) * 3_600 + i64::from(wall.minute) * 60 + i64::from(wall.second);
    let guess = Timestamp::from_secs(secs - i64::from(zone.offset_secs(Timestamp::from_secs(secs))));
    Timestamp::from_secs(secs - i64::from(zone.offset_secs(guess)))
}

/// Days since 1970-01-01 → calendar day (the proleptic Gregorian calendar).
fn day_of(days: i64) -> Day {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Day {
        year: i32::try_from(year).unwrap_or(i32::MAX),
        month: u8::try_from(month).unwrap_or(1),
        day: u8::try_from(day).unwrap_or(1),
    }
}

fn number_of(day: Day) -> i64 {
    let year = i64::from(day.year) - i64::from(day.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (i64::from(day.month) + 9) % 12;
    let of_year = (153 * shifted + 2) / 5 + i64::from(day.day) - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

/// «23 нояб., 12:41», with the year when it is not the present one.
pub fn date_time(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let wall = civil(at, zone);
    let this = civil(now, zone);
    let time = format!("{:02}:{:02}", wall.hour, wall.minute);
    if wall.day == this.day {
        return format!("сегодня, {time}");
    }
    let month = month(&SHORT_MONTHS, wall.day.month);
    if wall.day.year == this.day.year {
        format!("{}{NBSP}{month}, {time}", wall.day.day)
    } else {
        format!("{}{NBSP}{month} {}, {time}", wall.day.day, wall.day.year)
    }
}

/// «23 ноября 2026, пн, 12:41:05», for a tooltip.
pub fn date_time_full(at: Timestamp, zone: &Zone) -> String {
    let wall = civil(at, zone);
    let weekday = (number_of(wall.day) + 3).rem_euclid(7);
    format!(
        "{} {} {}, {}, {:02}:{:02}:{:02}",
        wall.day.day,
        month(&MONTHS, wall.day.month),
        wall.day.year,
        SHORT_WEEKDAYS[usize::try_from(weekday).unwrap_or(0)],
        wall.hour,
        wall.minute,
        wall.second,
    )
}

/// «12:41:05,250»: what tells two attempts of one minute apart.
pub fn time_exact(at: Timestamp, zone: &Zone) -> String {
    let wall = civil(at, zone);
    format!(
        "{:02}:{:02}:{:02},{:03}",
        wall.hour,
        wall.minute,
        wall.second,
        at.0.rem_euclid(1_000)
    )
}

/// «23 ноября 2026».
pub fn day(day: Day) -> String {
    format!("{} {} {}", day.day, month(&MONTHS, day.month), day.year)
}

/// What a `datetime-local` control holds: `2026-11-23T12:41`.
pub fn to_control(at: Timestamp, zone: &Zone) -> String {
    let wall = civil(at, zone);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}",
        wall.day.year, wall.day.month, wall.day.day, wall.hour, wall.minute
    )
}

/// The moment that a `datetime-local` control holds, or `None` when it holds none.
pub fn from_control(text: &str, zone: &Zone) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.split('-');
    let mut time = time.split(':');
    let wall = Civil {
        day: Day {
            year: date.next()?.parse().ok()?,
            month: date
                .next()?
                .parse()
                .ok()
                .filter(|month| (1..=12).contains(month))?,
            day: date.next()?.parse().ok().filter(|day| (1..=31).contains(day))?,
        },
        hour: time.next()?.parse().ok().filter(|hour| *hour < 24)?,
        minute: time.next()?.parse().ok().filter(|minute| *minute < 60)?,
        second: 0,
    };
    Some(instant(wall, zone))
}

fn month(names: &[&'static str; 12], number: u8) -> &'static str {
    names[usize::from(number.clamp(1, 12)) - 1]
}

/// The offset in seconds that a text names as browsers write it: `…, GMT+03:00` → 10 800; `GMT` alone is 0.
pub fn offset_in(text: &str) -> Option<i32> {
    let offset = text.split("GMT").nth(1)?.trim();
    let mut letters = offset.chars();
    let sign = match letters.next() {
        None => return Some(0),
        Some('+') => 1,
        Some('-' | '\u{2212}') => -1,
        Some(_) => return None,
    };
    let mut parts = letters.as_str().split(':').map(str::parse::<i32>);
    let hours = parts.next()?.ok()?;
    let minutes = parts.next().map_or(Some(0), Result::ok)?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// How long ago or in how long: «5 минут назад», «через 3 часа», «только что».
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let ahead = at.0 > now.0;
    let secs = at.0.abs_diff(now.0) / 1_000;
    let length = match secs {
        // Another machine's clock may be a little ahead of ours.
        _ if secs <= if ahead { 2 } else { 4 } => return "только что".to_owned(),
        0..=59 => spell(secs, "секунду", "секунды", "секунд"),
        60..=3_599 => spell(secs / 60, "минуту", "минуты", "минут"),
        3_600..=86_399 => spell(secs / 3_600, "час", "часа", "часов"),
        86_400..=2_591_999 => spell(secs / 86_400, "день", "дня", "дней"),
        2_592_000..=31_535_999 => spell(secs / 2_592_000, "месяц", "месяца", "месяцев"),
        _ => spell(secs / 31_536_000, "год", "года", "лет"),
    };
    if ahead {
        format!("через{NBSP}{length}")
    } else {
        format!("{length}{NBSP}назад")
    }
}

fn spell(n: u64, one: &str, few: &str, many: &str) -> String {
    format!("{n}{NBSP}{}", plural(n, one, few, many))
}

/// A length of time: «230 мс», «1,4 с», «5 мин 3 с», «2 ч 10 мин».
pub fn duration(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms}{NBSP}мс"),
        1_000..=59_999 => format!("{},{}{NBSP}с", ms / 1_000, ms % 1_000 / 100),
        60_000..=3_599_999 => format!("{}{NBSP}мин {}{NBSP}с", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}{NBSP}ч {}{NBSP}мин", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_795_426_865_250);

    #[test]
    fn moments_are_read_in_their_zone() {
        let wall = civil(NOON, &Zone::moscow());
        assert_eq!((wall.day.year, wall.day.month, wall.day.day), (2026, 11, 23));
        assert_eq!((wall.hour, wall.minute, wall.second), (12, 41, 5));
        assert_eq!(
            date_time_full(NOON, &Zone::moscow()),
            "23 ноября 2026, пн, 12:41:05"
        );
        assert_eq!(time_exact(NOON, &Zone::fixed("UTC", 0)), "09:41:05,250");
    }

    #[test]
    fn days_come_back_from_their_numbers() {
        for number in [-719_468, -1, 0, 59, 60, 11_016, 20_000, 47_541] {
            assert_eq!(number_of(day_of(number)), number);
        }
        assert_eq!(
            day_of(11_016),
            Day {
                year: 2000,
                month: 2,
                day: 29
            }
        );
    }

    #[test]
    fn controls_keep_the_minute() {
        let zone = Zone::fixed("Asia/Yekaterinburg", 5 * 3_600);
        let text = to_control(NOON, &zone);
        assert_eq!(text, "2026-11-23T14:41");
        assert_eq!(from_control(&text, &zone), Some(Timestamp(NOON.0 - 5_250)));
        for wrong in ["", "2026-11-23", "2026-13-23T10:00", "2026-11-23T25:00", "x"] {
            assert_eq!(from_control(wrong, &zone), None, "{wrong}");
        }
    }

    #[test]
    fn the_year_is_told_only_when_it_differs() {
        let zone = Zone::moscow();
        assert_eq!(date_time(NOON, NOON, &zone), "сегодня, 12:41");
        let later = NOON.plus_ms(2 * 86_400_000);
        assert_eq!(date_time(NOON, later, &zone), "23\u{a0}нояб., 12:41");
        let year_later = NOON.plus_ms(366 * 86_400_000);
        assert_eq!(date_time(NOON, year_later, &zone), "23\u{a0}нояб. 2026, 12:41");
    }

    #[test]
    fn offsets_are_read_as_browsers_write_them() {
        assert_eq!(offset_in("11/23/2026, GMT+03:00"), Some(10_800));
        assert_eq!(offset_in("11/23/2026, GMT-03:30"), Some(-12_600));
        assert_eq!(offset_in("11/23/2026, GMT"), Some(0));
        assert_eq!(offset_in("11/23/2026"), None);
    }

    #[test]
    fn ages_are_spelled() {
        let ago = |ms: i64| relative(NOON.plus_ms(-ms), NOON).replace(NBSP, " ");
        assert_eq!(ago(900), "только что");
        assert_eq!(ago(21_000), "21 секунду назад");
        assert_eq!(ago(5 * 60_000), "5 минут назад");
        assert_eq!(ago(3 * 3_600_000), "3 часа назад");
        assert_eq!(ago(40 * 86_400_000), "1 месяц назад");
        assert_eq!(
            relative(NOON.plus_ms(120_000), NOON).replace(NBSP, " "),
            "через 2 минуты"
        );
    }

    #[test]
    fn lengths_have_the_unit_that_fits() {
        let text = |ms| duration(ms).replace(NBSP, " ");
        assert_eq!(text(230), "230 мс");
        assert_eq!(text(1_450), "1,4 с");
        assert_eq!(text(303_000), "5 мин 3 с");
        assert_eq!(text(7_800_000), "2 ч 10 мин");
    }
}
