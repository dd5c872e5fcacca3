//! Sub-commands beside a running server.

use crate::harness::{TestApp, VAULT_KEY, Wanted};
use engine::keys::key_use;
use server::commands::Operation;
use server::config::Config;
use std::path::Path;
use storage::accounts::Role;
use storage::connections;

/// Another 32 random bytes.
const NEW_KEY: &str = "kZyO2N0fB1pWc4UqgH7m5dT3xR9vLsEoJ6iYaXbQnKM=";

/// The configuration of an installation whose keys are these: the newest first, each with its name.
fn config(app: &TestApp, keys: &[(&str, &str)], files: &Path) -> Config {
    let previous: Vec<String> = keys[1..].iter().map(|(id, key)| format!("{id}:{key}")).collect();
    let pairs = [
        ("INTEGRATOR_DATABASE__URL", app.db_url().to_owned()),
        ("INTEGRATOR_VAULT__KEY_ID", keys[0].0.to_owned()),
        ("INTEGRATOR_VAULT__KEY", keys[0].1.to_owned()),
        ("INTEGRATOR_VAULT__PREVIOUS_KEYS", previous.join(",")),
        // The sandbox.
        ("INTEGRATOR_OUTGOING__ALLOWED_HOSTS", "127.0.0.1".to_owned()),
        ("INTEGRATOR_FILES__FOLDER", files.to_str().unwrap().to_owned()),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    Config::from_parts("", pairs).unwrap()
}

async fn run(config: &Config, app: &TestApp, words: &[&str]) -> Result<String, String> {
    let mut out = Vec::new();
    let operation = Operation::parse(words).expect("a known operation");
    let done = operation.run(config, app.engine().clock().now(), &mut out).await;
    let text = String::from_utf8(out).unwrap();
    done.map(|()| text.clone())
        .map_err(|error| format!("{text}{error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_beside_a_running_server() {
    test_db::each_database(|db| async move {
        let wanted = Wanted {
            demo: true,
            ..Wanted::default()
        };
        let app = TestApp::start(db, wanted).await;
        let folder = tempfile::tempdir().unwrap();
        let only_new = config(&app, &[("new", NEW_KEY)], folder.path());
        let both = config(&app, &[("new", NEW_KEY), ("main", VAULT_KEY)], folder.path());
        let refused = run(&only_new, &app, &["keys", "rotate"]).await.unwrap_err();
        assert!(refused.contains("vault.previous_keys"), "{refused}");
        let before = run(&both, &app, &["keys", "status"]).await.unwrap();
        assert!(
            before.contains("main: запечатано 3") && before.contains("keys rotate"),
            "{before}"
        );

        let after = run(&both, &app, &["keys", "rotate"]).await.unwrap();
        assert!(
            after.contains("new: запечатано 3") && after.contains("можно очистить"),
            "{after}"
        );
        let found = key_use(app.engine().db(), &only_new.keyring).await.unwrap();
        assert_eq!(found.n_unopened, 0, "the old key is needed no more");
        let again = run(&both, &app, &["keys", "rotate"]).await.unwrap();
        assert!(again.contains("Запечатано заново: 0"), "{again}");

        // A server with the new key alone opens every credential.
        let engine = server::startup::at_rest(&only_new).await.unwrap();
        for connection in connections::list_all(engine.db()).await.unwrap() {
            engine
                .connections()
                .check(connection.workspace, connection.id)
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_taken_at_work_and_put_back() {
    let app = TestApp::demo().await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&app, &[("main", VAULT_KEY)], folder.path());
    let copy = folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let done = run(&config, &app, &["backup", copy]).await.unwrap();
    assert!(done.contains("Копия готова"), "{done}");
    let again = run(&config, &app, &["backup", copy]).await.unwrap_err();
    assert!(again.contains("уже есть"), "nothing is written over: {again}");
    let taken = run(&config, &app, &["restore", copy]).await.unwrap_err();
    assert!(taken.contains("остановите сервер"), "{taken}");

    let mut elsewhere = config.clone();
    let target = folder.path().join("restored.db");
    elsewhere.database.url = format!("sqlite://{}?mode=rwc", target.display()).into();
    run(&elsewhere, &app, &["restore", copy]).await.unwrap();
    let there = run(&elsewhere, &app, &["users", "list"]).await.unwrap();
    assert_eq!(there, run(&config, &app, &["users", "list"]).await.unwrap());
    assert!(there.contains('@'), "{there}");

    let broken = folder.path().join("broken.db");
    std::fs::write(&broken, "это не база данных".repeat(500)).unwrap();
    elsewhere.database.url = format!("sqlite://{}?mode=rwc", folder.path().join("none.db").display()).into();
    let refused = run(&elsewhere, &app, &["restore", broken.to_str().unwrap()])
        .await
        .unwrap_err();
    assert!(refused.contains("broken.db"), "{refused}");
    assert!(!folder.path().join("none.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_helped_from_the_command_line() {
    test_db::each_database(|db| async move {
        let app = TestApp::start(db, Wanted::default()).await;
        let workspace = app.workspace("кабинет").await;
        let caller = app.member(&workspace, Role::Owner).await;
        let email = caller.get("/api/v1/me").await.json()["email"]
            .as_str()
            .unwrap()
            .to_owned();
        let folder = tempfile::tempdir().unwrap();
        let config = config(&app, &[("main", VAULT_KEY)], folder.path());
        let link = run(&config, &app, &["users", "link", &email.to_uppercase()])
            .await
            .unwrap();
        let token = link.lines().next().unwrap().split_once('#').unwrap().1;
        let visitor = app.anonymous();
        let form = serde_json::json!({ "token": token });
        assert_eq!(visitor.post("/api/v1/session/link", &form).await.status, 200);

        run(&config, &app, &["users", "disable", &email]).await.unwrap();
        assert_eq!(caller.get("/api/v1/me").await.status, 401, "sessions end at once");
        assert!(
            run(&config, &app, &["users", "list"])
                .await
                .unwrap()
                .contains("отключён")
        );
        let refused = run(&config, &app, &["users", "link", &email]).await.unwrap_err();
        assert!(refused.contains("users enable"), "{refused}");
        run(&config, &app, &["users", "enable", &email]).await.unwrap();
        run(&config, &app, &["users", "link", &email]).await.unwrap();
        let unknown = run(&config, &app, &["users", "link", "nobody@example.ru"])
            .await
            .unwrap_err();
        assert!(unknown.contains("users list"), "{unknown}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_wrong() {
    let wanted = Wanted {
        demo: true,
        ..Wanted::default()
    };
    let app = TestApp::start(test_db::sqlite().await, wanted).await;
    let folder = tempfile::tempdir().unwrap();
    let healthy = config(&app, &[("main", VAULT_KEY)], folder.path());
    let said = run(&healthy, &app, &["doctor"]).await.unwrap();
    assert!(
        said.contains("схема свежая") && said.contains("Всё в порядке"),
        "{said}"
    );
    let other_key = config(&app, &[("new", NEW_KEY)], folder.path());
    let said = run(&other_key, &app, &["doctor"]).await.unwrap_err();
    assert!(
        said.contains("✗ Секретов, которые не открываются ни одним ключом: 3"),
        "{said}"
    );
    let mut nowhere = healthy.clone();
    nowhere.database.url = "sqlite:///nowhere/integrator.db".to_owned().into();
    let said = run(&nowhere, &app, &["doctor"]).await.unwrap_err();
    assert!(said.contains("database.url"), "{said}");
}
