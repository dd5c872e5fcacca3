//! How both databases carry out the statements that run all the time: through their indexes, whatever the
//! amount of history.
//!
//! The functions themselves are called and what they sent is explained, so a changed statement is seen here.

use crate::db::Db;
use crate::deliveries::DeliveryFilter;
use crate::events::EventFilter;
use crate::sql::PageOf;
use crate::{backlog, counts, deliveries, events, figures, links, memory, retention, rules, runs};
use domain::delivery::DeliveryState;
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::sync::{Arc, Mutex};
use test_db::{Kind, TestDb};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
const CONNECTION: ConnectionId = ConnectionId(Uuid::from_u128(2));

/// A database with a long history and a little that waits, and what was sent to it.
struct Watched {
    db: Db,
    kind: Kind,
    sent: Arc<Mutex<Vec<Statement>>>,
    _own: TestDb,
}

impl Watched {
    async fn open(own: TestDb) -> Self {
        let mut db = Db::connect(own.url(), 2).await.unwrap();
        let sent: Arc<Mutex<Vec<Statement>>> = Arc::default();
        let log = Arc::clone(&sent);
        seed(&db, own.kind()).await;
        db.pool.set_metric_callback(move |info| {
            assert!(!info.failed, "{}", info.statement.sql);
            log.lock().unwrap().push(info.statement.clone());
        });
        Self {
            db,
            kind: own.kind(),
            sent,
            _own: own,
        }
    }

    /// The plan of everything sent since the last call.
    async fn plan(&self) -> String {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        assert!(!sent.is_empty());
        let (explain, column) = match self.kind {
            Kind::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            Kind::Postgres => ("EXPLAIN (COSTS OFF)", "QUERY PLAN"),
        };
        let mut plan = String::new();
        for statement in sent {
            let sql = format!("{explain} {}", statement.sql);
            let explained =
                Statement::from_sql_and_values(statement.db_backend, sql, statement.values.unwrap().0);
            for row in self.db.pool.query_all_raw(explained).await.unwrap() {
                plan.push_str(&row.try_get::<String>("", column).unwrap());
                plan.push('\n');
            }
        }
        self.sent.lock().unwrap().clear();
        plan
    }

    /// What was sent since the last call goes through this index and reads no table from end to end.
    async fn goes_through(&self, what: &str, index: &str) {
        let plan = self.plan().await;
        let whole = plan.lines().find(|line| {
            let line = line.trim_start_matches([' ', '-', '>']);
            let table = [
                "event",
                "delivery",
                "run",
                "link",
                "rule",
                "connection",
                "echo",
                "snapshot",
            ];
            let reads = |table: &str| {
                let rest = line
                    .strip_prefix("SCAN ")
                    .or_else(|| line.strip_prefix("Seq Scan on "));
                let named = rest.and_then(|rest| rest.split(' ').next());
                let alias = rest.is_some_and(|rest| !rest.contains("INDEX"));
                alias && named.is_some_and(|named| named == table || named.len() == 1)
            };
            table.iter().any(|table| reads(table))
        });
        assert!(
            whole.is_none(),
            "{what} on {} reads a whole table:\n{plan}",
            self.kind
        );
        assert!(
            plan.contains(index),
            "{what} on {} does not go through {index}:\n{plan}",
            self.kind
        );
    }
}

