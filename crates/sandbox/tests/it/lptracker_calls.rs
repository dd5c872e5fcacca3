//! Checklist: calls, their outcomes and recordings.

use reqwest::Method;
use sandbox::lptracker::{self as lpt, CallOutcome};
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, NOW_MS, NOWHERE, custom, keys};

async fn step_of(lp: &Lp, id: i64) -> i64 {
    custom(
        &lp.get(&format!("/lead/{id}")).await,
        lpt::DEMO_LPTRACKER_FIELD_FUNNEL,
    )
    .as_i64()
    .expect("the documented type")
}

async fn calls(lp: &Lp, id: i64) -> Vec<Value> {
    lp.get(&format!("/lead/{id}/calls"))
        .await
        .as_array()
        .expect("the documented type")
        .clone()
}

/// Lets the call end and checks what it leaves: an item, a step, one webhook.
async fn ends_well(lp: &Lp, id: i64, started_on: i64) {
    lp.hooks().await;
    lp.advance(2_999);
    assert!(calls(lp, id).await.is_empty(), "it is still ringing");
    assert_eq!(step_of(lp, id).await, started_on);
    assert!(lp.hooks().await.is_empty());
    lp.advance(1);
    let calls = calls(lp, id).await;
    let [call] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    let expected = [
        "disposition",
        "duration",
        "linkedid",
        "owner",
        "owner_id",
        "record",
        "time",
        "type",
    ];
    assert_eq!(keys(call), expected);
    assert_eq!(
        (&call["disposition"], &call["type"]),
        (&json!("ANSWER"), &json!("outgoing"))
    );
    assert_eq!(call["time"], (NOW_MS + 3_000) / 1000);
    assert!(call["linkedid"].is_string() && call["duration"].as_i64().expect("the documented type") > 0);
    assert_eq!(call["owner"], Value::Null);
    assert_eq!(step_of(lp, id).await, lpt::DEMO_LPTRACKER_STEP_INTEREST);
    let hooks = lp.hooks().await;
    let [hook] = hooks.as_slice() else {
        panic!("one webhook for the whole call: {hooks:?}")
    };
    assert_eq!(hook["action_update_fields"], "calls_records,stage.id");
    assert_eq!(hook["stage"]["name"], "Интерес подтвержден");
    let record = ["duration", "linkedid", "owner_id", "record", "time", "type"];
    assert_eq!(keys(&hook["calls_records"][0]), record);
    assert_eq!(hook["calls_records"][0]["linkedid"], call["linkedid"]);
}

#[tokio::test]
async fn callback_calls_right_after_creation() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let id = lp.lead(json!({"callback": true})).await;
    ends_well(&lp, id, lpt::DEMO_LPTRACKER_STEP_NEW).await;
}

#[tokio::test]
async fn a_call_may_be_asked_for() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let id = lp.lead(json!({})).await;
    assert_eq!(lp.post(&format!("/lead/{id}/call"), json!({})).await, json!(true));
    ends_well(&lp, id, lpt::DEMO_LPTRACKER_STEP_NEW).await;
}

#[tokio::test]
async fn robot_calls_whoever_is_put_on_its_step() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let id = lp.lead(json!({})).await;
    let robot = lpt::DEMO_LPTRACKER_STEP_ROBOT;
    lp.put(&format!("/lead/{id}/funnel"), json!({"funnel": robot}))
        .await;
    ends_well(&lp, id, robot).await;
}

#[tokio::test]
async fn calls_end_by_themselves_without_any_request() {
    let lp = Lp::start().await;
    lp.subscribe(NOWHERE).await;
    let id = lp.lead(json!({"funnel": lpt::DEMO_LPTRACKER_STEP_ROBOT})).await;
    lp.hooks().await;
    let mut feed = lp.sandbox.world.journal.subscribe();
    lp.advance(3_000);
    let delivered = tokio::time::timeout(std::time::Duration::from_secs(10), feed.recv()).await;
    let delivered = delivered
        .expect("a webhook in time")
        .expect("the journal goes on");
    assert_eq!(crate::lptracker_kit::payload(&delivered.body)["id"], id);
}

#[tokio::test]
async fn omitted_or_false_callback_does_not_call_and_the_step_must_still_be_the_robots() {
    let lp = Lp::start().await;
    let silent = lp.lead(json!({"callback": false})).await;
    let contact = lp.contact("79990000003").await;
    let omitted = lp
        .post("/lead", json!({"contact_id": contact, "name": "x"}))
        .await["id"]
        .as_i64()
        .unwrap();
    let taken = lp.lead(json!({"funnel": lpt::DEMO_LPTRACKER_STEP_ROBOT})).await;
    lp.put(
        &format!("/lead/{taken}/funnel"),
        json!({"funnel": lpt::DEMO_LPTRACKER_STEP_REFUSED}),
    )
    .await;
    lp.advance(60_000);
    for id in [silent, omitted, taken] {
        assert!(calls(&lp, id).await.is_empty());
    }
    assert_eq!(step_of(&lp, taken).await, lpt::DEMO_LPTRACKER_STEP_REFUSED);
    lp.set(|settings| settings.callback_when_omitted = true);
    let dialled = lp
        .post("/lead", json!({"contact_id": contact, "name": "x"}))
        .await["id"]
        .as_i64()
        .unwrap();
    lp.advance(60_000);
    assert_eq!(calls(&lp, dialled).await.len(), 1);
}

