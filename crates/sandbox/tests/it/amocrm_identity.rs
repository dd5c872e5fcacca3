//! Checklist lines 1–7: hosts, consent, tokens, revocation, renaming.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sandbox::amocrm::{Account, RefreshMode};
use sandbox::*;
use serde_json::{Value, json};

use crate::lab::{Lab, Receiver, Reply};

async fn raw(request: reqwest::RequestBuilder) -> Reply {
    Lab::read(request.send().await.expect("an answer")).await
}

fn no_redirects() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

fn grant(kind: &str, value: &str) -> Value {
    let key = if kind == "authorization_code" {
        "code"
    } else {
        "refresh_token"
    };
    let mut body = json!({
        "client_id": DEMO_AMOCRM_CLIENT_ID, "client_secret": DEMO_AMOCRM_CLIENT_SECRET, "grant_type": kind,
        "redirect_uri": DEMO_AMOCRM_REDIRECT_URI,
    });
    body[key] = json!(value);
    body
}

async fn exchange(lab: &Lab, body: &Value) -> Reply {
    raw(lab.request("POST", "/oauth2/access_token").json(body)).await
}

fn new_code(lab: &Lab) -> String {
    lab.sandbox
        .world
        .amocrm()
        .issue_code(DEMO_AMOCRM_CLIENT_ID, DEMO_AMOCRM_ACCOUNT, USER_ANNA)
}

async fn new_pair(lab: &Lab) -> (String, String) {
    let code = new_code(lab);
    let pair = exchange(lab, &grant("authorization_code", &code)).await.ok();
    let text = |key: &str| pair[key].as_str().expect("a token").to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn works(lab: &Lab, token: &str) -> bool {
    raw(lab.request("GET", "/api/v4/account").bearer_auth(token))
        .await
        .status
        == 200
}

fn hint(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.content_type, "application/problem+json");
    let body = reply.json();
    assert_eq!(
        body["type"],
        "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
    );
    assert_eq!(body["status"], reply.status);
    (reply.status, body["hint"].as_str().unwrap_or_default().to_owned())
}

// Line 1.
#[tokio::test]
async fn account_is_chosen_by_host_or_path_and_foreign_tokens_are_refused() {
    let lab = Lab::start();
    let other = Account::empty(30_000_002, "other", lab.clock());
    lab.sandbox.world.amocrm().add_account(other);
    let with_host = |host: &str| {
        lab.request("GET", "/api/v4/account")
            .header("host", host)
            .bearer_auth(&lab.token)
    };
    assert_eq!(
        raw(with_host("demo.amocrm.ru")).await.ok()["id"],
        DEMO_AMOCRM_ACCOUNT
    );
    assert_eq!(raw(with_host("other.amocrm.ru")).await.status, 401);
    assert_eq!(raw(with_host("nobody.amocrm.ru")).await.status, 404);
    let with_path = |sub: &str| {
        lab.request("GET", &format!("/{sub}/api/v4/account"))
            .bearer_auth(&lab.token)
    };
    let own = raw(with_path("demo")).await.ok();
    let href = format!("{}/demo/api/v4/account", lab.sandbox.amocrm_url);
    assert_eq!(own["_links"]["self"]["href"], href);
    assert_eq!(raw(with_path("other")).await.status, 401);
    assert_eq!(raw(with_path("nobody")).await.status, 404);
    let none = raw(lab.request("GET", "/api/v4/account")).await;
    assert_eq!(
        (none.status, none.json()["detail"].clone()),
        (401, json!("Неверный логин или пароль"))
    );
}

