//! Invitations by mail: into a workspace, or (without one) to register and make one. Only the hash of the
//! token that was mailed is kept.

use crate::accounts::Role;
use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{UserId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// An invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// Into which workspace, with which role; `None` to make one.
    pub into: Option<(WorkspaceId, Role)>,
    /// Who may use it (lower case): the letter went there, so using it proves the address.
    pub email: String,
    /// Who invited; `None` for a registration that the person asked for.
    pub invited_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    workspace_id: Option<Uuid>,
    email: String,
    role: Option<String>,
    invited_by: Option<Uuid>,
    created_at: i64,
    expires_at: i64,
}

const COLUMNS: &str = "id, workspace_id, email, role, invited_by, created_at, expires_at";

impl TryFrom<Row> for Invitation {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let role = row.role.as_deref().and_then(Role::parse);
        let into = match (row.workspace_id, role) {
            (Some(workspace), Some(role)) => Some((WorkspaceId(workspace), role)),
            (None, None) if row.role.is_none() => None,
            _ => {
                return Err(StorageError::Corrupt {
                    table: "invitation",
                    id: row.id.to_string(),
                });
            }
        };
        Ok(Self {
            id: row.id,
            into,
            email: row.email,
            invited_by: row.invited_by.map(UserId),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// Stores an invitation.
pub async fn insert(conn: &impl Conn, invitation: &Invitation, token_hash: &str) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO invitation (token_hash, id, workspace_id, email, role, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            token_hash.into(),
            invitation.id.into(),
            invitation.into.map(|(workspace, _)| workspace.0).into(),
            invitation.email.as_str().into(),
            invitation.into.map(|(_, role)| role.as_str()).into(),
            invitation.invited_by.map(|user| user.0).into(),
            invitation.created_at.0.into(),
            invitation.expires_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The invitation of a token, if it can still be used.
pub async fn find(
    conn: &impl Conn,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invitation WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2"
    );
    sql::one::<Row, _>(conn, &sql, [token_hash.into(), now.0.into()])
        .await?
        .map(Invitation::try_from)
        .transpose()
}

/// Uses an invitation up. `None` when it cannot be used any more; of two that try at once one succeeds.
pub async fn take(
    conn: &impl Conn,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, StorageError> {
    let sql = format!(
        "UPDATE invitation SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 \
         RETURNING {COLUMNS}"
    );
    sql::one::<Row, _>(conn, &sql, [token_hash.into(), now.0.into()])
        .await?
        .map(Invitation::try_from)
        .transpose()
}

/// Invitations into a workspace that can still be used, newest first.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Invitation>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invitation WHERE workspace_id = $1 AND used_at IS NULL AND expires_at > $2 \
         ORDER BY id DESC"
    );
    sql::all::<Row, _>(conn, &sql, [workspace.0.into(), now.0.into()])
        .await?
        .into_iter()
        .map(Invitation::try_from)
        .collect()
}

/// Takes an unused invitation back and gives it as it was.
pub async fn withdraw(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: Uuid,
) -> Result<Invitation, StorageError> {
    let sql = format!(
        "DELETE FROM invitation WHERE workspace_id = $1 AND id = $2 AND used_at IS NULL RETURNING {COLUMNS}"
    );
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "invitation" })?
        .try_into()
}

/// Sweeps invitations that can no longer be used. Returns how many.
pub async fn sweep(conn: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    let sql = "DELETE FROM invitation WHERE expires_at <= $1 OR used_at IS NOT NULL";
    sql::execute(conn, sql, [now.0.into()]).await
}
