mod properties;

use super::*;
use crate::wire::scalar;
use domain::catalogue::{Catalogue, FieldInfo};
use domain::event::EventKind;
use domain::field::{FieldKey, FieldType, SystemField};
use domain::record::{RecordId, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};
use serde_json::{Value as Json, json};

const STAMP: i64 = 1_785_250_700_123;

fn lead() -> Json {
    json!({
        "id": 1234, "contact_id": 12345, "detail_id": 11, "project_id": 10001, "created_at": 1_785_240_000,
        "deal": 0, "owner_id": 100, "stage_id": "1648187", "name": "Заявка с сайта",
        "author": {"id": 100, "type": 1},
        "custom": [{"id": 128, "name": "Источник", "type": "cats", "value": ["Сайт"]}],
        "view": {"id": 43, "source": "yandex", "campaign": "", "keyword": null, "referrer": ""},
        "contact": {
            "id": 12345, "name": "Контакт Тестовый", "project_id": 10001, "created_at": 1_785_230_000,
            "contacts": [
                {"id": 10, "type": "email", "data": "client@example.com"},
                {"id": 9, "type": "phone", "data": "79990000009"},
                {"id": 11, "type": "phone", "data": "+7 999 000-00-01"},
            ],
        },
        "stage": {"id": 1_648_187, "name": "Недозвон"},
        "payments": [{"sum": "1500.50", "purpose_name": "Предоплата", "category_name": "Услуги"}],
        "calls_records": [],
        "action": "update", "action_timestamp": STAMP,
    })
}

fn with(changes: Json) -> Json {
    let mut payload = lead();
    for (key, value) in changes.as_object().unwrap() {
        payload[key] = value.clone();
    }
    payload
}

fn parse(payload: &Json) -> Result<Vec<Fact>, IntakeError> {
    let context = IntakeContext {
        projects: &[10001],
        ..IntakeContext::default()
    };
    LptrackerIntake.parse("application/json", payload.to_string().as_bytes(), context)
}

fn facts(changes: Json) -> Vec<Fact> {
    parse(&with(changes)).unwrap()
}

fn kinds(changes: Json) -> Vec<EventKind> {
    facts(changes).iter().map(|fact| fact.kind).collect()
}

fn form(payload: &Json) -> String {
    let mut url = url::Url::parse("http://x/").unwrap();
    url.query_pairs_mut()
        .append_pair("name", "x&=%")
        .append_pair("data", &payload.to_string());
    url.query().unwrap().to_owned()
}

#[test]
fn three_shapes_say_the_same() {
    let payload = with(json!({"action_update_fields": "stage.id"}));
    let direct = parse(&payload).unwrap();
    assert_eq!(direct.len(), 2);
    let context = IntakeContext {
        projects: &[10001],
        ..IntakeContext::default()
    };
    let check = |content_type: &str, body: String| {
        assert_eq!(
            LptrackerIntake
                .parse(content_type, body.as_bytes(), context)
                .unwrap(),
            direct,
            "{content_type}"
        );
    };
    check("application/x-www-form-urlencoded; charset=utf-8", form(&payload));
    check("", form(&payload));
    check(
        "application/json",
        json!({"data": payload.to_string()}).to_string(),
    );
    check(
        "application/json",
        json!({"data": payload.to_string(), "x": 1}).to_string(),
    );
    check("application/x-www-form-urlencoded", payload.to_string());
}

#[test]
fn lead_and_contact_are_records() {
    let fact = &facts(json!({"action": "create"}))[0];
    assert_eq!(fact.kind, EventKind::LeadCreated);
    assert_eq!(fact.key.to_string(), "lead:1234");
    assert_eq!(fact.occurred_at, Some(Timestamp(STAMP)));
    assert_eq!(fact.author, Some(100));
    let get = |field: SystemField| fact.record.get(field.into());
    assert_eq!(
        get(SystemField::Name),
        Some(&Value::Text("Заявка с сайта".into()))
    );
    assert_eq!(
        get(SystemField::Stage),
        Some(&Value::Stage(Stage {
            pipeline: 10001,
            status: 1_648_187
        }))
    );
    assert_eq!(get(SystemField::Responsible), Some(&Value::User(100)));
    assert_eq!(get(SystemField::IsDeal), Some(&Value::Flag(false)));
    assert_eq!(
        get(SystemField::PaymentSum),
        Some(&Value::Number("1500.50".parse().unwrap()))
    );
    assert_eq!(get(SystemField::Source), Some(&Value::Text("yandex".into())));
    assert_eq!(get(SystemField::Campaign), Some(&Value::Empty));
    assert_eq!(
        get(SystemField::CreatedAt),
        Some(&Value::Instant(Timestamp::from_secs(1_785_240_000)))
    );
    assert_eq!(get(SystemField::UpdatedAt), None);
    let [contact] = fact.related.as_slice() else {
        panic!("one related record")
    };
    assert_eq!(contact.key.to_string(), "lead_contact:12345");
    let phones = Value::Texts(vec!["79990000009".into(), "79990000001".into()]);
    assert_eq!(contact.get(SystemField::Phone.into()), Some(&phones));
}

