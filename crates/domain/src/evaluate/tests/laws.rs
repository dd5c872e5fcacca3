use super::*;

/// The table of `docs/RULES.md`: what an empty value makes of each operator.
#[test]
fn empty_is_neither_absent_nor_zero() {
    let fields = [
        ("deal.cf.1", text("а")),
        ("deal.cf.2", with(number("0"))),
        ("deal.cf.3", with(Value::Day(day("05.03.2026")))),
        ("deal.cf.4", with(Value::Day(day("05.03.2026")))),
        ("deal.cf.5", Operand::None),
        ("deal.cf.6", with(Value::Choice(Choice::new(61, "Сайт")))),
        ("deal.cf.7", with(Value::Choice(Choice::new(71, "Дом")))),
        ("deal.tags", with(Value::Choice(Choice::named("vip")))),
        ("deal.responsible", with(Value::User(7))),
        ("deal.stage", with(Value::Stage(NEW))),
        ("deal.pipeline", with(Value::Id(10))),
        ("contact.phone", text("89123456789")),
        ("contact.email", text("a@b.c")),
    ];
    let mut n = 0;
    for (field, value) in fields {
        let field = path(field);
        let mut empty = facts();
        for known in &mut empty.records {
            if known.record.key.kind == field.record {
                known.record.set(field.key, Value::Empty);
            }
        }
        let mut absent = facts();
        absent
            .records
            .retain(|known| known.record.key.kind != field.record);
        let field_type = crate::types::describe(field, &catalogues())
            .expect("described")
            .field_type;
        for entry in crate::types::operators(field_type) {
            use crate::types::OperandShape as S;
            let one = match &value {
                Operand::Value(one) => one.clone(),
                _ => Value::Flag(true),
            };
            let operand = match entry.operand {
                S::None => Operand::None,
                S::Value | S::OneOrMany | S::Moment | S::Pattern => Operand::Value(one),
                S::List => Operand::Values(vec![one]),
                S::Between | S::Period => Operand::Between(one.clone(), one),
                S::Span => Operand::Span(Span {
                    n: 1,
                    unit: SpanUnit::Days,
                }),
                S::Weekdays => Operand::Weekdays(vec![1]),
                S::TimeOfDay => Operand::TimeOfDay(0, 60),
                S::Country => text("RU"),
            };
            let expect = match entry.operator {
                O::IsEmpty | O::NotEquals | O::NotIn | O::NotContains | O::ContainsNone => True,
                O::Changed | O::ChangedFrom | O::BecameEmpty => continue,
                O::ExistsInOther | O::NotInOther => continue,
                _ => False,
            };
            // The pipeline is told by the stage as long as that is known.
            if field == path("deal.pipeline") {
                for known in &mut absent.records {
                    known.record = Record::new(known.record.key.kind, 1);
                }
            }
            let condition = Condition::Compare(crate::condition::Compare {
                field,
                operator: entry.operator,
                with: operand,
                alike: Default::default(),
            });
            assert_eq!(
                verdict_of(condition.clone(), &empty),
                expect,
                "empty {condition:?}"
            );
            assert_eq!(
                verdict_of(condition.clone(), &absent),
                Unknown,
                "absent {condition:?}"
            );
            n += 1;
        }
    }
    assert!(n > 90, "{n}");
}

#[test]
fn values_of_a_wrong_type_cannot_be_told() {
    let mut wrong = facts();
    wrong.records[0]
        .record
        .set(SystemField::Price, Value::text("много"));
    let over = compare("deal.price", O::Greater, with(number("1")));
    assert_eq!(verdict_of(over.clone(), &wrong), Unknown);
    let (compiled, _) = compile(&rule(over, vec![note("x")]), &catalogues());
    let evaluation = evaluate(&compiled, &wrong);
    assert_eq!(evaluation.outcome, RunOutcome::Undecidable);
    assert!(evaluation.commands.is_empty());
    let compared = evaluation.explanation.compared.expect("a comparison");
    assert!(compared.problem.expect("a reason").contains("другого типа"));
}

#[test]
fn explanations_carry_both_sides_source_and_age() {
    let condition = Condition::All(vec![
        compare("deal.price", O::GreaterOrEqual, with(number("100000"))),
        compare(
            "deal.updated_at",
            O::After,
            Operand::Field(path("deal.created_at")),
        ),
        compare("lead.name", O::IsEmpty, Operand::None),
    ]);
    let (compiled, _) = compile(&rule(condition, vec![note("x")]), &catalogues());
    let explanation = explain(&compiled, &facts());
    assert_eq!(explanation.verdict, False);
    let [price, updated, lead] = &explanation.children[..] else {
        panic!("three children")
    };
    let price = price.compared.as_ref().expect("compared");
    assert_eq!(
        (price.left.clone(), price.right.clone()),
        (Some(number("90000")), Some(number("100000")))
    );
    assert_eq!(price.source, Some((Source::Read, NOW)));
    let updated = updated.compared.as_ref().expect("compared");
    assert_eq!(updated.right, Some(Value::Instant(at("02.03.2026 10:00"))));
    let lead = lead.compared.as_ref().expect("compared");
    assert_eq!((&lead.left, lead.source), (&None, None));
    assert!(lead.problem.is_some());
    let json = serde_json::to_string(&explanation).expect("serialisable");
    assert_eq!(
        serde_json::from_str::<Explanation>(&json).expect("readable"),
        explanation
    );
}

