//! Deliveries and their attempts: the outbox.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, document, json};
use domain::command::Command;
use domain::delivery::DeliveryState;
use domain::id::{ConnectionId, DeliveryId, EventId, RuleId, RunId, WorkspaceId};
use domain::record::RecordKey;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::borrow::Borrow;
use uuid::Uuid;

mod attempts;
mod due;
mod leasing;
mod list;
mod saving;

pub use attempts::{Attempt, attempts, insert_attempts};
pub use due::{due_connections, has_begun_upsert, next_due};
pub use leasing::lease;
pub use list::{DeliveryFilter, list, of_events};
pub use saving::{release_all, save_all};

/// One command on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct Delivery {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id; ascending in the order in which deliveries of a lane are carried out.
    pub id: DeliveryId,
    /// The run that planned it.
    pub run: RunId,
    /// The event behind it.
    pub event: EventId,
    /// The rule behind it.
    pub rule: RuleId,
    /// The connection it acts on; `None` for the hub's own operations.
    pub connection: Option<ConnectionId>,
    /// Deliveries of one lane never overtake each other.
    pub lane: String,
    /// What to do.
    pub command: Command,
    /// Where it stands.
    pub state: DeliveryState,
    /// How far it came (a JSON document of the engine).
    pub progress: serde_json::Value,
    /// The record it changes, as far as known.
    pub record: Option<RecordKey>,
    /// Stable word of the last failure.
    pub error_code: Option<String>,
    /// The last failure in Russian.
    pub error: Option<String>,
    /// The dead delivery that it repeats.
    pub replay_of: Option<DeliveryId>,
    /// Chain counter that events caused by it inherit, plus one.
    pub chain: u16,
    /// Attempts begun.
    pub n_attempts: u32,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was first tried.
    pub first_at: Option<Timestamp>,
    /// Not tried before this.
    pub due_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    run_id: Uuid,
    event_id: Uuid,
    rule_id: Uuid,
    connection_id: Option<Uuid>,
    lane: String,
    command: String,
    state: String,
    progress: String,
    record_kind: Option<String>,
    record_id: Option<String>,
    error_code: Option<String>,
    error: Option<String>,
    replay_of: Option<Uuid>,
    chain: i32,
    n_attempts: i32,
    created_at: i64,
    first_at: Option<i64>,
    due_at: i64,
    finished_at: Option<i64>,
}

const COLUMNS: &str = "workspace_id, id, run_id, event_id, rule_id, connection_id, lane, command, state, progress, \
    record_kind, record_id, error_code, error, replay_of, chain, n_attempts, created_at, first_at, due_at, finished_at";

impl TryFrom<Row> for Delivery {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let corrupt = || StorageError::Corrupt {
            table: "delivery",
            id: row.id.to_string(),
        };
        let record = match (&row.record_kind, &row.record_id) {
            (Some(kind), Some(id)) => Some(RecordKey::new(
                domain::record::RecordKind::parse(kind).ok_or_else(corrupt)?,
                id.as_str(),
            )),
            _ => None,
        };
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: DeliveryId(row.id),
            run: RunId(row.run_id),
            event: EventId(row.event_id),
            rule: RuleId(row.rule_id),
            connection: row.connection_id.map(ConnectionId),
            command: document("delivery", row.id, &row.command)?,
            state: DeliveryState::parse(&row.state).ok_or_else(corrupt)?,
            progress: document("delivery", row.id, &row.progress)?,
            record,
            lane: row.lane,
            error_code: row.error_code,
            error: row.error,
            replay_of: row.replay_of.map(DeliveryId),
            chain: u16::try_from(row.chain).map_err(|_| corrupt())?,
            n_attempts: u32::try_from(row.n_attempts).map_err(|_| corrupt())?,
            created_at: Timestamp(row.created_at),
            first_at: row.first_at.map(Timestamp),
            due_at: Timestamp(row.due_at),
            finished_at: row.finished_at.map(Timestamp),
        })
    }
}

/// Deliveries that are not at their end, in the very words of the partial indexes over them: SQLite takes such
/// an index only for a statement that repeats its condition.
const OPEN: &str = "state IN ('pending', 'uncertain', 'leased')";

