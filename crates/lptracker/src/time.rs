//! Dates as LPTracker spells them. Its texts carry no zone: the connection's is used.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use domain::time::{Timestamp, Zone};
use domain::value::Day;
use serde_json::Value;

/// Numbers above this are milliseconds: as seconds they would lie after the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// An instant from any spelling that was seen: Unix seconds or milliseconds (number or text), `d.m.Y H:i[:s]`,
/// `d.m.y H:i[:s]`, `d.m.Y`, and ISO forms. `None` when it is none of them.
pub fn instant(value: &Value, zone: &Zone) -> Option<Timestamp> {
    match value {
        Value::Number(number) => number.as_i64().and_then(unix),
        Value::String(text) => parse(text.trim(), zone),
        _ => None,
    }
}

fn unix(number: i64) -> Option<Timestamp> {
    match number {
        ..=0 => None,
        MILLISECONDS_FROM.. => Some(Timestamp(number)),
        _ => Some(Timestamp::from_secs(number)),
    }
}

fn parse(text: &str, zone: &Zone) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return unix(number);
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(moment.timestamp_millis()));
    }
    local(text).map(|naive| from_local(naive, zone))
}

/// A calendar day from the same spellings; the time of day is dropped.
pub fn day(value: &Value) -> Option<Day> {
    let naive = local(value.as_str()?.trim())?.date();
    Some(to_day(naive))
}

fn to_day(date: NaiveDate) -> Day {
    use chrono::Datelike;
    Day {
        year: date.year(),
        month: date.month() as u8,
        day: date.day() as u8,
    }
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, time.trim()),
        None => (text, ""),
    };
    let date = calendar_day(date)?;
    let time = if time.is_empty() {
        NaiveTime::MIN
    } else {
        time_of_day(time)?
    };
    Some(date.and_time(time))
}

/// `d.m.Y`, `d.m.y` or `Y-m-d`; parts must be plain digits.
fn calendar_day(text: &str) -> Option<NaiveDate> {
    if text.contains('-') {
        let [year, month, day] = parts(text, '-')?;
        return NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    }
    let [day, month, year] = parts(text, '.')?;
    let two_digits = text.rsplit('.').next().is_some_and(|part| part.len() <= 2);
    let year = i32::try_from(year).ok()? + if two_digits { 2000 } else { 0 };
    NaiveDate::from_ymd_opt(year, month, day)
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let [hour, minute, second] = parts(text, ':').or_else(|| parts(&format!("{text}:0"), ':'))?;
    NaiveTime::from_hms_opt(hour, minute, second)
}

fn parts(text: &str, separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse().ok() } else { None }
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// The instant of a local time. A time that a clock change skips or repeats becomes one of its neighbours.
fn from_local(naive: NaiveDateTime, zone: &Zone) -> Timestamp {
    let secs = naive.and_utc().timestamp();
    let guess = secs - i64::from(zone.base_offset_secs);
    let first = secs - i64::from(zone.offset_secs(Timestamp::from_secs(guess)));
    Timestamp::from_secs(secs - i64::from(zone.offset_secs(Timestamp::from_secs(first))))
}

/// `d.m.Y H:i`, the spelling of every date that is written.
pub fn written(at: Timestamp, zone: &Zone) -> String {
    let local = at.secs().saturating_add(i64::from(zone.offset_secs(at)));
    DateTime::from_timestamp(local, 0)
        .map(|moment| moment.format("%d.%m.%Y %H:%M").to_string())
        .unwrap_or_default()
}

/// `d.m.Y 00:00` of a calendar day.
pub fn written_day(day: Day) -> String {
    format!("{:02}.{:02}.{:04} 00:00", day.day, day.month, day.year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value, expected: Option<i64>) {
        assert_eq!(
            instant(&value, &Zone::moscow()).map(Timestamp::secs),
            expected,
            "{value}"
        );
    }

    #[test]
    fn every_spelling() {
        check(json!("01.08.2026 12:00"), Some(1_785_574_800));
        check(json!("01.08.2026 12:00:07"), Some(1_785_574_807));
        check(json!("01.08.26 12:00:07"), Some(1_785_574_807));
        check(json!("01.08.26 12:00"), Some(1_785_574_800));
        check(json!("01.08.2026"), Some(1_785_531_600));
        check(json!("2026-08-01 12:00:00"), Some(1_785_574_800));
        check(json!("2026-08-01T09:00:00Z"), Some(1_785_574_800));
        check(json!(1_785_574_800), Some(1_785_574_800));
        check(json!("1785574800"), Some(1_785_574_800));
        check(json!(1_785_574_800_123_i64), Some(1_785_574_800));
        for nothing in [
            json!(null),
            json!(""),
            json!(0),
            json!("вчера"),
            json!("32.01.2026 00:00"),
            json!("1.2"),
        ] {
            check(nothing, None);
        }
        check(json!("01.08.2026 25:00"), None);
        check(json!("+1.+8.2026 12:00"), None);
    }

    #[test]
    fn written_is_read_back() {
        let zone = Zone {
            name: "x".into(),
            base_offset_secs: 3600,
            transitions: vec![(1_785_000_000, 7200)],
        };
        for at in [1_784_000_040, 1_784_999_940, 1_785_000_000, 1_785_574_800] {
            let text = written(Timestamp::from_secs(at), &zone);
            assert_eq!(
                instant(&json!(text), &zone),
                Some(Timestamp::from_secs(at)),
                "{text}"
            );
        }
    }

    #[test]
    fn days() {
        let day_of = |text: &str| day(&json!(text)).map(|day| (day.year, day.month, day.day));
        assert_eq!(day_of("09.11.1990"), Some((1990, 11, 9)));
        assert_eq!(day_of("09.11.1990 00:00"), Some((1990, 11, 9)));
        assert_eq!(
            written_day(Day {
                year: 1990,
                month: 11,
                day: 9
            }),
            "09.11.1990 00:00"
        );
    }
}
