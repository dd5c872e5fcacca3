//! PostgreSQL goes away under a running hub and comes back.

use crate::chaos::hub::Hub;
use crate::crms::Crms;
use sandbox::{EntryKind, Options, STATUS_TO_CALL, Sandbox, Side};
use serde_json::json;
use std::time::Duration;
use test_db::OwnServer;

/// How long any consequence may take on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

async fn deal(crms: &Crms<'_>, phone: &str) -> i64 {
    let form = json!({"name": "Глеб Тестов", "phone": format!("+{phone}"), "deal": "Балкон"});
    let made = crms.post("amocrm/ui/create", form).await;
    made[0]["id"].as_i64().unwrap()
}

async fn hand_over(crms: &Crms<'_>, deal: i64) {
    let to_call = json!({"id": deal, "status_id": STATUS_TO_CALL});
    crms.post("amocrm/ui/move", to_call).await;
}

/// Waits until there is a lead with this phone; how many there are.
async fn leads(crms: &Crms<'_>, phone: &str) -> usize {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    let found = async {
        loop {
            look.tick().await;
            let n = crms.leads(phone).await.len();
            if n > 0 {
                return n;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .expect("лида так и нет")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_hub_says_503_in_time_and_goes_on_by_itself_afterwards() {
    if test_db::sqlite_only() {
        eprintln!("left out by {}", test_db::SQLITE_ONLY_VARIABLE);
        return;
    }
    let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
    let server = OwnServer::start();
    let sandbox = Sandbox::start(Options::demo());
    let logs = tempfile::tempdir().unwrap();
    let mut hub = Hub::new(1, &server.url(), &sandbox, logs.path()).await;
    assert!(
        tokio::task::block_in_place(|| hub.processes[0].start()),
        "не запустился"
    );
    let crms = Crms::of(&sandbox);
    let (first, second) = (deal(&crms, "79995550301").await, deal(&crms, "79995550302").await);
    hand_over(&crms, first).await;
    assert_eq!(leads(&crms, "79995550301").await, 1);

    tokio::task::block_in_place(|| server.die());
    let mut journal = sandbox.world.journal.subscribe();
    hand_over(&crms, second).await;
    let told = async {
        loop {
            let entry = journal.recv().await.unwrap();
            if entry.kind == EntryKind::Webhook && entry.side == Side::Amocrm {
                return entry.status;
            }
        }
    };
    // amoCRM waits two seconds; a status of 0 would be its impatience.
    let status = tokio::time::timeout(PATIENCE, told)
        .await
        .expect("вебхук не ушёл");
    assert_eq!(status, Some(503));

    tokio::task::block_in_place(|| server.begin());
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let again = async {
        while sandbox.world.emitter.queued() > 0 {
            look.tick().await;
            sandbox.world.emitter.hurry();
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("вебхук так и не принят");
    assert_eq!(leads(&crms, "79995550302").await, 1);
    assert_eq!(leads(&crms, "79995550301").await, 1);
    assert!(hub.processes[0].is_alive(), "никто его не перезапускал");
}