/// 40 records with 8,000 settled events and deliveries between them, and 2,000 that wait.
async fn seed(db: &Db, kind: Kind) {
    let backend = db.pool.get_database_backend();
    let id = |n: u128| match kind {
        Kind::Sqlite => format!("x'{}'", Uuid::from_u128(n).simple()),
        Kind::Postgres => format!("CAST('{}' AS uuid)", Uuid::from_u128(n)),
    };
    let uuid = match kind {
        Kind::Sqlite => "CAST(substr('0000000000000000' || i, -16) AS BLOB)",
        Kind::Postgres => "CAST(lpad(CAST(i AS text), 32, '0') AS uuid)",
    };
    let (workspace, connection) = (id(1), id(2));
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)";
    let state = |done: &str, waits: &str| format!("CASE WHEN i <= 8000 THEN '{done}' ELSE '{waits}' END");
    let statements = [
        format!(
            "INSERT INTO event (workspace_id, id, connection_id, event_key, kind, record_kind, record_id, origin, \
             state, fact, chain, n_matched, n_crashes, received_at, due_at) {numbers} SELECT {workspace}, {uuid}, \
             {connection}, CAST(i AS text), 'deal_updated', 'deal', CAST(i % 40 AS text), 'webhook', {}, '{{}}', \
             0, 0, 0, i, i FROM n",
            state("dispatched", "new")
        ),
        format!(
            "INSERT INTO delivery (workspace_id, id, run_id, event_id, rule_id, connection_id, lane, command, state, \
             progress, chain, n_attempts, created_at, due_at) {numbers} SELECT {workspace}, {uuid}, {uuid}, {uuid}, \
             {uuid}, {connection}, CAST(i % 40 AS text), '{{}}', {}, '{{}}', 0, 0, i, i FROM n",
            state("delivered", "pending")
        ),
        format!(
            "INSERT INTO run (workspace_id, id, event_id, rule_id, rule_version_id, outcome, explanation, notes, \
             n_commands, at) {numbers} SELECT {workspace}, {uuid}, {uuid}, {uuid}, {uuid}, 'matched', '{{}}', '[]', \
             0, i FROM n"
        ),
        format!(
            "INSERT INTO link (workspace_id, id, amocrm_connection_id, lptracker_connection_id, deal_id, contact_id, \
             lead_id, lead_contact_id, lane, created_at, updated_at) {numbers} SELECT {workspace}, {uuid}, \
             {connection}, {connection}, CAST(i AS text), CAST(i AS text), CAST(i AS text), CAST(i AS text), '', i, i \
             FROM n"
        ),
        format!(
            "INSERT INTO echo (workspace_id, id, connection_id, delivery_id, record_kind, record_id, fields, chain, \
             written_at, expires_at) {numbers} SELECT {workspace}, {uuid}, {connection}, {uuid}, 'deal', \
             CAST(i AS text), '[]', 0, i, i FROM n"
        ),
        format!(
            "INSERT INTO rule (workspace_id, id, name, \"position\", enabled, source, draft, version, created_at, \
             updated_at) {numbers} SELECT {workspace}, {uuid}, '', 1, i > 0, {connection}, '{{}}', 1, i, i FROM n"
        ),
        if kind == Kind::Sqlite {
            "ANALYZE"
        } else {
            "VACUUM ANALYZE"
        }
        .to_owned(),
    ];
    for statement in statements {
        db.pool
            .execute_raw(Statement::from_string(backend, statement))
            .await
            .unwrap();
    }
    if backend == DbBackend::Sqlite {
        // A database in use never had `ANALYZE` run over it: its plans must not need the figures.
        db.pool
            .execute_unprepared("DROP TABLE sqlite_stat1")
            .await
            .unwrap();
    }
}

async fn each(case: impl AsyncFn(&Watched)) {
    test_db::each_database(async |own| case(&Watched::open(own).await).await).await;
}

fn record(kind: RecordKind) -> RecordKey {
    RecordKey::new(kind, 7)
}

#[tokio::test]
async fn picking_events_goes_through_those_that_wait() {
    each(async |watched| {
        let db = &watched.db;
        assert_eq!(
            events::waiting(db, CONNECTION, NOW, 100).await.unwrap().len(),
            100
        );
        watched.goes_through("events::waiting", "ix_event_waiting ").await;
        events::waiting(db, CONNECTION, NOW, 100).await.unwrap();
        watched
            .goes_through("events::waiting", "ix_event_waiting_record")
            .await;
        assert_eq!(events::waiting_connections(db, NOW).await.unwrap(), [CONNECTION]);
        watched
            .goes_through("events::waiting_connections", "ix_event_waiting")
            .await;
        assert_eq!(events::next_due(db).await.unwrap(), Some(Timestamp(8_001)));
        watched.goes_through("events::next_due", "ix_event_waiting").await;
    })
    .await;
}

#[tokio::test]
async fn picking_deliveries_goes_through_those_that_are_open() {
    each(async |watched| {
        let db = &watched.db;
        assert_eq!(
            deliveries::due_connections(db, NOW).await.unwrap(),
            [Some(CONNECTION)]
        );
        watched
            .goes_through("deliveries::due_connections", "ix_delivery_due")
            .await;
        assert_eq!(
            deliveries::next_due(db, &[], &[]).await.unwrap(),
            Some(Timestamp(8_001))
        );
        watched
            .goes_through("deliveries::next_due", "ix_delivery_due")
            .await;
        for connection in [Some(CONNECTION), None] {
            deliveries::recover(db, connection, NOW).await.unwrap();
            watched
                .goes_through("deliveries::recover", "ix_delivery_leased")
                .await;
            deliveries::lease(db, connection, "owner", NOW, NOW, 10, &[])
                .await
                .unwrap();
            // The seeded rows do not parse and are set aside, so the window does not fill the lease.
            let sent: Vec<Statement> = watched.sent.lock().unwrap().drain(..).collect();
            let (picking, looking): (Vec<Statement>, Vec<Statement>) = sent
                .into_iter()
                .partition(|statement| statement.sql.contains("picked AS"));
            let rules = looking
                .into_iter()
                .filter(|statement| statement.sql.contains("busy(id)"));
            watched.sent.lock().unwrap().extend(rules);
            if connection.is_some() {
                watched
                    .goes_through("deliveries::lease, whose turn it is", "ix_delivery_rule")
                    .await;
            }
            assert_eq!(picking.len(), if connection.is_some() { 2 } else { 1 });
            let ways = [
                (
                    "in the window",
                    if connection.is_some() {
                        "ix_delivery_rule"
                    } else {
                        // Either of the two that begin with the connection: there is nothing without one.
                        "ix_delivery_"
                    },
                ),
                // Not the other way round: every open row for every lane.
                match watched.kind {
                    Kind::Sqlite => (
                        "lane by lane",
                        "SCAN lanes\nSEARCH d USING INDEX sqlite_autoindex_delivery_1 (workspace_id=? AND id=?)",
                    ),
                    Kind::Postgres => ("lane by lane", "ix_delivery_lane"),
                },
            ];
            for (statement, (way, index)) in picking.into_iter().zip(ways) {
                watched.sent.lock().unwrap().push(statement);
                watched
                    .goes_through(&format!("deliveries::lease {way}"), index)
                    .await;
            }
        }
        deliveries::wake(db, CONNECTION, NOW).await.unwrap();
        watched.goes_through("deliveries::wake", "ix_delivery_due").await;
    })
    .await;
}

