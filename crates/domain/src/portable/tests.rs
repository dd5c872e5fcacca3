use super::*;
use crate::case::outcome;
use crate::catalogues::Catalogues;
use crate::compile::{Severity, compile};
use crate::condition::{Condition, Operand, Operator};
use crate::field::FieldKey;
use crate::testing::{AMO, TALKS, any_facts, any_rule, catalogues, compare, facts, note};
use crate::value::{Choice, Stage, Value};
use proptest::prelude::*;
use uuid::Uuid;

/// The same account as another workspace has it: other ids for everything, the same names.
fn elsewhere() -> Catalogues {
    const BY: i64 = 1_000;
    let mut all = Catalogues::new();
    for (id, one) in catalogues().iter() {
        let mut catalogue = Catalogue::clone(&one.catalogue);
        for pipeline in &mut catalogue.pipelines {
            pipeline.id += BY;
            pipeline.stages.iter_mut().for_each(|stage| stage.id += BY);
        }
        for field in &mut catalogue.fields {
            field.id += BY;
            field
                .options
                .iter_mut()
                .for_each(|option| option.id = option.id.map(|id| id + BY));
        }
        catalogue.users.iter_mut().for_each(|user| user.id += BY);
        catalogue.tags.iter_mut().for_each(|tag| tag.id += BY);
        let choices = catalogue.task_types.iter_mut().chain(&mut catalogue.loss_reasons);
        choices.for_each(|choice| choice.id = choice.id.map(|id| id + BY));
        let id = ConnectionId(Uuid::from_u128(id.0.as_u128() + 1_000));
        all.insert_named(id, one.kind, one.name.clone(), catalogue);
    }
    all
}

fn codes(rule: &Rule, catalogues: &Catalogues) -> Vec<(String, String, Severity)> {
    let found = compile(rule, catalogues).1;
    found
        .into_iter()
        .map(|one| (one.pointer, one.code, one.severity))
        .collect()
}

fn is_whole(rule: &Rule, catalogues: &Catalogues) -> bool {
    compile(rule, catalogues).1.iter().all(|found| !found.is_gone())
}

