//! Checklist lines 19–21: rate, ban, payment, rights, faults.

use std::time::Duration;

use sandbox::*;
use serde_json::json;

use crate::lab::{Lab, Reply};

/// A lab with the real limits and a standing clock.
fn limited() -> Lab {
    let lab = Lab::start();
    lab.sandbox.world.amocrm().set(|s| {
        s.rate_per_integration = Some(7);
        s.rate_per_account = Some(50);
        s.retry_after = 3;
    });
    lab.clock().freeze();
    lab
}

async fn burst(lab: &Lab, token: &str, n: usize) -> Vec<u16> {
    let mut out = Vec::new();
    for _ in 0..n {
        let request = lab.request("GET", "/api/v4/account").bearer_auth(token);
        out.push(Lab::read(request.send().await.expect("an answer")).await.status);
    }
    out
}

// Line 19, per integration.
#[tokio::test]
async fn eighth_request_of_a_second_is_refused_with_retry_after() {
    let lab = limited();
    assert_eq!(burst(&lab, &lab.token, 7).await, [200; 7]);
    let request = lab.request("GET", "/api/v4/account").bearer_auth(&lab.token);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["retry-after"], "3");
    let refused = Lab::read(response).await;
    assert_eq!(
        (refused.status, refused.content_type.as_str()),
        (429, "application/problem+json")
    );
    assert_eq!(refused.json()["retry_after"], 3);
    // A sliding second, not a calendar one.
    lab.clock().advance(Duration::from_millis(999));
    assert_eq!(lab.get("account").await.status, 429);
    lab.clock().advance(Duration::from_millis(1));
    assert_eq!(lab.get("account").await.status, 200);
    lab.sandbox.world.amocrm().set(|s| s.plain_429 = true);
    assert_eq!(burst(&lab, &lab.token, 6).await, [200; 6]);
    let plain = lab.get("account").await;
    assert_eq!((plain.status, plain.content_type.as_str()), (429, "text/plain"));
    assert_eq!(lab.sandbox.world.journal.count_status(Side::Amocrm, 429), 3);
    assert_eq!(lab.sandbox.world.journal.peak_rate(Side::Amocrm), 9);
}

// Line 19, per account.
#[tokio::test]
async fn all_integrations_of_an_account_share_fifty_requests() {
    let lab = limited();
    let tokens: Vec<String> = (0..8)
        .map(|n| {
            let client = format!("client-{n}");
            lab.sandbox
                .world
                .amocrm()
                .issue_long_lived(&client, DEMO_AMOCRM_ACCOUNT, USER_ANNA, 86_400)
        })
        .collect();
    for token in &tokens[..7] {
        assert_eq!(burst(&lab, token, 7).await, [200; 7]);
    }
    assert_eq!(
        burst(&lab, &tokens[7], 2).await,
        [200, 429],
        "the 50th passes, the 51st does not"
    );
}

