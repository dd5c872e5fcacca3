//! Checklist: sign-in, tokens, unknown routes, rate limit, accounts.

use reqwest::Method;
use sandbox::lptracker::{DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD, RateScope};
use serde_json::{Value, json};

use crate::lptracker_kit::{Lp, PROJECT, keys};

#[tokio::test]
async fn login_wants_four_keys_and_the_right_password() {
    let lp = Lp::start().await;
    assert_eq!(lp.token.len(), 32);
    assert!(lp.token.chars().all(|c| c.is_ascii_alphanumeric()));
    let right = json!({
        "login": DEMO_LPTRACKER_LOGIN, "password": DEMO_LPTRACKER_PASSWORD, "service": "S", "version": "1.0",
    });
    for key in ["login", "password", "service", "version"] {
        let mut body = right.clone();
        body.as_object_mut().unwrap().remove(key);
        assert_eq!(
            lp.refused(Method::POST, "/login", Some(body)).await,
            400,
            "without {key}"
        );
    }
    let mut wrong = right.clone();
    wrong["password"] = json!("other");
    let (status, answer) = lp.send(Method::POST, "/login", None, Some(wrong)).await;
    assert_eq!(status, 200);
    let expected =
        json!({"status": "error", "errors": [{"code": 401, "message": "Invalid login or password"}]});
    assert_eq!(answer, expected);
    let (_, answer) = lp.send(Method::POST, "/login", None, Some(right)).await;
    assert_eq!(answer["status"], "success");
    assert_ne!(
        answer["result"]["token"],
        json!(lp.token),
        "several tokens of one login live at once"
    );
    lp.get("/projects").await;
}

#[tokio::test]
async fn every_other_call_needs_a_living_token() {
    let lp = Lp::start().await;
    let unauthorized = json!({"status": "error", "errors": [{"code": 401, "message": "Unauthorized"}]});
    for (method, path) in [
        (Method::GET, "/projects"),
        (Method::GET, "/staff"),
        (Method::POST, "/lead"),
        (Method::POST, "/logout"),
        (Method::GET, "/contact/search"),
        (Method::GET, "/no/such/route"),
    ] {
        for token in [None, Some("AbCdEfGhIjKlMnOpQrStUvWxYz012345")] {
            let (status, answer) = lp.send(method.clone(), path, token, None).await;
            assert_eq!((status, &answer), (200, &unauthorized), "{path}");
        }
    }
    let other = lp.login(DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD).await;
    let (_, answer) = lp.send(Method::POST, "/logout", Some(&other), None).await;
    assert_eq!(answer, json!({"status": "success", "result": true}));
    assert_eq!(
        lp.send(Method::GET, "/projects", Some(&other), None).await.1,
        unauthorized
    );
    lp.get("/projects").await;
}

#[tokio::test]
async fn token_dies_after_a_day_without_use_and_use_restarts_the_day() {
    const HOUR: u64 = 3_600_000;
    let lp = Lp::start().await;
    for _ in 0..3 {
        lp.advance(23 * HOUR);
        lp.get("/projects").await;
    }
    lp.advance(24 * HOUR - 1);
    lp.get("/projects").await;
    lp.advance(24 * HOUR);
    assert_eq!(lp.refused(Method::GET, "/projects", None).await, 401);
    assert_eq!(lp.refused(Method::GET, "/projects", None).await, 401);
}

#[tokio::test]
async fn unknown_routes_and_objects_are_404_in_the_body() {
    let lp = Lp::start().await;
    let (status, answer) = lp.send(Method::GET, "/nothing", Some(&lp.token), None).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({"status": "error", "errors": [{"code": 404, "message": "Not found"}]})
    );
    for path in [
        "/project/1",
        "/project/1/customs",
        "/project/abc",
        "/contact/1",
        "/contact/details/1",
        "/lead/1",
        "/lead/abc",
        "/lead/1/list",
        "/view/1",
        "/label/1/list",
        &format!("/project/{PROJECT}/funnel/1"),
        &format!("/project/{PROJECT}/unknown"),
    ] {
        assert_eq!(lp.refused(Method::GET, path, None).await, 404, "{path}");
    }
    assert_eq!(lp.refused(Method::DELETE, "/projects", None).await, 404);
}

#[tokio::test]
async fn reads_tolerate_bodies_and_writes_tolerate_unknown_keys_and_empty_lists() {
    let lp = Lp::start().await;
    let (_, answer) = lp
        .send(Method::GET, "/projects", Some(&lp.token), Some(json!([])))
        .await;
    assert_eq!(answer["status"], "success");
    let (_, answer) = lp
        .send(Method::GET, "/staff", Some(&lp.token), Some(json!("junk")))
        .await;
    assert_eq!(answer["status"], "success");
    let id = lp
        .lead(json!({"custom": [], "params": {"a": 1}, "strange": [1, {"x": null}]}))
        .await;
    assert_eq!(lp.post(&format!("/lead/{id}/call"), json!([])).await, json!(true));
    assert_eq!(lp.refused(Method::POST, "/lead", Some(json!("text"))).await, 400);
    let trailing = lp.get(&format!("/project/{PROJECT}/")).await;
    assert_eq!(trailing["id"], PROJECT);
}

