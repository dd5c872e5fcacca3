//! Test cases over HTTP: kept beside the rule, and in the way of publishing when red.

use crate::harness::{TestApp, Wanted};
use crate::seeds::{case_form, seed};
use reqwest::Method;
use serde_json::json;
use storage::accounts::Role;

#[tokio::test(flavor = "multi_thread")]
async fn a_red_case_stands_in_the_way_of_publishing_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let seeds = seed(&app, &workspace).await;
        let editor = app.member(&workspace, Role::Editor).await;
        let path = format!("/api/v1/rules/{}", seeds.rule);
        let mut second = case_form();
        second["name"] = json!("не та сделка");
        second["expected"]["matches"] = json!(false);
        let made = editor.post(&format!("{path}/cases"), &second).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let listed = editor.get(&format!("{path}/cases")).await.json();
        let names: Vec<&str> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["любая сделка", "не та сделка"]);

        let publish = format!("{path}/publish");
        let version = editor.get(&path).await.json()["version"].clone();
        let refused = editor.edit(Method::POST, &publish, &version, &json!({})).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, "cases-failed")
        );
        let errors = refused.json()["errors"].clone();
        assert_eq!(errors.as_array().unwrap().len(), 1, "only the red one is named");
        assert_eq!(
            errors[0]["pointer"],
            format!("/cases/{}", made["id"].as_str().unwrap())
        );
        let text = errors[0]["detail"].as_str().unwrap();
        assert!(
            text.contains("«не та сделка»") && text.contains("срабатывает"),
            "{text}"
        );
        assert_eq!(editor.get(&path).await.json()["published_number"], 1);

        second["expected"]["matches"] = json!(true);
        let case = format!("{path}/cases/{}", made["id"].as_str().unwrap());
        let saved = editor.edit(Method::PUT, &case, &json!(0), &second).await;
        assert_eq!(saved.status, 200, "{saved:?}");
        let published = editor.edit(Method::POST, &publish, &version, &json!({})).await;
        assert_eq!(published.json()["published_number"], 2, "{published:?}");
        assert_eq!(
            editor
                .edit(Method::DELETE, &case, &json!(0), &json!({}))
                .await
                .status,
            204
        );
        assert_eq!(
            editor
                .edit(Method::DELETE, &case, &json!(0), &json!({}))
                .await
                .problem(),
            "not-found"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_without_a_name_or_beyond_measure_are_refused() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let seeds = seed(&app, &workspace).await;
    let editor = app.member(&workspace, Role::Editor).await;
    let path = format!("/api/v1/rules/{}/cases", seeds.rule);
    let mut nameless = case_form();
    nameless["name"] = json!("  ");
    let refused = editor.post(&path, &nameless).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/name", "{refused:?}");
    let mut huge = case_form();
    huge["facts"]["before"] = json!([["name", { "type": "text", "value": "я".repeat(200_000) }]]);
    let refused = editor.post(&path, &huge).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/facts", "{refused:?}");
    for n in 1..domain::case::MAX_CASES {
        let mut one = case_form();
        one["name"] = json!(format!("проверка {n}"));
        assert_eq!(editor.post(&path, &one).await.status, 201);
    }
    let refused = editor.post(&path, &case_form()).await;
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
    let strange = editor
        .post(&path, &json!({ "name": "x", "facts": {}, "expected": {} }))
        .await;
    assert_eq!(strange.problem(), "bad-request");
}