// Line 2.
#[tokio::test]
async fn consent_page_redirects_with_a_single_use_code_of_twenty_minutes() {
    let lab = Lab::start();
    let page = raw(lab.request(
        "GET",
        &format!("/oauth?client_id={DEMO_AMOCRM_CLIENT_ID}&state=a%20b"),
    ))
    .await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("oauth-allow") && page.text.contains("value=\"a b\""),
        "{}",
        page.text
    );
    let visit = |path: &str| {
        let url = format!(
            "{}{path}?client_id={DEMO_AMOCRM_CLIENT_ID}&state=abc",
            lab.sandbox.amocrm_url
        );
        async move {
            let answer = no_redirects().get(url).send().await.expect("an answer");
            assert_eq!(answer.status(), 302);
            answer.headers()["location"].to_str().expect("text").to_owned()
        }
    };
    let location = visit("/oauth/allow").await;
    let (uri, query) = location.split_once('?').expect("a query");
    assert_eq!(uri, DEMO_AMOCRM_REDIRECT_URI);
    let pairs = crate::lab::decoded(query);
    let value = |key: &str| {
        pairs
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.clone())
            .unwrap_or_default()
    };
    assert!(value("code").starts_with("def50200") && value("code").len() > 300);
    assert_eq!(
        (value("referer"), value("state")),
        ("demo.amocrm.ru".into(), "abc".into())
    );
    assert_eq!(
        (value("client_id"), value("platform")),
        (DEMO_AMOCRM_CLIENT_ID.into(), "1".into())
    );
    let denied = visit("/oauth/deny").await;
    assert!(
        denied.ends_with(&format!(
            "?error=access_denied&client_id={DEMO_AMOCRM_CLIENT_ID}&state=abc"
        )),
        "{denied}"
    );

    exchange(&lab, &grant("authorization_code", &value("code")))
        .await
        .ok();
    let again = exchange(&lab, &grant("authorization_code", &value("code"))).await;
    assert_eq!(hint(&again), (400, "Authorization code has been revoked".into()));
    let late = new_code(&lab);
    lab.clock().advance(Duration::from_secs(20 * 60));
    let late = exchange(&lab, &grant("authorization_code", &late)).await;
    assert_eq!(hint(&late), (400, "Authorization code has expired".into()));
}

// Line 2, installation from the account's pages.
#[tokio::test]
async fn installation_sends_the_code_server_to_server_without_state_once() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    receiver.answer(500);
    let integration = json!({
        "client_id": "11111111-0000-4000-8000-000000000002", "client_secret": "S2", "redirect_uri": receiver.url,
        "name": "Вторая",
    });
    lab.control("amocrm/integrations", integration.clone()).await.ok();
    lab.control(
        "amocrm/ui/install",
        json!({"client_id": integration["client_id"]}),
    )
    .await
    .ok();
    lab.idle().await;
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert!(
        got[0].line.starts_with("GET /hook?code=def50200"),
        "{}",
        got[0].line
    );
    assert!(
        got[0].line.contains("&referer=demo.amocrm.ru&platform=1&") && got[0].line.contains("&from_widget=1")
    );
    assert!(!got[0].line.contains("state="));
    assert_eq!(got[0].header("user-agent"), "amoService-oAuth-Code-Sender/1.0");
    lab.clock().advance(Duration::from_secs(7200));
    lab.idle().await;
    assert_eq!(receiver.got().len(), 1, "never repeated");
}

// Line 3.
#[tokio::test]
async fn token_endpoint_checks_every_field_and_answers_verbatim() {
    let lab = Lab::start();
    lab.control(
        "amocrm/integrations",
        json!({"client_id": "other", "client_secret": "OTHER", "redirect_uri": "https://other.example.com"}),
    )
    .await
    .ok();
    let (_, refresh) = new_pair(&lab).await;
    for kind in ["authorization_code", "refresh_token"] {
        let value = if kind == "refresh_token" {
            refresh.clone()
        } else {
            new_code(&lab)
        };
        for (key, wrong, status, expected) in [
            ("client_id", "nobody", 400, "Check the `client_id` parameter"),
            (
                "client_secret",
                "wrong",
                400,
                "Check the `client_secret` parameter",
            ),
            ("client_secret", "OTHER", 401, ""),
            (
                "redirect_uri",
                "https://else.example.com",
                400,
                "Redirect URI is not associated with client",
            ),
            ("grant_type", "password", 400, "Check the `grant_type` parameter"),
        ] {
            let mut body = grant(kind, &value);
            body[key] = json!(wrong);
            let reply = exchange(&lab, &body).await;
            assert_eq!(hint(&reply), (status, expected.to_owned()), "{kind} {key}");
            let title = if expected.is_empty() {
                "Некорректный клиент"
            } else {
                "Некорректный запрос"
            };
            assert_eq!(reply.json()["title"], title);
            body.as_object_mut().expect("an object").remove(key);
            assert_eq!(exchange(&lab, &body).await.status, 400, "{kind} without {key}");
        }
    }
    let garbage = exchange(&lab, &grant("authorization_code", "def50200garbage")).await;
    assert_eq!(
        hint(&garbage),
        (400, "Cannot decrypt the authorization code".into())
    );
    let garbage = exchange(&lab, &grant("refresh_token", "def50200garbage")).await;
    assert_eq!(hint(&garbage), (400, "Invalid refresh token".into()));
    let other = Account::empty(30_000_002, "other", lab.clock());
    lab.sandbox.world.amocrm().add_account(other);
    let body = grant("authorization_code", &new_code(&lab));
    let elsewhere = raw(lab.request("POST", "/other/oauth2/access_token").json(&body)).await;
    assert_eq!(hint(&elsewhere), (400, "Invalid account".into()));
    // None of the refusals has spent anything.
    exchange(&lab, &grant("refresh_token", &refresh)).await.ok();
}

