use super::*;
use crate::convert::fields;
use crate::wire::contact::Contact;
use crate::wire::project::Definition;
use domain::command::WriteMode;
use domain::record::RecordKind;
use domain::time::Timestamp;

fn write(key: impl Into<FieldKey>, value: Value) -> FieldWrite {
    FieldWrite {
        key: key.into(),
        value,
        mode: WriteMode::Replace,
    }
}

fn custom(id: i64, value: Value) -> FieldWrite {
    write(FieldKey::Custom(id), value)
}

fn definitions(id: i64) -> Option<FieldInfo> {
    let all = json!([
        {"id": 127, "name": "ID сделки", "type": "text"},
        {"id": 128, "name": "Источник", "type": "cats", "categories": ["Сайт", {"name": "Авито  Про"}]},
        {"id": 129, "name": "Теги", "type": "cats", "is_multi_select": 1, "categories": []},
        {"id": 130, "name": "Срок", "type": "date"},
        {"id": 131, "name": "Чек", "type": "file"},
    ]);
    let definition = all
        .as_array()?
        .iter()
        .filter_map(Definition::read)
        .find(|field| field.id == id)?;
    fields::info(RecordKind::Lead, &definition)
}

fn updated(fields: &[FieldWrite]) -> Result<Json, String> {
    lead_update(fields, &definitions, &Zone::moscow()).map_err(|error| error.to_string())
}

#[test]
fn custom_values_by_type() {
    let check =
        |id, value, expected: Json| assert_eq!(updated(&[custom(id, value)]).unwrap()["custom"], expected);
    check(
        127,
        Value::Number("34567890".parse().unwrap()),
        json!({"127": "34567890"}),
    );
    check(127, Value::Flag(true), json!({"127": "Да"}));
    check(127, Value::Empty, json!({"127": ""}));
    check(
        128,
        Value::Choice(Choice::named("Сайт")),
        json!({"128": ["Сайт"]}),
    );
    check(
        128,
        Value::Text(" авито про".into()),
        json!({"128": ["Авито  Про"]}),
    );
    check(128, Value::Empty, json!({"128": []}));
    check(
        129,
        Value::Texts(vec!["a".into(), "b".into(), "a".into()]),
        json!({"129": ["a", "b"]}),
    );
    check(
        130,
        Value::Instant(Timestamp::from_secs(1_785_574_800)),
        json!({"130": "01.08.2026 12:00"}),
    );
    check(
        130,
        Value::Text("2026-08-01".into()),
        json!({"130": "01.08.2026 00:00"}),
    );
    check(130, Value::Empty, json!({"130": ""}));
    check(999, Value::Choice(Choice::named("x")), json!({"999": ["x"]}));
    check(999, Value::Text("x".into()), json!({"999": "x"}));
}

#[test]
fn what_cannot_be_written_is_refused_before_sending() {
    let check = |field: FieldWrite, words: &str| {
        let error = updated(&[field]).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    check(custom(128, Value::Text("Радио".into())), "нет значения «Радио»");
    check(
        custom(128, Value::Texts(vec!["Сайт".into(), "Авито  Про".into()])),
        "только одно",
    );
    check(custom(130, Value::Text("скоро".into())), "«скоро» не дата");
    check(custom(131, Value::Text("x".into())), "только для чтения");
    check(
        write(
            SystemField::Stage,
            Value::Stage(Stage {
                pipeline: 1,
                status: 2,
            }),
        ),
        "«Этап»",
    );
    check(write(SystemField::IsDeal, Value::Flag(true)), "«Стал сделкой»");
}

fn contact(details: Json) -> Contact {
    Contact::read(
        &json!({"id": 12345, "project_id": 10001, "details": details}),
        &Zone::moscow(),
    )
    .unwrap()
}

fn phones_after(existing: &[&str], wanted: &[&str]) -> Json {
    let details: Json = existing
        .iter()
        .enumerate()
        .map(|(at, data)| json!({"id": at + 1, "type": "phone", "data": data}))
        .collect();
    let wanted = Value::Texts(wanted.iter().map(|text| (*text).to_owned()).collect());
    let body = contact_update(
        &contact(details),
        &[write(SystemField::Phone, wanted)],
        &Zone::moscow(),
    )
    .unwrap();
    let details = body["details"].as_array().cloned().unwrap_or_default();
    details
        .iter()
        .map(|detail| json!([detail.get("id"), detail["data"]]))
        .collect()
}

#[test]
fn details_keep_their_ids() {
    assert_eq!(
        phones_after(&["79990000001"], &["+7 999 000-00-01"]),
        json!([[1, "79990000001"]])
    );
    let added = json!([[1, "79990000001"], [null, "+79990000002"]]);
    assert_eq!(
        phones_after(&["79990000001"], &["79990000001", "89990000002", "+79990000002"]),
        added
    );
    assert_eq!(
        phones_after(&["79990000001"], &["89990000002"]),
        json!([[1, "+79990000002"]])
    );
    let stays = json!([[1, "79990000001"], [2, "79990000002"]]);
    assert_eq!(
        phones_after(&["79990000001", "79990000002"], &["79990000002"]),
        stays
    );
    assert_eq!(phones_after(&["79990000001", "79990000002"], &[]), stays);
}

#[test]
fn other_details_are_sent_along() {
    let contact = contact(json!([
        {"id": "10", "type": "email", "data": "client@example.com"},
        {"id": "11", "type": "telegram", "data": "@client"},
    ]));
    let email = write(SystemField::Email, Value::Text("CLIENT@example.com".into()));
    let phone = write(SystemField::Phone, Value::Text("9990000001".into()));
    let body = contact_update(&contact, &[email, phone], &Zone::moscow()).unwrap();
    let expected = json!({
        "id": 12345,
        "details": [
            {"id": 10, "type": "email", "data": "client@example.com"},
            {"id": 11, "type": "telegram", "data": "@client"},
            {"type": "phone", "data": "+79990000001"},
        ],
    });
    assert_eq!(body, expected);
}

#[test]
fn contact_without_phone_and_address_is_refused() {
    let name = write(SystemField::Name, Value::Text("Иван".into()));
    let error = new_contact(1, std::slice::from_ref(&name), &Zone::moscow()).unwrap_err();
    assert!(error.to_string().contains("телефон или e-mail"), "{error}");
    let phone = write(SystemField::Phone, Value::Text("8 999 000 00 01".into()));
    let body = new_contact(1, &[phone], &Zone::moscow()).unwrap();
    assert_eq!(body["name"], "+79990000001");
}
