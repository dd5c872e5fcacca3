//! Timers, starts by hand and great replays over HTTP, against the sandbox CRMs.

use crate::harness::{Caller, TestApp};
use serde_json::{Value, json};

async fn settle(app: &TestApp) {
    for _ in 0..50 {
        let n = app.engine().sweep().await.unwrap() + app.engine().step().await.unwrap();
        if n == 0 {
            return;
        }
    }
    panic!("обход не кончается");
}

/// Publishes a rule that notes what it is started on.
async fn published(person: &Caller) -> (String, Value) {
    let connections = person.get("/api/v1/connections").await.json();
    let amo = connections["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "amocrm")
        .unwrap()["id"]
        .clone();
    let path = format!("/api/v1/connections/{}/catalogue", amo.as_str().unwrap());
    let catalogue = person.get(&path).await.json();
    let pipeline = &catalogue["catalogue"]["pipelines"][0];
    let stage = json!({ "pipeline": pipeline["id"], "status": pipeline["stages"][1]["id"] });
    let draft = json!({
        "name": "Пометить", "source": amo, "condition": { "all": [] },
        "triggers": [{ "kind": "manual" }, { "kind": "scheduled", "schedule": { "cron": "0 9 * * *", "stages": [stage] } }],
        "actions": [{ "do": "add_note", "connection": amo, "target": "trigger", "text": { "template": "отмечено" } }],
    });
    let made = person
        .post("/api/v1/rules", &json!({ "draft": draft }))
        .await
        .json();
    let path = format!("/api/v1/rules/{}", made["id"].as_str().unwrap());
    let published = person
        .edit(
            reqwest::Method::POST,
            &format!("{path}/publish"),
            &made["version"],
            &json!({}),
        )
        .await;
    assert_eq!(published.status, 200, "{published:?}");
    (path, stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_started_on_a_stage_and_tells_when_it_runs_next() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let (path, stage) = published(&person).await;
    let next = person.get(&format!("{path}/schedule")).await.json();
    assert_eq!(next["next"].as_array().unwrap().len(), 1);

    let form = json!({ "stages": [stage] });
    let counted = person.post(&format!("{path}/start-by-hand/preview"), &form).await;
    assert_eq!(counted.status, 200, "{counted:?}");
    let n = counted.json()["n"].as_u64().unwrap();
    assert!(n > 0, "the demo has deals on its second stage");
    assert_eq!(counted.json()["complete"], true);
    let started = person.post(&format!("{path}/start-by-hand"), &form).await;
    assert_eq!(started.status, 201, "{started:?}");
    settle(&app).await;
    let rule = path.rsplit('/').next().unwrap();
    let listed = person.get(&format!("/api/v1/sweeps?rule={rule}")).await.json();
    assert_eq!(listed["items"][0]["state"], "done", "{listed}");
    assert_eq!(listed["items"][0]["n_events"], n);
    let events = person.get("/api/v1/events?kind=manual").await.json();
    assert_eq!(events["items"].as_array().unwrap().len() as u64, n);
    let ended = format!(
        "/api/v1/sweeps/{}/cancel",
        listed["items"][0]["id"].as_str().unwrap()
    );
    assert_eq!(person.post(&ended, &json!({})).await.problem(), "stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_stage_is_walked_too() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let connections = person.get("/api/v1/connections").await.json();
    let items = connections["items"].as_array().unwrap();
    let lpt = items.iter().find(|one| one["kind"] == "lptracker").unwrap()["id"].clone();
    let draft = json!({
        "name": "Лиды", "source": lpt, "condition": { "all": [] }, "triggers": [{ "kind": "manual" }],
        "actions": [{ "do": "stop", "reason": "только посмотреть" }],
    });
    let made = person
        .post("/api/v1/rules", &json!({ "draft": draft }))
        .await
        .json();
    let path = format!("/api/v1/rules/{}", made["id"].as_str().unwrap());
    person
        .edit(
            reqwest::Method::POST,
            &format!("{path}/publish"),
            &made["version"],
            &json!({}),
        )
        .await;
    let counted = person
        .post(&format!("{path}/start-by-hand/preview"), &json!({}))
        .await;
    assert_eq!(counted.status, 200, "{counted:?}");
    assert!(counted.json()["n"].as_u64().unwrap() > 0, "the demo has leads");
    let refused = person
        .post(&format!("{path}/start-by-hand"), &json!({ "records": [] }))
        .await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/records", "{refused:?}");
}
