//! Rules over HTTP: drafts, versions, edits that meet, creations that repeat.

use crate::harness::{Answer, Caller, TestApp, Wanted};
use crate::seeds::{rule, seed};
use reqwest::Method;
use serde_json::{Value, json};
use storage::accounts::Role;

async fn create(caller: &Caller, draft: &Value, key: Option<&str>) -> Answer {
    let mut request = caller.request(Method::POST, "/api/v1/rules");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    caller.send(request.json(&json!({ "draft": draft }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_lives_from_draft_to_restored_version_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let seeds = seed(&app, &workspace).await;
        let editor = app.member(&workspace, Role::Editor).await;
        let mut draft = serde_json::to_value(rule(seeds.connection)).unwrap();
        let made = create(&editor, &draft, None).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!(made["published_number"], Value::Null);
        let path = format!("/api/v1/rules/{}", made["id"].as_str().unwrap());

        let published = editor
            .edit(
                Method::POST,
                &format!("{path}/publish"),
                &made["version"],
                &json!({}),
            )
            .await;
        assert_eq!(published.status, 200, "{published:?}");
        assert_eq!(published.json()["published_number"], 1);
        assert_eq!(published.json()["has_changes"], false);

        draft["name"] = json!("Другое имя");
        let version = published.json()["version"].clone();
        let saved = editor
            .edit(Method::PUT, &path, &version, &json!({ "draft": draft }))
            .await;
        assert_eq!(saved.status, 200, "{saved:?}");
        assert_eq!(saved.json()["has_changes"], true);
        assert_eq!(saved.header("etag"), format!("\"{}\"", saved.json()["version"]));
        let meeting = editor
            .edit(Method::PUT, &path, &version, &json!({ "draft": draft }))
            .await;
        assert_eq!(meeting.problem(), "stale");
        let blind = editor
            .send(
                editor
                    .request(Method::PUT, &path)
                    .json(&json!({ "draft": draft })),
            )
            .await;
        assert_eq!(blind.problem(), "precondition-required");

        let version = saved.json()["version"].clone();
        let second = editor
            .edit(Method::POST, &format!("{path}/publish"), &version, &json!({}))
            .await;
        assert_eq!(second.json()["published_number"], 2);
        let versions = editor.get(&format!("{path}/versions")).await.json();
        assert_eq!(versions["items"][0]["number"], 2);
        assert_eq!(versions["items"][0]["current"], true);
        assert_eq!(versions["items"][0]["published_by"], "Editor");
        let old = versions["items"][1]["id"].as_str().unwrap();
        let old_path = format!("{path}/versions/{old}");
        assert_eq!(editor.get(&old_path).await.json()["document"]["name"], "Правило");
        let version = second.json()["version"].clone();
        let restored = editor
            .edit(Method::POST, &format!("{old_path}/restore"), &version, &json!({}))
            .await;
        assert_eq!(restored.json()["name"], "Правило");
        assert_eq!(
            restored.json()["published_number"],
            2,
            "restoring publishes nothing"
        );

        let version = restored.json()["version"].clone();
        let stale = editor.edit(Method::DELETE, &path, &json!(1), &json!({})).await;
        assert_eq!(stale.problem(), "stale");
        assert_eq!(
            editor
                .edit(Method::DELETE, &path, &version, &json!({}))
                .await
                .status,
            204
        );
        assert_eq!(editor.get(&path).await.problem(), "not-found");
        let audit = editor
            .get(&format!(
                "/api/v1/audit?subject_id={}",
                made["id"].as_str().unwrap()
            ))
            .await
            .json();
        let actions: Vec<&str> = audit["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        assert_eq!(
            actions,
            [
                "rule.deleted",
                "rule.restored",
                "rule.published",
                "rule.changed",
                "rule.published",
                "rule.created"
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_with_mistakes_is_kept_but_not_published() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let seeds = seed(&app, &workspace).await;
    let editor = app.member(&workspace, Role::Editor).await;
    let mut draft = serde_json::to_value(rule(seeds.connection)).unwrap();
    draft["triggers"] = json!([]);
    draft["source"] = json!("00000000-0000-7000-8000-000000000000");
    let made = create(&editor, &draft, None).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert!(!made["diagnostics"].as_array().unwrap().is_empty(), "{made}");
    let path = format!("/api/v1/rules/{}/publish", made["id"].as_str().unwrap());
    let refused = editor
        .edit(Method::POST, &path, &made["version"], &json!({}))
        .await;
    assert_eq!(refused.problem(), "invalid");
    let errors = refused.json()["errors"].clone();
    assert!(
        errors
            .as_array()
            .unwrap()
            .iter()
            .all(|error| error["pointer"].as_str().unwrap().starts_with('/'))
    );
    let checked = editor
        .post("/api/v1/rules/validate", &json!({ "draft": draft }))
        .await
        .json();
    assert_eq!(checked["publishable"], false);
    let nameless = json!({ "name": " ", "source": seeds.connection, "triggers": [], "condition": { "all": [] },
        "actions": [] });
    assert_eq!(
        create(&editor, &nameless, None).await.json()["errors"][0]["pointer"],
        "/draft/name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_makes_one_rule_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let editor = app.member(&workspace, Role::Editor).await;
        let mut draft = serde_json::to_value(rule(domain::id::ConnectionId(engine::new_id()))).unwrap();
        let first = create(&editor, &draft, Some("k-1")).await;
        let second = create(&editor, &draft, Some("k-1")).await;
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!(first.json(), second.json());
        assert_eq!(second.header("idempotent-replay"), "true");
        assert_eq!(
            editor.get("/api/v1/rules").await.json()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        draft["name"] = json!("Другое");
        assert_eq!(
            create(&editor, &draft, Some("k-1")).await.problem(),
            "request-key-reused"
        );
        // A refused creation does not use its key up.
        draft["name"] = json!("");
        assert_eq!(create(&editor, &draft, Some("k-2")).await.problem(), "invalid");
        draft["name"] = json!("Годное");
        assert_eq!(create(&editor, &draft, Some("k-2")).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_put_in_order_all_or_none() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let editor = app.member(&workspace, Role::Editor).await;
    let draft = serde_json::to_value(rule(domain::id::ConnectionId(engine::new_id()))).unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&editor, &draft, None).await.json()["id"].clone());
    }
    ids.reverse();
    assert_eq!(
        editor
            .post("/api/v1/rules/reorder", &json!({ "rules": ids }))
            .await
            .status,
        204
    );
    let listed = editor.get("/api/v1/rules").await.json();
    let order: Vec<Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].clone())
        .collect();
    assert_eq!(order, ids);
    ids.pop();
    assert_eq!(
        editor
            .post("/api/v1/rules/reorder", &json!({ "rules": ids }))
            .await
            .problem(),
        "invalid"
    );
}

/// A received event is offered for trying with what is known, a pasted body is read and not kept, and two
/// documents are compared in words.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_tried_and_compared_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let seeds = seed(&app, &workspace).await;
        let viewer = app.member(&workspace, Role::Viewer).await;

        let list = viewer
            .get(&format!("/api/v1/trial-events?connection={}", seeds.connection))
            .await
            .json();
        assert_eq!(list["items"][0]["event"]["id"], json!(seeds.event));
        let one = viewer.get(&format!("/api/v1/trial-events/{}", seeds.event)).await.json();
        assert_eq!(one["facts"]["kind"], list["items"][0]["event"]["kind"]);
        assert_eq!(one["facts"]["records"][0]["source"], "event");

        let paste = |body: &'static str| {
            let form = json!({ "connection_id": seeds.connection, "body": body });
            viewer.send(viewer.request(Method::POST, "/api/v1/trial-events/read").json(&form))
        };
        let body = "account[id]=1&leads[add][0][id]=77&leads[add][0][name]=%D0%94%D0%BE%D0%BC&leads[add][0][price]=5";
        let read = paste(body).await.json();
        assert_eq!(read["items"][0]["facts"]["kind"], "deal_created", "{read}");
        assert_eq!(read["items"][0]["event"], Value::Null);
        assert_eq!(paste("{").await.problem(), "bad-request");
        let events = viewer.get("/api/v1/events").await.json();
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "nothing was kept");

        let before = serde_json::to_value(rule(seeds.connection)).unwrap();
        let mut after = before.clone();
        after["name"] = json!("Другое");
        let form = json!({ "before": before, "after": after });
        let changes = viewer
            .send(viewer.request(Method::POST, "/api/v1/rules/compare").json(&form))
            .await
            .json();
        assert_eq!(changes["items"][0]["text"], "название: «Правило» → «Другое»");
        assert_eq!(changes["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_closes_a_certain_cycle_needs_a_word_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let seeds = seed(&app, &workspace).await;
        let editor = app.member(&workspace, Role::Editor).await;
        let draft = json!({
            "name": "Примечание на примечание", "source": seeds.connection,
            "triggers": [{ "kind": "note_added" }], "condition": { "all": [] },
            "actions": [{ "do": "add_note", "target": "trigger", "text": { "template": "ещё одно" } }],
        });
        let made = create(&editor, &draft, None).await.json();
        let codes = |list: &Value| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|found| found["code"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(codes(&made["diagnostics"]), ["cycle_certain"]);
        let path = format!("/api/v1/rules/{}/publish", made["id"].as_str().unwrap());
        let refused = editor
            .edit(Method::POST, &path, &made["version"], &json!({}))
            .await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (409, "certain-cycle")
        );
        assert_eq!(codes(&refused.json()["errors"]), ["cycle_certain"]);
        let path = format!("{path}?accept_cycles=true");
        let published = editor
            .edit(Method::POST, &path, &made["version"], &json!({}))
            .await;
        assert_eq!(published.status, 200, "{published:?}");

        let cycles = editor
            .send(editor.request(Method::GET, "/api/v1/rules/cycles"))
            .await;
        assert_eq!(cycles.status, 200, "{cycles:?}");
        let cycles = cycles.json();
        assert_eq!(cycles["complete"], true);
        assert_eq!(cycles["cycles"][0]["certain"], true);
        assert_eq!(cycles["cycles"][0]["steps"][0]["rule_id"], made["id"]);
        let check = json!({ "draft": draft, "rule_id": made["id"] });
        let checked = editor
            .send(
                editor
                    .request(Method::POST, "/api/v1/rules/validate")
                    .json(&check),
            )
            .await;
        assert_eq!(codes(&checked.json()["diagnostics"]), ["cycle_certain"]);
        assert_eq!(checked.json()["publishable"], true);
    })
    .await;
}