// Line 4, strict.
#[tokio::test]
async fn strict_rotation_kills_the_old_refresh_token_at_once() {
    let lab = Lab::start();
    let (_, old) = new_pair(&lab).await;
    let new = exchange(&lab, &grant("refresh_token", &old)).await.ok();
    assert_ne!(new["refresh_token"], json!(old));
    let reply = exchange(&lab, &grant("refresh_token", &old)).await;
    assert_eq!(hint(&reply), (401, "Token has been revoked".into()));
    assert!(works(&lab, new["access_token"].as_str().expect("a token")).await);
}

// Line 4, grace.
#[tokio::test]
async fn grace_rotation_keeps_the_old_refresh_token_until_the_new_pair_is_used() {
    let lab = Lab::start();
    lab.sandbox
        .world
        .amocrm()
        .set(|s| s.refresh_mode = RefreshMode::Grace);
    let (_, old) = new_pair(&lab).await;
    let lost = exchange(&lab, &grant("refresh_token", &old)).await.ok();
    let kept = exchange(&lab, &grant("refresh_token", &old)).await.ok();
    assert!(
        !works(&lab, lost["access_token"].as_str().expect("a token")).await,
        "the lost pair is replaced"
    );
    assert!(works(&lab, kept["access_token"].as_str().expect("a token")).await);
    let reply = exchange(&lab, &grant("refresh_token", &old)).await;
    assert_eq!(hint(&reply), (401, "Token has been revoked".into()));
}

// Line 5.
#[tokio::test]
async fn answer_lost_after_rotation_is_recoverable_in_grace_only() {
    for (mode, recovers) in [(RefreshMode::Grace, true), (RefreshMode::Strict, false)] {
        let lab = Lab::start();
        lab.sandbox.world.amocrm().set(|s| s.refresh_mode = mode);
        let (_, old) = new_pair(&lab).await;
        let fault = Fault::once(Side::Amocrm, FaultKind::CutAfterApply).path("/oauth2/access_token");
        lab.sandbox.world.faults.add(fault);
        let lost = lab
            .request("POST", "/oauth2/access_token")
            .json(&grant("refresh_token", &old))
            .send()
            .await;
        assert!(lost.is_err(), "the connection is closed without an answer");
        let again = exchange(&lab, &grant("refresh_token", &old)).await;
        assert_eq!(again.status == 200, recovers, "{mode:?} {again:?}");
    }
}

// Line 6.
#[tokio::test]
async fn access_token_looks_like_a_jwt_and_expires() {
    let lab = Lab::start();
    lab.sandbox.world.amocrm().set(|s| s.access_ttl_s = 5);
    let code = new_code(&lab);
    let pair = exchange(&lab, &grant("authorization_code", &code)).await.ok();
    assert_eq!(
        (&pair["expires_in"], &pair["token_type"]),
        (&json!(5), &json!("Bearer"))
    );
    let access = pair["access_token"].as_str().expect("a token");
    let parts: Vec<&str> = access.split('.').collect();
    assert_eq!(parts.len(), 3);
    let decode = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    };
    let (header, claims) = (decode(parts[0]), decode(parts[1]));
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["account_id"], DEMO_AMOCRM_ACCOUNT);
    assert_eq!(claims["sub"], USER_ANNA.to_string());
    assert_eq!(
        (&claims["base_domain"], &claims["api_domain"]),
        (&json!("amocrm.ru"), &json!("api-b.amocrm.ru"))
    );
    assert_eq!(
        claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"),
        5
    );
    assert!(
        claims["scopes"]
            .as_array()
            .expect("scopes")
            .contains(&json!("crm"))
    );
    assert!(works(&lab, access).await);
    lab.clock().advance(Duration::from_secs(6));
    assert!(!works(&lab, access).await);
    lab.clock().advance(Duration::from_secs(91 * 86_400));
    let refresh = pair["refresh_token"].as_str().expect("a token");
    assert_eq!(
        exchange(&lab, &grant("refresh_token", refresh)).await.status,
        401,
        "three months are over"
    );
}

