mod laws;

use super::*;
use crate::compile::compile;
use crate::condition::{Moved, Span, SpanUnit};
use crate::event::EventKind;
use crate::field::SystemField;
use crate::testing::*;
use crate::value::{Choice, Stage};
use Operator as O;
use Verdict::{False, True, Unknown};
use proptest::prelude::*;

fn with(value: Value) -> Operand {
    Operand::Value(value)
}

fn text(text: &str) -> Operand {
    with(Value::text(text))
}

fn verdict_of(condition: Condition, facts: &Facts) -> Verdict {
    let (compiled, diagnostics) = compile(&rule(condition, vec![note("x")]), &catalogues());
    assert!(
        diagnostics
            .iter()
            .all(|found| found.severity < crate::compile::Severity::Error),
        "{diagnostics:?}"
    );
    let verdict = matches(&compiled, facts);
    assert_eq!(
        explain(&compiled, facts).verdict,
        verdict,
        "the quick and the full way agree"
    );
    verdict
}

fn check(field: &str, operator: Operator, with: Operand, expect: Verdict) {
    let condition = compare(field, operator, with);
    assert_eq!(verdict_of(condition.clone(), &facts()), expect, "{condition:?}");
}

use crate::condition::Condition;

#[test]
fn texts() {
    check("deal.name", O::Equals, text("заявка елкина"), True);
    check("deal.name", O::Equals, text("заявка"), False);
    check("deal.name", O::NotEquals, text("заявка"), True);
    check("deal.cf.1", O::Equals, text("санкт-петербург"), True);
    check("deal.name", O::Contains, text("ЁЛК"), True);
    check("deal.name", O::NotContains, text("ЁЛК"), False);
    check("deal.name", O::StartsWith, text("заяв"), True);
    check("deal.name", O::EndsWith, text("ЕЛКИНА"), True);
    check(
        "deal.name",
        O::In,
        Operand::Values(vec![Value::text("a"), Value::text("Заявка Елкина")]),
        True,
    );
    check(
        "deal.name",
        O::NotIn,
        Operand::Values(vec![Value::text("a")]),
        True,
    );
    check("deal.name", O::Matches, text("заявка*"), True);
    check("deal.name", O::Matches, text("?аявк? *н?"), True);
    check(
        "deal.name",
        O::Contains,
        Operand::Field(path("contact.name")),
        False,
    );
    check(
        "deal.name",
        O::NotEquals,
        Operand::Field(path("contact.name")),
        True,
    );
    check("deal.name", O::IsNotEmpty, Operand::None, True);
}

#[test]
fn spelling_can_count() {
    let exact = Condition::Compare(crate::condition::Compare {
        field: path("deal.name"),
        operator: O::Equals,
        with: text("заявка ёлкина"),
        alike: crate::condition::Alike {
            case: false,
            yo: false,
            spaces: false,
            phone: false,
        },
    });
    assert_eq!(verdict_of(exact, &facts()), False);
}

#[test]
fn numbers() {
    let n = |n: &str| with(number(n));
    check("deal.price", O::Equals, n("90000.00"), True);
    check("deal.price", O::NotEquals, n("90000"), False);
    check("deal.price", O::Less, n("90000"), False);
    check("deal.price", O::LessOrEqual, n("90000"), True);
    check("deal.price", O::Greater, n("89999.99"), True);
    check("deal.price", O::GreaterOrEqual, n("90001"), False);
    check(
        "deal.price",
        O::Between,
        Operand::Between(number("90000"), number("90000")),
        True,
    );
    check(
        "deal.price",
        O::In,
        Operand::Values(vec![number("1"), number("90000.0")]),
        True,
    );
    check(
        "deal.price",
        O::NotIn,
        Operand::Values(vec![number("90000")]),
        False,
    );
    check("deal.price", O::Greater, Operand::Field(path("deal.cf.2")), True);
    check("deal.cf.2", O::IsEmpty, Operand::None, False);
    check("deal.cf.2", O::Equals, n("0"), True);
}

