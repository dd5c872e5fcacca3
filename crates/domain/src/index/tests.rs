use super::*;
use crate::compile::compile;
use crate::condition::{Condition, Operand, Operator};
use crate::evaluate::{Verdict, matches};
use crate::testing::*;
use crate::value::{Choice, Stage, Value};
use proptest::prelude::*;
use uuid::Uuid;

fn index(conditions: Vec<Condition>) -> RuleIndex {
    let all = catalogues();
    RuleIndex::build(
        conditions
            .into_iter()
            .enumerate()
            .map(|(at, condition)| {
                let rule = compile(&rule(condition, vec![note("x")]), &all).0;
                (
                    RuleVersionId(Uuid::from_u128(at as u128)),
                    100 - at as i64,
                    Arc::new(rule),
                )
            })
            .collect(),
    )
}

fn found(index: &RuleIndex, facts: &Facts) -> Vec<i64> {
    index
        .candidates(AMO, facts)
        .iter()
        .map(|entry| entry.position)
        .collect()
}

fn stage(status: i64) -> Condition {
    compare(
        "deal.stage",
        Operator::Equals,
        Operand::Value(Value::Stage(Stage { pipeline: 10, status })),
    )
}

#[test]
fn only_rules_of_the_stage_are_touched_in_order() {
    let to = |stage| {
        compare(
            "deal.stage",
            Operator::ChangedTo,
            Operand::Value(Value::Stage(stage)),
        )
    };
    let index = index(vec![
        stage(101),
        stage(100),
        Condition::All(vec![
            compare("deal.price", Operator::Greater, Operand::Value(number("1"))),
            stage(142),
        ]),
        Condition::default(),
        to(TALKS),
        to(NEW),
        Condition::Any(vec![stage(100)]),
        Condition::Not(Box::new(stage(101))),
        compare(
            "deal.tags",
            Operator::ContainsAny,
            Operand::Values(vec![Value::Choice(Choice::named("VIP"))]),
        ),
        compare(
            "deal.tags",
            Operator::ContainsAny,
            Operand::Values(vec![Value::Choice(Choice::named("иной"))]),
        ),
    ]);
    assert_eq!(found(&index, &facts()), [92, 93, 94, 96, 97, 100]);
    assert_eq!(index.awake(AMO, facts().kind).count(), 10);
    let mut unknown = facts();
    unknown.records.clear();
    assert_eq!(
        found(&index, &unknown).len(),
        10,
        "what is not known excludes nothing"
    );
    assert!(index.candidates(LPT, &facts()).is_empty());
    let other = Facts {
        kind: EventKind::DealDeleted,
        ..facts()
    };
    assert!(index.candidates(AMO, &other).is_empty());
}

#[test]
fn bounds_and_changes_keep_rules_apart() {
    let price = |operator, bound: &str| compare("deal.price", operator, Operand::Value(number(bound)));
    let index = index(vec![
        price(Operator::Less, "5"),
        price(Operator::Greater, "5"),
        price(Operator::LessOrEqual, "90000"),
        price(Operator::GreaterOrEqual, "90001"),
        compare("deal.name", Operator::Changed, Operand::None),
        compare("deal.stage", Operator::Changed, Operand::None),
    ]);
    let mut event = facts();
    for known in &mut event.records {
        if known.record.key.kind == crate::record::RecordKind::Deal {
            known
                .record
                .set(crate::field::SystemField::Price, number("90000"));
        }
    }
    event.changed = Some(vec![crate::field::SystemField::Stage.into()]);
    assert_eq!(found(&index, &event), [95, 98, 99]);
    event.records.clear();
    assert_eq!(
        found(&index, &event).len(),
        5,
        "what is not known excludes nothing"
    );
}

#[test]
fn the_rarest_demand_is_the_key() {
    let both = |price: i64| {
        Condition::All(vec![
            stage(101),
            compare(
                "deal.price",
                Operator::Equals,
                Operand::Value(Value::Number(price.into())),
            ),
        ])
    };
    let index = index((0..100).map(both).collect());
    assert!(found(&index, &facts()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_left_out_does_not_match(
        conditions in proptest::collection::vec(tree(sound_compare()), 1..8),
        mut facts in any_facts(),
    ) {
        facts.kind = EventKind::DealStageChanged;
        let index = index(conditions);
        let candidates: Vec<i64> = found(&index, &facts);
        prop_assert!(candidates.is_sorted());
        for entry in index.rules() {
            if !candidates.contains(&entry.position) {
                prop_assert_eq!(matches(&entry.rule, &facts), Verdict::False);
            }
        }
    }
}