#[test]
fn catalogue_tells_single_choice_from_several() {
    let field = |field_type| FieldInfo {
        record: RecordKind::Lead,
        id: 128,
        name: "Источник".into(),
        field_type,
        raw_type: "cats".into(),
        code: None,
        options: Vec::new(),
        read_only: false,
    };
    let check = |field_type: Option<FieldType>, expected: Value| {
        let catalogue = Catalogue {
            fields: field_type.map(field).into_iter().collect(),
            ..Catalogue::default()
        };
        let context = IntakeContext {
            catalogue: Some(&catalogue),
            ..IntakeContext::default()
        };
        let body = lead().to_string();
        let found = LptrackerIntake.parse("", body.as_bytes(), context).unwrap();
        assert_eq!(found[0].record.get(FieldKey::Custom(128)), Some(&expected));
    };
    check(Some(FieldType::Select), Value::Choice(Choice::named("Сайт")));
    check(
        Some(FieldType::MultiSelect),
        Value::Choices(vec![Choice::named("Сайт")]),
    );
    check(None, Value::Choices(vec![Choice::named("Сайт")]));
}

#[test]
fn named_fields_make_narrower_facts() {
    use EventKind as K;
    assert_eq!(kinds(json!({})), [K::LeadUpdated]);
    assert_eq!(
        kinds(json!({"action_update_fields": "stage.id"})),
        [K::LeadUpdated, K::LeadStageChanged]
    );
    assert_eq!(
        kinds(json!({"action_update_fields": ["owner.id", "stage_id"]})),
        [K::LeadUpdated, K::LeadStageChanged, K::LeadOwnerChanged]
    );
    assert_eq!(
        kinds(json!({"action_update_fields": "payments, deal"})),
        [K::LeadUpdated, K::LeadPaymentAdded]
    );
    assert_eq!(
        kinds(json!({"action_update_fields": "comments"})),
        [K::LeadUpdated]
    );
    assert_eq!(
        kinds(json!({"action_update_fields": ["stage.id", "неведомое"]})).len(),
        2
    );
    assert_eq!(kinds(json!({"action": "delete"})), [K::LeadDeleted]);
    assert_eq!(kinds(json!({"action": "archive"})), []);
}

#[test]
fn changed_is_known_only_when_every_word_is() {
    let check = |words: Json, expected: Option<Vec<FieldKey>>| {
        assert_eq!(
            facts(json!({"action_update_fields": words}))[0].changed,
            expected,
            "{words}"
        );
    };
    check(json!(null), None);
    check(json!(""), None);
    check(json!("неведомое,name"), None);
    check(json!("custom"), None);
    check(json!(["calls_records"]), Some(vec![]));
    check(
        json!("stage.id,custom.127"),
        Some(vec![SystemField::Stage.into(), FieldKey::Custom(127)]),
    );
    check(
        json!(["name", "name", "view.source"]),
        Some(vec![SystemField::Name.into(), SystemField::Source.into()]),
    );
    check(json!([{"field": "name"}]), None);
}

#[test]
fn each_fresh_call_is_a_fact_of_its_own() {
    let calls = json!([
        {"time": 1_785_250_500, "linkedid": "1785250500.101", "duration": 128,
         "record": "https://records.example.com/101.mp3", "type": "incomming", "owner_id": 100},
        {"time": "1785250100", "duration": "0", "record": null, "type": "outgoing"},
        {"time": 1_700_000_000, "linkedid": "1700000000.7", "duration": 5, "type": "outgoing"},
    ]);
    let all = facts(json!({"calls_records": calls, "action_update_fields": "calls_records,stage.id"}));
    let calls: Vec<&Fact> = all
        .iter()
        .filter(|fact| fact.kind == EventKind::CallFinished)
        .collect();
    assert_eq!(calls.len(), 2);
    let first = calls[0];
    assert_eq!(first.key.to_string(), "call:1785250500.101");
    assert_eq!(first.key, first.record.key);
    assert_eq!(first.dedupe, "call:1234:1785250500.101");
    assert_eq!(first.occurred_at, Some(Timestamp::from_secs(1_785_250_628)));
    let get = |field: SystemField| first.record.get(field.into());
    assert_eq!(
        get(SystemField::Direction),
        Some(&Value::Choice(Choice::named("incoming")))
    );
    assert_eq!(get(SystemField::Duration), Some(&Value::Number(128.into())));
    assert_eq!(
        get(SystemField::Recording),
        Some(&Value::Text("https://records.example.com/101.mp3".into()))
    );
    assert_eq!(
        get(SystemField::Phone),
        Some(&Value::Texts(vec!["79990000001".into()]))
    );
    let kinds: Vec<RecordKind> = first.related.iter().map(|record| record.key.kind).collect();
    assert_eq!(kinds, [RecordKind::Lead, RecordKind::LeadContact]);
    assert_eq!(calls[1].key.id, RecordId("1234-1785250100-0".into()));
    assert_eq!(
        calls[1].record.get(SystemField::Recording.into()),
        Some(&Value::Empty)
    );
}