#[test]
fn dates() {
    let on = |text: &str| with(Value::Day(day(text)));
    let moment = |text: &str| with(Value::Instant(at(text)));
    let span = |n, unit| Operand::Span(Span { n, unit });
    check("deal.created_at", O::Equals, on("02.03.2026"), True);
    check("deal.created_at", O::NotEquals, on("02.03.2026"), False);
    check("deal.created_at", O::Before, on("02.03.2026"), False);
    check("deal.created_at", O::Before, on("03.03.2026"), True);
    check("deal.created_at", O::After, on("01.03.2026"), True);
    check("deal.created_at", O::Before, moment("02.03.2026 10:01"), True);
    check(
        "deal.created_at",
        O::Between,
        Operand::Between(Value::Day(day("02.03.2026")), Value::Day(day("02.03.2026"))),
        True,
    );
    check("deal.created_at", O::OlderThan, span(3, SpanUnit::Days), True);
    check("deal.created_at", O::OlderThan, span(4, SpanUnit::Days), False);
    check("deal.created_at", O::OlderThan, span(74, SpanUnit::Hours), False);
    check("deal.created_at", O::OlderThan, span(73, SpanUnit::Hours), True);
    check("deal.created_at", O::WithinLast, span(1, SpanUnit::Weeks), True);
    check("deal.cf.3", O::WithinLast, span(1, SpanUnit::Weeks), False);
    check("deal.cf.3", O::WithinNext, span(2, SpanUnit::Days), True);
    check("deal.cf.3", O::WithinNext, span(1, SpanUnit::Days), False);
    check("deal.cf.3", O::Weekday, Operand::Weekdays(vec![5]), True);
    check(
        "deal.cf.3",
        O::TimeOfDay,
        Operand::TimeOfDay(18 * 60, 19 * 60),
        True,
    );
    check("deal.cf.3", O::WorkingTime, Operand::None, False);
    check("event.at", O::WorkingTime, Operand::None, True);
    check("deal.updated_at", O::WorkingTime, Operand::None, True);
    check("deal.cf.4", O::Equals, on("01.03.2026"), True);
    check("deal.cf.4", O::OlderThan, span(3, SpanUnit::Days), True);
    check("deal.cf.4", O::OlderThan, span(4, SpanUnit::Days), False);
    check("deal.cf.4", O::WithinLast, span(4, SpanUnit::Days), True);
    check(
        "deal.cf.4",
        O::Before,
        Operand::Field(path("deal.created_at")),
        True,
    );
    check("deal.cf.4", O::Weekday, Operand::Weekdays(vec![7]), True);
    let moved = |from: Option<&str>, n, unit| {
        Operand::Moved(Moved {
            from: from.map(path),
            by: Span { n, unit },
        })
    };
    check("deal.cf.3", O::After, moved(None, 1, SpanUnit::WorkingDays), True);
    check(
        "deal.cf.3",
        O::Before,
        moved(None, 2, SpanUnit::WorkingDays),
        True,
    );
    check(
        "deal.updated_at",
        O::After,
        moved(Some("deal.created_at"), 3, SpanUnit::Days),
        True,
    );
    check(
        "deal.cf.4",
        O::Before,
        moved(None, -1, SpanUnit::WorkingDays),
        True,
    );
}

#[test]
fn options_and_tags() {
    let one = |id, name: &str| Value::Choice(Choice::new(id, name));
    let named = |name: &str| Value::Choice(Choice::named(name));
    check("deal.cf.6", O::Equals, with(one(61, "")), True);
    check("deal.cf.6", O::Equals, with(named("САЙТ")), True);
    check("deal.cf.6", O::NotEquals, with(one(62, "Звонок")), True);
    check(
        "deal.cf.6",
        O::In,
        Operand::Values(vec![one(62, ""), named("сайт")]),
        True,
    );
    check("deal.cf.6", O::NotIn, Operand::Values(vec![one(61, "")]), False);
    check(
        "deal.cf.7",
        O::ContainsAny,
        Operand::Values(vec![one(72, ""), one(73, "")]),
        True,
    );
    check(
        "deal.cf.7",
        O::ContainsAll,
        Operand::Values(vec![one(71, ""), one(73, "")]),
        True,
    );
    check(
        "deal.cf.7",
        O::ContainsAll,
        Operand::Values(vec![one(71, ""), one(72, "")]),
        False,
    );
    check(
        "deal.cf.7",
        O::ContainsNone,
        Operand::Values(vec![one(72, "")]),
        True,
    );
    check(
        "deal.tags",
        O::ContainsAny,
        Operand::Values(vec![named("VIP")]),
        True,
    );
    check(
        "deal.tags",
        O::ContainsNone,
        Operand::Values(vec![named("Сайт")]),
        False,
    );
}

#[test]
fn users_stages_and_flags() {
    check("deal.responsible", O::Equals, with(Value::User(7)), True);
    check(
        "deal.responsible",
        O::NotIn,
        Operand::Values(vec![Value::User(8)]),
        True,
    );
    check(
        "deal.responsible",
        O::Equals,
        Operand::Field(path("deal.created_by")),
        True,
    );
    check("deal.stage", O::Equals, with(Value::Stage(TALKS)), True);
    check(
        "deal.stage",
        O::In,
        Operand::Values(vec![Value::Stage(LOST), Value::Stage(TALKS)]),
        True,
    );
    check("deal.stage", O::NotEquals, with(Value::Stage(TALKS)), False);
    check("deal.pipeline", O::Equals, with(Value::Id(10)), True);
    check("deal.cf.5", O::IsFalse, Operand::None, True);
    check("deal.cf.5", O::IsTrue, Operand::None, False);
    check("deal.id", O::Equals, with(Value::Id(77)), True);
}

