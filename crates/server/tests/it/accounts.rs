//! Registration, invitations, forgotten passwords, members, second factor, deletion: as people go through them.

use crate::harness::{Answer, Caller, TestApp, Wanted};
use crate::mailbox::Mailbox;
use engine::accounts::Registration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use storage::accounts::Role;
use test_db::TestDb;

const PASSWORD: &str = "длинный пароль";

async fn app_with(db: TestDb) -> (TestApp, Mailbox) {
    let mailbox = Mailbox::start();
    let wanted = Wanted {
        manual_clock: true,
        file: format!("[mail]\nsmtp_url = \"{}\"", mailbox.url),
        ..Wanted::default()
    };
    let app = TestApp::start(db, wanted).await;
    // Somebody runs the installation, so that the first set-up is done.
    let workspace = app.workspace("первый").await;
    app.member(&workspace, Role::Owner).await;
    (app, mailbox)
}

async fn open_registration(app: &TestApp) {
    app.engine()
        .accounts()
        .set_registration(Registration::Open)
        .await
        .unwrap();
}

async fn sign_in(caller: &Caller, email: &str, password: &str, code: Option<&str>) -> Answer {
    let form = json!({ "email": email, "password": password, "code": code });
    caller.post("/api/v1/session", &form).await
}

/// A person with a password and a workspace of their own.
async fn registered(app: &TestApp, mailbox: &Mailbox, email: &str) -> Caller {
    let caller = app.anonymous();
    let asked = caller
        .post("/api/v1/registration", &json!({ "email": email }))
        .await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let form = json!({ "token": mailbox.next_token(), "name": "Анна", "password": PASSWORD, "workspace": "Продажи" });
    let done = caller.post("/api/v1/registration/finish", &form).await;
    assert_eq!(done.status, 200, "{done:?}");
    caller
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_by_mail_and_nobody_learns_who_exists() {
    test_db::each_database(|db| async move {
        let (app, mailbox) = app_with(db).await;
        let caller = app.anonymous();
        let ask = json!({ "email": "Anna@Example.ru" });
        assert_eq!(caller.post("/api/v1/registration", &ask).await.status, 403, "by invitation only");
        open_registration(&app).await;
        assert_eq!(caller.get("/api/v1/session").await.json()["registration_open"], true);
        assert_eq!(caller.post("/api/v1/registration", &ask).await.status, 202);
        let token = mailbox.next_token();
        let look = caller.post("/api/v1/registration/look", &json!({ "token": token })).await;
        assert_eq!(look.json(), json!({ "email": "anna@example.ru", "is_known": false }));
        let form = |password: &str| json!({ "token": token, "name": "Анна", "password": password, "workspace": "Продажи" });
        let weak = caller.post("/api/v1/registration/finish", &form("anna@example.ru")).await;
        assert_eq!(weak.json()["errors"][0]["pointer"], "/password", "{weak:?}");
        let done = caller.post("/api/v1/registration/finish", &form(PASSWORD)).await;
        assert_eq!(done.json()["workspaces"][0]["role"], "owner", "{done:?}");
        assert_eq!(caller.get("/api/v1/workspace").await.json()["name"], "Продажи");
        let again = app.anonymous().post("/api/v1/registration/finish", &form(PASSWORD)).await;
        assert_eq!(again.status, 401, "a link works once");

        let known = app.anonymous().post("/api/v1/registration", &ask).await;
        assert_eq!((known.status, known.text.as_str()), (202, ""), "the same answer as to anybody");
        assert!(mailbox.next().contains("уже есть"), "only the letter tells");
        let forgot = |email: &str| json!({ "email": email });
        let nobody = app.anonymous().post("/api/v1/password/forgotten", &forgot("nobody@example.ru")).await;
        let anna = app.anonymous().post("/api/v1/password/forgotten", &forgot("anna@example.ru")).await;
        assert_eq!((nobody.status, &nobody.text), (anna.status, &anna.text));
        assert!(mailbox.next().contains("/reset#"), "and nobody else got a letter before");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_and_ends_every_session() {
    let (app, mailbox) = app_with(test_db::sqlite().await).await;
    open_registration(&app).await;
    let caller = registered(&app, &mailbox, "anna@example.ru").await;
    let ask = json!({ "email": "anna@example.ru" });
    assert_eq!(
        app.anonymous()
            .post("/api/v1/password/forgotten", &ask)
            .await
            .status,
        202
    );
    let form = json!({ "token": mailbox.next_token(), "password": "другой длинный пароль" });
    let anybody = app.anonymous();
    assert_eq!(anybody.post("/api/v1/password/reset", &form).await.status, 204);
    assert!(mailbox.next().contains("изменён"));
    assert_eq!(
        anybody.post("/api/v1/password/reset", &form).await.status,
        422,
        "once"
    );
    assert_eq!(
        caller.get("/api/v1/workspace").await.status,
        401,
        "a thief's session ends too"
    );
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", PASSWORD, None).await.status,
        401
    );
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", "другой длинный пароль", None)
            .await
            .status,
        200
    );
    assert_eq!(anybody.post("/api/v1/password/forgotten", &ask).await.status, 202);
    let late = json!({ "token": mailbox.next_token(), "password": PASSWORD });
    app.clock.as_ref().unwrap().advance(3_600_001);
    assert_eq!(anybody.post("/api/v1/password/reset", &late).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_by_invitation_and_an_owner_stays() {
    let (app, mailbox) = app_with(test_db::sqlite().await).await;
    open_registration(&app).await;
    let owner = registered(&app, &mailbox, "anna@example.ru").await;
    let invite = json!({ "email": "boris@example.ru", "role": "editor" });
    assert_eq!(owner.post("/api/v1/invitations", &invite).await.status, 202);
    let token = mailbox.next_token();
    assert_eq!(
        owner.get("/api/v1/invitations").await.json()["items"][0]["email"],
        "boris@example.ru"
    );
    let boris = app.anonymous();
    let form = json!({ "token": token, "name": "Борис", "password": "пароль для бориса" });
    let joined = boris.post("/api/v1/registration/finish", &form).await;
    assert_eq!(joined.json()["workspaces"][0]["role"], "editor", "{joined:?}");
    assert_eq!(owner.get("/api/v1/invitations").await.json()["items"], json!([]));
    let members = owner.get("/api/v1/members").await.json();
    let id_of = |name: &str| {
        let all = members["items"].as_array().unwrap();
        let found = all.iter().find(|member| member["name"] == name).unwrap();
        found["user_id"].as_str().unwrap().to_owned()
    };
    let (anna_id, boris_id) = (id_of("Анна"), id_of("Борис"));
    let change = async |caller: &Caller, id: &str, role: &str| {
        let request = caller.request(reqwest::Method::PATCH, &format!("/api/v1/members/{id}"));
        caller.send(request.json(&json!({ "role": role }))).await.status
    };
    assert_eq!(
        change(&owner, &anna_id, "viewer").await,
        422,
        "the last owner stays"
    );
    assert_eq!(owner.delete("/api/v1/membership").await.status, 422);
    assert_eq!(
        change(&boris, &boris_id, "owner").await,
        403,
        "nobody promotes themselves"
    );
    assert_eq!(change(&owner, &boris_id, "owner").await, 204);
    assert_eq!(
        boris.get("/api/v1/workspace").await.status,
        401,
        "a new role needs a new session"
    );
    assert_eq!(
        sign_in(&boris, "boris@example.ru", "пароль для бориса", None)
            .await
            .status,
        200
    );
    assert_eq!(
        owner.delete("/api/v1/membership").await.status,
        204,
        "handed over"
    );
    assert_eq!(
        owner.get("/api/v1/rules").await.status,
        400,
        "in no workspace any more"
    );
    let actions = boris.get("/api/v1/audit?subject_kind=member").await.json();
    let actions: Vec<_> = actions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(
        actions,
        [
            "member.removed",
            "member.role_changed",
            "member.joined",
            "member.invited"
        ]
    );
    let whole = boris.get("/api/v1/audit/verification").await.json();
    assert!(
        whole["broken_at"].is_null() && whole["n_entries"].as_u64() >= Some(5),
        "{whole}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    let (app, mailbox) = app_with(test_db::sqlite().await).await;
    open_registration(&app).await;
    let caller = registered(&app, &mailbox, "anna@example.ru").await;
    let clock = app.clock.clone().unwrap();
    let with_password = json!({ "password": PASSWORD });
    let wrong = caller
        .post(
            "/api/v1/me/second-factor",
            &json!({ "password": "не тот пароль" }),
        )
        .await;
    assert_eq!(wrong.status, 422, "an open session is not enough");
    let begun = caller
        .post("/api/v1/me/second-factor", &with_password)
        .await
        .json();
    let secret = SecretString::from(begun["secret"].as_str().unwrap().to_owned());
    let code = || {
        use engine::clock::Clock;
        vault::totp::code(&secret, clock.now().0 / 1_000).unwrap()
    };
    let anybody = app.anonymous();
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", PASSWORD, None).await.status,
        200,
        "not confirmed yet"
    );
    let confirmed = caller
        .post("/api/v1/me/second-factor/confirm", &json!({ "code": code() }))
        .await;
    let codes: Vec<String> = serde_json::from_value(confirmed.json()["codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10);
    let anybody = app.anonymous();
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", PASSWORD, None)
            .await
            .problem(),
        "second-factor"
    );
    let used = code();
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", PASSWORD, Some(&used))
            .await
            .status,
        401,
        "used to confirm"
    );
    clock.advance(60_000);
    let fresh = code();
    assert_eq!(
        sign_in(&anybody, "anna@example.ru", PASSWORD, Some(&fresh))
            .await
            .status,
        200
    );
    assert_eq!(
        sign_in(&app.anonymous(), "anna@example.ru", PASSWORD, Some(&fresh))
            .await
            .status,
        401,
        "once"
    );
    assert_eq!(
        sign_in(&app.anonymous(), "anna@example.ru", PASSWORD, Some(&codes[0]))
            .await
            .status,
        200
    );
    assert_eq!(
        sign_in(&app.anonymous(), "anna@example.ru", PASSWORD, Some(&codes[0]))
            .await
            .status,
        401,
        "once"
    );
    clock.advance(3_600_000);
    let wrong_password = sign_in(&app.anonymous(), "anna@example.ru", "не тот пароль", None).await;
    assert_eq!(
        wrong_password.problem(),
        "wrong-credentials",
        "a code is asked for after the password only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn own_sessions_are_seen_and_ended() {
    let (app, mailbox) = app_with(test_db::sqlite().await).await;
    open_registration(&app).await;
    let here = registered(&app, &mailbox, "anna@example.ru").await;
    let (there, elsewhere) = (app.anonymous(), app.anonymous());
    for caller in [&there, &elsewhere] {
        assert_eq!(
            sign_in(caller, "anna@example.ru", PASSWORD, None).await.status,
            200
        );
    }
    let list = async || here.get("/api/v1/me/sessions").await.json()["items"].clone();
    let all = list().await;
    let current: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["is_current"] == true)
        .collect();
    assert_eq!((all.as_array().unwrap().len(), current.len()), (3, 1));
    let there_id = there.get("/api/v1/me/sessions").await.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["is_current"] == true)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        here.delete(&format!("/api/v1/me/sessions/{there_id}"))
            .await
            .status,
        204
    );
    assert_eq!(there.get("/api/v1/me").await.status, 401);
    assert_eq!(here.delete("/api/v1/me/sessions").await.status, 204);
    assert_eq!(elsewhere.get("/api/v1/me").await.status, 401);
    assert_eq!(list().await.as_array().unwrap().len(), 1);
    let form = json!({ "current": PASSWORD, "password": "другой длинный пароль" });
    let changed = here
        .send(
            here.request(reqwest::Method::PUT, "/api/v1/me/password")
                .json(&form),
        )
        .await;
    assert_eq!(changed.status, 204, "{changed:?}");
    assert_eq!(
        here.get("/api/v1/me").await.json()["has_password"],
        true,
        "this session stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_goes_with_everything_that_is_its_own() {
    test_db::each_database(|db| async move {
        let (app, mailbox) = app_with(db).await;
        open_registration(&app).await;
        let caller = registered(&app, &mailbox, "anna@example.ru").await;
        let workspace = caller.get("/api/v1/workspace").await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let export = caller.get("/api/v1/me/export").await.json();
        assert_eq!(export["profile"]["email"], "anna@example.ru");
        assert_eq!(export["audit_entries"][0]["action"], "workspace.created");
        let key = json!({ "name": "скрипт", "scopes": ["read"] });
        let key = caller.post("/api/v1/api-keys", &key).await.json()["secret"]
            .as_str()
            .unwrap()
            .to_owned();
        let wrong = caller
            .post("/api/v1/me/delete", &json!({ "password": "не тот пароль" }))
            .await;
        assert_eq!(wrong.status, 422);
        let gone = caller
            .post("/api/v1/me/delete", &json!({ "password": PASSWORD }))
            .await;
        assert_eq!(gone.status, 204, "{gone:?}");
        assert_eq!(caller.get("/api/v1/me").await.status, 401);
        assert_eq!(
            sign_in(&app.anonymous(), "anna@example.ru", PASSWORD, None)
                .await
                .status,
            401
        );
        let mut script = app.anonymous();
        script.key = Some(key);
        assert_eq!(
            script.get("/api/v1/rules").await.status,
            401,
            "keys of the workspace went with it"
        );
        let left = storage::accounts::workspace(app.engine().db(), workspace.parse().unwrap()).await;
        assert!(matches!(left, Err(storage::StorageError::NotFound { .. })));
        assert!(mailbox.is_empty());
    })
    .await;
}

/// A letter's header cannot be smuggled in by an address or a name.
#[tokio::test(flavor = "multi_thread")]
async fn letters_have_no_headers_but_ours() {
    let (app, mailbox) = app_with(test_db::sqlite().await).await;
    open_registration(&app).await;
    for email in [
        "a@example.ru\r\nBcc: b@example.ru",
        "a@example.ru\nx",
        "<a@example.ru>, b@example.ru",
    ] {
        let answer = app
            .anonymous()
            .post("/api/v1/registration", &json!({ "email": email }))
            .await;
        assert_eq!(answer.status, 422, "{email:?} {answer:?}");
    }
    let owner = registered(&app, &mailbox, "anna@example.ru").await;
    let rename = json!({ "name": "Анна\r\nBcc: b@example.ru" });
    let renamed = owner
        .send(owner.request(reqwest::Method::PATCH, "/api/v1/me").json(&rename))
        .await;
    assert_eq!(renamed.status, 422);
    assert!(mailbox.is_empty());
    let _secret: &str = app
        .running
        .setup_url
        .as_ref()
        .map_or("", |url| url.expose_secret());
}
