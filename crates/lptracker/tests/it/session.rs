//! Sign-in, renewal, budget, and which calls are sent again.

use crate::harness::{Lab, PROJECT, fresh, no_tokens};
use connector::credential::{MemoryTokens, TokenStore};
use connector::http::{Trace, traced};
use connector::{Connector, ConnectorError};
use domain::command::Write;
use domain::record::{RecordKey, RecordKind};
use domain::value::Stage;
use futures_of_tests::all;
use sandbox::{FaultKind, Side};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;

/// Enough of joining for a handful of calls.
mod futures_of_tests {
    /// Runs futures at the same time and returns what they gave, in order.
    pub async fn all<T: Send + 'static>(
        tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        let handles: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        let mut results = Vec::new();
        for handle in handles {
            results.push(handle.await.unwrap());
        }
        results
    }
}

fn lead_key(id: i64) -> RecordKey {
    RecordKey::new(RecordKind::Lead, id)
}

fn note(id: i64, text: &str) -> Write {
    Write::AddNote {
        key: lead_key(id),
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn parallel_calls_sign_in_once_and_keep_the_budget() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let connector = Arc::new(lab.ours());
    let reads = (0..9).map(|_| {
        let connector = Arc::clone(&connector);
        async move { connector.calls(&lead_key(lead).id).await.unwrap() }
    });
    assert_eq!(all(reads).await.len(), 9);
    assert_eq!(lab.requests("POST", "/login").len(), 1);
    let state = lab.sandbox.world.lptracker();
    assert!(state.highest_rate() <= 3, "{}", state.highest_rate());
    assert_eq!(state.refused(), 0);
}

#[tokio::test]
async fn dead_token_is_renewed_once_and_the_write_happens_once() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let tokens = Arc::new(MemoryTokens::new(no_tokens()));
    let connector = Arc::new(lab.connect_with(lab.settings(), Arc::clone(&tokens) as Arc<dyn TokenStore>));
    connector.check().await.unwrap();
    let first = tokens.load().await.unwrap();
    lab.sandbox.world.lptracker().expire_tokens();
    let writes = (0..3).map(|at| {
        let connector = Arc::clone(&connector);
        async move { connector.write(&note(lead, &format!("заметка {at}"))).await }
    });
    assert!(all(writes).await.iter().all(Result::is_ok));
    let second = tokens.load().await.unwrap();
    assert_ne!(first.access.expose_secret(), second.access.expose_secret());
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(lab.requests("POST", "/login").len(), 2);
    assert_eq!(
        lab.sandbox.world.lptracker().lead(lead).unwrap().comments.len(),
        3
    );
}

#[tokio::test]
async fn stored_token_is_used_without_signing_in() {
    let lab = fresh();
    let tokens = Arc::new(MemoryTokens::new(no_tokens()));
    lab.connect_with(lab.settings(), Arc::clone(&tokens) as Arc<dyn TokenStore>)
        .check()
        .await
        .unwrap();
    lab.connect_with(lab.settings(), Arc::clone(&tokens) as Arc<dyn TokenStore>)
        .check()
        .await
        .unwrap();
    assert_eq!(lab.requests("POST", "/login").len(), 1);
    assert_eq!(lab.requests("POST", "/logout").len(), 0);
}

#[tokio::test]
async fn refused_password_is_never_tried_again() {
    let lab = fresh();
    let mut settings = lab.settings();
    settings.password = SecretString::from("чужой пароль");
    let connector = lab.connect(settings);
    for _ in 0..3 {
        let error = connector.check().await.unwrap_err();
        assert!(matches!(error, ConnectorError::Unauthorized), "{error:?}");
    }
    assert_eq!(lab.requests("POST", "/login").len(), 1);
}

#[tokio::test]
async fn token_that_stays_refused_does_not_loop() {
    let lab = fresh();
    let unauthorised = FaultKind::ErrorEnvelope {
        code: 401,
        message: "Unauthorized".to_owned(),
    };
    lab.fault("GET", "/projects", unauthorised.clone());
    lab.fault("GET", "/projects", unauthorised);
    let error = lab.ours().check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unauthorized), "{error:?}");
    assert_eq!(lab.requests("GET", "/projects").len(), 2);
    assert_eq!(lab.requests("POST", "/login").len(), 2);
}

#[tokio::test]
async fn trace_holds_neither_password_nor_token() {
    let lab = fresh();
    let tokens = Arc::new(MemoryTokens::new(no_tokens()));
    let connector = lab.connect_with(lab.settings(), Arc::clone(&tokens) as Arc<dyn TokenStore>);
    let trace = Trace::default();
    traced(trace.clone(), connector.check()).await.unwrap();
    let exchanges = trace.take();
    assert_eq!(exchanges.len(), 1, "{exchanges:?}");
    let shown = format!("{exchanges:?}");
    assert!(!shown.contains(sandbox::lptracker::DEMO_LPTRACKER_PASSWORD));
    assert!(!shown.contains(tokens.load().await.unwrap().access.expose_secret()));
}

