mod commands;

use super::*;
use crate::action::{Action, ActionCard};
use crate::command::{IfFound, IfNone, MatchBy, NotifyChannel, Pick, Search, Target as Of};
use crate::compile::{Severity, compile};
use crate::condition::Condition;
use crate::evaluate::{Evaluation, KnownRecord, Source, evaluate};
use crate::event::EventKind;
use crate::field::{FieldKey, FieldPath};
use crate::mapping::{Conversion, Expression, LetterCase, MappingLine};
use crate::record::{Record, RecordKey};
use crate::rule::{Rule, Trigger};
use crate::run::RunOutcome;
use crate::testing::*;
use crate::time::Timestamp;
use crate::value::{Choice, Stage};
use RecordKind::{Contact, Deal, Lead, LeadContact};

#[track_caller]
fn applied(actions: Vec<ActionCard>, facts: &Facts) -> Evaluation {
    applied_rule(&rule(Condition::default(), actions), facts)
}

#[track_caller]
fn applied_rule(rule: &Rule, facts: &Facts) -> Evaluation {
    let (compiled, found) = compile(rule, &catalogues());
    assert!(
        found.iter().all(|one| one.severity < Severity::Error),
        "{found:?}"
    );
    let evaluation = evaluate(&compiled, facts);
    assert_eq!(evaluation.outcome, RunOutcome::Matched);
    evaluation
}

fn upsert(mapping: Vec<MappingLine>) -> Action {
    Action::Upsert {
        kind: Lead,
        order: vec![MatchBy::Link, MatchBy::Phone],
        pick: Pick::default(),
        if_none: IfNone::default(),
        if_found: IfFound::default(),
        mapping,
        stage: Some(STEP),
        responsible: None,
        tags: Vec::new(),
    }
}

/// The value one mapping line writes into a lead, or the note that says why not.
#[track_caller]
fn written(line: MappingLine, facts: &Facts) -> Result<Value, String> {
    let mut evaluation = applied(vec![card(upsert(vec![line]))], facts);
    match evaluation.commands.pop().map(|command| command.operation) {
        Some(Operation::Upsert(mut upsert)) => match upsert.fields.pop().or(upsert.contact.pop()) {
            Some(write) => Ok(write.value),
            None => Err(evaluation
                .notes
                .first()
                .map(|note| note.text.clone())
                .unwrap_or_default()),
        },
        _ => Err(evaluation
            .notes
            .first()
            .map(|note| note.text.clone())
            .unwrap_or_default()),
    }
}

#[track_caller]
fn check(field: &str, from: Expression, convert: Vec<Conversion>, expect: Value) {
    let record = if matches!(field, "phone" | "email" | "site") {
        LeadContact
    } else {
        Lead
    };
    assert_eq!(written(line(record, field, from, convert), &facts()), Ok(expect));
}

fn template(text: &str) -> Expression {
    Expression::Template(text.to_owned())
}

