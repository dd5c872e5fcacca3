//! Checklist: webhooks.

use reqwest::Method;
use sandbox::lptracker as lpt;
use sandbox::{Modes, Side};
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, NOW_MS, NOWHERE, PROJECT, Receiver, keys, payload};

async fn subscribed() -> Lp {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    lp
}

fn seen(hooks: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    hooks
        .iter()
        .map(|hook| (text(&hook["action"]), text(&hook["action_update_fields"])))
        .collect()
}

#[tokio::test]
async fn webhook_is_a_form_post_with_one_field() {
    let lp = Lp::start().await;
    let mut receiver = Receiver::start(true).await;
    lp.subscribe(&receiver.url).await;
    let id = lp.lead(json!({"name": "Заявка с сайта & «+»"})).await;
    let (head, body) = receiver.next().await;
    assert!(head.starts_with("post /hooks/secret http/1.1"), "{head}");
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    assert!(body.is_ascii());
    let hook = payload(&body);
    assert_eq!((&hook["id"], &hook["action"]), (&json!(id), &json!("create")));
    assert_eq!(hook["name"], "Заявка с сайта & «+»");
    assert_eq!(lp.attempts().await[0].status, Some(200));
}

#[tokio::test]
async fn lead_payload_has_the_documented_keys_and_numbers() {
    let lp = subscribed().await;
    let custom = json!({lpt::DEMO_LPTRACKER_FIELD_SOURCE.to_string(): "Сайт"});
    let payments = json!([{"category": "Услуги", "purpose": "Предоплата", "sum": 1500.5}]);
    let owner = lpt::DEMO_LPTRACKER_STAFF_ANNA;
    let id = lp
        .lead(json!({"custom": custom, "payments": payments, "owner": owner}))
        .await;
    let hooks = lp.hooks().await;
    let [hook] = hooks.as_slice() else {
        panic!("{hooks:?}")
    };
    let expected = [
        "action",
        "action_timestamp",
        "author",
        "calls_records",
        "capture_type",
        "contact",
        "contact_id",
        "created_at",
        "custom",
        "deal",
        "detail_id",
        "form",
        "id",
        "local_time",
        "name",
        "owner",
        "owner_id",
        "payments",
        "project_id",
        "stage",
        "stage_id",
        "view",
    ];
    assert_eq!(keys(hook), expected);
    assert_eq!(
        (&hook["id"], &hook["project_id"], &hook["deal"]),
        (&json!(id), &json!(PROJECT), &json!(1))
    );
    assert_eq!(hook["created_at"], NOW_MS / 1000);
    assert_eq!(hook["action_timestamp"], NOW_MS);
    let step = json!({"id": lpt::DEMO_LPTRACKER_STEP_PAYMENT, "name": "Оплата"});
    assert_eq!((&hook["stage"], &hook["stage_id"]), (&step, &step["id"]));
    assert_eq!(keys(&hook["author"]), ["id", "job", "name", "type"]);
    assert_eq!(hook["owner"]["last_project"], PROJECT);
    let detail = &hook["contact"]["contacts"][0];
    assert_eq!(
        (&detail["type"], &detail["data"]),
        (&json!("phone"), &json!("79990000001"))
    );
    assert!(
        detail["id"].is_i64() && hook["detail_id"] == detail["id"],
        "numbers here, text in REST"
    );
    assert!(hook["contact"].get("details").is_none());
    let payment = [
        "category_id",
        "category_name",
        "purpose_id",
        "purpose_name",
        "sum",
    ];
    assert_eq!(keys(&hook["payments"][0]), payment);
    assert_eq!(hook["payments"][0]["sum"], "1500.50");
    assert!(hook["view"].get("referrer").is_some() && hook["view"].get("referer").is_none());
    let source = hook["custom"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == "Источник")
        .unwrap();
    assert_eq!(source["value"], json!(["Сайт"]));
}

