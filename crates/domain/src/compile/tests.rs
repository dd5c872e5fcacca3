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
use proptest::prelude::*;

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
fn actions_are_checked() {
    check(
        &rule(Condition::default(), Vec::new()),
        &[("/actions", "no_actions")],
    );
    let off = ActionCard {
        enabled: false,
        ..note("{{deal.cf.99}}")
    };
    let found = diagnostics(&rule(Condition::default(), vec![off.clone(), note("x")]));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].severity, found[0].code.as_str()),
        (Severity::Warning, "gone_field")
    );
    assert_eq!(found[0].pointer, "/actions/0/text/template");
    check_action(
        Action::StartCall { target: Of::Linked },
        &[("/actions/0", "starts_call")],
    );
    check_action(
        Action::StartCall { target: Of::Trigger },
        &[("/actions/0", "not_offered"), ("/actions/0", "starts_call")],
    );
    check(
        &rule(
            Condition::default(),
            vec![
                note("x"),
                card(Action::Stop {
                    reason: String::new(),
                }),
                note("y"),
            ],
        ),
        &[("/actions/2", "after_stop")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: TALKS,
            loss_reason: None,
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Linked,
            stage: CALLED,
            loss_reason: None,
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Linked,
            stage: TALKS,
            loss_reason: None,
        },
        &[("/actions/0/stage", "gone_stage")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: LOST,
            loss_reason: Some(41),
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: TALKS,
            loss_reason: Some(41),
        },
        &[("/actions/0/loss_reason", "loss_reason_stage")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: LOST,
            loss_reason: Some(9),
        },
        &[("/actions/0/loss_reason", "gone_loss_reason")],
    );
    let user = |user| Action::SetResponsible {
        target: Of::Trigger,
        user,
    };
    check_action(user(Expression::Constant(Value::User(8))), &[]);
    check_action(
        user(Expression::Constant(Value::User(9))),
        &[("/actions/0/user", "gone_user")],
    );
    check_action(
        user(Expression::Constant(Value::text("Анна"))),
        &[("/actions/0/user", "type_mismatch")],
    );
    check_action(
        user(from("lead.responsible")),
        &[("/actions/0/user", "other_crm")],
    );
    check_action(user(from("deal.created_by")), &[]);
    let task = |task_type, responsible, due_in_minutes| Action::AddTask {
        target: Of::Trigger,
        text: Expression::Template("Позвонить {{contact.name}}".to_owned()),
        task_type,
        due_in_minutes,
        responsible,
    };
    check_action(task(Some(1), Some(7), 60), &[]);
    check_action(
        task(Some(5), Some(5), -1),
        &[
            ("/actions/0/due_in_minutes", "due_limit"),
            ("/actions/0/task_type", "gone_task_type"),
            ("/actions/0/responsible", "gone_user"),
        ],
    );
    check_action(
        Action::SendWebhook {
            url: "ftp://x".to_owned(),
            body: vec![
                ("a".to_owned(), from("deal.name")),
                ("a".to_owned(), from("deal.name")),
            ],
        },
        &[
            ("/actions/0/url", "wrong_url"),
            ("/actions/0/body/1/0", "duplicate_name"),
        ],
    );
    check_action(
        Action::Notify {
            channel: NotifyChannel::Email,
            to: "я".to_owned(),
            text: Expression::Template("{{deal.name".to_owned()),
        },
        &[
            ("/actions/0/to", "wrong_address"),
            ("/actions/0/text/template", "template"),
        ],
    );
    let call = Action::LogCall {
        target: Of::Trigger,
        phone: None,
        duration: None,
        recording: None,
        result: None,
    };
    check_action(call, &[("/actions/0/phone", "no_call")]);
    let payment = |sum| Action::AddPayment {
        target: Of::Linked,
        category: Expression::Constant(Value::text("Оплата")),
        purpose: Expression::Constant(Value::text("Договор")),
        sum,
    };
    check_action(payment(from("deal.price")), &[]);
    check_action(payment(from("deal.name")), &[("/actions/0/sum", "type_mismatch")]);
    let tags = |add| Action::ChangeTags {
        target: Of::Trigger,
        add,
        remove: Vec::new(),
    };
    check_action(
        tags(vec![
            Expression::Template("{{deal.cf.1}}".to_owned()),
            from("deal.cf.7"),
        ]),
        &[],
    );
    check_action(tags(Vec::new()), &[("/actions/0", "no_tags")]);
    check_action(
        tags(vec![from("deal.price")]),
        &[("/actions/0/add/0", "type_mismatch")],
    );
}

