//! What an attacker tries first.

use crate::harness::{TestApp, Wanted};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use storage::accounts::{Role, User};

const PASSWORD: &str = "длинный пароль";

async fn app_with_anna(file: &str) -> TestApp {
    let wanted = Wanted {
        manual_clock: true,
        file: file.to_owned(),
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let anna = User {
        id: domain::id::UserId(engine::new_id()),
        email: "anna@example.ru".to_owned(),
        name: "Анна".to_owned(),
        password_hash: Some(server::password::hash(&PASSWORD.to_owned().into()).unwrap()),
        is_superuser: false,
        disabled_at: None,
        created_at: app.engine().clock().now(),
    };
    storage::accounts::insert_user(app.engine().db(), &anna)
        .await
        .unwrap();
    app
}

/// Ten thousand passwords, one each second, from ever new addresses: hardly any is looked at, and the owner, who
/// has signed in from home before, is not shut out for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_wrong_passwords_find_nothing_and_shut_nobody_out() {
    let app = app_with_anna("[server]\ntrusted_proxies = \"127.0.0.1\"").await;
    let clock = app.clock.clone().unwrap();
    let attempt = async |from: &str, password: &str| {
        let caller = app.anonymous();
        let form = json!({ "email": "anna@example.ru", "password": password });
        let request = caller.request(reqwest::Method::POST, "/api/v1/session");
        caller
            .send(request.header("x-forwarded-for", from).json(&form))
            .await
    };
    assert_eq!(attempt("192.0.2.1", PASSWORD).await.status, 200);
    let accounts = app.engine().accounts();
    let mut n_looked_at = 0;
    for n in 0..10_000_u32 {
        clock.advance(1_000);
        let from = format!("198.51.{}.{}", n / 250 % 250, n % 250);
        let counted = accounts
            .count_try(engine::accounts::Tried::SignIn, "anna@example.ru", Some(&from))
            .await;
        n_looked_at += u32::from(counted.is_ok());
        if n % 1_000 == 0 {
            assert_eq!(
                attempt("192.0.2.1", PASSWORD).await.status,
                200,
                "the owner at home, {n}"
            );
            // The owner's own success lets the account begin anew; put the attacker's count back.
            for _ in 0..25 {
                let _either = accounts
                    .count_try(
                        engine::accounts::Tried::SignIn,
                        "anna@example.ru",
                        Some("198.51.100.9"),
                    )
                    .await;
            }
        }
    }
    assert!(n_looked_at < 300, "{n_looked_at} of 10000 were looked at");
    let refused = attempt("203.0.113.7", PASSWORD).await;
    if refused.status == 429 {
        assert_eq!(refused.problem(), "too-many-requests");
        assert!(
            refused.header("retry-after").parse::<i64>().unwrap() <= 900,
            "{refused:?}"
        );
    }
    assert_eq!(attempt("192.0.2.1", PASSWORD).await.status, 200);
}

/// Without a trusted proxy the header is a lie: all tries come from one address.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_address_gains_nothing() {
    let app = app_with_anna("").await;
    let mut statuses = Vec::new();
    for n in 0..8 {
        let caller = app.anonymous();
        let form = json!({ "email": "anna@example.ru", "password": "не тот пароль" });
        let request = caller.request(reqwest::Method::POST, "/api/v1/session");
        let request = request.header("x-forwarded-for", format!("198.51.100.{n}"));
        statuses.push(caller.send(request.json(&form)).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
    let nobody = app.anonymous();
    let form = json!({ "email": "nobody@example.ru", "password": "не тот пароль" });
    let mut same = Vec::new();
    for _ in 0..8 {
        same.push(nobody.post("/api/v1/session", &form).await.status);
    }
    assert_eq!(same, statuses, "an unknown e-mail is held up just so");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let mut caller = app.member(&workspace, Role::Owner).await;
    let form = json!({ "name": "ключ", "scopes": ["read"] });
    let from = |origin: &str| {
        let request = caller.request(reqwest::Method::POST, "/api/v1/api-keys");
        request.header("origin", origin.to_owned()).json(&form)
    };
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "file://"] {
        let refused = caller.send(from(origin)).await;
        assert_eq!(refused.problem(), "cross-site", "{origin}");
    }
    assert_eq!(caller.send(from(&app.running.url)).await.status, 201);
    caller.marked = false;
    let simple = caller
        .send(
            caller
                .request(reqwest::Method::POST, "/api/v1/api-keys")
                .json(&form),
        )
        .await;
    assert_eq!(
        simple.problem(),
        "cross-site",
        "what a form can send is not enough"
    );
    let read = caller
        .send(
            caller
                .request(reqwest::Method::GET, "/api/v1/rules")
                .header("origin", "https://evil.example"),
        )
        .await;
    assert_eq!(
        read.header("access-control-allow-origin"),
        "",
        "nobody else's page reads answers"
    );
}

/// A head or a body that trickles does not hold a connection.
#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_let_go() {
    let wanted = Wanted {
        file: "[server]\nrequest_secs = 1".to_owned(),
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let address = app.running.url.trim_start_matches("http://").to_owned();
    let ended = |first: &'static str| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(first.as_bytes()).unwrap();
            let started = Instant::now();
            let mut answer = Vec::new();
            let _closed_or_reset = stream.read_to_end(&mut answer);
            (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
        })
    };
    let head = ended("POST /api/v1/session HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    let body = ended(
        "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Requested-With: integrator\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{\"email\":",
    )
    .await
    .unwrap();
    assert!(
        head.1 < Duration::from_secs(15) && body.1 < Duration::from_secs(15),
        "{head:?} {body:?}"
    );
    assert!(
        head.0.is_empty() || head.0.starts_with("HTTP/1.1 408"),
        "{head:?}"
    );
    assert!(
        body.0.starts_with("HTTP/1.1 408") && body.0.contains("/problems/request-timeout"),
        "{body:?}"
    );
    assert_eq!(app.anonymous().get("/health/live").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_requests_are_refused_before_they_are_kept() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let caller = app.member(&workspace, Role::Owner).await;
    let long = "я".repeat(1 << 20);
    let body = caller
        .post("/api/v1/api-keys", &json!({ "name": long, "scopes": ["read"] }))
        .await;
    assert_eq!(body.problem(), "too-large");
    let hook = caller
        .send(
            caller
                .request(reqwest::Method::POST, "/hooks/amocrm/x")
                .body(long),
        )
        .await;
    assert!(matches!(hook.status, 404 | 413), "{hook:?}");
    let header = caller
        .request(reqwest::Method::GET, "/api/v1/rules")
        .header("x-long", "x".repeat(200_000));
    match header.send().await {
        Ok(answer) => assert!(answer.status().is_client_error()),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error}"),
    }
    let path = caller.get(&format!("/api/v1/rules/{}", "x".repeat(10_000))).await;
    assert!(matches!(path.status, 404 | 414), "{}", path.status);
    assert_eq!(caller.get("/api/v1/rules").await.status, 200);
}

/// A table that people open in Excel runs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_exported_log_holds_no_formula() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let caller = app.member(&workspace, Role::Owner).await;
    let form = json!({ "name": "=cmd|' /C calc'!A0", "scopes": ["read"] });
    let made = caller.post("/api/v1/api-keys", &form).await.json();
    let mut script = app.anonymous();
    script.key = made["secret"].as_str().map(str::to_owned);
    let table = script.get("/api/v1/audit.csv").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.text.contains("api_key.created"), "{}", table.text);
    for cell in table
        .text
        .trim_start_matches('\u{feff}')
        .lines()
        .flat_map(|line| line.split("\",\""))
    {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
}
