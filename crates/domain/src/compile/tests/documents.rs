use super::mappings::upsert;
use super::*;
use proptest::prelude::*;

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

#[test]
fn the_documented_example_is_read_and_every_word_is_documented() {
    let page = include_str!("../../../../../docs/RULES.md");
    let (_, rest) = page.split_once("```json\n").expect("an example");
    let (json, _) = rest.split_once("```").expect("its end");
    let rule = Rule::from_json(json).expect("the example can be read");
    assert_eq!(rule.actions.len(), 2);
    for operator in Operator::ALL {
        assert!(page.contains(&format!("`{}`", operator.as_str())), "{operator:?}");
    }
    for (filter, _) in crate::template::FILTERS {
        assert!(page.contains(&format!("`{filter}")), "{filter}");
    }
    // Numbers may come as JSON numbers too.
    let plain = json.replace("\"value\": \"100000\"", "\"value\": 100000.5");
    assert!(Rule::from_json(&plain).is_ok(), "{:?}", Rule::from_json(&plain));
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