const ALL: [Verdict; 3] = [True, False, Unknown];

#[test]
fn kleene_laws() {
    for a in ALL {
        assert_eq!(a.negate().negate(), a);
        assert_eq!((a.and(True), a.or(False)), (a, a));
        assert_eq!((a.and(False), a.or(True)), (False, True));
        for b in ALL {
            assert_eq!((a.and(b), a.or(b)), (b.and(a), b.or(a)));
            assert_eq!(a.and(b).negate(), a.negate().or(b.negate()));
            for c in ALL {
                assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_rule_on_any_facts_is_told_without_panic(rule in any_rule(), facts in any_facts()) {
        let (compiled, diagnostics) = compile(&rule, &catalogues());
        let evaluation = evaluate(&compiled, &facts);
        prop_assert_eq!(matches(&compiled, &facts), evaluation.explanation.verdict);
        prop_assert_eq!(&evaluate(&compiled, &facts), &evaluation);
        for found in diagnostics {
            let json = serde_json::to_value(&rule).expect("serialisable");
            prop_assert!(json.pointer(&found.pointer).is_some() || json.pointer(parent(&found.pointer)).is_some(),
                "{} {}", found.pointer, found.text);
        }
    }

    #[test]
    fn sound_comparisons_compile_and_group_by_kleene(
        a in sound_compare(), b in sound_compare(), facts in any_facts()
    ) {
        let of = |condition| verdict_of(condition, &facts);
        let (x, y) = (Condition::Compare(a), Condition::Compare(b));
        let (vx, vy) = (of(x.clone()), of(y.clone()));
        prop_assert_eq!(of(Condition::All(vec![x.clone(), y.clone()])), vx.and(vy));
        prop_assert_eq!(of(Condition::Any(vec![x.clone(), y.clone()])), vx.or(vy));
        prop_assert_eq!(of(Condition::Not(Box::new(x))), vx.negate());
    }

    #[test]
    fn twins_are_each_others_negation(field in real_path(), facts in any_facts()) {
        let of = |operator, with: Operand| {
            verdict_of(Condition::Compare(crate::condition::Compare { field, operator, with, alike: Default::default() }), &facts)
        };
        prop_assert_eq!(of(O::IsEmpty, Operand::None).negate(), of(O::IsNotEmpty, Operand::None));
        let field_type = crate::types::describe(field, &catalogues()).expect("described").field_type;
        let twins = [(O::Equals, O::NotEquals), (O::In, O::NotIn), (O::Contains, O::NotContains), (O::ContainsAny, O::ContainsNone)];
        for (yes, no) in twins {
            let Some(entry) = crate::types::operator_use(field_type, yes) else { continue };
            let value = match field_type {
                FieldType::Text | FieldType::Email => Value::text("заявка"),
                FieldType::Phone => Value::text("89123456789"),
                FieldType::Number | FieldType::Money => number("90000"),
                FieldType::DateTime | FieldType::Date => Value::Day(day("05.03.2026")),
                FieldType::Select if field == path("deal.cf.6") => Value::Choice(Choice::new(61, "Сайт")),
                FieldType::Select => Value::Choice(Choice::new(41, "Дорого")),
                FieldType::MultiSelect => Value::Choice(Choice::new(71, "Дом")),
                FieldType::Tags => Value::Choice(Choice::named("vip")),
                FieldType::User => Value::User(7),
                FieldType::Stage => Value::Stage(TALKS),
                _ => Value::Id(10),
            };
            let operand = match entry.operand {
                crate::types::OperandShape::List => Operand::Values(vec![value]),
                _ => Operand::Value(value),
            };
            prop_assert_eq!(of(yes, operand.clone()).negate(), of(no, operand), "{:?} {:?}", field, yes);
        }
    }
}

use crate::field::FieldType;

/// A diagnostic may point to a member that is missing; its parent is there.
fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[test]
fn deep_trees_are_walked() {
    let mut condition = compare("deal.price", O::Greater, with(number("1")));
    for at in 0..200 {
        condition = match at % 3 {
            0 => Condition::All(vec![condition]),
            1 => Condition::Any(vec![condition]),
            _ => Condition::Not(Box::new(condition)),
        };
    }
    let (compiled, diagnostics) = compile(&rule(condition, vec![note("x")]), &catalogues());
    assert_eq!(
        diagnostics
            .iter()
            .filter(|found| found.code == "too_deep")
            .count(),
        1
    );
    assert_eq!(evaluate(&compiled, &facts()).outcome, RunOutcome::Undecidable);
}

#[test]
fn times_on_both_sides_of_midnight() {
    let facts = Facts {
        now: at("05.03.2026 23:30"),
        ..facts()
    };
    let night = compare("event.at", O::TimeOfDay, Operand::TimeOfDay(22 * 60, 6 * 60));
    assert_eq!(verdict_of(night, &facts), True);
}
