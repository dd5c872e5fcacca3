//! Signing in and out, the first set-up, ends of sessions.

use crate::harness::{Answer, Caller, TestApp, Wanted};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use storage::accounts::Role;

fn setup_token(app: &TestApp) -> String {
    let link = app
        .running
        .setup_url
        .as_ref()
        .expect("an empty installation prints a link");
    link.expose_secret()
        .split_once('#')
        .expect("a token")
        .1
        .to_owned()
}

async fn set_up(caller: &Caller, token: &str, password: &str) -> Answer {
    let form = json!({
        "token": token, "email": "Anna@Example.ru ", "name": "Анна", "password": password, "workspace": "Продажи",
    });
    caller.post("/api/v1/setup", &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_set_up_works_once_on_every_database() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let caller = app.anonymous();
        assert_eq!(caller.get("/api/v1/session").await.json()["setup_needed"], true);
        assert_eq!(
            set_up(&caller, "wrong", "длинный пароль").await.problem(),
            "invalid"
        );
        let short = set_up(&caller, &setup_token(&app), "коротко").await;
        assert_eq!(short.json()["errors"][0]["pointer"], "/password");
        let done = set_up(&caller, &setup_token(&app), "длинный пароль").await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_eq!(done.json()["user"]["email"], "anna@example.ru");
        assert_eq!(done.json()["workspaces"][0]["role"], "owner");
        assert_eq!(done.json()["setup_needed"], false);
        let again = set_up(&app.anonymous(), &setup_token(&app), "длинный пароль").await;
        assert_eq!(again.problem(), "invalid");

        let other = app.anonymous();
        let sign_in = |password: &str| json!({ "email": "ANNA@example.ru", "password": password });
        let wrong = other.post("/api/v1/session", &sign_in("другой пароль")).await;
        assert_eq!(wrong.problem(), "wrong-credentials");
        let nobody = json!({ "email": "nobody@example.ru", "password": "другой пароль" });
        let nobody = other.post("/api/v1/session", &nobody).await;
        assert_eq!(without_ids(nobody.json()), without_ids(wrong.json()));
        assert_eq!(
            other
                .post("/api/v1/session", &sign_in("длинный пароль"))
                .await
                .status,
            200
        );
        assert_eq!(other.get("/api/v1/workspace").await.json()["name"], "Продажи");
    })
    .await;
}

