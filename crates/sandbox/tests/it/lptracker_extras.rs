//! Checklist: what hangs on a lead: comments, files, views.

use reqwest::Method;
use sandbox::lptracker as lpt;
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, PROJECT, custom};

#[tokio::test]
async fn comments_wait_until_the_lead_is_visible() {
    let lp = Lp::start().await;
    lp.set(|settings| settings.comment_visibility_seconds = 3);
    let id = lp.lead(json!({})).await;
    let path = format!("/lead/{id}/comment");
    let invalid = (400, "Invalid lead ID".to_owned());
    let text = || Some(json!({"text": "Из amoCRM", "options": {}}));
    for wait in [0, 1_000, 1_999] {
        lp.advance(wait);
        assert_eq!(lp.refusal(Method::POST, &path, text()).await, invalid);
    }
    lp.advance(1);
    let comment = lp.post(&path, text().unwrap()).await;
    let author = json!({"id": 0, "type": "main", "name": "Главный аккаунт"});
    assert_eq!(comment["author"], author);
    assert_eq!(comment["created_at"], "28.07.2026 17:58:23");
    assert_eq!(lp.get(&format!("/lead/{id}/comments")).await, json!([comment]));
    assert_eq!(lp.refusal(Method::POST, "/lead/1/comment", text()).await, invalid);
    assert_eq!(
        lp.refused(Method::POST, &path, Some(json!({"text": " "}))).await,
        400
    );
    lp.set(|settings| settings.null_results = true);
    assert_eq!(lp.post(&path, text().unwrap()).await, Value::Null);
    assert_eq!(lp.delete(&format!("/lead/{id}")).await, Value::Null);
}

#[tokio::test]
async fn files_go_up_and_come_back_only_by_their_id() {
    let lp = Lp::start().await;
    let id = lp.lead(json!({})).await;
    let field = lpt::DEMO_LPTRACKER_FIELD_FILE;
    let path = format!("/lead/{id}/file");
    let body = json!({"name": "act.txt", "mime": "text/plain", "data": "dGVzdA==", "custom_field_id": field});
    let file = lp.post(&path, body.clone()).await["id"].as_i64().unwrap();
    let back = lp.get(&format!("/lead/{id}/custom/{field}/file/{file}")).await;
    assert_eq!(
        back,
        json!({"id": file, "name": "act", "ext": "txt", "data": "dGVzdA=="})
    );
    let value = custom(&lp.get(&format!("/lead/{id}")).await, field);
    assert_eq!(value, json!({"name": "act.txt"}), "no usable file id here");
    for (key, wrong) in [
        ("data", json!("не base64")),
        ("name", json!("")),
        ("custom_field_id", json!(lpt::DEMO_LPTRACKER_FIELD_CITY)),
        ("custom_field_id", json!(1)),
    ] {
        let mut body = body.clone();
        body[key] = wrong;
        assert_eq!(lp.refused(Method::POST, &path, Some(body)).await, 400, "{key}");
    }
    assert_eq!(
        lp.refused(Method::GET, &format!("/lead/{id}/custom/{field}/file/1"), None)
            .await,
        404
    );
}

#[tokio::test]
async fn views_are_created_changed_deleted_and_used() {
    let lp = Lp::start().await;
    let view = lp
        .post(
            "/view",
            json!({"project_id": PROJECT, "source": "vk", "campaign": "c"}),
        )
        .await;
    assert_eq!(
        (&view["project_id"], &view["source"]),
        (&json!(PROJECT), &json!("vk"))
    );
    let path = format!("/view/{}", view["id"]);
    let changed = lp.put(&path, json!({"keyword": "окна"})).await;
    assert_eq!(
        (&changed["source"], &changed["keyword"]),
        (&json!("vk"), &json!("окна"))
    );
    let body = lp.lead_body(json!({"view_id": view["id"]})).await;
    let lead = lp.post("/lead", body).await["id"].clone();
    assert_eq!(lp.get(&format!("/lead/{lead}")).await["view"], changed);
    // Legacy keys on the top level.
    let legacy = lp
        .lead(json!({"source": "old", "campaign": "x", "keyword": "y"}))
        .await;
    assert_eq!(lp.get(&format!("/lead/{legacy}")).await["view"]["source"], "old");
    assert_eq!(lp.delete(&path).await, json!(true));
    assert_eq!(lp.refused(Method::GET, &path, None).await, 404);
    assert_eq!(lp.get(&format!("/lead/{lead}")).await["view"], Value::Null);
    assert_eq!(
        lp.refused(Method::POST, "/view", Some(json!({"source": "x"})))
            .await,
        400
    );
}
