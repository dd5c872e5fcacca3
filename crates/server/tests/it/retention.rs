//! How long things are kept, by API, and that what is older goes.

use crate::harness::{Answer, Caller, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn put(owner: &Caller, wish: &Value) -> Answer {
    owner
        .send(owner.request(Method::PUT, "/api/v1/retention").json(wish))
        .await
}

#[tokio::test]
async fn a_workspace_keeps_things_as_long_as_it_wants_and_no_longer_than_allowed() {
    let app = TestApp::demo().await;
    let owner = app.demo_person().await;
    let first = owner.get("/api/v1/retention").await.json();
    assert_eq!(first["bodies_days"], first["most_bodies_days"]);

    let wish = json!({ "bodies_days": 2, "history_days": 60_000 });
    let kept = put(&owner, &wish).await.json();
    assert_eq!(kept["bodies_days"], 2);
    assert_eq!(kept["history_days"], kept["most_history_days"]);
    assert_eq!(owner.get("/api/v1/retention").await.json(), kept);
    let told = owner.get("/api/v1/audit?subject_kind=workspace").await.json();
    assert_eq!(told["items"][0]["action"], "retention.changed", "{told}");

    let short = put(&owner, &json!({ "history_days": 6 })).await;
    assert_eq!(short.status, 422);
    assert_eq!(short.json()["errors"][0]["pointer"], "/history_days");
    assert_eq!(owner.get("/api/v1/retention").await.json(), kept);
}
