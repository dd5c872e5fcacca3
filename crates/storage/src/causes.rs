//! Dead deliveries by their cause.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// Dead deliveries that died of the same thing at the same connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Where they went; `None` for the hub's own operations.
    pub connection: Option<ConnectionId>,
    /// Stable word of the failure.
    pub error_code: Option<String>,
    /// The failure of one of them in Russian.
    pub error: Option<String>,
    /// How many.
    pub n_dead: u64,
    /// How many rules wanted them.
    pub n_rules: u64,
    /// The end of the last one.
    pub last_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    connection_id: Option<Uuid>,
    error_code: Option<String>,
    error: Option<String>,
    n_dead: i64,
    n_rules: i64,
    last_at: Option<i64>,
}

/// Causes of dead deliveries of a workspace, the most frequent first.
pub async fn causes(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<Cause>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT connection_id, error_code, MAX(error) AS error, COUNT(*) AS n_dead, COUNT(DISTINCT rule_id) AS n_rules, \
         MAX(finished_at) AS last_at FROM delivery WHERE workspace_id = $1 AND state = 'dead' \
         GROUP BY connection_id, error_code ORDER BY n_dead DESC, last_at DESC LIMIT 100",
        [workspace.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Cause {
            connection: row.connection_id.map(ConnectionId),
            error_code: row.error_code,
            error: row.error,
            n_dead: row.n_dead.unsigned_abs(),
            n_rules: row.n_rules.unsigned_abs(),
            last_at: row.last_at.map(Timestamp),
        })
        .collect())
}
