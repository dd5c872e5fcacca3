use super::*;
use crate::value::Value;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn at(text: &str) -> Timestamp {
    match parse_date(text, &Zone::moscow()) {
        Some(Value::Instant(at)) => at,
        other => panic!("{text}: {other:?}"),
    }
}

/// Berlin in 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
fn berlin() -> Zone {
    Zone {
        name: "Europe/Berlin".to_owned(),
        base_offset_secs: 3600,
        transitions: vec![(1_774_746_000, 7200), (1_792_890_000, 3600)],
    }
}

#[test]
fn working_days_are_counted_over_weekends_and_holidays() {
    let mut calendar = russian_calendar([2026]);
    let check = |calendar: &Calendar, from: &str, n, to: &str| {
        assert_eq!(
            calendar.move_working_days(day(from), n),
            Some(day(to)),
            "{from} {n}"
        );
    };
    check(&calendar, "2026-03-05", 1, "2026-03-06");
    check(&calendar, "2026-03-06", 1, "2026-03-09");
    check(&calendar, "2026-03-07", 1, "2026-03-09");
    check(&calendar, "2026-03-09", -1, "2026-03-06");
    check(&calendar, "2025-12-31", 1, "2026-01-09");
    check(&calendar, "2026-04-30", 2, "2026-05-05");
    check(&calendar, "2026-04-30", 0, "2026-04-30");
    calendar.holidays.push(Day {
        year: 2026,
        month: 3,
        day: 9,
    });
    calendar.working.push(Day {
        year: 2026,
        month: 3,
        day: 7,
    });
    check(&calendar, "2026-03-06", 1, "2026-03-07");
    check(&calendar, "2026-03-06", 2, "2026-03-10");
    let never = Calendar {
        weekdays: Vec::new(),
        ..Calendar::default()
    };
    assert_eq!(never.move_working_days(day("2026-03-06"), 1), None);
}

#[test]
fn spans_keep_the_local_time() {
    let calendar = Calendar::default();
    let zone = berlin();
    let noon = instant(day("2026-03-28").and_hms_opt(12, 0, 0).expect("time"), &zone);
    let next = move_by(
        noon,
        Span {
            n: 1,
            unit: SpanUnit::Days,
        },
        &zone,
        &calendar,
    )
    .expect("in range");
    assert_eq!(next.0 - noon.0, 23 * 3_600_000);
    let exact = move_by(
        noon,
        Span {
            n: 24,
            unit: SpanUnit::Hours,
        },
        &zone,
        &calendar,
    )
    .expect("in range");
    assert_eq!(exact.0 - noon.0, 24 * 3_600_000);
    let huge = Span {
        n: i64::MAX,
        unit: SpanUnit::WorkingDays,
    };
    assert_eq!(move_by(noon, huge, &zone, &calendar), None);
}

#[test]
fn skipped_and_repeated_local_times_are_read() {
    let zone = berlin();
    let skipped = day("2026-03-29").and_hms_opt(2, 30, 0).expect("time");
    assert_eq!(
        local(instant(skipped, &zone), &zone),
        day("2026-03-29").and_hms_opt(3, 30, 0)
    );
    let repeated = day("2026-10-25").and_hms_opt(2, 30, 0).expect("time");
    assert_eq!(local(instant(repeated, &zone), &zone), Some(repeated));
}

#[test]
fn stretches_of_the_day_may_pass_midnight() {
    assert!(within_day(540, 540, 1080));
    assert!(!within_day(1080, 540, 1080));
    assert!(within_day(1380, 1320, 360) && within_day(10, 1320, 360) && !within_day(720, 1320, 360));
    assert!(within_day(3, 5, 5));
}

#[test]
fn dates_are_read_in_russian_forms() {
    let zone = Zone::moscow();
    let is_day = |text: &str, y, m, d| {
        assert_eq!(
            parse_date(text, &zone),
            Some(Value::Day(Day {
                year: y,
                month: m,
                day: d
            })),
            "{text}"
        );
    };
    is_day("31.12.2026", 2026, 12, 31);
    is_day("1.2.26", 2026, 2, 1);
    is_day("01.02.99", 1999, 2, 1);
    is_day("2026-12-31", 2026, 12, 31);
    is_day("31/12/2026", 2026, 12, 31);
    is_day(" 31.12.2026 г. ", 2026, 12, 31);
    let secs = |text: &str, expect| {
        assert_eq!(
            parse_date(text, &zone),
            Some(Value::Instant(Timestamp::from_secs(expect))),
            "{text}"
        );
    };
    secs("31.12.2026 10:00", 1_798_700_400);
    secs("31.12.2026 10:00:30", 1_798_700_430);
    secs("31.12.2026, в 10:00", 1_798_700_400);
    secs("2026-12-31T10:00:00", 1_798_700_400);
    secs("2026-12-31T07:00:00Z", 1_798_700_400);
    secs("2026-12-31T10:00:00.250+03:00", 1_798_700_400);
    secs("2026-12-31 10:00", 1_798_700_400);
    for text in [
        "",
        "31",
        "32.01.2026",
        "31.12",
        "31.12.20266",
        "завтра",
        "31.12.2026 25:00",
        "31-12.2026",
        "2026-12-31T10:00:00+99",
    ] {
        assert_eq!(parse_date(text, &zone), None, "{text}");
    }
}