// Line 19, ban.
#[tokio::test]
async fn repeated_abuse_bans_everything_with_html_until_lifted() {
    let lab = limited();
    lab.sandbox.world.amocrm().set(|s| s.ban_after = Some(3));
    assert_eq!(
        burst(&lab, &lab.token, 11).await,
        [200, 200, 200, 200, 200, 200, 200, 429, 429, 429, 403]
    );
    lab.clock().advance(Duration::from_secs(3600));
    let banned = lab.get("account").await;
    assert_eq!(
        (banned.status, banned.content_type.as_str()),
        (403, "text/html; charset=utf-8")
    );
    assert!(banned.text.contains("<center>nginx</center>"));
    let token = lab
        .request("POST", "/oauth2/access_token")
        .json(&json!({}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(token.status(), 403);
    assert_eq!(
        lab.control("amocrm/ban", json!({"banned": false})).await.status,
        204
    );
    assert_eq!(lab.get("account").await.status, 200);
}

fn detail(reply: &Reply) -> (u16, String) {
    (
        reply.status,
        reply.json()["detail"].as_str().unwrap_or_default().to_owned(),
    )
}

// Line 20.
#[tokio::test]
async fn payment_rights_and_scopes_are_checked() {
    let mut lab = Lab::start();
    lab.control("amocrm/account", json!({"unpaid": true})).await.ok();
    assert_eq!(detail(&lab.get("leads").await), (402, "Payment Required".into()));
    lab.control("amocrm/account", json!({"unpaid": false})).await.ok();
    lab.token = DEMO_AMOCRM_MEMBER_TOKEN.to_owned();
    assert_eq!(lab.get("leads").await.status, 200);
    assert_eq!(lab.get("leads/custom_fields").await.status, 200);
    assert_eq!(detail(&lab.get("users").await), (403, "Admin access only".into()));
    let field = lab
        .post("leads/custom_fields", json!([{"name": "x", "type": "text"}]))
        .await;
    assert_eq!(detail(&field), (403, "Admin access only".into()));
    assert_eq!(
        lab.post("leads/pipelines", json!([{"name": "x"}])).await.status,
        403
    );
    assert_eq!(
        lab.get("webhooks").await.status,
        401,
        "here a missing right is 401"
    );
    let mut state = lab.sandbox.world.amocrm();
    state
        .oauth
        .tokens
        .get_mut(DEMO_AMOCRM_MEMBER_TOKEN)
        .expect("the token")
        .scopes = vec!["notifications".into()];
    drop(state);
    assert_eq!(
        detail(&lab.get("leads").await),
        (403, "Client doesn't have the required scope".into())
    );
    lab.control("amocrm/ui/deactivate-user", json!({"id": USER_IVAN}))
        .await
        .ok();
    assert_eq!(
        lab.get("leads").await.status,
        401,
        "a deactivated user's token is dead"
    );
}

// Line 21.
#[tokio::test]
async fn failures_come_with_and_without_the_write_applied() {
    let lab = Lab::start();
    let faults = &lab.sandbox.world.faults;
    let count = || lab.sandbox.world.amocrm().account().leads.len();
    let start = count();
    for code in [500, 502, 504] {
        faults.add(Fault::once(Side::Amocrm, FaultKind::status(code)).method("POST"));
        assert_eq!(lab.post("leads", json!([{"name": "x"}])).await.status, code);
    }
    assert_eq!(count(), start);
    for code in [500, 504] {
        faults.add(Fault::once(Side::Amocrm, FaultKind::StatusAfterApply { code }).path("/leads"));
        assert_eq!(lab.post("leads", json!([{"name": "x"}])).await.status, code);
    }
    assert_eq!(count(), start + 2);
    for (kind, made) in [(FaultKind::CutBeforeApply, 0), (FaultKind::CutAfterApply, 1)] {
        let before = count();
        faults.add(Fault::once(Side::Amocrm, kind));
        let request = lab
            .request("POST", "/api/v4/leads")
            .bearer_auth(&lab.token)
            .json(&json!([{"name": "x"}]));
        assert!(request.send().await.is_err());
        assert_eq!(count(), before + made);
    }
    faults.add(Fault::once(Side::Amocrm, FaultKind::Html403));
    assert_eq!(lab.get("account").await.content_type, "text/html");
    faults.add(Fault::once(Side::Amocrm, FaultKind::Delay { ms: 300 }));
    let request = lab
        .request("GET", "/api/v4/account")
        .bearer_auth(&lab.token)
        .timeout(Duration::from_millis(100));
    assert!(request.send().await.expect_err("too late").is_timeout());
    assert!(faults.list().is_empty());
    let body = lab
        .control(
            "faults",
            json!({"side": "amocrm", "kind": "raw", "status": 418, "body": "x", "times": 1}),
        )
        .await;
    assert_eq!(body.status, 200);
    assert_eq!(lab.get("account").await.status, 418);
}