#[tokio::test]
async fn every_change_fires_once_and_says_what_changed() {
    let lp = subscribed().await;
    let id = lp.lead(json!({})).await;
    let [city, step] = [lpt::DEMO_LPTRACKER_FIELD_CITY, lpt::DEMO_LPTRACKER_STEP_REFUSED];
    lp.put(&format!("/lead/{id}/funnel"), json!({"funnel": step}))
        .await;
    lp.put(&format!("/lead/{id}/funnel"), json!({"funnel": step}))
        .await;
    lp.put(
        &format!("/lead/{id}/owner"),
        json!({"owner": lpt::DEMO_LPTRACKER_STAFF_IGOR}),
    )
    .await;
    lp.put(
        &format!("/lead/{id}"),
        json!({"name": "Б", "custom": {city.to_string(): "Тверь"}}),
    )
    .await;
    lp.put(&format!("/lead/{id}/custom/{city}"), json!({"value": "Псков"}))
        .await;
    lp.post(&format!("/lead/{id}/comment"), json!({"text": "к"}))
        .await;
    lp.post(
        &format!("/lead/{id}/payment"),
        json!({"category": "а", "purpose": "б", "sum": 1}),
    )
    .await;
    lp.delete(&format!("/lead/{id}")).await;
    let hooks = lp.hooks().await;
    let field = format!("custom.{city}");
    let expected = [
        ("create", ""),
        ("update", "stage.id"),
        ("update", "owner.id"),
        ("update", &format!("{field},name")),
        ("update", &field),
        ("update", "comments"),
        ("update", "payments,deal,stage.id"),
        ("delete", ""),
    ];
    assert_eq!(
        seen(&hooks),
        expected.map(|(action, fields)| (action.to_owned(), fields.to_owned()))
    );
    assert_eq!(
        keys(hooks.last().unwrap()),
        ["action", "action_timestamp", "contact_id", "id", "project_id"]
    );
    let stamps: Vec<i64> = hooks
        .iter()
        .map(|hook| hook["action_timestamp"].as_i64().unwrap())
        .collect();
    assert!(
        stamps.windows(2).all(|pair| pair[0] < pair[1]),
        "stamps never repeat: {stamps:?}"
    );
}

#[tokio::test]
async fn update_fields_may_be_an_array() {
    let lp = subscribed().await;
    let id = lp.lead(json!({})).await;
    lp.set(|settings| settings.update_fields_as_array = true);
    lp.put(
        &format!("/lead/{id}/owner"),
        json!({"owner": lpt::DEMO_LPTRACKER_STAFF_IGOR}),
    )
    .await;
    assert_eq!(lp.hooks().await[1]["action_update_fields"], json!(["owner.id"]));
}

#[tokio::test]
async fn own_writes_may_be_silent_while_people_are_heard() {
    let lp = subscribed().await;
    lp.set(|settings| settings.emit_for_api_writes = false);
    let id = lp.lead(json!({})).await;
    lp.put(
        &format!("/lead/{id}/funnel"),
        json!({"funnel": lpt::DEMO_LPTRACKER_STEP_REFUSED}),
    )
    .await;
    assert!(lp.hooks().await.is_empty());
    lp.sandbox
        .world
        .lptracker()
        .ui_move(id, lpt::DEMO_LPTRACKER_STEP_CALL_BACK)
        .unwrap();
    let hooks = lp.hooks().await;
    assert_eq!(seen(&hooks), [("update".to_owned(), "stage.id".to_owned())]);
    lp.set(|settings| settings.emit_for_comments = false);
    lp.sandbox
        .world
        .lptracker()
        .ui_comment(id, "Тихо", lpt::DEMO_LPTRACKER_STAFF_ANNA)
        .unwrap();
    assert!(lp.hooks().await.is_empty());
}

#[tokio::test]
async fn several_receivers_each_get_their_copy_and_other_projects_none() {
    let lp = subscribed().await;
    let second = format!("{NOWHERE}/second");
    lp.subscribe(&second).await;
    lp.lead(json!({})).await;
    let mut urls: Vec<String> = lp
        .attempts()
        .await
        .into_iter()
        .map(|attempt| attempt.path)
        .collect();
    urls.sort();
    assert_eq!(urls, [NOWHERE.to_owned(), second]);
    let contact = json!({
        "project_id": lpt::DEMO_LPTRACKER_SECOND_PROJECT, "details": [{"type": "phone", "data": "79990000005"}],
    });
    lp.post(
        "/lead",
        json!({"contact": contact, "name": "Чужая", "callback": false}),
    )
    .await;
    assert!(lp.hooks().await.is_empty());
}

#[tokio::test]
async fn contact_changes_reach_the_receivers_of_its_leads() {
    let lp = subscribed().await;
    let id = lp.lead(json!({})).await;
    let contact = lp.get(&format!("/lead/{id}")).await["contact"].clone();
    lp.hooks().await;
    let detail = contact["details"][0]["id"].as_str().unwrap().to_owned();
    lp.put(
        &format!("/contact/details/{detail}"),
        json!({"value": "+79995550000"}),
    )
    .await;
    let hooks = lp.hooks().await;
    assert_eq!(seen(&hooks), [("update".to_owned(), "contact".to_owned())]);
    assert_eq!(hooks[0]["contact"]["contacts"][0]["data"], "79995550000");
}

