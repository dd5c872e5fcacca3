mod actions;
mod documents;
mod mappings;

use super::*;
use crate::action::{Action, ActionCard};
use crate::command::{IfFound, IfNone, MatchBy, NotifyChannel, Pick, Target as Of, WriteMode};
use crate::condition::{Condition, Operand, Operator, Span, SpanUnit};
use crate::mapping::{Conversion, Expression, IfEmpty, MappingLine};
use crate::record::RecordKind;
use crate::rule::{Schedule, Trigger};
use crate::testing::*;
use crate::value::{Choice, Stage, Value};
use Operator as O;

fn diagnostics(rule: &Rule) -> Vec<Diagnostic> {
    compile(rule, &catalogues()).1
}

/// Exactly these findings: pointer and code, in order.
#[track_caller]
fn check(rule: &Rule, expect: &[(&str, &str)]) {
    let found = diagnostics(rule);
    let short: Vec<(&str, &str)> = found
        .iter()
        .map(|found| (found.pointer.as_str(), found.code.as_str()))
        .collect();
    assert_eq!(short, expect, "{found:#?}");
    let json = serde_json::to_value(rule).expect("serialisable");
    for found in &found {
        let parent = found.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(json.pointer(parent).is_some(), "{}", found.pointer);
        assert!(
            found.text.chars().any(|c| ('а'..='я').contains(&c)),
            "{}",
            found.text
        );
    }
}

fn conditioned(condition: Condition) -> Rule {
    rule(condition, vec![note("x")])
}

#[track_caller]
fn check_compare(field: &str, operator: Operator, with: Operand, expect: &[(&str, &str)]) {
    check(&conditioned(compare(field, operator, with)), expect);
}

#[track_caller]
fn check_action(action: Action, expect: &[(&str, &str)]) {
    check(&rule(Condition::default(), vec![card(action)]), expect);
}

fn one(value: Value) -> Operand {
    Operand::Value(value)
}

#[test]
fn a_sound_rule_has_no_findings() {
    check(
        &conditioned(compare("deal.price", O::Greater, one(number("1")))),
        &[],
    );
}

#[test]
fn name_source_and_triggers_are_checked() {
    let sound = conditioned(Condition::default());
    check(
        &Rule {
            name: " ".to_owned(),
            ..sound.clone()
        },
        &[("/name", "no_name")],
    );
    check(
        &Rule {
            quiet_secs: 61,
            ..sound.clone()
        },
        &[("/quiet_secs", "quiet_limit")],
    );
    check(
        &Rule {
            triggers: Vec::new(),
            ..sound.clone()
        },
        &[("/triggers", "no_triggers")],
    );
    let on = |kind| Trigger::on(kind);
    check(
        &Rule {
            triggers: vec![
                on(EventKind::DealCreated),
                on(EventKind::LeadCreated),
                on(EventKind::DealCreated),
            ],
            ..sound.clone()
        },
        &[
            ("/triggers/1/kind", "trigger_source"),
            ("/triggers/2", "duplicate_trigger"),
        ],
    );
    let gone = ConnectionId(uuid::Uuid::from_u128(9));
    let found = diagnostics(&Rule {
        source: gone,
        ..sound.clone()
    });
    assert!(
        found
            .iter()
            .any(|one| one.code == "gone_connection" && one.is_gone()),
        "{found:?}"
    );
    let timer = |schedule| Rule {
        triggers: vec![Trigger {
            kind: EventKind::Scheduled,
            schedule,
        }],
        ..sound.clone()
    };
    let every = |minutes, cron: Option<&str>, stages| {
        Some(Schedule {
            every_minutes: minutes,
            cron: cron.map(str::to_owned),
            stages,
            idle_days: 0,
        })
    };
    check(&timer(None), &[("/triggers/0", "no_schedule")]);
    check(&timer(every(30, None, vec![NEW])), &[]);
    check(&timer(every(0, Some("0 9 * * 1-5"), vec![NEW])), &[]);
    check(
        &timer(every(0, Some("0 99 * * *"), Vec::new())),
        &[
            ("/triggers/0/schedule/cron", "cron"),
            ("/triggers/0/schedule/stages", "no_stages"),
        ],
    );
    check(
        &timer(every(0, None, vec![STEP])),
        &[
            ("/triggers/0/schedule/every_minutes", "no_schedule"),
            ("/triggers/0/schedule/stages/0", "gone_stage"),
        ],
    );
}