/// Puts deliveries into the outbox.
pub async fn insert<T: Borrow<Delivery>>(conn: &impl Conn, deliveries: &[T]) -> Result<(), StorageError> {
    for deliveries in sql::batches(deliveries) {
        let sql = format!(
            "INSERT INTO delivery (workspace_id, id, run_id, event_id, rule_id, connection_id, lane, command, state, \
             progress, record_kind, record_id, replay_of, chain, n_attempts, created_at, due_at) VALUES {}",
            sql::places(conn, deliveries.len(), 17)
        );
        let mut values = Vec::with_capacity(deliveries.len() * 17);
        for delivery in deliveries {
            let delivery: &Delivery = delivery.borrow();
            values.extend([
                delivery.workspace.0.into(),
                delivery.id.0.into(),
                delivery.run.0.into(),
                delivery.event.0.into(),
                delivery.rule.0.into(),
                delivery.connection.map(|id| id.0).into(),
                delivery.lane.as_str().into(),
                json(&delivery.command).into(),
                delivery.state.as_str().into(),
                json(&delivery.progress).into(),
                delivery
                    .record
                    .as_ref()
                    .map(|record| record.kind.as_str().to_owned())
                    .into(),
                delivery.record.as_ref().map(|record| record.id.0.clone()).into(),
                delivery.replay_of.map(|id| id.0).into(),
                i32::from(delivery.chain).into(),
                (delivery.n_attempts as i32).into(),
                delivery.created_at.0.into(),
                delivery.due_at.0.into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Gives back what was left leased: by an owner that died, or by a round of our own that could not store its end. A
/// delivery with a write on its way becomes uncertain, others wait again. Returns how many.
///
/// Only for whoever holds the connection's lease and has nothing of it under way.
pub async fn recover(
    conn: &impl Conn,
    connection: Option<ConnectionId>,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let mut values: Vec<sea_orm::Value> = vec![now.0.into()];
    let whose = match connection {
        Some(id) => {
            values.push(id.0.into());
            "connection_id = $2"
        }
        None => "connection_id IS NULL",
    };
    let sql = format!(
        "UPDATE delivery SET state = CASE WHEN progress LIKE '%\"sent\":{{%' THEN 'uncertain' ELSE 'pending' END, \
         due_at = $1, lease_owner = NULL, lease_until = NULL WHERE {whose} AND state = 'leased'"
    );
    sql::execute(conn, &sql, values).await
}

/// Takes a waiting or dead delivery back for good. Stale when it is neither.
pub async fn cancel(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE delivery SET state = 'cancelled', finished_at = $3 WHERE workspace_id = $1 AND id = $2 \
         AND state IN ('pending', 'dead')",
        [workspace.0.into(), id.0.into(), now.0.into()],
    )
    .await?;
    if n_rows == 0 {
        Err(StorageError::Stale { table: "delivery" })
    } else {
        Ok(())
    }
}

/// Lets everything of a connection that waits be tried at once: after authorising again.
pub async fn wake(conn: &impl Conn, connection: ConnectionId, now: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        &format!(
            "UPDATE delivery SET due_at = $2 WHERE connection_id = $1 AND {OPEN} AND state <> 'leased' AND due_at > $2"
        ),
        [connection.0.into(), now.0.into()],
    )
    .await
}

/// One delivery.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Delivery, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "delivery" })?
        .try_into()
}

/// Deliveries of an event in order.
pub async fn of_event(
    conn: &impl Conn,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Vec<Delivery>, StorageError> {
    of_events(conn, workspace, &[event]).await
}

#[derive(FromQueryResult)]
struct CountRow {
    event_id: Uuid,
    state: String,
    n: i64,
}

/// How many deliveries of each of these events are in each state.
pub async fn counts(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<(EventId, DeliveryState, i64)>, StorageError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    filter.among("event_id", events.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!("SELECT event_id, state, COUNT(*) AS n FROM delivery{clause} GROUP BY event_id, state");
    let rows = sql::all::<CountRow, _>(conn, &sql, values).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((EventId(row.event_id), DeliveryState::parse(&row.state)?, row.n)))
        .collect())
}
