use super::*;
use crate::compile::compile;
use crate::condition::Condition;
use crate::evaluate::{Facts, explain};
use crate::testing::*;
use crate::value::Choice;
use Operator as O;
use proptest::prelude::*;

fn miss(condition: Condition, facts: &Facts) -> String {
    let (compiled, _) = compile(&rule(condition, vec![note("x")]), &catalogues());
    nearest_miss(&explain(&compiled, facts), compiled.scope(), &facts.zone).replace('\u{a0}', " ")
}

#[track_caller]
fn check(condition: Condition, expect: &str) {
    assert_eq!(miss(condition, &facts()), expect);
}

fn one(value: Value) -> Operand {
    Operand::Value(value)
}

fn price(operator: Operator, n: &str) -> Condition {
    compare("deal.price", operator, one(number(n)))
}

#[test]
fn the_nearest_miss_is_one_sentence() {
    let holds = || compare("deal.name", O::Contains, one(Value::text("заявка")));
    check(holds(), "");
    check(
        Condition::All(vec![
            holds(),
            price(O::GreaterOrEqual, "100000"),
            holds(),
            holds(),
        ]),
        "1 из 4 не выполнено: бюджет 90 000 < 100 000",
    );
    check(
        price(O::Greater, "100000"),
        "не выполнено: бюджет 90 000 ≤ 100 000",
    );
    check(
        Condition::All(vec![
            price(O::Less, "5"),
            compare("deal.stage", O::Equals, one(Value::Stage(NEW))),
        ]),
        "2 из 2 не выполнено: бюджет 90 000 ≥ 5; этап «Продажи → Переговоры» ≠ «Продажи → Новая»",
    );
    check(
        Condition::All(vec![holds(), Condition::Not(Box::new(holds()))]),
        "1 из 2 не выполнено: не должно быть так: название «Заявка Ёлкина»: содержит «заявка»",
    );
    check(
        Condition::All(vec![Condition::Any(vec![
            price(O::Less, "5"),
            price(O::Equals, "7"),
        ])]),
        "1 из 1 не выполнено: ничего из (бюджет 90 000 ≥ 5; бюджет 90 000 ≠ 7)",
    );
    check(
        Condition::Not(Box::new(holds())),
        "не выполнено: название «Заявка Ёлкина»: содержит «заявка»",
    );
    check(
        Condition::All(vec![compare("lead.name", O::IsEmpty, Operand::None)]),
        "1 из 1 не удалось проверить: название — значение поля неизвестно: источник его не сообщил",
    );
    check(
        compare(
            "deal.responsible",
            O::In,
            Operand::Values(vec![Value::User(8), Value::User(9)]),
        ),
        "не выполнено: ответственный «Анна», нужно: одно из «Борис», «Вера»",
    );
    check(
        compare("deal.closed_at", O::Before, one(Value::Day(day("01.01.2026")))),
        "не выполнено: закрыто пусто, нужно: раньше 01.01.2026",
    );
    check(
        compare(
            "deal.created_at",
            O::OlderThan,
            Operand::Span(Span {
                n: 4,
                unit: SpanUnit::WorkingDays,
            }),
        ),
        "не выполнено: создано 02.03.2026 10:00, нужно: прошло больше 4 рабочих дня",
    );
    check(
        compare("deal.cf.3", O::TimeOfDay, Operand::TimeOfDay(540, 1080)),
        "не выполнено: дата встречи 06.03.2026 18:30, нужно: время суток с 09:00 до 18:00",
    );
    check(
        compare(
            "deal.cf.7",
            O::ContainsAll,
            Operand::Values(vec![Value::Choice(Choice::new(72, ""))]),
        ),
        "не выполнено: интересы «Дом», «Сад», нужно: содержит все «Дача»",
    );
}

#[test]
fn comparisons_are_read_out() {
    let words = |condition: Condition| match condition {
        Condition::Compare(compare) => compare_words(
            &compare,
            &crate::catalogues::Scope::any(&catalogues()),
            &Zone::moscow(),
        ),
        other => panic!("{other:?}"),
    };
    let moved = Moved {
        from: None,
        by: Span {
            n: -2,
            unit: SpanUnit::WorkingDays,
        },
    };
    assert_eq!(
        words(compare("deal.created_at", O::Before, Operand::Moved(moved))),
        "Создано раньше сейчас − 2 рабочих дня"
    );
    assert_eq!(
        words(compare("deal.cf.3", O::Weekday, Operand::Weekdays(vec![1, 7]))),
        "Дата встречи день недели пн, вс"
    );
    assert_eq!(
        words(compare(
            "deal.price",
            O::Greater,
            Operand::Field(path("deal.cf.2"))
        )),
        "Бюджет больше «Сделка: Площадь»"
    );
}

#[test]
fn nouns_follow_their_numbers() {
    let days = |n| {
        span_words(Span {
            n,
            unit: SpanUnit::Days,
        })
    };
    assert_eq!(
        [days(1), days(2), days(5), days(11), days(21), days(112)],
        ["1 день", "2 дня", "5 дней", "11 дней", "21 день", "112 дней"]
    );
}

proptest! {
    #[test]
    fn every_miss_has_words(condition in tree(sound_compare()), facts in any_facts()) {
        let (compiled, _) = compile(&rule(condition, vec![note("x")]), &catalogues());
        let explanation = explain(&compiled, &facts);
        let words = nearest_miss(&explanation, compiled.scope(), &facts.zone);
        prop_assert_eq!(words.is_empty(), explanation.verdict == Verdict::True);
    }
}