#[test]
fn conditions_are_checked_against_types() {
    check_compare(
        "deal.price",
        O::Contains,
        one(Value::text("1")),
        &[("/condition/compare/operator", "operator_type")],
    );
    check_compare(
        "deal.price",
        O::Greater,
        one(Value::text("100")),
        &[("/condition/compare/with", "operand_type")],
    );
    check_compare(
        "deal.cf.1",
        O::Equals,
        one(number("1")),
        &[("/condition/compare/with", "operand_type")],
    );
    check_compare(
        "deal.price",
        O::Greater,
        Operand::None,
        &[("/condition/compare/with", "operand_missing")],
    );
    check_compare(
        "deal.price",
        O::Equals,
        one(Value::Empty),
        &[("/condition/compare/with", "operand_missing")],
    );
    check_compare(
        "deal.price",
        O::In,
        Operand::Values(Vec::new()),
        &[("/condition/compare/with", "operand_missing")],
    );
    check_compare(
        "deal.price",
        O::IsEmpty,
        one(number("1")),
        &[("/condition/compare/with", "operand_shape")],
    );
    check_compare(
        "deal.price",
        O::Between,
        Operand::Between(number("2"), number("1")),
        &[("/condition/compare/with", "operand_order")],
    );
    check_compare(
        "deal.cf.4",
        O::Equals,
        one(Value::Instant(NOW)),
        &[("/condition/compare/with", "operand_type")],
    );
    check_compare(
        "deal.created_at",
        O::OlderThan,
        Operand::Span(Span {
            n: 0,
            unit: SpanUnit::Days,
        }),
        &[("/condition/compare/with", "operand_limit")],
    );
    check_compare(
        "deal.created_at",
        O::Weekday,
        Operand::Weekdays(vec![8]),
        &[("/condition/compare/with", "operand_type")],
    );
    check_compare(
        "contact.phone",
        O::Country,
        one(Value::text("Россия")),
        &[("/condition/compare/with", "operand_type")],
    );
    check_compare(
        "contact.phone",
        O::Equals,
        one(Value::text("123")),
        &[("/condition/compare/with", "phone_not_recognised")],
    );
    check_compare(
        "deal.price",
        O::Greater,
        Operand::Field(path("deal.name")),
        &[("/condition/compare/with/field", "operand_type")],
    );
    check_compare(
        "deal.responsible",
        O::Equals,
        Operand::Field(path("lead.responsible")),
        &[("/condition/compare/with/field", "operand_type")],
    );
    check_compare(
        "deal.price",
        O::Between,
        Operand::Field(path("deal.cf.2")),
        &[("/condition/compare/with", "operand_shape")],
    );
    check_compare(
        "before.deal.stage",
        O::Changed,
        Operand::None,
        &[("/condition/compare/field", "operator_type")],
    );
    check_compare(
        "deal.phone",
        O::IsEmpty,
        Operand::None,
        &[("/condition/compare/field", "unknown_field")],
    );
}

#[test]
fn what_is_gone_is_told_with_its_place() {
    check_compare(
        "deal.cf.99",
        O::IsEmpty,
        Operand::None,
        &[("/condition/compare/field", "gone_field")],
    );
    check_compare(
        "deal.stage",
        O::Equals,
        one(Value::Stage(Stage {
            pipeline: 10,
            status: 7,
        })),
        &[("/condition/compare/with/value", "gone_stage")],
    );
    check_compare(
        "deal.stage",
        O::Equals,
        one(Value::Stage(STEP)),
        &[("/condition/compare/with/value", "gone_stage")],
    );
    check_compare(
        "deal.pipeline",
        O::Equals,
        one(Value::Id(50)),
        &[("/condition/compare/with/value", "gone_pipeline")],
    );
    check_compare(
        "deal.responsible",
        O::In,
        Operand::Values(vec![Value::User(7), Value::User(70)]),
        &[("/condition/compare/with/values/1", "gone_user")],
    );
    check_compare("deal.created_by", O::Equals, one(Value::User(0)), &[]);
    check_compare(
        "deal.cf.6",
        O::Equals,
        one(Value::Choice(Choice::new(99, "Радио"))),
        &[("/condition/compare/with/value", "gone_option")],
    );
    check_compare(
        "deal.cf.6",
        O::Equals,
        one(Value::Choice(Choice::named("елка"))),
        &[],
    );
    check_compare(
        "deal.tags",
        O::ContainsAny,
        Operand::Values(vec![Value::Choice(Choice::named("любой"))]),
        &[],
    );
}

#[test]
fn groups_are_limited_and_pointed_into() {
    let wrong = compare("deal.price", O::Contains, Operand::None);
    let nested = Condition::All(vec![
        Condition::Any(vec![Condition::Not(Box::new(wrong.clone()))]),
        Condition::Any(Vec::new()),
    ]);
    check(
        &conditioned(nested),
        &[
            ("/condition/all/0/any/0/not/compare/operator", "operator_type"),
            ("/condition/all/1/any", "empty_any"),
        ],
    );
    let many = Condition::All(vec![
        compare("deal.price", O::IsEmpty, Operand::None);
        MAX_CONDITIONS + 1
    ]);
    check(&conditioned(many), &[("/condition", "too_many_conditions")]);
}

#[test]
fn records_that_no_event_knows_are_warned_of() {
    check_compare(
        "call.phone",
        O::IsEmpty,
        Operand::None,
        &[("/condition/compare/field", "never_known")],
    );
    let mut called = conditioned(compare("call.phone", O::IsEmpty, Operand::None));
    called.triggers.push(Trigger::on(EventKind::CallFinished));
    check(&called, &[]);
}
