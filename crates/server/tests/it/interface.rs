//! The interface and the page of the API: files, compression, keeping, policy.

use crate::harness::{Answer, Caller, TestApp, Wanted};
use reqwest::Method;
use std::fs;

async fn get(caller: &Caller, path: &str, accept: &str, encoding: &str) -> Answer {
    let request = caller
        .request(Method::GET, path)
        .header("accept", accept)
        .header("accept-encoding", encoding);
    caller.send(request).await
}

async fn with_interface(page: &str) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("index.html", page);
    write("start-0123456789abcdef.js", "plain");
    write("start-0123456789abcdef.js.br", "brotli");
    write("start-0123456789abcdef.js.gz", "gzip");
    let file = format!("[server]\nstatic_dir = {:?}", folder.path().to_str().unwrap());
    (
        TestApp::start(
            test_db::sqlite().await,
            Wanted {
                file,
                ..Wanted::default()
            },
        )
        .await,
        folder,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_files_are_compressed_and_kept() {
    let (app, _folder) = with_interface("<p>страница</p>").await;
    let caller = app.anonymous();
    let path = "/start-0123456789abcdef.js";
    for (encoding, body, named) in [
        ("br, gzip", "brotli", "br"),
        ("gzip", "gzip", "gzip"),
        ("identity", "plain", ""),
    ] {
        let answer = get(&caller, path, "*/*", encoding).await;
        assert_eq!(
            (answer.text.as_str(), answer.header("content-encoding")),
            (body, named)
        );
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert!(answer.header("content-type").contains("javascript"));
    }
    let tag = get(&caller, path, "*/*", "identity")
        .await
        .header("etag")
        .to_owned();
    let again = caller
        .send(caller.request(Method::GET, path).header("if-none-match", tag))
        .await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_the_interface_get_the_page_and_nothing_else_does() {
    let (app, _folder) = with_interface("<p>страница</p>").await;
    let caller = app.anonymous();
    for path in ["/", "/rules/5", "/events?kind=x", "/index.html"] {
        let answer = get(&caller, path, "text/html,*/*", "identity").await;
        assert_eq!(answer.text, "<p>страница</p>", "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(
            answer
                .header("content-security-policy")
                .contains("'wasm-unsafe-eval'")
        );
    }
    assert_eq!(
        get(&caller, "/rules", "application/json", "").await.problem(),
        "not-found"
    );
    for path in [
        "/api/v1/nothing",
        "/hooks/nothing",
        "/api",
        "/health/x",
        "/../Cargo.toml",
    ] {
        let answer = get(&caller, path, "text/html", "").await;
        assert!(answer.status == 404 || path.contains(".."), "{path}: {answer:?}");
        assert!(!answer.text.contains("[package]"), "{path}");
    }
    let posted = caller.send(caller.request(Method::POST, "/rules")).await;
    assert_eq!(posted.problem(), "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_for_a_nonce_gets_a_new_one_each_time() {
    let (app, _folder) = with_interface("<script nonce=\"{{__TRUNK_NONCE__}}\"></script>").await;
    let caller = app.anonymous();
    let first = get(&caller, "/", "text/html", "").await;
    let nonce = first.text.split('"').nth(1).unwrap().to_owned();
    assert!(
        first
            .header("content-security-policy")
            .contains(&format!("'nonce-{nonce}'"))
    );
    assert_ne!(get(&caller, "/", "text/html", "").await.text, first.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_described_without_the_internet() {
    let app = TestApp::empty().await;
    let caller = app.anonymous();
    let page = caller.get("/api/docs").await;
    assert_eq!(page.status, 200);
    assert!(
        !page.text.contains("https://"),
        "the page must not need the internet"
    );
    for asset in ["/api/docs/viewer.js", "/api/docs/viewer.css"] {
        assert!(page.text.contains(asset));
        assert_eq!(caller.get(asset).await.status, 200);
    }
    assert_eq!(
        caller.get("/api/v1/openapi.json").await.text,
        server::openapi::text()
    );
}
