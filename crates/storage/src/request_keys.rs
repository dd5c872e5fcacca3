//! Request keys (`Idempotency-Key`): a creation that is asked for twice happens once and is answered twice.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::WorkspaceId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// What is known of a request key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Operation it was used for.
    pub operation: String,
    /// Hash of the body it was used with.
    pub body_hash: String,
    /// Status that was answered; 0 while the request is under way.
    pub status: u16,
    /// What was answered, as the caller stored it.
    pub response: String,
    /// When it was first used.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    operation: String,
    body_hash: String,
    status: i32,
    response: String,
    created_at: i64,
}

/// Reserves a key: true when this request is the first to use it.
pub async fn reserve(
    conn: &impl Conn,
    workspace: WorkspaceId,
    key: &str,
    operation: &str,
    body_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "INSERT INTO request_key (workspace_id, \"key\", operation, body_hash, status, response, created_at) \
         VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT (workspace_id, \"key\") DO NOTHING",
        [
            workspace.0.into(),
            key.into(),
            operation.into(),
            body_hash.into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(n_rows > 0)
}

/// What is known of a key.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    key: &str,
) -> Result<Option<Known>, StorageError> {
    let row = sql::one::<Row, _>(
        conn,
        "SELECT operation, body_hash, status, response, created_at FROM request_key \
         WHERE workspace_id = $1 AND \"key\" = $2",
        [workspace.0.into(), key.into()],
    )
    .await?;
    Ok(row.map(|row| Known {
        operation: row.operation,
        body_hash: row.body_hash,
        status: u16::try_from(row.status).unwrap_or(0),
        response: row.response,
        created_at: Timestamp(row.created_at),
    }))
}

/// Stores what was answered.
pub async fn finish(
    conn: &impl Conn,
    workspace: WorkspaceId,
    key: &str,
    status: u16,
    response: &str,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE request_key SET status = $3, response = $4 WHERE workspace_id = $1 AND \"key\" = $2",
        [
            workspace.0.into(),
            key.into(),
            i32::from(status).into(),
            response.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets a key whose request failed, so that it can be tried again.
pub async fn release(conn: &impl Conn, workspace: WorkspaceId, key: &str) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM request_key WHERE workspace_id = $1 AND \"key\" = $2",
        [workspace.0.into(), key.into()],
    )
    .await?;
    Ok(())
}

/// Sweeps keys used before a moment. Returns how many.
pub async fn sweep(conn: &impl Conn, before: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "DELETE FROM request_key WHERE created_at < $1",
        [before.0.into()],
    )
    .await
}
