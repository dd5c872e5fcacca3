//! `/metrics`: well-formed, for those who may, and true.

use crate::harness::{Caller, TestApp, Wanted};
use crate::hooks::{ACCOUNT, FORM, deal, hook, post};
use domain::connection::ConnectorKind;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;

/// Every series by its name with labels.
async fn figures(app: &TestApp, caller: &Caller) -> BTreeMap<String, f64> {
    // What waits is asked of the database every few seconds.
    if let Some(clock) = &app.clock {
        clock.advance(5_000);
    }
    let answer = caller.get("/metrics").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    parse(&answer.text)
}

/// Reads OpenMetrics, as strictly as it matters here.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let lines = text.strip_suffix("# EOF\n").expect("an end");
    let mut described = Vec::new();
    let mut found = BTreeMap::new();
    for line in lines.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            let is_known = matches!(words.next(), Some("HELP" | "TYPE" | "UNIT"));
            assert!(is_known, "{line}");
            described.push(words.next().expect("a name").to_owned());
            continue;
        }
        // An exemplar stands behind its value.
        let plain = line.split_once(" # ").map_or(line, |(plain, _)| plain);
        let (name, value) = plain.rsplit_once(' ').expect("a value");
        let family = name.split('{').next().unwrap();
        assert!(
            described.iter().any(|known| family.starts_with(known.as_str())),
            "{line}"
        );
        let before = found.insert(name.to_owned(), value.parse::<f64>().expect("a number"));
        assert_eq!(before, None, "{name} stands twice");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_with_a_webhook_on_its_way() {
    test_db::each_database(async |db| {
        let wanted = Wanted {
            demo: true,
            manual_clock: true,
            ..Wanted::default()
        };
        let app = TestApp::start(db, wanted).await;
        let person = app.demo_person().await;
        let path = hook(&app, &person, ConnectorKind::Amocrm).await;
        let crm = app.anonymous();
        let empty = figures(&app, &crm).await;
        let depth = "integrator_queue_depth{queue=\"events\",crm=\"amocrm\"}";
        let age = "integrator_queue_oldest_seconds{queue=\"events\",crm=\"amocrm\"}";
        let accepted = "integrator_webhooks_total{crm=\"amocrm\",answer=\"accepted\"}";
        assert_eq!((empty[depth], empty[age]), (0.0, 0.0));
        assert!(empty["process_resident_memory_bytes"] > 1e6, "{empty:?}");
        assert!(empty["process_open_fds"] > 1.0 && empty.contains_key("process_cpu_seconds_total"));
        assert!(empty["integrator_database_connections_max"] >= 2.0);
        assert!(
            empty
                .keys()
                .any(|name| name.starts_with("integrator_build_info{version="))
        );

        let before = empty.get(accepted).copied().unwrap_or_default();
        let body = format!("{}&{}{ACCOUNT}", deal(0, 101), deal(1, 102));
        assert_eq!(post(&crm, &path, FORM, body.clone()).await.status, 200);
        assert_eq!(post(&crm, &path, FORM, body).await.status, 200);
        assert_eq!(post(&crm, "/hooks/amocrm/none", FORM, "").await.status, 404);
        let waiting = figures(&app, &crm).await;
        assert_eq!(waiting[accepted], before + 2.0);
        assert_eq!(
            waiting["integrator_webhooks_total{crm=\"amocrm\",answer=\"unknown_address\"}"],
            1.0
        );
        assert_eq!(
            waiting["integrator_facts_total{crm=\"amocrm\",known=\"yes\"}"],
            2.0
        );
        assert_eq!((waiting[depth], waiting[age]), (2.0, 5.0));

        app.engine().settle(50).await.unwrap();
        let done = figures(&app, &crm).await;
        assert_eq!((done[depth], done[age]), (0.0, 0.0));
    })
    .await;
}

/// The whole way of the demo's deal: its attempts are counted, and the histogram names an event that has a page.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_and_an_example_leads_to_its_event() {
    let app = TestApp::demo().await;
    let person = app.demo_person().await;
    crate::demo::deal_to_the_calls(&app).await;
    let answer = person.get("/metrics").await;
    let figures = parse(&answer.text);
    let done = "integrator_attempts_total{action=\"upsert\",outcome=\"done\"}";
    assert!(figures[done] >= 1.0, "{}", answer.text);
    assert!(figures["integrator_attempt_seconds_count{action=\"upsert\"}"] >= 1.0);
    assert!(figures["integrator_webhook_to_end_seconds_count{state=\"delivered\"}"] >= 1.0);
    let (_, example) = answer.text.split_once(" # {event=\"").expect("an example");
    let (event, _) = example.split_once('"').unwrap();
    assert_eq!(person.get(&format!("/api/v1/events/{event}")).await.status, 200);
}

#[tokio::test]
async fn a_token_is_wanted_where_one_is_configured() {
    let token = "an-operator-s-long-token";
    let wanted = Wanted {
        file: format!("[metrics]\ntoken = \"{token}\""),
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let mut caller = app.anonymous();
    let status = async |caller: &Caller| caller.get("/metrics").await.status;
    assert_eq!(status(&caller).await, 401);
    caller.key = Some("an-operator-s-long-tokem".to_owned());
    assert_eq!(status(&caller).await, 401);
    caller.key = Some(token.to_owned());
    assert_eq!(status(&caller).await, 200);
}

#[tokio::test]
async fn without_a_token_nobody_behind_a_proxy_is_answered() {
    let app = TestApp::empty().await;
    let caller = app.anonymous();
    assert_eq!(caller.get("/metrics").await.status, 200);
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
        let request = caller.request(Method::GET, "/metrics").header(name, "127.0.0.1");
        let answer = caller.send(request).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "not-found"),
            "{name}"
        );
    }
    let refused = caller
        .send(caller.request(Method::POST, "/metrics").json(&json!({})))
        .await;
    assert_eq!(refused.status, 405);
}
