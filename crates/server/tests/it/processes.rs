//! Several processes of the real program on one PostgreSQL: they keep within the limits of the CRMs together, and one
//! takes over what another was killed over.

use crate::crash::{Program, finished};
use crate::crms::Crms;
use sandbox::{EntryKind, Options, Sandbox, Side};
use serde_json::json;
use storage::Db;
use test_db::Kind;

const N_DEALS: usize = 8;

/// The most requests that a side received within one second, whatever second one looks at.
fn burst(sandbox: &Sandbox, side: Side) -> usize {
    let entries = sandbox.world.journal.entries();
    let times: Vec<i64> = entries
        .iter()
        .filter(|entry| entry.side == side && entry.kind == EntryKind::Request)
        .map(|entry| entry.at_ms)
        .collect();
    times
        .iter()
        .map(|start| {
            times
                .iter()
                .filter(|at| **at >= *start && **at < start + 1_000)
                .count()
        })
        .max()
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_and_a_death_stay_within_the_limits() {
    let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
    test_db::each_database(|test_db| async move {
        if test_db.kind() == Kind::Sqlite {
            // SQLite is for one process.
            return;
        }
        let sandbox = Sandbox::start(Options::demo());
        let mut first = Program::start(&test_db, &sandbox);
        let _second = Program::start(&test_db, &sandbox);
        let crms = Crms::of(&sandbox);
        let db = Db::connect(test_db.url(), 2).await.unwrap();
        let mut deals = Vec::new();
        for n in 0..N_DEALS {
            let phone = format!("7999777030{n}");
            let form = json!({ "name": "Глеб Тестов", "phone": format!("+{phone}"), "deal": "Балкон" });
            let deal = crms.post("amocrm/ui/create", form).await[0]["id"]
                .as_i64()
                .unwrap();
            deals.push((deal, phone));
        }
        finished(&db).await;
        for (deal, _) in &deals {
            let moved = json!({ "id": deal, "status_id": sandbox::STATUS_TO_CALL });
            crms.post("amocrm/ui/move", moved).await;
        }
        // In the middle of the work, whoever holds it.
        while crms.leads(&deals[0].1).await.is_empty() {
            tokio::task::yield_now().await;
        }
        first.kill();
        finished(&db).await;
        for (_, phone) in &deals {
            assert_eq!(crms.leads(phone).await.len(), 1, "{phone}");
        }
        for (side, limit) in [(Side::Amocrm, 7), (Side::Lptracker, 3)] {
            assert!(
                burst(&sandbox, side) <= limit,
                "{side:?}: {}",
                burst(&sandbox, side)
            );
            assert_eq!(sandbox.world.journal.count_status(side, 429), 0, "{side:?}");
        }
    })
    .await;
}
