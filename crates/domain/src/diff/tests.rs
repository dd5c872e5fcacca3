use super::*;
use crate::action::Action;
use crate::command::Target;
use crate::condition::{Operand, Operator};
use crate::record::RecordKind;
use crate::testing::{card, catalogues, compare, from, line, note, number, rule};

fn price(sum: &str) -> Condition {
    compare("deal.price", Operator::Greater, Operand::Value(number(sum)))
}

fn named() -> Condition {
    compare("deal.name", Operator::IsNotEmpty, Operand::None)
}

/// The texts of all changes, in one line each, blanks made plain.
fn said(before: &Rule, after: &Rule) -> Vec<String> {
    let all = changes(before, after, &catalogues());
    all.into_iter()
        .map(|change| change.text.replace('\u{a0}', " "))
        .collect()
}

fn check_conditions(before: Condition, after: Condition, expect: &[&str]) {
    assert_eq!(said(&rule(before, Vec::new()), &rule(after, Vec::new())), expect);
}

#[test]
fn the_same_rule_has_no_changes() {
    let one = rule(Condition::All(vec![price("1"), named()]), vec![note("да")]);
    assert!(changes(&one, &one, &catalogues()).is_empty());
}

#[test]
fn conditions_are_told_as_sentences() {
    check_conditions(
        Condition::All(vec![price("100000")]),
        Condition::All(vec![price("150000")]),
        &["условие: «Бюджет больше 100 000» → «Бюджет больше 150 000»"],
    );
    check_conditions(
        Condition::All(vec![price("1")]),
        Condition::All(vec![price("1"), named()]),
        &["добавлено условие «Название не пусто» в группе «И»"],
    );
    check_conditions(
        Condition::All(vec![price("1"), named()]),
        Condition::All(vec![named()]),
        &["убрано условие «Бюджет больше 1»"],
    );
    check_conditions(
        Condition::All(vec![price("1"), named()]),
        Condition::All(vec![named(), Condition::Any(vec![price("1")])]),
        &["условие «Бюджет больше 1» перенесено: было в группе «И», стало в группе «ИЛИ»"],
    );
    check_conditions(
        Condition::All(vec![price("1"), named()]),
        Condition::All(vec![named(), price("1")]),
        &["условия стоят иначе"],
    );
    check_conditions(
        Condition::All(vec![named()]),
        Condition::All(vec![Condition::Not(Box::new(named()))]),
        &["условие «Название не пусто» перенесено: было в группе «И», стало под «НЕ»"],
    );
}

#[test]
fn cards_are_told_by_number_and_member() {
    let before = rule(Condition::default(), vec![note("раз"), note("два")]);
    let mut after = rule(
        Condition::default(),
        vec![note("раз"), note("три"), note("четыре")],
    );
    after.actions[1].enabled = false;
    assert_eq!(
        said(&before, &after),
        [
            "действие 2 (добавить примечание): выключено",
            "действие 2 (добавить примечание): текст — было текста «два», стало текста «три»",
            "добавлено действие 3: добавить примечание",
        ]
    );
    let turned = rule(Condition::default(), vec![note("два"), note("раз")]);
    assert_eq!(said(&before, &turned), ["действия идут в другом порядке"]);
}

#[test]
fn mapping_lines_are_told_by_the_field_they_fill() {
    let update = |mapping| {
        let target = Target::Linked;
        rule(
            Condition::default(),
            vec![card(Action::Update { target, mapping })],
        )
    };
    let before = update(vec![line(
        RecordKind::Lead,
        "name",
        from("deal.name"),
        Vec::new(),
    )]);
    let after = update(vec![
        line(RecordKind::Lead, "name", from("contact.name"), Vec::new()),
        line(
            RecordKind::LeadContact,
            "phone",
            from("contact.phone"),
            Vec::new(),
        ),
    ]);
    assert_eq!(
        said(&before, &after),
        [
            "действие 1 (обновить поля): «Лид: Название» заполнялось из поля «Сделка: Название», теперь из поля «Контакт: Имя»",
            "действие 1 (обновить поля): заполнять «Контакт лида: Телефон» из поля «Контакт: Телефон»",
        ]
    );
    assert_eq!(said(&after, &before).len(), 2);
}

#[test]
fn triggers_and_manners_are_told() {
    let before = rule(Condition::default(), Vec::new());
    let mut after = before.clone();
    after.triggers = vec![crate::rule::Trigger::on(crate::event::EventKind::DealDeleted)];
    after.name = "Другое".to_owned();
    after.quiet_secs = 5;
    after.stop = !before.stop;
    let said = said(&before, &after);
    assert!(
        said.iter()
            .any(|text| text == "добавлено событие «Сделка удалена»"),
        "{said:?}"
    );
    assert!(
        said.iter().any(|text| text.starts_with("название: «")),
        "{said:?}"
    );
    assert!(
        said.iter().any(|text| text == "ожидание тишины: «0 с» → «5 с»"),
        "{said:?}"
    );
    assert!(
        said.iter().any(|text| text.contains("следующие правила")),
        "{said:?}"
    );
}
