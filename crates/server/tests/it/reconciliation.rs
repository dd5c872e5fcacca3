//! How far a connection is reconciled, and reading at once.

use crate::harness::{TestApp, Wanted};
use serde_json::json;

#[tokio::test]
async fn a_connection_tells_how_far_it_is_read_and_is_read_at_once() {
    let wanted = Wanted {
        demo: true,
        manual_clock: true,
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let person = app.demo_person().await;
    let list = person.get("/api/v1/connections").await.json();
    let path = format!("/api/v1/connections/{}", list["items"][0]["id"].as_str().unwrap());
    let card = person.get(&path).await.json();
    assert_eq!(card["reconciliation"]["is_under_way"], false);
    assert_eq!(card.get("expiry"), None, "доступу демонстрации конца не видно");

    app.engine().reconcile().await.unwrap();
    let clock = app.clock.as_ref().unwrap();
    clock.advance(60_000);
    let now = engine::clock::Clock::now(&**clock).0;
    let answer = person.post(&format!("{path}/reconcile"), &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json()["reconciliation"]["due_at"].as_i64().unwrap() <= now);
    assert_eq!(person.post(&format!("{path}/stop"), &json!({})).await.status, 200);
    let refused = person.post(&format!("{path}/reconcile"), &json!({})).await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "conflict"));
}