#[tokio::test]
async fn what_waits_is_counted_without_what_is_done() {
    each(async |watched| {
        let found = backlog::backlog(&watched.db).await.unwrap();
        assert_eq!(
            [found.events[0].n_waiting, found.deliveries[0].n_waiting],
            [2_000, 2_000]
        );
        assert_eq!(found.events[0].oldest_due_at, Timestamp(8_001));
        let sent: Vec<Statement> = watched.sent.lock().unwrap().drain(..).collect();
        // The first reads the connections, of which there are few.
        for (statement, index) in
            sent.into_iter()
                .skip(1)
                .zip(["ix_event_waiting", "ix_delivery_", "ix_delivery_dead"])
        {
            watched.sent.lock().unwrap().push(statement);
            watched.goes_through("backlog::backlog", index).await;
        }
    })
    .await;
}

#[tokio::test]
async fn lists_begin_at_their_newest_row() {
    each(async |watched| {
        let db = &watched.db;
        let newest = match watched.kind {
            Kind::Sqlite => ["sqlite_autoindex_event_1", "ix_delivery_dead"],
            Kind::Postgres => [
                "Index Scan Backward using pk_event",
                "Index Scan Backward using ix_delivery_dead",
            ],
        };
        let page = PageOf::default();
        // The seeded documents do not parse: only the statements matter here.
        let _corrupt = events::list(db, WORKSPACE, &EventFilter::default(), page).await;
        watched.goes_through("events::list", newest[0]).await;
        let dead = DeliveryFilter {
            states: vec![DeliveryState::Dead],
            ..DeliveryFilter::default()
        };
        deliveries::list(db, WORKSPACE, &dead, page).await.unwrap();
        watched
            .goes_through("deliveries::list of the dead", newest[1])
            .await;
    })
    .await;
}

#[tokio::test]
async fn finding_by_record_goes_through_an_index() {
    each(async |watched| {
        let db = &watched.db;
        let indexes = [
            (RecordKind::Deal, "ux_link_deal"),
            (RecordKind::Contact, "ix_link_contact"),
            (RecordKind::Lead, "ux_link_lead"),
            (RecordKind::LeadContact, "ix_link_lead_contact"),
        ];
        for (kind, index) in indexes {
            let found = links::of_record(db, WORKSPACE, CONNECTION, &record(kind))
                .await
                .unwrap();
            assert_eq!(found.len(), 1);
            watched.goes_through("links::of_record", index).await;
        }
        let some = Timestamp(1);
        memory::echoes(db, WORKSPACE, CONNECTION, &[record(RecordKind::Deal)], some)
            .await
            .unwrap();
        watched.goes_through("memory::echoes", "ix_echo_record").await;
        let _corrupt = runs::of_event(db, WORKSPACE, EventId(Uuid::from_u128(5))).await;
        watched.goes_through("runs::of_event", "ix_run_event").await;
        let _corrupt = deliveries::of_event(db, WORKSPACE, EventId(Uuid::from_u128(5))).await;
        watched
            .goes_through("deliveries::of_event", "ix_delivery_event")
            .await;
    })
    .await;
}

#[tokio::test]
async fn figures_go_through_the_period_they_are_of() {
    each(async |watched| {
        let db = &watched.db;
        figures::figures(db, WORKSPACE, NOW).await.unwrap();
        watched.goes_through("figures", "ix_event_received").await;
        figures::figures(db, WORKSPACE, NOW).await.unwrap();
        watched.goes_through("figures", "ix_delivery_finished").await;
        counts::steps(db, WORKSPACE, NOW, 1_000, 10).await.unwrap();
        watched
            .goes_through("counts::steps", "ix_delivery_finished")
            .await;
        counts::outbox(db, WORKSPACE).await.unwrap();
        watched.goes_through("counts::outbox", "ix_delivery_dead").await;
        rules::run_counts(db, WORKSPACE, NOW).await.unwrap();
        watched.goes_through("rules::run_counts", "ix_run_at").await;
    })
    .await;
}

#[tokio::test]
async fn taking_away_what_is_old_goes_through_keys() {
    each(async |watched| {
        let tx = watched.db.begin().await.unwrap();
        // Few of them: of a tenth of a small table PostgreSQL rightly reads the whole.
        let walked = retention::prune_history(&tx, WORKSPACE, Timestamp(4), None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(walked.n_events, 3);
        watched
            .goes_through("retention::prune_history", "ix_delivery_event")
            .await;
    })
    .await;
}
