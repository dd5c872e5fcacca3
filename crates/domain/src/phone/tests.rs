use super::*;
use proptest::prelude::*;

fn check(cell: &str, expect: &[&str]) {
    assert_eq!(normalise(cell), expect, "{cell:?}");
}

/// National numbers with the country they belong to.
const NATIONAL: [&str; 12] = [
    "9123456789",
    "9031112233",
    "9999999999",
    "4951234567",
    "4991234567",
    "8121234567",
    "8001234567",
    "3431234567",
    "3831234567",
    "7011234567",
    "7272123456",
    "8432123456",
];

/// Ways to put the ten digits, by groups.
fn spellings(n: &str) -> Vec<String> {
    let (a, b, c, d) = (&n[..3], &n[3..6], &n[6..8], &n[8..]);
    let mut bodies = vec![
        n.to_owned(),
        format!("{a}{b}{c}{d}"),
        format!("({a}) {b}-{c}-{d}"),
        format!("({a}){b}-{c}-{d}"),
        format!("({a}) {b} {c} {d}"),
        format!("({a}){b}{c}{d}"),
        format!(" {a} {b} {c} {d} "),
        format!("-{a}-{b}-{c}-{d}"),
        format!(" {a} {b}-{c}{d}"),
        format!(" {a}.{b}.{c}.{d}"),
        format!("\u{a0}({a})\u{a0}{b}–{c}–{d}"),
        format!("‑{a}‑{b}‑{c}‑{d}"),
        format!(" [{a}] {b} {c} {d}"),
        format!("  {a}  {b}{c}  {d}"),
    ];
    bodies.dedup();
    let mut out = Vec::new();
    for body in bodies {
        for prefix in [
            "+7",
            "8",
            "7",
            "+8",
            "+7 8",
            "810 7",
            "тел. +7",
            "т.8",
            "tel:+7",
            "Иван: 8",
            "моб 8",
            "+ 7",
        ] {
            // «+8» in front of anything but a mobile number may be another country; «+78» needs no more.
            if prefix == "+8" && !n.starts_with('9') {
                continue;
            }
            out.push(format!("{prefix}{body}"));
        }
        if !body.starts_with(['-', '‑']) {
            out.push(body);
        }
    }
    out
}

#[test]
fn rule_made_corpus_has_no_wrong_answer() {
    let mut n_checked = 0;
    for national in NATIONAL {
        let expect = format!("+7{national}");
        for spelling in spellings(national) {
            check(&spelling, &[&expect]);
            n_checked += 1;
            for tail in [
                " доб. 123",
                " (доб. 12)",
                ", доб 5",
                " ext. 77",
                " вн.104",
                "#45",
                " жена",
            ] {
                check(&format!("{spelling}{tail}"), &[&expect]);
                n_checked += 1;
            }
        }
    }
    assert!(n_checked > 10_000, "{n_checked}");
}

#[test]
fn several_numbers_in_one_cell() {
    let two = ["+79123456789", "+74951234567"];
    for joint in [
        "; ",
        ", ",
        ",",
        "\n",
        " / ",
        "/",
        " и ",
        " или ",
        " | ",
        " ",
        "  ",
        " жена ",
        "\t",
    ] {
        for (a, b) in [
            ("89123456789", "84951234567"),
            ("+7 912 345-67-89", "8 (495) 123-45-67"),
            ("8 912 345 67 89", "8 495 123 45 67"),
            ("9123456789", "4951234567"),
            ("+79123456789", "+74951234567"),
        ] {
            check(&format!("{a}{joint}{b}"), &two);
        }
    }
    check(
        "8 800 123 456 7 / 8 800 123 45 67",
        &["+78001234567", "+78001234567"],
    );
    check("Иван 8 912 345-67-89, Мария 8 (495) 123-45-67 доб. 9", &two);
    check("+79123456789+74951234567", &two);
}

#[test]
fn country_prefixes_written_in_front_are_dropped() {
    for prefix in ["+7/8/7 ", "+7/8 ", "8/+7 ", "8(+7)", "8/7 ", "7/8 "] {
        check(&format!("{prefix}912 345-67-89"), &["+79123456789"]);
    }
}

