//! Changes told as they happen, and what dead deliveries died of.

use crate::harness::{Answer, TestApp};
use crate::seeds::seed;
use reqwest::{Method, Response};
use std::time::Duration;
use storage::accounts::Role;

/// Reads the stream until it says this. The bound is for a defect, not for waiting.
async fn hear(stream: &mut Response, wanted: &str) -> String {
    let mut heard = String::new();
    let reading = async {
        while let Some(chunk) = stream.chunk().await.unwrap() {
            heard.push_str(&String::from_utf8_lossy(&chunk));
            if heard.contains(wanted) {
                return;
            }
        }
        panic!("the stream ended");
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(in_time.is_ok(), "no {wanted} in {heard}");
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_and_the_stream_ends_with_the_session() {
    for db in [test_db::sqlite().await, test_db::postgres().await] {
        let app = TestApp::start(db, crate::harness::Wanted::default()).await;
        let workspace = app.workspace("наш").await;
        let other = app.workspace("чужой").await;
        let mut person = app.member(&workspace, Role::Viewer).await;
        person.workspace = None;
        let path = format!("/api/v1/stream?workspace={}", workspace.id);
        let mut stream = person.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        hear(&mut stream, "retry:").await;

        seed(&app, &other).await;
        let quiet = hear(&mut stream, ": \n\n").await;
        assert!(quiet == ": \n\n", "another workspace is heard: {quiet}");

        seed(&app, &workspace).await;
        let told = hear(&mut stream, "deliveries").await;
        assert!(told.contains("event: changed"), "{told}");

        let path = format!("/api/v1/stream?workspace={}", other.id);
        assert_eq!(person.get(&path).await.status, 404);

        assert_eq!(person.delete("/api/v1/session").await.status, 204);
        hear(&mut stream, "event: ended").await;
        assert!(stream.chunk().await.unwrap().is_none(), "nothing follows the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_deliveries_are_grouped_by_cause() {
    for db in [test_db::sqlite().await, test_db::postgres().await] {
        let app = TestApp::start(db, crate::harness::Wanted::default()).await;
        let workspace = app.workspace("наш").await;
        let seeds = seed(&app, &workspace).await;
        let person = app.member(&workspace, Role::Editor).await;
        let causes: Answer = person.get("/api/v1/deliveries/causes").await;
        let causes = causes.json();
        assert_eq!(causes["items"].as_array().unwrap().len(), 1);
        assert_eq!(causes["items"][0]["n_dead"], 1);
        assert_eq!(causes["items"][0]["connection_id"], seeds.connection.to_string());

        let form = serde_json::json!({ "connection": seeds.connection });
        let made = person.post("/api/v1/deliveries/replay", &form).await.json();
        assert_eq!(made["n_replayed"], 1);
        let causes = person.get("/api/v1/deliveries/causes").await.json();
        assert_eq!(causes["items"], serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chronicle_needs_a_record_or_a_phone() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("наш").await;
    let seeds = seed(&app, &workspace).await;
    let person = app.member(&workspace, Role::Viewer).await;
    assert_eq!(person.get("/api/v1/chronicle").await.status, 400);
    assert_eq!(person.get("/api/v1/chronicle?record=%20").await.status, 400);
    let nobody = person.get("/api/v1/chronicle?phone=%2B79990000000").await.json();
    assert_eq!(
        (&nobody["items"], &nobody["records"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    let found = person
        .get("/api/v1/chronicle?record=5&record_kind=deal")
        .await
        .json();
    assert_eq!(found["items"][0]["event"]["id"], seeds.event.to_string());
    assert_eq!(
        found["items"][0]["deliveries"][0]["id"],
        seeds.delivery.to_string()
    );
    let other_kind = person
        .get("/api/v1/chronicle?record=5&record_kind=lead")
        .await
        .json();
    assert_eq!(other_kind["items"], serde_json::json!([]));
    let by_phone = person.get("/api/v1/events?phone=%2B79990000000").await.json();
    assert_eq!(by_phone["items"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_from_either_end() {
    for db in [test_db::sqlite().await, test_db::postgres().await] {
        let app = TestApp::start(db, crate::harness::Wanted::default()).await;
        let workspace = app.workspace("наш").await;
        seed(&app, &workspace).await;
        let person = app.member(&workspace, Role::Viewer).await;
        let ids = async |path: &str| -> Vec<String> {
            let page = person.get(path).await.json();
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|item| item["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let newest = ids("/api/v1/audit").await;
        let mut oldest = ids("/api/v1/audit?order=oldest").await;
        assert!(newest.len() >= 3, "{newest:?}");
        let first = person.get("/api/v1/audit?order=oldest&limit=2").await.json();
        let next = first["next"].as_str().unwrap();
        let second = ids(&format!("/api/v1/audit?order=oldest&limit=2&cursor={next}")).await;
        assert_eq!(second.first(), oldest.get(2));
        oldest.reverse();
        assert_eq!(oldest, newest);
        assert_eq!(ids("/api/v1/audit?to=1").await, Vec::<String>::new());
        assert_eq!(ids("/api/v1/audit?from=1").await, newest);
        assert_eq!(ids("/api/v1/events?order=oldest").await.len(), 1);
        assert_eq!(ids("/api/v1/deliveries?order=oldest").await.len(), 1);
        assert_eq!(person.get("/api/v1/events?order=sideways").await.status, 400);
    }
}
