use domain::action::{Action, ActionCard};
use domain::field::{FieldPath, SystemField};
use domain::value::{Choice, Stage};

use super::*;
use crate::names::tests::{LPT, names};
use crate::text::NBSP;

fn compare(field: &str, operator: Operator, with: Operand) -> Condition {
    Condition::Compare(Compare {
        field: field.parse().unwrap(),
        operator,
        with,
        alike: Default::default(),
    })
}

fn sentence(condition_: Condition) -> String {
    match condition(&condition_, &names()) {
        Node::Leaf(leaf) => leaf.sentence().replace(NBSP, " "),
        Node::Group { .. } => panic!("a leaf was given"),
    }
}

#[test]
fn comparisons_read_as_sentences() {
    let cases = [
        (
            compare(
                "deal.price",
                Operator::GreaterOrEqual,
                Operand::Value(Value::Number(100_000.into())),
            ),
            "Сделка · Бюджет не меньше 100 000",
        ),
        (
            compare(
                "deal.stage",
                Operator::ChangedTo,
                Operand::Value(Value::Stage(Stage {
                    pipeline: 1,
                    status: 10,
                })),
            ),
            "Сделка · Этап изменилось на «Продажи › Новая заявка»",
        ),
        (
            compare("contact.phone", Operator::IsNotEmpty, Operand::None),
            "Контакт · Телефон не пусто",
        ),
        (
            compare(
                "deal.closed_at",
                Operator::Before,
                Operand::Moved(domain::condition::Moved {
                    from: None,
                    by: Span {
                        n: 2,
                        unit: SpanUnit::WorkingDays,
                    },
                }),
            ),
            "Сделка · Закрыто раньше сейчас + 2 рабочих дня",
        ),
        (
            compare("event.at", Operator::TimeOfDay, Operand::TimeOfDay(540, 1_110)),
            "Событие · Время время суток с 09:00 до 18:30",
        ),
        (
            compare("event.at", Operator::Weekday, Operand::Weekdays(vec![1, 5, 9, 0])),
            "Событие · Время день недели понедельник, пятница",
        ),
        (
            compare(
                "deal.cf.17",
                Operator::In,
                Operand::Values(vec![Value::Choice(Choice {
                    id: Some(3),
                    name: String::new(),
                })]),
            ),
            "Сделка · Город одно из «Казань»",
        ),
    ];
    for (condition, text) in cases {
        assert_eq!(sentence(condition), text);
    }
}

#[test]
fn pointers_lead_into_the_document() {
    let inner = Condition::Any(vec![
        compare("deal.name", Operator::IsEmpty, Operand::None),
        Condition::Not(Box::new(compare("deal.name", Operator::IsEmpty, Operand::None))),
    ]);
    let Node::Group { children, .. } = condition(&Condition::All(vec![inner]), &names()) else {
        panic!("a group was given");
    };
    let Node::Group { children, join, .. } = &children[0] else {
        panic!("a group was given");
    };
    assert_eq!(*join, Join::Any);
    let Node::Group { children, .. } = &children[1] else {
        panic!("a group was given");
    };
    let Node::Leaf(leaf) = &children[0] else {
        panic!("a leaf was given");
    };
    assert_eq!(leaf.pointer, "/condition/all/0/any/1/not/compare");
}

#[test]
fn templates_show_names_and_keep_what_is_not_a_place() {
    let say = |text| template(text, &names());
    assert_eq!(
        say("{{deal.name}} — {{ contact.phone }}"),
        "{Сделка · Название} — {Контакт · Телефон}"
    );
    assert_eq!(say("{{что-то}} {{deal.price"), "{{что-то}} {{deal.price");
}

fn upsert() -> ActionCard {
    ActionCard {
        connection: Some(LPT),
        enabled: true,
        action: Action::Upsert {
            kind: RecordKind::Lead,
            order: vec![MatchBy::Link, MatchBy::Phone],
            pick: Default::default(),
            if_none: Default::default(),
            if_found: Default::default(),
            mapping: vec![MappingLine {
                record: RecordKind::Lead,
                field: SystemField::Name.into(),
                from: Expression::Field(FieldPath::now(RecordKind::Deal, SystemField::Name)),
                convert: vec![Conversion::Trim],
                mode: WriteMode::FillEmpty,
                if_empty: IfEmpty::Leave,
            }],
            stage: Some(Stage {
                pipeline: 9,
                status: 90,
            }),
            responsible: Some(0),
            tags: vec![Choice::named("amo")],
        },
    }
}

#[test]
fn cards_tell_every_setting() {
    let text = action(&upsert(), Some(ConnectorKind::Lptracker), &names());
    assert_eq!(text.title, "Найти или создать лид");
    assert!(
        text.facts
            .contains(&("Искать", "по связи, затем по телефону".to_owned()))
    );
    assert!(text.facts.contains(&("Шаг", "Колл-центр › Обзвон".to_owned())));
    assert!(text.facts.contains(&("Владелец", "Главный".to_owned())));
    assert_eq!(
        text.mapping,
        [MappingText {
            from: "Сделка · Название".to_owned(),
            convert: vec!["без лишних пробелов".to_owned()],
            to: "Лид · Название".to_owned(),
            note: Some("только если поле пустое"),
        }]
    );
}
