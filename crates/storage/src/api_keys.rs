//! API keys of workspaces. Only the hash of a key's secret is kept.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::id::{ApiKeyId, UserId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A key without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: ApiKeyId,
    /// Name as its maker gave it.
    pub name: String,
    /// First letters of its secret.
    pub prefix: String,
    /// Words of what it may be used for.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, roughly.
    pub last_used_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    name: String,
    prefix: String,
    scopes: String,
    created_by: Option<Uuid>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
}

const COLUMNS: &str =
    "workspace_id, id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at";

impl TryFrom<Row> for ApiKey {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: ApiKeyId(row.id),
            name: row.name,
            prefix: row.prefix,
            scopes: document("api_key", row.id, &row.scopes)?,
            created_by: row.created_by.map(UserId),
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
        })
    }
}

/// Stores a key.
pub async fn insert(conn: &impl Conn, key: &ApiKey, token_hash: &str) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO api_key (workspace_id, id, name, prefix, token_hash, scopes, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            key.workspace.0.into(),
            key.id.0.into(),
            key.name.as_str().into(),
            key.prefix.as_str().into(),
            token_hash.into(),
            json(&key.scopes).into(),
            key.created_by.map(|user| user.0).into(),
            key.created_at.0.into(),
            key.expires_at.map(|at| at.0).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Keys of a workspace that were not revoked, newest first.
pub async fn list(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<ApiKey>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_key WHERE workspace_id = $1 AND revoked_at IS NULL ORDER BY id DESC"
    );
    sql::all::<Row, _>(conn, &sql, [workspace.0.into()])
        .await?
        .into_iter()
        .map(ApiKey::try_from)
        .collect()
}

/// The key with a secret, unless it was revoked or has expired.
pub async fn find_by_token(
    conn: &impl Conn,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<ApiKey>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_key WHERE token_hash = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)"
    );
    sql::one::<Row, _>(conn, &sql, [token_hash.into(), now.0.into()])
        .await?
        .map(ApiKey::try_from)
        .transpose()
}

/// Notes that a key was used.
pub async fn note_used(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE api_key SET last_used_at = $3 WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into(), now.0.into()],
    )
    .await?;
    Ok(())
}

/// Stops a key for good and gives it back as it was.
pub async fn revoke(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<ApiKey, StorageError> {
    let sql = format!(
        "UPDATE api_key SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL \
         RETURNING {COLUMNS}"
    );
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into(), now.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "api_key" })?
        .try_into()
}