#[tokio::test]
async fn outcomes_are_scripted_for_the_next_calls() {
    let lp = Lp::start().await;
    for outcome in [
        json!({"disposition": "BUSY", "step": "недозвон", "phone": "+7 999 000-00-77"}),
        json!({"disposition": "NOANSWER", "duration": 30, "step_id": lpt::DEMO_LPTRACKER_STEP_CALL_BACK}),
        json!({"direction": "incoming", "duration": 128, "owner_id": lpt::DEMO_LPTRACKER_STAFF_ANNA,
               "comment": "Просил перезвонить"}),
    ] {
        lp.control(Method::POST, "ui/call-outcome", Some(outcome)).await;
    }
    let id = lp.lead(json!({})).await;
    for _ in 0..2 {
        lp.post(&format!("/lead/{id}/call"), json!({})).await;
        lp.advance(3_000);
    }
    let items = calls(&lp, id).await;
    let ends: Vec<&str> = items
        .iter()
        .map(|call| call["disposition"].as_str().unwrap())
        .collect();
    assert_eq!(ends, ["ANSWER", "NOANSWER"], "newest first");
    assert_eq!(
        (&items[1]["duration"], &items[1]["record"]),
        (&json!(0), &Value::Null),
        "nobody talked"
    );
    assert_eq!(step_of(&lp, id).await, lpt::DEMO_LPTRACKER_STEP_CALL_BACK);
    assert_eq!(items[0]["owner_id"], lpt::DEMO_LPTRACKER_STAFF_ANNA);
    let comments = lp.get(&format!("/lead/{id}/comments")).await;
    assert_eq!(comments[0]["text"], "Просил перезвонить");
    lp.set(|settings| settings.calls_records_in_lead = true);
    let read = lp.get(&format!("/lead/{id}")).await;
    assert_eq!(
        read["calls_records"][1]["type"], "incomming",
        "the service's own spelling"
    );
    // The first script waits for its phone.
    let body = json!({"contact": {"project_id": lpt::DEMO_LPTRACKER_PROJECT,
        "details": [{"type": "phone", "data": "79990000077"}]}, "name": "x", "callback": true});
    let other = lp.post("/lead", body).await["id"].as_i64().unwrap();
    lp.advance(3_000);
    assert_eq!(calls(&lp, other).await[0]["disposition"], "BUSY");
    assert_eq!(step_of(&lp, other).await, lpt::DEMO_LPTRACKER_STEP_NO_ANSWER);
}

#[tokio::test]
async fn an_outcome_for_a_lead_ends_its_call_at_once() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({"funnel": lpt::DEMO_LPTRACKER_STEP_ROBOT})).await;
    let outcome = json!({"lead_id": id, "disposition": "ANSWER", "duration": 15, "step": "Отказ"});
    lp.control(Method::POST, "ui/call-outcome", Some(outcome)).await;
    lp.advance(60_000);
    assert_eq!(calls(&lp, id).await.len(), 1, "the ringing call was this one");
    assert_eq!(step_of(&lp, id).await, lpt::DEMO_LPTRACKER_STEP_REFUSED);
    let outcome = CallOutcome {
        step: Some("Нет такого шага".into()),
        ..CallOutcome::default()
    };
    assert!(
        lp.sandbox
            .world
            .lptracker()
            .ui_call_outcome(id, &outcome)
            .is_err()
    );
    let mistyped = json!({"lead_id": id, "dispositoin": "ANSWER"});
    assert_eq!(
        lp.control_answer(Method::POST, "ui/call-outcome", Some(mistyped))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn old_calls_fall_out_of_the_list() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({"callback": true})).await;
    lp.advance(3_000);
    assert_eq!(calls(&lp, id).await.len(), 1);
    lp.set(|settings| settings.token_hours = 100_000);
    lp.advance(366 * 86_400_000);
    assert!(calls(&lp, id).await.is_empty());
}

#[tokio::test]
async fn recordings_come_whole_and_in_ranges() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({"callback": true})).await;
    lp.advance(3_000);
    let url = calls(&lp, id).await[0]["record"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&lp.sandbox.lptracker_url), "{url}");
    let whole = lp.raw(&url, None).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-type"], "application/octet-stream");
    let whole = whole.bytes().await.unwrap();
    assert_eq!((&whole[..4], &whole[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    let size = u32::from_le_bytes(whole[4..8].try_into().unwrap()) as usize;
    assert_eq!(size + 8, whole.len());
    let part = lp.raw(&url, Some("bytes=4-11")).await;
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"],
        format!("bytes 4-11/{}", whole.len()).as_str()
    );
    assert_eq!(part.bytes().await.unwrap(), whole[4..12]);
    let past = lp.raw(&url, Some(&format!("bytes={}-", whole.len()))).await;
    assert_eq!(past.status(), 416);
    assert_eq!(lp.raw(&url.replace(".wav", "9.wav"), None).await.status(), 404);
}