#[tokio::test]
async fn structure_changes_go_to_their_own_receivers() {
    let lp = subscribed().await;
    let url = "http://127.0.0.1:9/structure";
    lp.put(
        &format!("/project/{PROJECT}/project-callback-url"),
        json!({"url": url}),
    )
    .await;
    let create = format!("/custom/{PROJECT}/create");
    let field = lp
        .post(&create, json!({"name": "Новое поле", "type": "text"}))
        .await["id"]
        .clone();
    let add = json!({"name": "Думает", "project_id": PROJECT});
    let step = lp.control(Method::POST, "ui/step/add", Some(add)).await["id"].clone();
    lp.control(
        Method::POST,
        "ui/step/rename",
        Some(json!({"step_id": step, "name": "Решает"})),
    )
    .await;
    lp.control(Method::POST, "ui/step/remove", Some(json!({"step_id": step})))
        .await;
    lp.control(Method::POST, "ui/field/remove", Some(json!({"field_id": field})))
        .await;
    let attempts = lp.attempts().await;
    assert!(attempts.iter().all(|attempt| attempt.path == url));
    let hooks: Vec<Value> = attempts.iter().map(|attempt| payload(&attempt.body)).collect();
    assert_eq!(
        keys(&hooks[0]),
        ["action", "action_timestamp", "data", "project_id", "type"]
    );
    let told: Vec<(&str, &str)> = hooks
        .iter()
        .map(|h| (h["type"].as_str().unwrap(), h["action"].as_str().unwrap()))
        .collect();
    let expected = [
        ("custom", "create"),
        ("funnel", "create"),
        ("funnel", "update"),
        ("funnel", "delete"),
        ("custom", "delete"),
    ];
    assert_eq!(told, expected);
    assert_eq!(hooks[2]["data"][0]["name"], "Решает");
    assert_eq!(hooks[4]["data"][0]["id"], field);
}

#[tokio::test]
async fn webhooks_may_be_doubled_and_reordered() {
    let lp = subscribed().await;
    let world = &lp.sandbox.world;
    let mode = |modes: Modes| {
        world
            .emitter
            .set_modes(Side::Lptracker, modes, world.clock.now_ms())
    };
    mode(Modes {
        duplicate: true,
        ..Modes::default()
    });
    let id = lp.lead(json!({})).await;
    let hooks = lp.hooks().await;
    assert_eq!(hooks.len(), 2);
    assert_eq!(
        hooks[0], hooks[1],
        "a repeated delivery is the same to the last byte"
    );
    mode(Modes {
        reorder: true,
        ..Modes::default()
    });
    let [refused, back] = [
        lpt::DEMO_LPTRACKER_STEP_REFUSED,
        lpt::DEMO_LPTRACKER_STEP_CALL_BACK,
    ];
    for step in [refused, back] {
        lp.put(&format!("/lead/{id}/funnel"), json!({"funnel": step}))
            .await;
    }
    let mut hooks = lp.hooks().await;
    assert_eq!(hooks.len(), 1, "the other one is late");
    lp.advance(1_000);
    hooks.extend(lp.hooks().await);
    let steps: Vec<i64> = hooks
        .iter()
        .map(|hook| hook["stage_id"].as_i64().unwrap())
        .collect();
    assert_eq!(steps, [back, refused]);
}

#[tokio::test]
async fn attempts_are_one_by_default_and_more_by_switch() {
    let lp = subscribed().await;
    lp.lead(json!({})).await;
    lp.attempts().await;
    lp.advance(3_600_000);
    assert!(lp.attempts().await.is_empty(), "a failed webhook is not repeated");
    lp.set(|settings| (settings.webhook_retries, settings.webhook_retry_pause_ms) = (2, 1_000));
    lp.lead(json!({})).await;
    let mut numbers = Vec::new();
    for _ in 0..4 {
        numbers.extend(lp.attempts().await.into_iter().map(|attempt| attempt.attempt));
        lp.advance(1_000);
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn silent_receiver_is_given_up_after_the_time_limit() {
    let lp = Lp::start().await;
    assert_eq!(
        lp.sandbox.world.lptracker().settings.webhook_timeout_ms,
        10_000,
        "ten seconds by contract"
    );
    lp.set(|settings| settings.webhook_timeout_ms = 50);
    let mut receiver = Receiver::start(false).await;
    lp.subscribe(&receiver.url).await;
    lp.lead(json!({})).await;
    receiver.next().await;
    let attempts = lp.attempts().await;
    assert_eq!((attempts.len(), attempts[0].status), (1, Some(0)));
}