#[test]
fn connections_of_actions_are_checked() {
    let other = |connection, action| {
        rule(
            Condition::default(),
            vec![ActionCard {
                connection,
                enabled: true,
                action,
            }],
        )
    };
    let add = |target| Action::AddNote {
        target,
        text: Expression::Constant(Value::text("x")),
    };
    check(
        &other(Some(LPT), add(Of::Trigger)),
        &[("/actions/0/connection", "target_connection")],
    );
    check(
        &other(Some(AMO), add(Of::Linked)),
        &[("/actions/0/connection", "target_connection")],
    );
    check(&other(Some(LPT), add(Of::Linked)), &[]);
    let gone = ConnectionId(uuid::Uuid::from_u128(9));
    check(
        &other(Some(gone), add(Of::Linked)),
        &[("/actions/0/connection", "gone_connection")],
    );
    let only_amo = Catalogues::new().with(AMO, crate::connection::ConnectorKind::Amocrm, Default::default());
    let (_, found) = compile(&other(None, add(Of::Linked)), &only_amo);
    assert_eq!(found[0].code, "no_connection");
    let move_contact = Rule {
        triggers: vec![Trigger::on(EventKind::ContactUpdated)],
        ..other(
            None,
            Action::Move {
                target: Of::Trigger,
                stage: TALKS,
                loss_reason: None,
            },
        )
    };
    check(&move_contact, &[("/actions/0/target", "target_record")]);
}

fn upsert(mapping: Vec<MappingLine>) -> Action {
    Action::Upsert {
        kind: RecordKind::Lead,
        order: vec![MatchBy::Link],
        pick: Pick::default(),
        if_none: IfNone::default(),
        if_found: IfFound::default(),
        mapping,
        stage: Some(STEP),
        responsible: None,
        tags: Vec::new(),
    }
}

#[track_caller]
fn check_line(
    record: RecordKind,
    field: &str,
    from: Expression,
    convert: Vec<Conversion>,
    expect: &[(&str, &str)],
) {
    let expect: Vec<(String, &str)> = expect
        .iter()
        .map(|(place, code)| (format!("/actions/0/mapping/0{place}"), *code))
        .collect();
    let expect: Vec<(&str, &str)> = expect
        .iter()
        .map(|(place, code)| (place.as_str(), *code))
        .collect();
    check_action(upsert(vec![line(record, field, from, convert)]), &expect);
}