#[test]
fn extensions_are_told_apart() {
    let of = |text| match pieces(text).next() {
        Some(Piece::Known { phone, extension }) => (phone.e164(), extension.map(str::to_owned)),
        other => panic!("{other:?}"),
    };
    for text in [
        "84951234567 доб. 123",
        "8 495 123-45-67 (доб.123)",
        "84951234567#123",
        "84951234567, доб 123",
        "84951234567 ДОБАВОЧНЫЙ 123",
        "84951234567 внутр. 123",
        "+74951234567;ext=123",
        "84951234567x123",
    ] {
        assert_eq!(
            of(text),
            ("+74951234567".to_owned(), Some("123".to_owned())),
            "{text}"
        );
    }
}

#[test]
fn neighbours_are_recognised_without_plus_by_exact_length() {
    let table = [
        ("375291234567", "BY"),
        ("380501234567", "UA"),
        ("998901234567", "UZ"),
        ("996555123456", "KG"),
        ("37491234567", "AM"),
        ("995555123456", "GE"),
        ("994501234567", "AZ"),
        ("992901234567", "TJ"),
        ("99365123456", "TM"),
        ("37369123456", "MD"),
        ("77011234567", "KZ"),
        ("79121234567", "RU"),
    ];
    for (digits, iso) in table {
        let spelled = format!("{} {} {}", &digits[..3], &digits[3..6], &digits[6..]);
        for text in [
            digits.to_owned(),
            format!("+{digits}"),
            format!("00{digits}"),
            format!("8 10 {digits}"),
            spelled,
        ] {
            let phone = parse(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(phone.digits(), digits, "{text}");
            assert_eq!(phone.country().map(|country| country.iso), Some(iso), "{text}");
        }
        // One digit short is nobody's number, unless ten digits are left that Russia has.
        if digits.len() > 11 {
            let short = &digits[..digits.len() - 1];
            check(short, &[short]);
        }
    }
}

#[test]
fn foreign_numbers_are_kept() {
    for (text, expect, iso) in [
        ("+1 (415) 555-26-71", "+14155552671", "US"),
        ("+49 30 901820", "+4930901820", "DE"),
        ("+44 20 7946 0958", "+442079460958", "GB"),
        ("+90 532 123 45 67", "+905321234567", "TR"),
        ("+972 50 123 4567", "+972501234567", "IL"),
        ("+86 138 0013 8000", "+8613800138000", "CN"),
        ("+971 50 123 4567", "+971501234567", "AE"),
        ("+84 912 345 678", "+84912345678", "VN"),
        ("0049 30 901820", "+4930901820", "DE"),
        ("8 10 49 30 901820", "+4930901820", "DE"),
    ] {
        check(text, &[expect]);
        let phone = parse(text).expect("recognised");
        assert_eq!(phone.country().map(|country| country.iso), Some(iso), "{text}");
    }
}

#[test]
fn what_is_not_recognised_is_kept_and_not_guessed() {
    for text in [
        "нет",
        "12345",
        "123-45-67",
        "8912345678",
        "8495123456",
        "0123456789",
        "1234567890",
        "5123456789",
        "891234567890",
        "79123456789012345678901234567890",
        "ivan89123456789@mail.ru",
        "8.9123456789E+10",
        "7.912345679E+10",
        "31.12.2026 15",
        "+7 912 345",
        "+7 012 345 67 89",
        "415 555 2671 12",
        "8 7 912 345 67 89",
        "+999 123 456 789",
        "+0 912 345 67 89",
        "ИНН 771",
        "—",
        "8 912 34X 67 89",
        "id89123456789",
    ] {
        check(text, &[text]);
        assert_eq!(parse(text), None, "{text}");
    }
    check("", &[]);
    check("   ", &[]);
    check("8 495 123-45-67/68", &["+74951234567", "68"]);
    check("89123456789.0", &["+79123456789"]);
}

#[test]
fn numbers_are_shown_readably() {
    let phone = parse("89123456789").expect("recognised");
    assert_eq!(phone.pretty(), "+7 912 345-67-89");
    assert_eq!(phone.to_string(), "+79123456789");
    assert_eq!(
        parse("+375291234567").expect("recognised").pretty(),
        "+375291234567"
    );
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(cell in "\\PC{0,40}|[-0-9+()/ ,;.добext#]{0,50}") {
        let once = normalise(&cell);
        for piece in &once {
            prop_assert_eq!(normalise(piece), vec![piece.clone()]);
        }
    }

    #[test]
    fn recognised_numbers_have_sane_lengths(cell in "[-0-9+()/ ,;]{0,60}") {
        for phone in parse_all(&cell) {
            prop_assert!((8..=15).contains(&phone.digits().len()));
            prop_assert!(phone.country().is_some());
        }
    }
}
