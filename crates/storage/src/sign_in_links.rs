//! Links that work once: the first set-up, signing in, the return from a CRM's consent page. Only the hash of
//! a link's token is kept.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::UserId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// Stores a link. `purpose` is a word of the caller's; a token of one purpose does not work for another.
pub async fn insert(
    conn: &impl Conn,
    token_hash: &str,
    user: Option<UserId>,
    purpose: &str,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO sign_in_link (token_hash, user_id, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        [
            token_hash.into(),
            user.map(|user| user.0).into(),
            purpose.into(),
            expires_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// What a used link was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedLink {
    /// The person it was made for; `None` for the first set-up.
    pub user: Option<UserId>,
}

#[derive(FromQueryResult)]
struct Row {
    user_id: Option<Uuid>,
}

/// Uses a link up: `None` when there is no such link, it has expired or was used before. Of two that try at
/// once one succeeds.
pub async fn take(
    conn: &impl Conn,
    token_hash: &str,
    purpose: &str,
    now: Timestamp,
) -> Result<Option<UsedLink>, StorageError> {
    let row = sql::one::<Row, _>(
        conn,
        "UPDATE sign_in_link SET used_at = $3 WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL \
         AND expires_at > $3 RETURNING user_id",
        [token_hash.into(), purpose.into(), now.0.into()],
    )
    .await?;
    Ok(row.map(|row| UsedLink {
        user: row.user_id.map(UserId),
    }))
}

/// Takes every unused link of a purpose away.
pub async fn revoke(conn: &impl Conn, purpose: &str) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM sign_in_link WHERE purpose = $1 AND used_at IS NULL",
        [purpose.into()],
    )
    .await?;
    Ok(())
}

/// Sweeps links that can no longer be used. Returns how many.
pub async fn sweep(conn: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "DELETE FROM sign_in_link WHERE expires_at <= $1",
        [now.0.into()],
    )
    .await
}