fn travelled(portable: &Portable) -> Portable {
    let text = serde_json::to_string(portable).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn sample() -> Rule {
    let talks = compare(
        "deal.stage",
        Operator::Equals,
        Operand::Value(Value::Stage(TALKS)),
    );
    let source = compare(
        "deal.cf.6",
        Operator::Equals,
        Operand::Value(Value::Choice(Choice::new(61, "Сайт"))),
    );
    let mut card = note("Город {{ deal.cf.1 | upper }}, {{contact.name}}, {{ deal.cf.2}}");
    card.connection = Some(AMO);
    crate::testing::rule(Condition::All(vec![talks, source]), vec![card])
}

#[test]
fn a_rule_finds_its_things_by_name_in_another_account() {
    let portable = travelled(&Portable::pack(&sample(), &[], &catalogues()));
    let bound = portable.bind(&elsewhere());
    assert_eq!(bound.unbound, [""; 0]);
    let text = serde_json::to_string(&bound.rule).unwrap();
    for there in [
        "deal.cf.1006",
        "\"status\":1101",
        "\"pipeline\":1010",
        "\"id\":1061",
        "{{ deal.cf.1001 | upper }}",
        "{{ deal.cf.1002}}",
    ] {
        assert!(text.contains(there), "{there} in {text}");
    }
    assert_eq!(codes(&bound.rule, &elsewhere()), codes(&sample(), &catalogues()));
}

#[test]
fn only_what_is_used_travels() {
    let portable = Portable::pack(&sample(), &[], &catalogues());
    assert_eq!(portable.connections.len(), 1);
    let catalogue = &portable.connections[0].catalogue;
    assert_eq!(catalogue.pipelines.len(), 1);
    assert_eq!(catalogue.pipelines[0].stages.len(), 1);
    let fields: Vec<i64> = catalogue.fields.iter().map(|field| field.id).collect();
    assert_eq!(fields, [6, 1, 2]);
    assert!(catalogue.users.is_empty() && catalogue.tags.is_empty());
}

#[test]
fn what_is_not_there_is_told_and_shown_by_the_compiler() {
    let portable = Portable::pack(&sample(), &[], &catalogues());
    let mut bare = Catalogues::new();
    bare.insert_named(AMO, ConnectorKind::Amocrm, "amoCRM", Catalogue::default());
    let bound = portable.bind(&bare);
    let told = [
        "этап «Переговоры» воронки «Продажи»",
        "поле «Источник» (Сделка)",
        "поле «Город» (Сделка)",
        "поле «Площадь» (Сделка)",
    ];
    assert_eq!(bound.unbound, told);
    assert!(!is_whole(&bound.rule, &bare));

    let bound = portable.bind(&Catalogues::new());
    assert_eq!(
        bound.unbound,
        ["подключение amoCRM «»"],
        "the rest follows from it"
    );
}

#[test]
fn an_end_of_a_funnel_is_found_by_what_it_means() {
    let lost = Stage {
        pipeline: 10,
        status: 143,
    };
    let rule = crate::testing::rule(
        compare("deal.stage", Operator::Equals, Operand::Value(Value::Stage(lost))),
        Vec::new(),
    );
    let mut there = elsewhere();
    let (id, one) = there
        .of_kind(ConnectorKind::Amocrm)
        .next()
        .map(|(id, one)| (id, one.clone()))
        .unwrap();
    let mut catalogue = Catalogue::clone(&one.catalogue);
    catalogue.pipelines[0].name = "Иначе".to_owned();
    catalogue.pipelines[0].stages[3].name = "Не реализовано".to_owned();
    there.insert(id, one.kind, catalogue);
    let bound = Portable::pack(&rule, &[], &catalogues()).bind(&there);
    assert_eq!(bound.unbound, [""; 0]);
    assert!(is_whole(&bound.rule, &there));
}

#[test]
fn cases_travel_with_their_rule() {
    let rule = sample();
    let compiled = compile(&rule, &catalogues()).0;
    let facts = facts();
    let case = TestCase {
        name: "по памяти".to_owned(),
        expected: outcome(&compiled, &facts),
        facts,
    };
    let bound = Portable::pack(&rule, std::slice::from_ref(&case), &catalogues()).bind(&elsewhere());
    assert!(
        bound.cases[0].facts.records[0]
            .record
            .get(FieldKey::Custom(1001))
            .is_some()
    );
    let there = compile(&bound.rule, &elsewhere()).0;
    assert!(case.expected.matches);
    assert_eq!(crate::case::check(&there, &bound.cases[0]), [""; 0]);
}

proptest! {
    #[test]
    fn a_whole_rule_comes_back_as_it_left(rule in any_rule()) {
        prop_assume!(is_whole(&rule, &catalogues()));
        let there = travelled(&Portable::pack(&rule, &[], &catalogues())).bind(&elsewhere());
        // The compiler looks at fewer places than travel: a table may hold users that nobody has.
        prop_assume!(there.unbound.is_empty());
        prop_assert_eq!(codes(&there.rule, &elsewhere()), codes(&rule, &catalogues()));
        // Names of choices are written as the account writes them; after that nothing changes any more.
        let back = Portable::pack(&there.rule, &[], &elsewhere()).bind(&catalogues());
        let again = Portable::pack(&back.rule, &[], &catalogues()).bind(&elsewhere());
        prop_assert_eq!(&again.rule, &there.rule);
        prop_assert_eq!(back.rule.source, rule.source);
    }

    #[test]
    fn any_rule_travels_without_harm(rule in any_rule(), facts in any_facts()) {
        let case = TestCase { name: "любая".to_owned(), facts, expected: Default::default() };
        let portable = Portable::pack(&rule, &[case], &catalogues());
        prop_assert_eq!(&travelled(&portable), &portable);
        let bound = portable.bind(&elsewhere());
        prop_assert_eq!(bound.rule.actions.len(), rule.actions.len());
    }
}