#[test]
fn values_take_the_form_of_their_target() {
    let texts = |list: &[&str]| Value::Texts(list.iter().map(|text| (*text).to_owned()).collect());
    check("name", from("deal.name"), vec![], Value::text("Заявка Ёлкина"));
    check(
        "name",
        from("deal.name"),
        vec![Conversion::Case(LetterCase::Upper)],
        Value::text("ЗАЯВКА ЁЛКИНА"),
    );
    check(
        "cf.1",
        from("deal.cf.1"),
        vec![Conversion::Trim],
        Value::text("Санкт-Петербург"),
    );
    check("cf.2", from("deal.price"), vec![], number("90000"));
    check(
        "cf.2",
        template("1 250,50 ₽"),
        vec![Conversion::Number],
        number("1250.50"),
    );
    check(
        "cf.1",
        from("deal.price"),
        vec![Conversion::Text],
        Value::text("90000"),
    );
    check(
        "cf.1",
        from("deal.stage"),
        vec![Conversion::Text],
        Value::text("Переговоры"),
    );
    check(
        "cf.1",
        from("deal.responsible"),
        vec![Conversion::Text],
        Value::text("Анна"),
    );
    check(
        "cf.1",
        from("deal.cf.3"),
        vec![Conversion::DateFormat("d.m.Y H:i".to_owned())],
        Value::text("06.03.2026 18:30"),
    );
    check("cf.4", from("deal.cf.3"), vec![], Value::Day(day("06.03.2026")));
    check(
        "cf.4",
        template("7.3.26"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
        Value::Day(day("07.03.2026")),
    );
    check(
        "cf.3",
        from("deal.cf.6"),
        vec![],
        Value::Choice(Choice::named("сайт")),
    );
    check(
        "cf.1",
        from("deal.cf.7"),
        vec![Conversion::Join("; ".to_owned())],
        Value::text("Дом; Сад"),
    );
    check(
        "cf.1",
        from("deal.cf.7"),
        vec![Conversion::First],
        Value::text("Дом"),
    );
    check(
        "phone",
        from("contact.phone"),
        vec![],
        texts(&["8 (912) 345-67-89", "+375291234567"]),
    );
    check(
        "phone",
        from("contact.phone"),
        vec![Conversion::Phone],
        texts(&["+79123456789", "+375291234567"]),
    );
    check(
        "phone",
        from("contact.phone"),
        vec![Conversion::Phone, Conversion::First],
        texts(&["+79123456789"]),
    );
    check(
        "phone",
        template("8 912 345-67-89, 84951234567"),
        vec![Conversion::Phone],
        texts(&["+79123456789", "+74951234567"]),
    );
    check("email", from("contact.email"), vec![], texts(&["Petr@Mail.ru"]));
    check(
        "name",
        template("{{deal.name}} — {{contact.phone | first | phone}}"),
        vec![],
        Value::text("Заявка Ёлкина — +79123456789"),
    );
    check(
        "name",
        Expression::FirstOf(vec![from("contact.cf.20"), from("deal.cf.1"), from("deal.name")]),
        vec![Conversion::Trim],
        Value::text("Санкт-Петербург"),
    );
    check(
        "name",
        from("contact.cf.20"),
        vec![Conversion::Default(Value::text("нет"))],
        Value::text("нет"),
    );
    check(
        "name",
        Expression::Constant(Value::text("Лид")),
        vec![],
        Value::text("Лид"),
    );
}

#[test]
fn tables_translate_options_stages_and_users() {
    let table = |pairs: Vec<(Value, Value)>, default| Conversion::Options {
        table: pairs,
        default,
    };
    let site = Value::Choice(Choice::new(61, ""));
    let call = Value::Choice(Choice::named("звонок"));
    check(
        "cf.3",
        from("deal.cf.6"),
        vec![table(vec![(site, call.clone())], None)],
        call.clone(),
    );
    check(
        "cf.3",
        from("deal.cf.6"),
        vec![table(vec![(Value::text("САЙТ"), call.clone())], None)],
        call.clone(),
    );
    check(
        "cf.3",
        from("deal.cf.6"),
        vec![table(
            vec![(Value::text("нет"), call.clone())],
            Some(call.clone()),
        )],
        call.clone(),
    );
    let miss = line(
        Lead,
        "cf.3",
        from("deal.cf.6"),
        vec![table(vec![(Value::text("нет"), call)], None)],
    );
    let text = written(miss, &facts()).expect_err("no line fits");
    assert!(
        text.contains("«Сайт»") && text.contains("таблице соответствия"),
        "{text}"
    );
    let lines = vec![
        line(
            Lead,
            "stage",
            from("deal.stage"),
            vec![table(vec![(Value::Stage(TALKS), Value::Stage(CALLED))], None)],
        ),
        line(
            Lead,
            "responsible",
            from("deal.responsible"),
            vec![table(vec![(Value::User(7), Value::User(70))], None)],
        ),
    ];
    let evaluation = applied(vec![card(upsert(lines))], &facts());
    let Operation::Upsert(upsert) = &evaluation.commands[0].operation else {
        panic!("an upsert")
    };
    assert_eq!(
        (upsert.stage, upsert.responsible, upsert.fields.len()),
        (Some(CALLED), Some(70), 0)
    );
}

#[test]
fn empty_and_absent_follow_the_line() {
    let of = |if_empty, from| MappingLine {
        if_empty,
        ..line(Lead, "name", from, vec![])
    };
    let empty = || from("contact.cf.20");
    let absent = || from("lead.name");
    assert_eq!(written(of(IfEmpty::Leave, empty()), &facts()), Err(String::new()));
    assert_eq!(written(of(IfEmpty::Clear, empty()), &facts()), Ok(Value::Empty));
    assert_eq!(
        written(of(IfEmpty::Clear, Expression::Constant(Value::Empty)), &facts()),
        Ok(Value::Empty)
    );
    let told = |line| written(line, &facts()).expect_err("nothing is written");
    assert!(told(of(IfEmpty::Clear, absent())).contains("неизвестно"));
    assert!(told(of(IfEmpty::Require, empty())).contains("«Название»"));
    let required = applied(
        vec![card(upsert(vec![of(IfEmpty::Require, absent())])), note("дальше")],
        &facts(),
    );
    assert_eq!(required.commands.len(), 1, "the other actions go on");
    assert_eq!((required.commands[0].action, required.notes[0].action), (1, 0));
    assert_eq!(
        written(
            of(IfEmpty::Clear, template("{{contact.cf.20}} — {{contact.cf.20}}")),
            &facts()
        ),
        Ok(Value::Empty)
    );
    let bad = line(Lead, "cf.2", from("deal.name"), vec![Conversion::Number]);
    assert_eq!(
        told(bad),
        "Поле «Бюджет» оставлено как есть: «Заявка Ёлкина» — не число"
    );
}

#[test]
fn options_that_the_target_lacks_are_told() {
    let mut radio = facts();
    radio.records[0]
        .record
        .set(FieldKey::Custom(6), Value::Choice(Choice::new(63, "Ёлка")));
    let text = written(line(Lead, "cf.3", from("deal.cf.6"), vec![]), &radio).expect_err("no such option");
    assert_eq!(text, "Поле «Канал» оставлено как есть: варианта «Ёлка» в нём нет");
}
