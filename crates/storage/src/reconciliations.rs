//! How far the reading of what changed has come, one row per connection.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A walk over the changes of one connection: where it stands, and how the ones before it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reconciliation {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The connection that is read.
    pub connection: ConnectionId,
    /// When something is to be done next.
    pub due_at: Timestamp,
    /// From which moment the walk under way reads; `None` between walks.
    pub since: Option<Timestamp>,
    /// When that walk began: the connection is reconciled up to here when it ends.
    pub started_at: Option<Timestamp>,
    /// Where it goes on (a text of the connector).
    pub cursor: Option<String>,
    /// Events it found so far.
    pub n_found: i32,
    /// Walks in a row that found nothing.
    pub n_idle: i32,
    /// Failures in a row.
    pub n_failures: i32,
    /// The last failure in Russian, while it lasts.
    pub failure: Option<String>,
    /// When a walk last ended that had found something.
    pub found_at: Option<Timestamp>,
    /// How much that one had found.
    pub n_last_found: i32,
    /// When a page was last read.
    pub page_at: Option<Timestamp>,
}

impl Reconciliation {
    /// Of a connection that was never reconciled.
    pub const fn new(workspace: WorkspaceId, connection: ConnectionId, due_at: Timestamp) -> Self {
        Self {
            workspace,
            connection,
            due_at,
            since: None,
            started_at: None,
            cursor: None,
            n_found: 0,
            n_idle: 0,
            n_failures: 0,
            failure: None,
            found_at: None,
            n_last_found: 0,
            page_at: None,
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    due_at: i64,
    since: Option<i64>,
    started_at: Option<i64>,
    cursor: Option<String>,
    n_found: i32,
    n_idle: i32,
    n_failures: i32,
    failure: Option<String>,
    found_at: Option<i64>,
    n_last_found: i32,
    page_at: Option<i64>,
}

const COLUMNS: &str = "due_at, since, started_at, cursor, n_found, n_idle, n_failures, failure, found_at, \
    n_last_found, page_at";

/// Where a connection stands, if it was ever looked at.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<Reconciliation>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM reconciliation WHERE workspace_id = $1 AND connection_id = $2");
    let row = sql::one::<Row, _>(conn, &sql, [workspace.0.into(), connection.0.into()]).await?;
    Ok(row.map(|row| Reconciliation {
        workspace,
        connection,
        due_at: Timestamp(row.due_at),
        since: row.since.map(Timestamp),
        started_at: row.started_at.map(Timestamp),
        cursor: row.cursor,
        n_found: row.n_found,
        n_idle: row.n_idle,
        n_failures: row.n_failures,
        failure: row.failure,
        found_at: row.found_at.map(Timestamp),
        n_last_found: row.n_last_found,
        page_at: row.page_at.map(Timestamp),
    }))
}

/// Stores where a connection stands.
pub async fn save(conn: &impl Conn, walk: &Reconciliation) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO reconciliation (workspace_id, connection_id, {COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (workspace_id, connection_id) DO UPDATE SET due_at = excluded.due_at, since = excluded.since, \
         started_at = excluded.started_at, cursor = excluded.cursor, n_found = excluded.n_found, \
         n_idle = excluded.n_idle, n_failures = excluded.n_failures, failure = excluded.failure, \
         found_at = excluded.found_at, n_last_found = excluded.n_last_found, page_at = excluded.page_at"
    );
    sql::execute(
        conn,
        &sql,
        [
            walk.workspace.0.into(),
            walk.connection.0.into(),
            walk.due_at.0.into(),
            walk.since.map(|at| at.0).into(),
            walk.started_at.map(|at| at.0).into(),
            walk.cursor.clone().into(),
            walk.n_found.into(),
            walk.n_idle.into(),
            walk.n_failures.into(),
            walk.failure.clone().into(),
            walk.found_at.map(|at| at.0).into(),
            walk.n_last_found.into(),
            walk.page_at.map(|at| at.0).into(),
        ],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct DueRow {
    id: Uuid,
}

/// Active connections that are to be read now, those that waited longest first.
pub async fn due(conn: &impl Conn, now: Timestamp, limit: u64) -> Result<Vec<ConnectionId>, StorageError> {
    let rows = sql::all::<DueRow, _>(
        conn,
        "SELECT c.id FROM connection c LEFT JOIN reconciliation r ON r.workspace_id = c.workspace_id \
         AND r.connection_id = c.id WHERE c.state = 'active' AND COALESCE(r.due_at, 0) <= $1 \
         ORDER BY COALESCE(r.due_at, 0), c.id LIMIT $2",
        [now.0.into(), (limit as i64).into()],
    )
    .await?;
    Ok(rows.into_iter().map(|row| ConnectionId(row.id)).collect())
}

/// When the next connection is to be read.
pub async fn next_due(conn: &impl Conn) -> Result<Option<Timestamp>, StorageError> {
    sql::moment(
        conn,
        "SELECT MIN(COALESCE(r.due_at, 0)) AS due_at FROM connection c LEFT JOIN reconciliation r \
         ON r.workspace_id = c.workspace_id AND r.connection_id = c.id WHERE c.state = 'active'",
        [],
    )
    .await
}

/// Lets a connection be read at once: its webhooks were away, or a person asks for it.
pub async fn hasten(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE reconciliation SET due_at = $3, n_idle = 0 WHERE workspace_id = $1 AND connection_id = $2 AND due_at > $3",
        [workspace.0.into(), connection.0.into(), now.0.into()],
    )
    .await?;
    Ok(())
}

/// Lets every connection be read at once that was not read since a moment: the process was away.
pub async fn hasten_all(conn: &impl Conn, not_since: Timestamp, now: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "UPDATE reconciliation SET due_at = $2 WHERE due_at > $2 AND COALESCE(page_at, 0) < $1",
        [not_since.0.into(), now.0.into()],
    )
    .await
}
