//! Retention: how long a workspace keeps things, and taking away what is older, a few rows at a time.
//!
//! What still waits to be done is never taken away, however old it is.

use crate::db::{Conn, Tx, is_postgres};
use crate::error::StorageError;
use crate::events::EventState;
use crate::sql;
use domain::id::{EventId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

/// Rows that one transaction looks at: small, so that nobody waits for it.
const BATCH: usize = 256;

/// How long a workspace wants to keep things, in days. `None` where it has no wish of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// Bodies as the CRMs sent them.
    pub bodies_days: Option<u16>,
    /// Events with their runs, deliveries and attempts.
    pub history_days: Option<u16>,
}

#[derive(FromQueryResult)]
struct WishRow {
    bodies_days: Option<i32>,
    history_days: Option<i32>,
}

/// What a workspace wishes.
pub async fn find(conn: &impl Conn, workspace: WorkspaceId) -> Result<Wish, StorageError> {
    let row = sql::one::<WishRow, _>(
        conn,
        "SELECT bodies_days, history_days FROM retention WHERE workspace_id = $1",
        [workspace.0.into()],
    )
    .await?;
    let corrupt = || StorageError::Corrupt {
        table: "retention",
        id: workspace.to_string(),
    };
    let days = |days: Option<i32>| days.map(u16::try_from).transpose().map_err(|_| corrupt());
    match row {
        None => Ok(Wish::default()),
        Some(row) => Ok(Wish {
            bodies_days: days(row.bodies_days)?,
            history_days: days(row.history_days)?,
        }),
    }
}

/// Remembers what a workspace wishes.
pub async fn put(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wish: Wish,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO retention (workspace_id, bodies_days, history_days, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace_id) DO UPDATE SET bodies_days = excluded.bodies_days, \
         history_days = excluded.history_days, updated_at = excluded.updated_at",
        [
            workspace.0.into(),
            wish.bodies_days.map(i32::from).into(),
            wish.history_days.map(i32::from).into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes away bodies received before a moment, the oldest first and not all at once. How many went; none means
/// that there are no more.
pub async fn prune_bodies(
    conn: &impl Conn,
    workspace: WorkspaceId,
    before: Timestamp,
) -> Result<u64, StorageError> {
    // The key ascends with time, so the oldest are found without an index of their own.
    sql::execute(
        conn,
        "DELETE FROM inbound WHERE workspace_id = $1 AND received_at < $2 AND id IN \
         (SELECT id FROM inbound WHERE workspace_id = $1 ORDER BY id LIMIT $3)",
        [workspace.0.into(), before.0.into(), (BATCH as i64).into()],
    )
    .await
}

/// How far a walk through the history came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walked {
    /// Events that went, with their runs, deliveries and attempts.
    pub n_events: u64,
    /// Where the next step begins; none when there is nothing older than the moment behind this.
    pub next: Option<EventId>,
}

#[derive(FromQueryResult)]
struct OldRow {
    id: Uuid,
    state: String,
    received_at: i64,
    is_open: bool,
}

/// One step of a walk from the oldest event to those received before a moment: takes away the next few and what
/// came of them, except what still waits.
pub async fn prune_history(
    tx: &Tx,
    workspace: WorkspaceId,
    before: Timestamp,
    after: Option<EventId>,
) -> Result<Walked, StorageError> {
    let rows = oldest(tx, workspace, after).await?;
    let n_looked = rows.len();
    let old: Vec<OldRow> = rows
        .into_iter()
        .take_while(|row| row.received_at < before.0)
        .collect();
    let next = (old.len() == n_looked && n_looked == BATCH)
        .then(|| old.last().map(|row| EventId(row.id)))
        .flatten();
    let done: Vec<Uuid> = old
        .iter()
        .filter(|row| row.state != EventState::New.as_str() && !row.is_open)
        .map(|row| row.id)
        .collect();
    let mut n_events = 0;
    for ids in sql::lists(&done) {
        n_events += remove(tx, workspace, &ids).await?;
    }
    Ok(Walked { n_events, next })
}

async fn oldest(
    tx: &Tx,
    workspace: WorkspaceId,
    after: Option<EventId>,
) -> Result<Vec<OldRow>, StorageError> {
    // A second process that prunes at the same time takes the next ones.
    let lock = if is_postgres(tx) {
        " FOR UPDATE OF e SKIP LOCKED"
    } else {
        ""
    };
    let sql = format!(
        "SELECT e.id, e.state, e.received_at, EXISTS (SELECT 1 FROM delivery d WHERE d.workspace_id = e.workspace_id \
         AND d.event_id = e.id AND {OPEN}) AS is_open FROM event e \
         WHERE e.workspace_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3{lock}"
    );
    let after = after.map_or(Uuid::nil(), |event| event.0);
    sql::all(
        tx,
        &sql,
        [workspace.0.into(), after.into(), (BATCH as i64).into()],
    )
    .await
}

/// A delivery that still waits.
const OPEN: &str = "d.state IN ('pending', 'uncertain', 'leased')";

/// Takes events away with what came of them. A delivery that a person has just told to go on stays, and its event too.
async fn remove(tx: &Tx, workspace: WorkspaceId, events: &[Uuid]) -> Result<u64, StorageError> {
    let values = || {
        let mut values: Vec<Value> = vec![workspace.0.into()];
        values.extend(events.iter().map(|id| Value::from(*id)));
        values
    };
    let list = sql::list_places(1, events.len());
    let attempts = format!(
        "DELETE FROM attempt WHERE workspace_id = $1 AND delivery_id IN (SELECT d.id FROM delivery d \
         WHERE d.workspace_id = $1 AND d.event_id IN ({list}) AND NOT ({OPEN}))"
    );
    sql::execute(tx, &attempts, values()).await?;
    let mut n_events = 0;
    // The events last, so that what is counted are they.
    for (table, key) in [("delivery", "event_id"), ("run", "event_id"), ("event", "id")] {
        let sql = format!(
            "DELETE FROM {table} WHERE workspace_id = $1 AND {key} IN ({list}) AND NOT EXISTS (SELECT 1 FROM delivery d \
             WHERE d.workspace_id = $1 AND d.event_id = {table}.{key} AND {OPEN})"
        );
        n_events = sql::execute(tx, &sql, values()).await?;
    }
    Ok(n_events)
}
