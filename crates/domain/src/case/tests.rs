use super::*;
use crate::compile::compile;
use crate::condition::{Condition, Operand, Operator};
use crate::event::EventKind;
use crate::rule::{Rule, Trigger};
use crate::testing::{any_facts, any_rule, catalogues, compare, facts, note, number};
use proptest::prelude::*;

fn rule(least: &str, text: &str) -> Rule {
    let dear = compare(
        "deal.price",
        Operator::GreaterOrEqual,
        Operand::Value(number(least)),
    );
    let mut card = note(text);
    card.connection = Some(crate::testing::AMO);
    crate::testing::rule(Condition::All(vec![dear]), vec![card])
}

fn compiled(rule: &Rule) -> CompiledRule {
    compile(rule, &catalogues()).0
}

fn case(rule: &Rule) -> TestCase {
    let facts = facts();
    TestCase {
        name: "как было".to_owned(),
        expected: outcome(&compiled(rule), &facts),
        facts,
    }
}

#[test]
fn what_a_rule_makes_of_an_event_is_met_by_itself() {
    let rule = rule("50000", "{{deal.name}}");
    let case = case(&rule);
    assert!(case.expected.matches);
    assert_eq!(case.expected.commands.as_ref().map(Vec::len), Some(1));
    assert_eq!(check(&compiled(&rule), &case), [""; 0]);
}

#[test]
fn what_is_missed_is_said_in_words() {
    let met = case(&rule("50000", "{{deal.name}}"));
    let told = check(&compiled(&rule("100000", "{{deal.name}}")), &met).join("; ");
    assert!(
        told.contains("должно сработать") && told.contains("бюджет 90\u{a0}000 < 100\u{a0}000"),
        "{told}"
    );

    let missed = case(&rule("100000", "{{deal.name}}"));
    assert!(!missed.expected.matches);
    let told = check(&compiled(&rule("50000", "{{deal.name}}")), &missed).join("; ");
    assert_eq!(told, "правило не должно сработать, но срабатывает");

    let told = check(&compiled(&rule("50000", "иначе")), &met).join("; ");
    assert_eq!(
        told,
        "действие 1 (добавить примечание) запланировано не так, как ожидалось"
    );

    let mut idle = rule("50000", "{{deal.name}}");
    idle.actions.clear();
    let told = check(&compiled(&idle), &met).join("; ");
    assert_eq!(told, "действие 1 ожидалось, но не запланировано");

    let mut deaf = rule("50000", "{{deal.name}}");
    deaf.triggers = vec![Trigger::on(EventKind::DealDeleted)];
    let told = check(&compiled(&deaf), &met).join("; ");
    assert!(told.contains("его не запускает"), "{told}");
}

#[test]
fn calls_that_do_not_matter_are_not_compared() {
    let mut met = case(&rule("50000", "{{deal.name}}"));
    met.expected.commands = None;
    assert_eq!(check(&compiled(&rule("50000", "иначе")), &met), [""; 0]);
}

proptest! {
    #[test]
    fn any_rule_meets_its_own_outcome(rule in any_rule(), facts in any_facts()) {
        let case = TestCase {
            name: "любая".to_owned(),
            expected: outcome(&compiled(&rule), &facts),
            facts,
        };
        prop_assert_eq!(check(&compiled(&rule), &case), Vec::<String>::new());
        let text = serde_json::to_string(&case).unwrap();
        prop_assert_eq!(serde_json::from_str::<TestCase>(&text).unwrap(), case);
    }
}