#[tokio::test]
async fn three_requests_a_second_pass_and_the_fourth_is_503() {
    let lp = Lp::start().await;
    lp.advance(1_000);
    lp.set(|settings| settings.rate_limit_per_second = 3);
    let refused = json!({"status": "error", "errors": [{"code": 503, "message": "Too many requests"}]});
    for _ in 0..3 {
        lp.get("/projects").await;
        lp.advance(300);
    }
    assert_eq!(
        lp.send(Method::GET, "/projects", Some(&lp.token), None).await,
        (200, refused.clone())
    );
    // 1,000 ms after the first request exactly one more fits in.
    lp.advance(100);
    lp.get("/projects").await;
    lp.set(|settings| settings.http_503 = true);
    assert_eq!(
        lp.send(Method::GET, "/projects", Some(&lp.token), None).await,
        (503, refused)
    );
    let world = &lp.sandbox.world;
    assert_eq!(world.lptracker().refused(), 2);
    assert_eq!(
        world.lptracker().highest_rate(),
        5,
        "refused requests count as load"
    );
    let stats = lp.control(Method::GET, "stats", None).await;
    assert_eq!(
        (&stats["refused_503"], &stats["highest_rate"]),
        (&json!(2), &json!(5))
    );
}

#[tokio::test]
async fn rate_is_counted_per_login_or_per_token() {
    let lp = Lp::start().await;
    let second = lp.login(DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD).await;
    lp.set(|settings| settings.rate_limit_per_second = 3);
    let codes = |answers: Vec<Value>| {
        answers
            .iter()
            .filter(|answer| answer["status"] == "error")
            .count()
    };
    for (scope, expected) in [(RateScope::Login, 1), (RateScope::Token, 0)] {
        lp.advance(1_000);
        lp.set(|settings| settings.rate_scope = scope);
        let mut answers = Vec::new();
        for token in [&lp.token, &second, &lp.token, &second] {
            answers.push(lp.send(Method::GET, "/staff", Some(token), None).await.1);
        }
        assert_eq!(codes(answers), expected, "{scope:?}");
    }
    // Attempts to sign in are limited by themselves.
    lp.advance(1_000);
    let wrong = json!({"login": "x", "password": "y", "service": "s", "version": "1.0"});
    for expected in [401, 401, 401, 503] {
        assert_eq!(
            lp.refused(Method::POST, "/login", Some(wrong.clone())).await,
            expected
        );
    }
}

#[tokio::test]
async fn one_login_per_address_is_a_switch_and_accounts_do_not_see_each_other() {
    let lp = Lp::start().await;
    let body = json!({"login": "other@example.ru", "password": "p"});
    let project = lp.control(Method::POST, "accounts", Some(body)).await["id"]
        .as_i64()
        .unwrap();
    let other = lp.login("other@example.ru", "p").await;
    lp.get("/projects").await;
    let (_, mine) = lp.send(Method::GET, "/projects", Some(&other), None).await;
    assert_eq!(mine["result"].as_array().unwrap().len(), 1);
    assert_eq!(mine["result"][0]["id"], project);
    assert_eq!(
        lp.refused(Method::GET, &format!("/project/{project}"), None)
            .await,
        404
    );
    let lead = lp.lead(json!({})).await;
    let (_, foreign) = lp
        .send(Method::GET, &format!("/lead/{lead}"), Some(&other), None)
        .await;
    assert_eq!(foreign["errors"][0]["code"], 404);

    lp.set(|settings| settings.one_login_per_ip = true);
    let other = lp.login("other@example.ru", "p").await;
    assert_eq!(
        lp.refused(Method::GET, "/projects", None).await,
        401,
        "knocked out by the other login"
    );
    let again = lp.login("other@example.ru", "p").await;
    for token in [&other, &again] {
        assert_eq!(
            lp.send(Method::GET, "/staff", Some(token), None).await.1["status"],
            "success"
        );
    }
}

#[tokio::test]
async fn staff_has_the_main_account_and_projects_are_at_least_two() {
    let lp = Lp::start().await;
    let staff = lp.get("/staff").await;
    assert_eq!(staff.as_array().unwrap().len(), 3);
    assert_eq!((&staff[0]["id"], &staff[0]["type"]), (&json!(0), &json!("main")));
    assert_eq!(
        keys(&staff[1]),
        ["created_at", "id", "job", "last_login_at", "name", "type"]
    );
    assert!(staff[1]["created_at"].is_i64());
    let projects = lp.get("/projects").await;
    assert_eq!(projects.as_array().unwrap().len(), 2);
    assert_eq!(keys(&projects[0]), ["domain", "id", "name", "page"]);
    assert_eq!(lp.get(&format!("/project/{PROJECT}")).await, projects[0]);
}