fn without_ids(mut body: Value) -> Value {
    body["trace_id"] = Value::Null;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_changes_the_cookie_and_signing_out_kills_it() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let caller = app.member(&workspace, Role::Viewer).await;
    let user = caller.get("/api/v1/session").await.json()["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = async || {
        let token = app
            .engine()
            .accounts()
            .sign_in_token(user.parse().unwrap())
            .await
            .unwrap();
        let answer = caller
            .post("/api/v1/session/link", &json!({ "token": token.expose_secret() }))
            .await;
        let cookie = answer.header("set-cookie").to_owned();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap_or_default().to_owned()
    };
    let first = again().await;
    let second = again().await;
    assert_ne!(first, second, "a planted key must be worth nothing after sign-in");
    let stolen = async |cookie: &str| {
        let stranger = app.anonymous();
        let request = stranger
            .request(reqwest::Method::GET, "/api/v1/workspace")
            .header("cookie", cookie);
        stranger.send(request).await.status
    };
    assert_eq!(stolen(&first).await, 401);
    assert_eq!(stolen(&second).await, 200);
    assert_eq!(caller.delete("/api/v1/session").await.status, 204);
    assert_eq!(stolen(&second).await, 401);
    assert_eq!(caller.get("/api/v1/workspace").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_not_for_ever() {
    let wanted = Wanted {
        manual_clock: true,
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let workspace = app.workspace("кабинет").await;
    let caller = app.member(&workspace, Role::Viewer).await;
    let id = caller.get("/api/v1/session").await.json()["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let user = id.parse().unwrap();
    let token = app.engine().accounts().sign_in_token(user).await.unwrap();
    let form = json!({ "token": token.expose_secret() });
    assert_eq!(
        app.anonymous().post("/api/v1/session/link", &form).await.status,
        200
    );
    assert_eq!(
        app.anonymous()
            .post("/api/v1/session/link", &form)
            .await
            .problem(),
        "wrong-credentials"
    );
    let late = app.engine().accounts().sign_in_token(user).await.unwrap();
    app.clock.as_ref().unwrap().advance(3_600_001);
    let form = json!({ "token": late.expose_secret() });
    assert_eq!(
        app.anonymous()
            .post("/api/v1/session/link", &form)
            .await
            .problem(),
        "wrong-credentials"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_when_idle_and_in_any_case() {
    let file = "[session]\nidle_minutes = 30\nabsolute_hours = 2".to_owned();
    let wanted = Wanted {
        manual_clock: true,
        file,
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let clock = app.clock.clone().unwrap();
    let workspace = app.workspace("кабинет").await;
    let minute = 60_000;
    let idle = app.member(&workspace, Role::Viewer).await;
    clock.advance(29 * minute);
    assert_eq!(idle.get("/api/v1/workspace").await.status, 200);
    clock.advance(29 * minute);
    assert_eq!(
        idle.get("/api/v1/workspace").await.status,
        200,
        "use moves the end"
    );
    clock.advance(31 * minute);
    assert_eq!(idle.get("/api/v1/workspace").await.status, 401);
    let busy = app.member(&workspace, Role::Viewer).await;
    for _ in 0..5 {
        clock.advance(23 * minute);
        assert_eq!(busy.get("/api/v1/workspace").await.status, 200);
    }
    clock.advance(6 * minute);
    assert_eq!(busy.get("/api/v1/workspace").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_a_tls_address_are_bound_to_its_host() {
    let file = "[server]\npublic_url = \"https://hub.example.ru\"".to_owned();
    let app = TestApp::start(
        test_db::sqlite().await,
        Wanted {
            file,
            ..Wanted::default()
        },
    )
    .await;
    let token = setup_token(&app);
    assert!(
        app.running
            .setup_url
            .as_ref()
            .unwrap()
            .expose_secret()
            .starts_with("https://hub.example.ru/welcome#")
    );
    let done = set_up(&app.anonymous(), &token, "длинный пароль").await;
    let cookie = done.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-integrator=") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert!(done.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_person_and_a_revoked_key_are_out() {
    let app = TestApp::empty().await;
    let workspace = app.workspace("кабинет").await;
    let owner = app.member(&workspace, Role::Owner).await;
    let form = json!({ "name": "скрипт", "scopes": ["read"], "expires_in_days": 1 });
    let made = owner.post("/api/v1/api-keys", &form).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let mut script = app.anonymous();
    script.key = made["secret"].as_str().map(str::to_owned);
    assert_eq!(script.get("/api/v1/rules").await.status, 200);
    let listed = owner.get("/api/v1/api-keys").await;
    assert!(
        !listed.text.contains(made["secret"].as_str().unwrap()),
        "a secret is shown once"
    );
    assert_eq!(listed.json()["items"][0]["prefix"].as_str().unwrap().len(), 8);
    let id = made["key"]["id"].as_str().unwrap();
    assert_eq!(owner.delete(&format!("/api/v1/api-keys/{id}")).await.status, 204);
    assert_eq!(script.get("/api/v1/rules").await.status, 401);
    script.key = Some("int_unknown".to_owned());
    assert_eq!(script.get("/api/v1/rules").await.problem(), "unauthorized");
    let actions = owner.get("/api/v1/audit?subject_kind=api_key").await.json();
    assert_eq!(actions["items"][0]["action"], "api_key.revoked");
    assert_eq!(actions["items"][1]["action"], "api_key.created");
}