#[test]
fn formats_print_and_read() {
    let print = |format: &str, expect: &str| {
        let format = DateTimeFormat::new(format).expect("format");
        assert_eq!(
            format
                .print_instant(at("05.03.2026 09:07:03"), &Zone::moscow())
                .as_deref(),
            Some(expect)
        );
    };
    print("d.m.Y H:i:s", "05.03.2026 09:07:03");
    print("j.n.y G:i", "5.3.26 9:07");
    print("j F Y \\г., l", "5 марта 2026 г., четверг");
    print("Y-m-d", "2026-03-05");
    let format = DateTimeFormat::new("d F Y, H:i").expect("format");
    assert_eq!(
        format.parse("05 Марта 2026, 09:07"),
        day("2026-03-05").and_hms_opt(9, 7, 0)
    );
    assert_eq!(format.parse("05 марта 2026"), None);
    assert_eq!(DateTimeFormat::new("d.m.Q"), Err(FormatError::Letter('Q', 4)));
    assert_eq!(DateTimeFormat::new(" "), Err(FormatError::Empty));
}

#[test]
fn cron_finds_the_next_moment() {
    let zone = Zone::moscow();
    let next = |cron: &str, from: &str, expect: &str| {
        let cron = Cron::parse(cron).expect("cron");
        assert_eq!(cron.next_after(at(from), &zone), Some(at(expect)), "{cron:?}");
    };
    next("*/15 * * * *", "05.03.2026 09:07", "05.03.2026 09:15");
    next("0 9 * * 1-5", "06.03.2026 09:00", "09.03.2026 09:00");
    next("30 8 1 * *", "05.03.2026 09:07", "01.04.2026 08:30");
    next("0 0 29 2 *", "05.03.2026 09:07", "29.02.2028 00:00");
    next("0 12 13 * 5", "05.03.2026 09:07", "06.03.2026 12:00");
    next("0 10 * * 7", "05.03.2026 09:07", "08.03.2026 10:00");
    for text in [
        "",
        "* * * *",
        "60 * * * *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 31 2 *",
        "x * * * *",
    ] {
        assert!(Cron::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn local_time_leads_back_to_the_instant(secs in 1_700_000_000i64..1_900_000_000) {
        for zone in [Zone::moscow(), berlin(), Zone::fixed("x", -12 * 3600)] {
            let at = Timestamp::from_secs(secs);
            let back = instant(local(at, &zone).expect("in range"), &zone);
            // Inside the repeated hour both readings are right.
            prop_assert!(back == at || (back.0 - at.0).abs() == 3_600_000);
        }
    }

    #[test]
    fn offsets_hold_from_their_transition_on(at in any::<i64>()) {
        let zone = berlin();
        let offset = zone.offset_secs(Timestamp(at));
        let secs = Timestamp(at).secs();
        let expect = if (1_774_746_000..1_792_890_000).contains(&secs) { 7200 } else { 3600 };
        prop_assert_eq!(offset, expect);
    }

    #[test]
    fn working_days_lead_there_and_back(n in 1i64..300, start in 0i32..3000) {
        let calendar = russian_calendar(2020..2036);
        let from = NaiveDate::from_num_days_from_ce_opt(738_000 + start).expect("a date");
        let there = calendar.move_working_days(from, n).expect("in range");
        prop_assert!(calendar.is_working_day(there));
        let back = calendar.move_working_days(there, -n).expect("in range");
        prop_assert!(back <= from || !calendar.is_working_day(from));
        if calendar.is_working_day(from) {
            prop_assert_eq!(back, from);
        }
    }

    #[test]
    fn reading_a_date_never_panics(text in "\\PC{0,30}|[-0-9./: TZ+]{0,30}", format in "\\PC{0,12}") {
        let zone = Zone::moscow();
        parse_date(&text, &zone);
        if let Ok(format) = DateTimeFormat::new(&format) {
            format.parse(&text);
        }
    }

    #[test]
    fn moving_never_panics(at in any::<i64>(), n in any::<i64>(), unit in 0usize..5) {
        let units = [SpanUnit::Minutes, SpanUnit::Hours, SpanUnit::Days, SpanUnit::Weeks, SpanUnit::WorkingDays];
        // Working days far away cost time, not safety.
        let n = if unit == 4 { n % 2000 } else { n };
        move_by(Timestamp(at), Span { n, unit: units[unit] }, &berlin(), &Calendar::default());
    }
}
