use super::*;
use crate::wire::entity::FieldValues;
use domain::command::{NewTask, WriteMode};
use domain::time::Timestamp;
use domain::value::Stage;
use serde_json::json;

fn field(key: impl Into<FieldKey>, value: Value) -> FieldWrite {
    FieldWrite {
        key: key.into(),
        value,
        mode: WriteMode::Replace,
    }
}

fn deal() -> RecordKey {
    RecordKey::new(RecordKind::Deal, 7)
}

fn check(write: &Write, method: &str, path: &str, item: Json) {
    let planned = plan(write, &Zone::moscow()).unwrap();
    assert_eq!(
        (planned.route.method(), planned.route.path().as_str()),
        (method, path)
    );
    assert_eq!(serde_json::to_value(&planned.item).unwrap(), item);
}

#[test]
fn creations() {
    let write = Write::CreateRecord {
        kind: RecordKind::Deal,
        contact: Some(RecordId::from(963_408)),
        fields: vec![
            field(SystemField::Name, Value::text("Сделка")),
            field(SystemField::Price, Value::Number("100.50".parse().unwrap())),
            field(SystemField::Company, Value::Id(406_320)),
            field(FieldKey::Custom(184_994), Value::Flag(true)),
        ],
        stage: Some(Stage {
            pipeline: 6_950_551,
            status: 58_141_807,
        }),
        responsible: Some(5),
        tags: vec![Choice::named("lptracker"), Choice::new(2164, "тег")],
    };
    check(
        &write,
        "POST",
        "/api/v4/leads",
        json!({
            "name": "Сделка", "price": 100.5, "pipeline_id": 6_950_551, "status_id": 58_141_807,
            "responsible_user_id": 5,
            "custom_fields_values": [{"field_id": 184_994, "values": [{"value": true}]}],
            "_embedded": {
                "tags": [{"name": "lptracker"}, {"id": 2164}],
                "contacts": [{"id": 963_408, "is_main": true}],
                "companies": [{"id": 406_320}]
            }
        }),
    );
    let write = Write::CreateContact {
        kind: RecordKind::Contact,
        fields: vec![
            field(SystemField::Name, Value::text("Анна")),
            field(
                SystemField::Phone,
                Value::Texts(vec!["+7900".to_owned(), " ".to_owned()]),
            ),
        ],
        pipeline: None,
    };
    check(
        &write,
        "POST",
        "/api/v4/contacts",
        json!({
            "name": "Анна",
            "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+7900", "enum_code": "WORK"}]}]
        }),
    );
}

#[test]
fn changes() {
    let write = Write::UpdateRecord {
        key: deal(),
        fields: vec![
            field(SystemField::Price, Value::Number(12_000.into())),
            field(FieldKey::Custom(3), Value::Empty),
            field(SystemField::Tags, Value::Empty),
        ],
    };
    check(
        &write,
        "PATCH",
        "/api/v4/leads",
        json!({
            "id": 7, "price": 12000, "custom_fields_values": [{"field_id": 3, "values": null}],
            "_embedded": {"tags": null}
        }),
    );
    let stage = |status| Stage { pipeline: 3, status };
    let write = Write::Move {
        key: deal(),
        stage: stage(143),
        loss_reason: Some(9),
    };
    check(
        &write,
        "PATCH",
        "/api/v4/leads",
        json!({"id": 7, "pipeline_id": 3, "status_id": 143, "loss_reason_id": 9}),
    );
    // The reason belongs to the lost status only.
    let write = Write::Move {
        key: deal(),
        stage: stage(142),
        loss_reason: Some(9),
    };
    check(
        &write,
        "PATCH",
        "/api/v4/leads",
        json!({"id": 7, "pipeline_id": 3, "status_id": 142}),
    );
    let write = Write::ChangeTags {
        key: deal(),
        add: vec![Choice::named("а")],
        remove: vec![Choice::new(4, "б")],
    };
    check(
        &write,
        "PATCH",
        "/api/v4/leads",
        json!({"id": 7, "tags_to_add": [{"name": "а"}], "tags_to_delete": [{"id": 4}]}),
    );
    let write = Write::SetResponsible {
        key: deal(),
        user: 11,
    };
    check(
        &write,
        "PATCH",
        "/api/v4/leads",
        json!({"id": 7, "responsible_user_id": 11}),
    );
    let write = Write::UpdateRecord {
        key: RecordKey::new(RecordKind::Task, 5),
        fields: vec![
            field(SystemField::IsDone, Value::Flag(true)),
            field(SystemField::Comment, Value::text("ок")),
        ],
    };
    check(
        &write,
        "PATCH",
        "/api/v4/tasks",
        json!({"id": 5, "is_completed": true, "result": {"text": "ок"}}),
    );
}

