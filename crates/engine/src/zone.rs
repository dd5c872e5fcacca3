//! Zones by name as tables of offsets, for the years that rules can speak of.

use chrono::{Duration, TimeZone, Utc};
use chrono_tz::{OffsetComponents, Tz};
use domain::time::Zone;

/// First and last moment of the table: 2015-01-01 and 2045-01-01.
const FROM: i64 = 1_420_070_400;
const TO: i64 = 2_366_841_600;

/// The zone with an IANA name; Moscow when the name is unknown.
pub fn zone(name: &str) -> Zone {
    let Ok(tz) = name.parse::<Tz>() else {
        return Zone::moscow();
    };
    let base = offset(tz, FROM);
    let mut transitions = Vec::new();
    let (mut at, mut known) = (FROM, base);
    while at < TO {
        let next = (at + 7 * 86_400).min(TO);
        let found = offset(tz, next);
        if found != known {
            transitions.push((first_with(tz, at, next, found), found));
            known = found;
        }
        at = next;
    }
    Zone {
        name: name.to_owned(),
        base_offset_secs: base,
        transitions,
    }
}

/// Whether a name is a zone that the hub knows.
pub fn is_zone(name: &str) -> bool {
    name.parse::<Tz>().is_ok()
}

fn offset(tz: Tz, secs: i64) -> i32 {
    let Some(at) = Utc.timestamp_opt(secs, 0).single() else {
        return 0;
    };
    let offset = tz.offset_from_utc_datetime(&at.naive_utc());
    let total: Duration = offset.base_utc_offset() + offset.dst_offset();
    total.num_seconds() as i32
}

/// The first second in (`low`, `high`] with the offset that holds at `high`.
fn first_with(tz: Tz, mut low: i64, mut high: i64, wanted: i32) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(tz, middle) == wanted {
            high = middle
        } else {
            low = middle
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;

    #[test]
    fn moscow_has_one_offset() {
        assert_eq!(zone("Europe/Moscow").transitions, []);
        assert_eq!(zone("Europe/Moscow").base_offset_secs, 3 * 3600);
    }

    #[test]
    fn berlin_changes_at_the_very_second() {
        let berlin = zone("Europe/Berlin");
        // 2026-03-29 01:00:00 UTC
        let change = 1_774_746_000;
        assert_eq!(berlin.offset_secs(Timestamp::from_secs(change - 1)), 3600);
        assert_eq!(berlin.offset_secs(Timestamp::from_secs(change)), 7200);
    }
}
