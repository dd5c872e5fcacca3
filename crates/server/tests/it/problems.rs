//! Whatever is refused is refused with a problem of ours.

use crate::harness::{Caller, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use storage::accounts::Role;

async fn check(caller: &Caller, method: Method, path: &str, status: u16, kind: &str) {
    let answer = caller.send(caller.request(method.clone(), path)).await;
    assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    assert_eq!(answer.problem(), kind, "{method} {path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_with_a_problem() {
    let app = TestApp::empty().await;
    let anonymous = app.anonymous();
    let document: Value = serde_json::from_str(server::openapi::text()).unwrap();
    let mut n_refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = anonymous.send(anonymous.request(method, &path)).await;
            if answer.status >= 400 {
                answer.problem();
                n_refused += 1;
            }
        }
    }
    assert!(n_refused > 40, "{n_refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edges_refuse_with_problems() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let owner = app.member(&workspace, Role::Owner).await;
    check(&owner, Method::GET, "/api/v1/nothing", 404, "not-found").await;
    check(&owner, Method::GET, "/nothing", 404, "not-found").await;
    check(&owner, Method::PATCH, "/api/v1/rules", 405, "method-not-allowed").await;
    check(&owner, Method::GET, "/hooks/amocrm/x", 405, "method-not-allowed").await;
    check(&owner, Method::GET, "/api/v1/rules/x", 404, "not-found").await;
    check(
        &owner,
        Method::GET,
        "/api/v1/events?limit=many",
        400,
        "bad-request",
    )
    .await;
    check(&owner, Method::GET, "/api/v1/events?limit=0", 400, "bad-request").await;
    check(&owner, Method::GET, "/api/v1/events?cursor=x", 400, "bad-request").await;
    check(&owner, Method::GET, "/api/v1/events?kind=x", 400, "bad-request").await;
    check(
        &owner,
        Method::POST,
        "/api/v1/rules",
        415,
        "unsupported-media-type",
    )
    .await;
    let allowed = owner.send(owner.request(Method::PUT, "/api/v1/rules")).await;
    assert_eq!(allowed.header("allow"), "GET, POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_refused_with_problems() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let owner = app.member(&workspace, Role::Owner).await;
    let send = async |body: Vec<u8>| {
        let request = owner
            .request(Method::POST, "/api/v1/rules")
            .header("content-type", "application/json");
        owner.send(request.body(body)).await
    };
    assert_eq!(send(b"{".to_vec()).await.problem(), "bad-request");
    assert_eq!(send(b"{}".to_vec()).await.problem(), "bad-request");
    assert_eq!(send(vec![0xff; 10]).await.problem(), "bad-request");
    assert_eq!(send(vec![b' '; (1 << 20) + 1]).await.problem(), "too-large");
    let deep = "[".repeat(100_000);
    assert_eq!(send(deep.into_bytes()).await.problem(), "bad-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_is_refused() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let mut owner = app.member(&workspace, Role::Owner).await;
    let body = json!({ "rules": [] });
    let from = async |caller: &Caller, origin: &str| {
        let request = caller
            .request(Method::POST, "/api/v1/rules/reorder")
            .header("origin", origin);
        caller.send(request.json(&body)).await
    };
    let ours = app.running.url.clone();
    assert_eq!(from(&owner, &ours).await.status, 204);
    assert_eq!(from(&owner, "http://evil.example").await.problem(), "cross-site");
    assert_eq!(from(&owner, "null").await.problem(), "cross-site");
    owner.marked = false;
    assert_eq!(from(&owner, &ours).await.problem(), "cross-site");
    // A key is nothing that a browser sends by itself.
    let script = app.script(&workspace, &["rules"]).await;
    assert_eq!(from(&script, "http://evil.example").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_protected() {
    let app = TestApp::empty().await;
    let answer = app.anonymous().get("/api/v1/session").await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(answer.header("strict-transport-security"), "");
}
