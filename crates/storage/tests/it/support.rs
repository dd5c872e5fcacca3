//! What the cases are made of: fresh databases, and rows that differ only where a case says so.

use domain::command::{Command, Operation, Target};
use domain::condition::Condition;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::delivery::DeliveryState;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::field::{FieldKey, SystemField};
use domain::id::{ConnectionId, DeliveryId, EventId, RuleId, RunId, WorkspaceId};
use domain::record::{Record, RecordKey, RecordKind};
use domain::rule::{Rule, Trigger};
use domain::time::Timestamp;
use domain::value::Value;
use sea_orm::{ConnectionTrait, Statement};
use storage::connections::Connection;
use storage::deliveries::{self, Delivery};
use storage::events::NewEvent;
use storage::{Db, StorageError};
use test_db::{Kind, TestDb};
use uuid::Uuid;

/// The present moment of every case.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// The workspace of every case.
pub(crate) const OURS: WorkspaceId = WorkspaceId(Uuid::from_u128(0xA));
/// Another one, which must never be seen or touched.
pub(crate) const THEIRS: WorkspaceId = WorkspaceId(Uuid::from_u128(0xB));
/// The connection of every case.
pub(crate) const AMO: ConnectionId = ConnectionId(Uuid::from_u128(0xC1));
/// Another one.
pub(crate) const LPT: ConnectionId = ConnectionId(Uuid::from_u128(0xC2));

/// A fresh database and a pool on it.
pub(crate) struct Base {
    pub(crate) db: Db,
    own: TestDb,
}

impl Base {
    /// Which database it is.
    pub(crate) fn kind(&self) -> Kind {
        self.own.kind()
    }

    /// A pool of its own, as another process has it.
    pub(crate) async fn another(&self) -> Db {
        Db::connect(self.own.url(), 4).await.unwrap()
    }

    /// Changes rows behind the back of `storage`.
    pub(crate) async fn tamper(&self, sql: &str) {
        let raw = self.own.connect().await;
        let statement = Statement::from_string(raw.get_database_backend(), sql);
        let changed = raw.execute_raw(statement).await.unwrap().rows_affected();
        assert!(changed > 0, "nothing to tamper with: {sql}");
        raw.close().await.unwrap();
    }

