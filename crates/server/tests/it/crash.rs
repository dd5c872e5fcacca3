//! `kill -9` in the middle of the main flow, at every request of it: after a restart the flow finishes, once.

use crate::crms::Crms;
use sandbox::{EntryKind, Options, Sandbox, Side};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use storage::{Db, deliveries, events};
use test_db::TestDb;

/// How long any consequence may take on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The real program, which can be killed and started again at the same address.
pub(crate) struct Program {
    environment: HashMap<String, String>,
    child: Child,
}

impl Program {
    pub(crate) fn start(db: &TestDb, sandbox: &Sandbox) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let environment = [
            ("INTEGRATOR_SERVER__PORT", port.to_string()),
            ("INTEGRATOR_DATABASE__URL", db.url().to_owned()),
            (
                "INTEGRATOR_VAULT__KEY",
                "9w2xPVq7mE0tRk3uYh5cBn8sLd6fGjZaXoWiQeTrU1M=".to_owned(),
            ),
            ("INTEGRATOR_DEMO__AMOCRM_URL", sandbox.amocrm_url.clone()),
            ("INTEGRATOR_DEMO__LPTRACKER_URL", sandbox.lptracker_url.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let child = spawn(&environment);
        Self { environment, child }
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = spawn(&self.environment);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Starts the program and waits until it says that it listens.
fn spawn(environment: &HashMap<String, String>) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_integrator"))
        .arg("serve")
        .env_clear()
        .envs(environment)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("не запустился: {line}"));
    assert_eq!(said["event"], "listening");
    child
}

/// Does something and waits until one CRM has carried out the n-th request after it.
async fn until_request(sandbox: &Sandbox, side: Side, n: usize, act: impl Future<Output = Value>) {
    let mut journal = sandbox.world.journal.subscribe();
    act.await;
    let mut n_seen = 0;
    tokio::time::timeout(PATIENCE, async {
        while n_seen < n {
            let entry = journal.recv().await.unwrap();
            // Told when its effect is there and its answer is about to leave: where death hurts most.
            if entry.side == side && entry.kind == EntryKind::Request {
                n_seen += 1;
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("запросов было {n_seen}, а не {n}"));
}

/// Waits until nothing is left to do.
pub(crate) async fn finished(db: &Db) {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    tokio::time::timeout(PATIENCE, async {
        loop {
            look.tick().await;
            let nothing_new = events::next_due(db).await.unwrap().is_none();
            let now = domain::time::Timestamp(i64::MAX);
            if nothing_new && deliveries::due_connections(db, now).await.unwrap().is_empty() {
                return;
            }
        }
    })
    .await
    .expect("работа не кончилась");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flow_survives_sudden_death_at_every_request() {
    let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
    test_db::each_database(|test_db| async move {
        let sandbox = Sandbox::start(Options::demo());
        let mut program = Program::start(&test_db, &sandbox);
        let crms = Crms::of(&sandbox);
        let db = Db::connect(test_db.url(), 2).await.unwrap();
        let confirmed = crms.step("Интерес подтвержден").await;
        for (there, back) in [(1, 1), (2, 2), (3, 3), (4, 3)] {
            let phone = format!("7999555020{there}");
            let form = json!({ "name": "Глеб Тестов", "phone": format!("+{phone}"), "deal": "Балкон" });
            let deal = crms.post("amocrm/ui/create", form).await[0]["id"]
                .as_i64()
                .unwrap();
            finished(&db).await;

            // Search, contact, fields of the project, lead: the program dies when one of them is carried out.
            let to_calling = json!({ "id": deal, "status_id": sandbox::STATUS_TO_CALL });
            until_request(
                &sandbox,
                Side::Lptracker,
                there,
                crms.post("amocrm/ui/move", to_calling),
            )
            .await;
            program.kill();
            program.restart();
            finished(&db).await;
            let leads = crms.leads(&phone).await;
            assert_eq!(leads.len(), 1, "смерть при запросе {there}: {leads:?}");

            // Deal, move, note: the same on the way back.
            let moved = json!({ "lead_id": leads[0].0, "step_id": confirmed });
            until_request(
                &sandbox,
                Side::Amocrm,
                back,
                crms.post("lptracker/ui/move", moved),
            )
            .await;
            program.kill();
            program.restart();
            finished(&db).await;
            let card = crms.get(&format!("amocrm/card/{deal}")).await;
            assert_eq!(
                card["status_id"],
                sandbox::STATUS_CONFIRMED,
                "смерть при запросе {back}"
            );
            assert_eq!(
                card["notes"].as_array().unwrap().len(),
                1,
                "смерть при запросе {back}: {card}"
            );
            assert_eq!(crms.leads(&phone).await.len(), 1);
        }
        let dead = deliveries::list(
            &db,
            storage::accounts::workspaces(&db).await.unwrap()[0].id,
            &deliveries::DeliveryFilter {
                states: vec![domain::delivery::DeliveryState::Dead],
                ..deliveries::DeliveryFilter::default()
            },
            storage::PageOf::default(),
        )
        .await
        .unwrap();
        assert!(dead.is_empty(), "{dead:?}");
    })
    .await;
}