#[test]
fn mappings_are_checked_for_type() {
    use RecordKind::{Deal, Lead, LeadContact};
    let table = |to: Value| Conversion::Options {
        table: vec![(Value::text("Сайт"), to)],
        default: None,
    };
    check_line(LeadContact, "phone", from("contact.phone"), vec![], &[]);
    check_line(LeadContact, "name", from("contact.name"), vec![], &[]);
    check_line(Lead, "cf.2", from("deal.price"), vec![], &[]);
    check_line(
        Lead,
        "cf.2",
        from("deal.name"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.2", from("deal.name"), vec![Conversion::Number], &[]);
    check_line(
        Lead,
        "cf.1",
        from("deal.price"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.1", from("deal.price"), vec![Conversion::Text], &[]);
    check_line(
        Lead,
        "cf.1",
        from("deal.created_at"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
        &[],
    );
    check_line(
        Lead,
        "cf.1",
        from("deal.created_at"),
        vec![Conversion::DateFormat("Q".to_owned())],
        &[("/convert/0/date_format", "date_format")],
    );
    check_line(
        Lead,
        "cf.1",
        from("contact.phone"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.1", from("contact.phone"), vec![Conversion::First], &[]);
    check_line(Lead, "cf.3", from("deal.cf.6"), vec![], &[]);
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.7"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(
        Lead,
        "cf.3",
        Expression::Constant(Value::text("Звонок")),
        vec![],
        &[],
    );
    check_line(
        Lead,
        "cf.3",
        Expression::Constant(Value::text("Радио")),
        vec![],
        &[("/from/constant", "gone_option")],
    );
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.6"),
        vec![table(Value::Choice(Choice::named("сайт")))],
        &[],
    );
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.6"),
        vec![table(Value::Choice(Choice::named("чат")))],
        &[("/convert/0/options/table/0/1", "gone_option")],
    );
    check_line(Lead, "cf.4", from("deal.cf.3"), vec![], &[]);
    check_line(
        Lead,
        "cf.4",
        from("deal.cf.1"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
        &[],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![],
        &[("/from", "other_crm")],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![table(Value::User(70))],
        &[],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![table(Value::User(7))],
        &[("/convert/0/options/table/0/1", "gone_user")],
    );
    check_line(
        Lead,
        "stage",
        from("deal.stage"),
        vec![table(Value::Stage(CALLED))],
        &[],
    );
    check_line(
        Lead,
        "stage",
        from("deal.stage"),
        vec![],
        &[("/from", "other_crm")],
    );
    check_line(
        Lead,
        "created_at",
        from("deal.created_at"),
        vec![],
        &[("/field", "not_writable")],
    );
    check_line(
        Lead,
        "cf.77",
        from("deal.name"),
        vec![],
        &[("/field", "gone_field")],
    );
    check_line(
        Deal,
        "name",
        from("deal.name"),
        vec![],
        &[("/record", "wrong_record")],
    );
    check_line(
        Lead,
        "name",
        from("deal.price"),
        vec![Conversion::Phone],
        &[("/convert/0", "conversion_type")],
    );
    check_line(
        Lead,
        "name",
        Expression::Template("{{deal.name} }".to_owned()),
        vec![],
        &[("/from/template", "template")],
    );
    check_line(
        Lead,
        "name",
        Expression::FirstOf(vec![from("deal.name"), from("deal.price")]),
        vec![],
        &[("/from/first_of/1", "type_mismatch")],
    );
    check_line(
        Lead,
        "name",
        Expression::FirstOf(vec![from("deal.name"), from("contact.name")]),
        vec![],
        &[],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Template("{{contact.phone}}".to_owned()),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Template("{{contact.phone}}".to_owned()),
        vec![Conversion::Phone],
        &[],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Constant(Value::text("89123456789")),
        vec![],
        &[],
    );
    check_line(
        Lead,
        "name",
        from("deal.cf.8"),
        vec![Conversion::Text],
        &[("/convert/0", "conversion_type")],
    );
}

#[test]
fn lines_and_searches_are_checked() {
    let name = |mode| MappingLine {
        mode,
        ..line(RecordKind::Lead, "name", from("deal.name"), vec![])
    };
    check_action(
        upsert(vec![name(WriteMode::Append)]),
        &[("/actions/0/mapping/0/mode", "append_single")],
    );
    check_action(
        upsert(vec![name(WriteMode::Replace), name(WriteMode::Replace)]),
        &[("/actions/0/mapping/1/field", "written_twice")],
    );
    let clear = MappingLine {
        if_empty: IfEmpty::Clear,
        ..line(
            RecordKind::Lead,
            "name",
            Expression::Constant(Value::Empty),
            vec![],
        )
    };
    check_action(upsert(vec![clear]), &[]);
    let search = |order, if_none| match upsert(Vec::new()) {
        Action::Upsert {
            kind,
            pick,
            if_found,
            mapping,
            stage,
            responsible,
            tags,
            ..
        } => Action::Upsert {
            kind,
            order,
            pick,
            if_none,
            if_found,
            mapping,
            stage,
            responsible,
            tags,
        },
        other => other,
    };
    check_action(
        search(vec![], IfNone::Create),
        &[("/actions/0/order", "no_search")],
    );
    check_action(search(vec![], IfNone::Skip), &[]);
    check_action(
        search(vec![MatchBy::Phone], IfNone::Create),
        &[("/actions/0/order/0", "search_without_value")],
    );
    let update = |mapping| Action::Update {
        target: Of::Trigger,
        mapping,
    };
    check_action(update(vec![]), &[("/actions/0/mapping", "no_mapping")]);
    let deal = |field: &str, from| line(RecordKind::Deal, field, from, vec![]);
    check_action(
        update(vec![
            deal("name", from("contact.name")),
            line(RecordKind::Contact, "cf.20", from("deal.name"), vec![]),
        ]),
        &[("/actions/0/mapping", "mixed_records")],
    );
    check_action(
        update(vec![deal("stage", from("deal.stage"))]),
        &[("/actions/0/mapping/0/field", "use_move")],
    );
    check_action(
        update(vec![deal("cf.9", from("deal.name"))]),
        &[("/actions/0/mapping/0/field", "not_writable")],
    );
}

#[test]
fn reads_and_references_are_collected() {
    let condition = Condition::All(vec![
        compare("deal.cf.6", O::Equals, one(Value::Choice(Choice::new(61, "")))),
        compare("deal.stage", O::ChangedTo, one(Value::Stage(TALKS))),
        compare("deal.id", O::NotInOther, Operand::None),
    ]);
    let mapping = vec![line(
        RecordKind::Lead,
        "cf.1",
        Expression::Template("{{deal.cf.1}} {{contact.name}}".to_owned()),
        vec![],
    )];
    let (compiled, found) = compile(&rule(condition, vec![card(upsert(mapping))]), &catalogues());
    assert_eq!(found, []);
    let reads: Vec<String> = compiled.reads().iter().map(ToString::to_string).collect();
    assert_eq!(
        reads,
        [
            "deal.stage",
            "deal.cf.1",
            "deal.cf.6",
            "contact.name",
            "before.deal.stage"
        ]
    );
    assert!(compiled.needs_other());
    let refers = |connection, thing, pointer: &str| {
        let wanted = Reference {
            connection,
            thing,
            pointer: pointer.to_owned(),
        };
        assert!(
            compiled.references().contains(&wanted),
            "{wanted:?} in {:#?}",
            compiled.references()
        );
    };
    refers(AMO, Thing::Connection, "/source");
    refers(
        AMO,
        Thing::Field(RecordKind::Deal, 6),
        "/condition/all/0/compare/field",
    );
    refers(AMO, Thing::Option(6, 61), "/condition/all/0/compare/with/value");
    refers(AMO, Thing::Stage(TALKS), "/condition/all/1/compare/with/value");
    refers(
        AMO,
        Thing::Field(RecordKind::Deal, 1),
        "/actions/0/mapping/0/from/template",
    );
    refers(
        LPT,
        Thing::Field(RecordKind::Lead, 1),
        "/actions/0/mapping/0/field",
    );
    refers(LPT, Thing::Stage(STEP), "/actions/0/stage");
    let missing: Vec<String> = compiled
        .missing(&crate::evaluate::Facts {
            records: Vec::new(),
            ..facts()
        })
        .map(|path| path.to_string())
        .collect();
    assert_eq!(missing, ["deal.stage", "deal.cf.1", "deal.cf.6", "contact.name"]);
}

#[test]
fn documents_are_refused_with_the_place() {
    let sound =
        serde_json::to_string_pretty(&conditioned(compare("deal.price", O::Greater, one(number("1")))))
            .expect("json");
    assert!(Rule::from_json(&sound).is_ok());
    let refuse = |json: &str, pointer: &str, code: &str, part: &str| {
        let found = Rule::from_json(json).expect_err(json);
        assert_eq!(
            (found.pointer.as_str(), found.code.as_str()),
            (pointer, code),
            "{found:?}"
        );
        assert!(found.text.contains(part), "{}", found.text);
    };
    refuse("", "", "not_a_rule", "не JSON");
    refuse("{\"name\":\"x\"}", "", "not_a_rule", "source");
    refuse(
        &sound.replace("deal.price", "deal.prise"),
        "/condition/compare/field",
        "not_a_rule",
        "deal.prise",
    );
    refuse(
        &sound.replace("\"greater\"", "\"greatest\""),
        "/condition/compare/operator",
        "not_a_rule",
        "greatest",
    );
    refuse(
        &sound.replace("deal_stage_changed", "deal_moved"),
        "/triggers/0/kind",
        "not_a_rule",
        "deal_moved",
    );
    let deep = |n: usize| format!("{{\"condition\":{}{}}}", "{\"all\":[".repeat(n), "]}".repeat(n));
    let found = Rule::from_json(&deep(100_000)).expect_err("too deep");
    assert_eq!(found.code, "too_deep");
    assert!(
        found.pointer.starts_with("/condition/all/0/all/0"),
        "{}",
        &found.pointer[..40]
    );
    assert_eq!(
        Rule::from_json(&"[".repeat(1_000_000))
            .expect_err("too deep")
            .code,
        "too_deep"
    );
    let mut nested = compare("deal.price", O::IsEmpty, Operand::None);
    for _ in 0..MAX_DEPTH {
        nested = Condition::All(vec![nested]);
    }
    let deepest = conditioned(nested);
    let json = serde_json::to_string(&deepest).expect("json");
    assert_eq!(
        Rule::from_json(&json).expect("the deepest allowed rule can be read"),
        deepest
    );
    check(&deepest, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn documents_survive_json(rule in any_rule()) {
        let json = serde_json::to_string(&rule).expect("serialisable");
        prop_assert_eq!(Rule::from_json(&json).expect("readable"), rule);
    }

    #[test]
    fn broken_documents_never_panic(rule in any_rule(), cut in any::<prop::sample::Index>(), junk in "\\PC{0,6}|[{}\\[\\]\",:]{0,6}") {
        let mut json = serde_json::to_string(&rule).expect("serialisable");
        let at = (0..=cut.index(json.len())).rev().find(|at| json.is_char_boundary(*at)).unwrap_or(0);
        let _ = Rule::from_json(&json[..at]);
        json.insert_str(at, &junk);
        let _ = Rule::from_json(&json);
    }

    #[test]
    fn any_text_is_no_rule(text in "\\PC{0,80}|[{}\\[\\]\"a:,0-9 ]{0,80}") {
        prop_assert!(Rule::from_json(&text).is_err());
    }
}