    /// Waits until PostgreSQL lets one transaction wait for another.
    pub(crate) async fn until_somebody_waits_for_a_row(&self) {
        let raw = self.own.connect().await;
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..20_000 {
            let waits = Statement::from_string(raw.get_database_backend(), sql);
            if raw.query_one_raw(waits).await.unwrap().is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("nobody waits");
    }
}

/// Stores how far one delivery came.
pub(crate) async fn save_progress(db: &Db, delivery: &Delivery, owner: &str) -> Result<(), StorageError> {
    still_ours(deliveries::save_all(db, &[delivery], owner).await?.len())
}

/// Gives one delivery back.
pub(crate) async fn release(db: &Db, delivery: &Delivery, owner: &str) -> Result<(), StorageError> {
    still_ours(deliveries::release_all(db, &[delivery], owner).await?.len())
}

fn still_ours(n_saved: usize) -> Result<(), StorageError> {
    match n_saved {
        1 => Ok(()),
        _ => Err(StorageError::Stale { table: "delivery" }),
    }
}

/// Runs a case on both databases.
pub(crate) async fn on_each(case: impl AsyncFn(&Base)) {
    test_db::each_database(async |own| {
        let base = Base {
            db: Db::connect(own.url(), 4).await.unwrap(),
            own,
        };
        case(&base).await;
    })
    .await;
}

/// A moment so many milliseconds from the present one.
pub(crate) fn at(ms: i64) -> Timestamp {
    NOW.plus_ms(ms)
}

/// The id with this number; ids ascend with their numbers.
pub(crate) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn event_id(n: u128) -> EventId {
    EventId(uuid(n))
}

pub(crate) fn delivery_id(n: u128) -> DeliveryId {
    DeliveryId(uuid(n))
}

pub(crate) fn rule_id(n: u128) -> RuleId {
    RuleId(uuid(n))
}

pub(crate) fn deal(id: i64) -> RecordKey {
    RecordKey::new(RecordKind::Deal, id)
}

pub(crate) fn connection(id: ConnectionId, kind: ConnectorKind) -> Connection {
    Connection {
        workspace: OURS,
        id,
        kind,
        name: "Отдел продаж".to_owned(),
        settings: serde_json::json!({"domain": "sales.amocrm.ru"}),
        state: ConnectionState::New,
        state_reason: Some("ещё не подключено".to_owned()),
        card: None,
        catalogue_at: None,
        subscription: None,
        subscription_at: None,
        last_success_at: None,
        last_failure_at: None,
        last_failure: None,
        last_event_at: None,
        reconciled_at: None,
        data_key: Some("sealed".to_owned()),
        version: 1,
        created_at: NOW,
    }
}

/// An event of deal 1, due now, whose key is its number.
pub(crate) fn event(n: u128) -> NewEvent {
    NewEvent {
        event: Event {
            id: event_id(n),
            workspace: OURS,
            connection: AMO,
            origin: Origin::Webhook,
            received_at: NOW,
            chain: 0,
            fact: Fact {
                kind: EventKind::DealUpdated,
                key: deal(1),
                occurred_at: Some(at(-500)),
                record: Record::new(RecordKind::Deal, 1).with(
                    SystemField::Name,
                    Value::Text("Сделка «Ё» 'с кавычкой'".to_owned()),
                ),
                related: Vec::new(),
                before: vec![(FieldKey::Custom(7), Value::Empty)],
                changed: Some(vec![SystemField::Name.into()]),
                author: Some(0),
                dedupe: n.to_string(),
            },
        },
        key: n.to_string(),
        inbound: None,
        replay_of: None,
        only_rule: None,
        as_then: false,
        due_at: NOW,
    }
}

/// The event with this number, of another record.
pub(crate) fn event_of(n: u128, key: RecordKey) -> NewEvent {
    let mut new = event(n);
    new.event.fact.record = Record::new(key.kind, key.id.clone());
    new.event.fact.key = key;
    new
}

/// A delivery that waits in a lane and is due now.
pub(crate) fn delivery(n: u128, lane: &str) -> Delivery {
    Delivery {
        workspace: OURS,
        id: delivery_id(n),
        run: RunId(uuid(1)),
        event: event_id(1),
        rule: rule_id(1),
        connection: Some(AMO),
        lane: lane.to_owned(),
        command: Command {
            action: 0,
            connection: Some(AMO),
            operation: Operation::AddNote {
                target: Target::Linked,
                text: "Клиент перезвонил".to_owned(),
            },
        },
        state: DeliveryState::Pending,
        progress: serde_json::json!({}),
        record: None,
        error_code: None,
        error: None,
        replay_of: None,
        chain: 0,
        n_attempts: 0,
        created_at: NOW,
        first_at: None,
        due_at: NOW,
        finished_at: None,
    }
}

/// A rule document that differs by its name.
pub(crate) fn document(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        description: String::new(),
        source: AMO,
        triggers: vec![Trigger::on(EventKind::DealUpdated)],
        condition: Condition::default(),
        actions: Vec::new(),
        stop: false,
        quiet_secs: 0,
    }
}

macro_rules! assert_error {
    ($result:expr, $pattern:pat) => {{
        let result = $result;
        assert!(matches!(result, Err($pattern)), "{result:?}");
    }};
}

pub(crate) fn assert_stale<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    assert_error!(result, StorageError::Stale { .. });
}

pub(crate) fn assert_missing<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    assert_error!(result, StorageError::NotFound { .. });
}

pub(crate) fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    assert_error!(result, StorageError::Conflict);
}

pub(crate) fn assert_corrupt<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    assert_error!(result, StorageError::Corrupt { .. });
}