// Line 7, long-lived token and revocation.
#[tokio::test]
async fn uninstalling_kills_all_tokens_and_calls_the_signed_revocation_hook() {
    let lab = Lab::start();
    let receiver = Receiver::start().await;
    let wish = json!({"client_id": DEMO_AMOCRM_CLIENT_ID, "user_id": USER_ANNA, "ttl_s": 86_400});
    let made = lab.control("amocrm/tokens", wish).await.ok();
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(works(&lab, &token).await);
    let (access, refresh) = new_pair(&lab).await;
    lab.control(
        "amocrm/integrations",
        json!({
            "client_id": DEMO_AMOCRM_CLIENT_ID, "client_secret": DEMO_AMOCRM_CLIENT_SECRET,
            "redirect_uri": DEMO_AMOCRM_REDIRECT_URI, "revoke_uri": receiver.url,
        }),
    )
    .await
    .ok();
    lab.control("amocrm/ui/uninstall", json!({"client_id": DEMO_AMOCRM_CLIENT_ID}))
        .await
        .ok();
    lab.idle().await;
    for text in [&token, &access, &lab.token] {
        assert!(!works(&lab, text).await);
    }
    assert_eq!(
        exchange(&lab, &grant("refresh_token", &refresh)).await.status,
        401
    );
    let signature = "1e10a7459843501cd8f35bd47118a4d30c870a92f48ea57ab7a5ef765a94b881";
    let expected = format!(
        "GET /hook?client_uuid={DEMO_AMOCRM_CLIENT_ID}&account_id={DEMO_AMOCRM_ACCOUNT}&signature={signature} HTTP/1.1"
    );
    assert_eq!(receiver.got()[0].line, expected);
    assert_eq!(
        receiver.got()[0].header("user-agent"),
        "amoService-oAuth-Code-Sender/1.0"
    );
}

// Line 7, long-lived token expires.
#[tokio::test]
async fn long_lived_token_ends_with_its_term() {
    let lab = Lab::start();
    let token = lab.sandbox.world.amocrm().issue_long_lived(
        DEMO_AMOCRM_CLIENT_ID,
        DEMO_AMOCRM_ACCOUNT,
        USER_ANNA,
        86_400,
    );
    assert!(works(&lab, &token).await);
    lab.clock().advance(Duration::from_secs(86_400));
    assert!(!works(&lab, &token).await);
}

// Line 7, renaming.
#[tokio::test]
async fn renamed_account_is_found_by_its_refresh_token() {
    let lab = Lab::start();
    let (access, refresh) = new_pair(&lab).await;
    lab.control("amocrm/ui/rename", json!({"subdomain": "newname"}))
        .await
        .ok();
    let old = lab
        .request("GET", "/api/v4/account")
        .header("host", "demo.amocrm.ru")
        .bearer_auth(&access);
    assert_eq!(raw(old).await.status, 404);
    let expected = json!({
        "id": DEMO_AMOCRM_ACCOUNT, "subdomain": "newname", "domain": "newname.amocrm.ru", "top_level_domain": "ru",
    });
    let by_refresh = lab
        .request("GET", "/oauth2/account/current/subdomain")
        .header("x-refresh-token", &refresh);
    assert_eq!(raw(by_refresh).await.ok(), expected);
    let by_access = lab
        .request("GET", "/oauth2/account/subdomain")
        .bearer_auth(&access);
    assert_eq!(raw(by_access).await.ok(), expected);
    assert_eq!(
        raw(lab.request("GET", "/oauth2/account/subdomain")).await.status,
        401
    );
    let new = lab
        .request("GET", "/api/v4/account")
        .header("host", "newname.amocrm.ru")
        .bearer_auth(&access);
    assert_eq!(raw(new).await.ok()["subdomain"], "newname");
}
