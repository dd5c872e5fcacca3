//! Sealed secrets of connections and the secrets of their hook addresses.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A sealed credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Sealed text.
    pub sealed: String,
    /// The one before, sealed: a rotated token is kept until the next rotation.
    pub previous: Option<String>,
    /// When it expires, when known.
    pub expires_at: Option<Timestamp>,
    /// Grows with every save.
    pub version: i64,
}

#[derive(FromQueryResult)]
struct Row {
    sealed: String,
    previous: Option<String>,
    expires_at: Option<i64>,
    version: i64,
}

/// The credential of a connection.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Credential, StorageError> {
    let row = sql::one::<Row, _>(
        conn,
        "SELECT sealed, previous, expires_at, version FROM credential WHERE workspace_id = $1 AND connection_id = $2",
        [workspace.0.into(), connection.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "credential" })?;
    Ok(Credential {
        sealed: row.sealed,
        previous: row.previous,
        expires_at: row.expires_at.map(Timestamp),
        version: row.version,
    })
}

/// Stores a credential given by a person, whatever was there.
pub async fn put(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    sealed: &str,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO credential (workspace_id, connection_id, sealed, expires_at, version, updated_at) \
         VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (workspace_id, connection_id) DO UPDATE SET \
         previous = NULL, sealed = excluded.sealed, expires_at = excluded.expires_at, \
         version = credential.version + 1, updated_at = excluded.updated_at",
        [
            workspace.0.into(),
            connection.0.into(),
            sealed.into(),
            expires_at.map(|at| at.0).into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Stores a rotated credential if nobody was quicker: true when it was stored.
pub async fn rotate(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    credential: &Credential,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE credential SET previous = sealed, sealed = $3, expires_at = $4, version = version + 1, \
         updated_at = $5 WHERE workspace_id = $1 AND connection_id = $2 AND version = $6",
        [
            workspace.0.into(),
            connection.0.into(),
            credential.sealed.as_str().into(),
            credential.expires_at.map(|at| at.0).into(),
            now.0.into(),
            credential.version.into(),
        ],
    )
    .await?;
    Ok(n_rows == 1)
}

/// Whose hook address a secret belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HookOwner {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Connection.
    pub connection: ConnectionId,
    /// Which CRM calls it.
    pub kind: ConnectorKind,
}

#[derive(FromQueryResult)]
struct HookRow {
    workspace_id: Uuid,
    connection_id: Uuid,
    kind: String,
}

/// Stores the secret of a hook address: its hash for finding, sealed for showing the address again.
pub async fn insert_hook_secret(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    secret_hash: &str,
    sealed: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO hook_secret (secret_hash, workspace_id, connection_id, sealed, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
        [
            secret_hash.into(),
            workspace.0.into(),
            connection.0.into(),
            sealed.into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Finds the connection of a hook secret that has not expired.
pub async fn hook_owner(
    conn: &impl Conn,
    secret_hash: &str,
    now: Timestamp,
) -> Result<HookOwner, StorageError> {
    let row = sql::one::<HookRow, _>(
        conn,
        "SELECT h.workspace_id, h.connection_id, c.kind FROM hook_secret h JOIN connection c \
         ON c.workspace_id = h.workspace_id AND c.id = h.connection_id \
         WHERE h.secret_hash = $1 AND (h.expires_at IS NULL OR h.expires_at > $2)",
        [secret_hash.into(), now.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "hook_secret" })?;
    let kind = ConnectorKind::parse(&row.kind).ok_or_else(|| StorageError::Corrupt {
        table: "connection",
        id: row.connection_id.to_string(),
    })?;
    Ok(HookOwner {
        workspace: WorkspaceId(row.workspace_id),
        connection: ConnectionId(row.connection_id),
        kind,
    })
}

#[derive(FromQueryResult)]
struct SealedRow {
    sealed: String,
}

/// The newest hook secret of a connection, sealed.
pub async fn hook_secret(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<String, StorageError> {
    sql::one::<SealedRow, _>(
        conn,
        "SELECT sealed FROM hook_secret WHERE workspace_id = $1 AND connection_id = $2 AND expires_at IS NULL \
         ORDER BY created_at DESC LIMIT 1",
        [workspace.0.into(), connection.0.into()],
    )
    .await?
    .map(|row| row.sealed)
    .ok_or(StorageError::NotFound { table: "hook_secret" })
}

/// Lets every secret of a connection but the newest given one end at a moment, so that a new address can be
/// installed while the old one still works.
pub async fn expire_hook_secrets(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keep_hash: &str,
    at: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE hook_secret SET expires_at = $4 WHERE workspace_id = $1 AND connection_id = $2 \
         AND secret_hash <> $3 AND expires_at IS NULL",
        [
            workspace.0.into(),
            connection.0.into(),
            keep_hash.into(),
            at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct EndingRow {
    workspace_id: Uuid,
    connection_id: Uuid,
}

/// Credentials of active connections that end before a moment.
pub async fn ending(
    conn: &impl Conn,
    before: Timestamp,
) -> Result<Vec<(WorkspaceId, ConnectionId)>, StorageError> {
    let rows = sql::all::<EndingRow, _>(
        conn,
        "SELECT k.workspace_id, k.connection_id FROM credential k JOIN connection c \
         ON c.workspace_id = k.workspace_id AND c.id = k.connection_id \
         WHERE c.state = 'active' AND k.expires_at < $1 ORDER BY k.expires_at",
        [before.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (WorkspaceId(row.workspace_id), ConnectionId(row.connection_id)))
        .collect())
}

#[derive(FromQueryResult)]
struct UpdatedRow {
    updated_at: i64,
}

/// When the credential of a connection was last given or renewed.
pub async fn updated_at(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Option<Timestamp>, StorageError> {
    let row = sql::one::<UpdatedRow, _>(
        conn,
        "SELECT updated_at FROM credential WHERE workspace_id = $1 AND connection_id = $2",
        [workspace.0.into(), connection.0.into()],
    )
    .await?;
    Ok(row.map(|row| Timestamp(row.updated_at)))
}