#[tokio::test]
async fn reads_are_repeated_and_writes_are_not() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let connector = lab.ours();
    lab.fault("GET", "/lead", FaultKind::status(502));
    lab.fault("GET", "/lead", FaultKind::CutBeforeApply);
    assert!(connector.read(&lead_key(lead), false).await.unwrap().is_some());
    assert_eq!(lab.requests("GET", &format!("/lead/{lead}")).len(), 3);

    lab.fault("POST", "/lead", FaultKind::status(502));
    let error = connector.write(&note(lead, "x")).await.unwrap_err();
    assert!(error.is_uncertain(), "{error:?}");
    assert_eq!(lab.requests("POST", &format!("/lead/{lead}/comment")).len(), 1);
}

#[tokio::test]
async fn pages_and_refusals_are_told_apart() {
    let lab = fresh();
    let connector = lab.ours();
    let check = async |kind: FaultKind, code: &str| {
        lab.fault("GET", "/projects", kind);
        assert_eq!(connector.check().await.unwrap_err().code(), code);
    };
    check(FaultKind::NotJson, "protocol").await;
    check(FaultKind::Html403, "banned").await;
    check(
        FaultKind::Raw {
            status: 200,
            body: r#"{"status":"error","errors":["нет"]}"#.into(),
        },
        "rejected",
    )
    .await;
    check(
        FaultKind::ErrorEnvelope {
            code: 403,
            message: "нет прав".into(),
        },
        "forbidden",
    )
    .await;
}

#[tokio::test]
async fn over_the_limit_a_write_is_told_and_everybody_pauses() {
    let lab = fresh();
    lab.sandbox.world.lptracker().settings.http_503 = true;
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let connector = lab.ours();
    connector.check().await.unwrap();
    lab.fault("POST", "/lead", FaultKind::status(503));
    let error = connector.write(&note(lead, "x")).await.unwrap_err();
    assert!(matches!(error, ConnectorError::RateLimited { after: Some(after) } if after.as_secs() == 1));
    let before = lab.sandbox.world.clock.now_ms();
    connector.write(&note(lead, "x")).await.unwrap();
    assert!(lab.sandbox.world.clock.now_ms() - before >= 800);
    assert_eq!(
        lab.sandbox.world.lptracker().lead(lead).unwrap().comments.len(),
        1
    );
}

#[tokio::test]
async fn comment_waits_until_a_new_lead_is_visible() {
    let lab = fresh();
    lab.sandbox.world.lptracker().settings.comment_visibility_seconds = 1;
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let effect = lab
        .ours()
        .write(&note(lead, "сразу после создания"))
        .await
        .unwrap();
    assert!(effect.part.is_some());
    let tries = lab.requests("POST", &format!("/lead/{lead}/comment"));
    assert!(tries.len() >= 2, "{}", tries.len());
    assert_eq!(
        lab.sandbox.world.lptracker().lead(lead).unwrap().comments.len(),
        1
    );
}

#[tokio::test]
async fn other_refusals_of_a_comment_are_not_repeated() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let error = lab.ours().write(&note(lead, " ")).await.unwrap_err();
    assert!(matches!(error, ConnectorError::Rejected { .. }), "{error:?}");
    assert_eq!(lab.requests("POST", &format!("/lead/{lead}/comment")).len(), 1);
}

#[tokio::test]
async fn credentials_go_to_allowed_hosts_only() {
    let lab = fresh();
    let refused = async |lab: &Lab, base: &str| {
        let mut settings = lab.settings();
        settings.base_url = base.parse().unwrap();
        settings.allowed_hosts = Vec::new();
        let error = lab.connect(settings).check().await.unwrap_err();
        assert!(
            matches!(error, ConnectorError::AddressRefused { .. }),
            "{base}: {error:?}"
        );
    };
    refused(&lab, &lab.sandbox.lptracker_url).await;
    refused(&lab, "https://direct.lptracker.ru.example.com").await;
    refused(&lab, "http://direct.lptracker.ru").await;
    refused(&lab, "https://direct.lptracker.ru:8443").await;
    assert_eq!(lab.sandbox.world.journal.entries().len(), 0);
}

#[tokio::test]
async fn what_is_sent_has_the_documented_shape() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", "+79990000001");
    let connector = lab.ours();
    let stage = Stage {
        pipeline: PROJECT,
        status: sandbox::lptracker::DEMO_LPTRACKER_STEP_REFUSED,
    };
    connector
        .write(&Write::Move {
            key: lead_key(lead),
            stage,
            loss_reason: None,
        })
        .await
        .unwrap();
    let login: serde_json::Value = serde_json::from_str(&lab.requests("POST", "/login")[0].body).unwrap();
    let expected = json!({
        "login": sandbox::lptracker::DEMO_LPTRACKER_LOGIN,
        "password": sandbox::lptracker::DEMO_LPTRACKER_PASSWORD,
        "service": "CRM Интегратор", "version": "1.0",
    });
    assert_eq!(login, expected);
    let moved = &lab.requests("PUT", "/lead")[0];
    assert_eq!(moved.path, format!("/lead/{lead}/funnel"));
    assert_eq!(moved.body, json!({"funnel": stage.status}).to_string());
    assert_eq!(lab.sandbox.world.journal.writes(Side::Lptracker).len(), 1);
}