#[test]
fn dedupe_is_one_per_fact() {
    let words = json!({"action_update_fields": "stage.id"});
    let one = facts(words.clone());
    let again = facts(words);
    let keys = |facts: &[Fact]| facts.iter().map(|fact| fact.dedupe.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&one), keys(&again));
    assert_eq!(
        one[0].dedupe,
        format!("lead:10001:1234:update:{STAMP}:lead_updated")
    );
    assert_ne!(one[0].dedupe, one[1].dedupe);
    assert_ne!(
        keys(&facts(json!({"action_timestamp": STAMP + 1})))[0],
        one[0].dedupe
    );
    let unstamped = |name: &str| keys(&facts(json!({"action_timestamp": null, "name": name})))[0].clone();
    assert_eq!(unstamped("a"), unstamped("a"));
    assert_ne!(unstamped("a"), unstamped("b"));
}

#[test]
fn foreign_projects_are_refused() {
    assert_eq!(
        parse(&with(json!({"project_id": 10002}))),
        Err(IntakeError::WrongAccount)
    );
    let any = IntakeContext::default();
    let body = with(json!({"project_id": 10002})).to_string();
    assert!(LptrackerIntake.parse("", body.as_bytes(), any).is_ok());
    let structure = json!({"project_id": 10002, "type": "funnel", "data": [], "action": "create"});
    assert_eq!(parse(&structure), Err(IntakeError::WrongAccount));
}

#[test]
fn deletion_may_hold_ids_only() {
    let facts = parse(&json!({"id": "1234", "action": "delete"})).unwrap();
    assert_eq!(facts[0].kind, EventKind::LeadDeleted);
    assert_eq!(facts[0].record.get(SystemField::Name.into()), None);
    assert_eq!(facts[0].related, []);
}

#[test]
fn structure_body_is_a_reason_to_refresh() {
    let body = json!({
        "project_id": 10001, "type": "custom", "data": [{"id": 133, "name": "Новое", "type": "text"}],
        "action": "update", "action_timestamp": STAMP,
    });
    let facts = parse(&body).unwrap();
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].kind, facts[0].key.to_string()),
        (EventKind::StructureChanged, "structure:10001".into())
    );
    assert_eq!(facts[0].dedupe, format!("structure:10001:custom:update:{STAMP}"));
}

fn refusal(content_type: &str, body: impl AsRef<[u8]>) -> IntakeError {
    LptrackerIntake
        .parse(content_type, body.as_ref(), IntakeContext::default())
        .unwrap_err()
}

fn check_place(content_type: &str, body: impl AsRef<[u8]>, place: usize) {
    match refusal(content_type, body) {
        IntakeError::Malformed { position, .. } => assert_eq!(position, place),
        other => panic!("{other}"),
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let json = "application/json";
    check_place(json, "", 0);
    check_place(json, "data=1", 0);
    check_place(json, r#"{"id":1,}"#, 8);
    check_place(json, "{\n\"id\":x}", 7);
    check_place(json, r#"{"id":1"#, 6);
    check_place(json, b"{\"id\":\"\xff\"}", 7);
    check_place(json, "[]", 0);
    check_place(json, "{}", 0);
    let form = "application/x-www-form-urlencoded";
    check_place(form, "name=x", 0);
    check_place(form, "a=1&data=%7B%2", 12);
    check_place(form, "data=%7B%FF", 8);
    check_place(form, "data=%7B%22id%22:x%7D", 17);
    check_place(form, "data=", 5);
    check_place(form, "data=1", 0);
}

#[test]
fn limits_hold() {
    assert_eq!(
        refusal("", vec![b'x'; MAX_BODY + 1]),
        IntakeError::TooLarge { limit: MAX_BODY }
    );
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(refusal("", &deep), IntakeError::TooDeep { limit: MAX_DEPTH });
    assert_eq!(
        refusal("", format!("data={deep}")),
        IntakeError::TooDeep { limit: MAX_DEPTH }
    );
    let text = json!({"id": 1, "action": "update", "name": "[".repeat(1000) + "\\\""}).to_string();
    assert!(
        LptrackerIntake
            .parse("", text.as_bytes(), IntakeContext::default())
            .is_ok()
    );
    let inside = json!({"data": deep}).to_string();
    assert_eq!(refusal("", inside), IntakeError::TooDeep { limit: MAX_DEPTH });
}