#[test]
fn additions() {
    check(
        &Write::AddNote {
            key: deal(),
            text: "а\nб".to_owned(),
        },
        "POST",
        "/api/v4/leads/notes",
        json!({"entity_id": 7, "note_type": "common", "params": {"text": "а\nб"}}),
    );
    let task = NewTask {
        text: "Перезвонить".to_owned(),
        task_type: Some(1),
        deadline: Timestamp::from_secs(1_588_885_140),
        responsible: Some(123),
    };
    check(
        &Write::AddTask { key: deal(), task },
        "POST",
        "/api/v4/tasks",
        json!({
            "task_type_id": 1, "text": "Перезвонить", "complete_till": 1_588_885_140,
            "entity_id": 7, "entity_type": "leads", "responsible_user_id": 123
        }),
    );
    let call = NewCall {
        incoming: false,
        phone: "+79000000001".to_owned(),
        duration: 60,
        recording: Some("https://example.com/rec.mp3".to_owned()),
        result: Some("ok".to_owned()),
        unique: None,
        at: Some(Timestamp::from_secs(1_700_000_000)),
    };
    check(
        &Write::LogCall { key: deal(), call },
        "POST",
        "/api/v4/leads/notes",
        json!({
            "entity_id": 7, "note_type": "call_out", "created_at": 1_700_000_000,
            "params": {"uniq": "79000000001-1700000000-60", "duration": 60, "source": "lptracker",
                "link": "https://example.com/rec.mp3", "phone": "+79000000001", "call_result": "ok"}
        }),
    );
}

#[test]
fn what_amocrm_has_not_is_refused_before_sending() {
    let refused = |write: Write, code: &str| {
        assert_eq!(
            plan(&write, &Zone::moscow()).unwrap_err().code(),
            code,
            "{write:?}"
        );
    };
    refused(Write::StartCall { key: deal() }, "unsupported");
    refused(
        Write::AddNote {
            key: RecordKey::new(RecordKind::Lead, 1),
            text: String::new(),
        },
        "unsupported",
    );
    refused(
        Write::SetResponsible {
            key: RecordKey::new(RecordKind::Deal, "uuid"),
            user: 1,
        },
        "not_found",
    );
    let fields = vec![field(SystemField::Price, Value::text("много"))];
    refused(Write::UpdateRecord { key: deal(), fields }, "rejected");
    let fields = vec![field(SystemField::IsDeal, Value::Flag(true))];
    refused(Write::UpdateRecord { key: deal(), fields }, "rejected");
}

#[test]
fn kinds_of_phones_survive() {
    let held: Vec<FieldValues> = serde_json::from_value(json!([{
        "field_id": 178_382, "field_code": "PHONE", "field_type": "multitext",
        "values": [{"value": "+7900", "enum_id": 126_294, "enum_code": "MOB"}]
    }]))
    .unwrap();
    let texts = Value::Texts(vec!["+7900".to_owned(), "+7901".to_owned()]);
    let both = [
        field(SystemField::Phone, texts.clone()),
        field(FieldKey::Custom(178_382), texts),
    ];
    let mut body = EntityBody::default();
    for FieldWrite { key, value, .. } in &both {
        match key {
            FieldKey::System(one) => system_field(&mut body, &mut Vec::new(), *one, value).unwrap(),
            FieldKey::Custom(id) => body.custom_fields_values.push(FieldBody {
                field_id: Some(*id),
                field_code: None,
                values: value::write(value, &Zone::moscow()),
            }),
        }
    }
    keep_kinds(&mut body, &held);
    assert_eq!(
        serde_json::to_value(&body.custom_fields_values).unwrap(),
        json!([
            {"field_code": "PHONE",
                "values": [{"value": "+7900", "enum_id": 126_294}, {"value": "+7901", "enum_code": "WORK"}]},
            {"field_id": 178_382, "values": [{"value": "+7900", "enum_id": 126_294}, {"value": "+7901"}]}
        ])
    );
}
