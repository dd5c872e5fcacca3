//! Copies, exports, imports and templates over HTTP.

use crate::harness::{TestApp, Wanted};
use crate::seeds::seed;
use serde_json::{Value, json};
use storage::accounts::Role;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_goes_with_its_cases_into_another_workspace_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let (here, there) = (app.workspace("здесь").await, app.workspace("там").await);
        let (seeds, theirs) = (seed(&app, &here).await, seed(&app, &there).await);
        let editor = app.member(&here, Role::Editor).await;
        let path = format!("/api/v1/rules/{}", seeds.rule);

        let copy = editor.post(&format!("{path}/copy"), &json!({})).await;
        assert_eq!(copy.status, 201, "{copy:?}");
        let copy = copy.json();
        assert_eq!(copy["name"], "Правило (копия)");
        assert_eq!(copy["published_number"], Value::Null);
        let cases = format!("/api/v1/rules/{}/cases", copy["id"].as_str().unwrap());
        assert_eq!(
            editor.get(&cases).await.json()["items"][0]["name"],
            "любая сделка"
        );

        let exported = editor.get(&format!("{path}/export")).await;
        assert!(
            exported.header("content-disposition").contains("rule-"),
            "{exported:?}"
        );
        let mut document = exported.json();
        assert_eq!(document["connections"][0]["name"], "amoCRM");

        let stranger = app.member(&there, Role::Editor).await;
        let made = stranger.post("/api/v1/rules/import", &document).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!(made["unbound"], json!([]));
        assert_eq!(made["rule"]["source"], json!(theirs.connection));
        let cases = format!("/api/v1/rules/{}/cases", made["rule"]["id"].as_str().unwrap());
        assert_eq!(
            stranger.get(&cases).await.json()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );

        document["connections"][0]["kind"] = json!("lptracker");
        let made = stranger.post("/api/v1/rules/import", &document).await.json();
        assert_eq!(made["unbound"], json!(["подключение LPTracker «amoCRM»"]));
        assert_eq!(made["rule"]["diagnostics"][0]["code"], "gone_connection");

        document["version"] = json!(2);
        let refused = stranger.post("/api/v1/rules/import", &document).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], "/version", "{refused:?}");
        document["format"] = json!("другое");
        let refused = stranger.post("/api/v1/rules/import", &document).await;
        assert_eq!(refused.json()["errors"][0]["pointer"], "/format", "{refused:?}");
        let refused = stranger.post("/api/v1/rules/import", &json!([])).await;
        assert_eq!(refused.problem(), "bad-request");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_becomes_a_draft_bound_to_the_demo_accounts() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    let listed = person.get("/api/v1/templates").await.json();
    let n = listed["items"].as_array().unwrap().len();
    assert!(n >= 20, "{n} templates");
    let shown = person.get("/api/v1/templates/deal-to-calls").await.json();
    assert_eq!(shown["catalogues"].as_object().unwrap().len(), 2);
    let made = person
        .post("/api/v1/templates/deal-to-calls/use", &json!({}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!(made["unbound"], shown["unbound"]);
    let cases = format!("/api/v1/rules/{}/cases", made["rule"]["id"].as_str().unwrap());
    assert!(
        !person.get(&cases).await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        person.get("/api/v1/templates/no-such").await.problem(),
        "not-found"
    );
}