#[test]
fn phones_and_mails() {
    check("contact.phone", O::Equals, text("+7 912 345-67-89"), True);
    check("contact.phone", O::NotEquals, text("89123456789"), False);
    check(
        "contact.phone",
        O::In,
        Operand::Values(vec![Value::text("1"), Value::text("375 29 123 45 67")]),
        True,
    );
    check("contact.phone", O::Contains, text("345-67"), True);
    check("contact.phone", O::StartsWith, text("8 912"), True);
    check("contact.phone", O::StartsWith, text("+7912"), True);
    check("contact.phone", O::StartsWith, text("912"), False);
    check("contact.phone", O::Country, text("by"), True);
    check(
        "contact.phone",
        O::Country,
        Operand::Values(vec![Value::text("KZ")]),
        False,
    );
    check("contact.phone", O::Country, text("+7"), True);
    check("contact.email", O::Equals, text("petr@mail.RU"), True);
    check("contact.email", O::EndsWith, text("@mail.ru"), True);
    check("contact.email", O::Matches, text("*@mail.*"), True);
}

#[test]
fn changes_are_told_by_kind_list_or_former_value() {
    let to = |stage| Operand::Value(Value::Stage(stage));
    check("deal.stage", O::Changed, Operand::None, True);
    check("deal.stage", O::ChangedTo, to(TALKS), True);
    check("deal.stage", O::ChangedTo, to(LOST), False);
    check("deal.stage", O::ChangedFrom, to(NEW), True);
    check(
        "deal.stage",
        O::ChangedFrom,
        Operand::Values(vec![Value::Stage(LOST)]),
        False,
    );
    check("deal.pipeline", O::Changed, Operand::None, False);
    check("before.deal.stage", O::Equals, to(NEW), True);
    check("deal.price", O::Changed, Operand::None, Unknown);
    check("contact.name", O::Changed, Operand::None, Unknown);
    let mut told = facts();
    told.changed = Some(vec![SystemField::Price.into(), SystemField::ClosedAt.into()]);
    let of = |field: &str, operator, with: Operand, facts: &Facts| {
        verdict_of(compare(field, operator, with), facts)
    };
    assert_eq!(of("deal.price", O::Changed, Operand::None, &told), True);
    assert_eq!(of("deal.name", O::Changed, Operand::None, &told), False);
    assert_eq!(of("deal.price", O::ChangedTo, with(number("90000")), &told), True);
    assert_eq!(
        of("deal.price", O::ChangedFrom, with(number("1")), &told),
        Unknown
    );
    assert_eq!(of("deal.closed_at", O::BecameEmpty, Operand::None, &told), True);
    told.before.push((SystemField::ClosedAt.into(), Value::Empty));
    assert_eq!(of("deal.closed_at", O::BecameEmpty, Operand::None, &told), False);
    let mut fresh = facts();
    fresh.kind = EventKind::DealCreated;
    fresh.before.clear();
    assert_eq!(of("deal.stage", O::ChangedTo, to(TALKS), &fresh), True);
    assert_eq!(of("deal.stage", O::ChangedFrom, to(NEW), &fresh), False);
    assert_eq!(of("deal.closed_at", O::Changed, Operand::None, &fresh), False);
    let mut moved = facts();
    moved.before = vec![(
        SystemField::Stage.into(),
        Value::Stage(Stage {
            pipeline: 11,
            status: 142,
        }),
    )];
    assert_eq!(of("deal.pipeline", O::Changed, Operand::None, &moved), True);
    assert_eq!(
        of(
            "deal.pipeline",
            O::ChangedFrom,
            Operand::Values(vec![Value::Id(10)]),
            &moved
        ),
        False
    );
}

#[test]
fn look_up_in_the_other_crm() {
    let there = compare("deal.id", O::ExistsInOther, Operand::None);
    let not = compare("contact.phone", O::NotInOther, Operand::None);
    for (found, expect) in [
        (Some(true), (True, False)),
        (Some(false), (False, True)),
        (None, (Unknown, Unknown)),
    ] {
        let facts = Facts {
            exists_in_other: found,
            ..facts()
        };
        assert_eq!(
            (verdict_of(there.clone(), &facts), verdict_of(not.clone(), &facts)),
            expect
        );
    }
}
