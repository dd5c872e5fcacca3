//! Sessions of people in browsers. Only the hash of a session's key is kept.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::UserId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// SHA-256 of its key.
    pub key_hash: String,
    /// Its public name, for listing and ending it; `None` before sign-in.
    pub id: Option<Uuid>,
    /// Who is signed in; `None` before sign-in.
    pub user: Option<UserId>,
    /// What the session library keeps: opaque here.
    pub state: String,
    /// Network address at sign-in.
    pub address: Option<String>,
    /// Browser at sign-in.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_seen_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    key_hash: String,
    id: Option<Uuid>,
    user_id: Option<Uuid>,
    state: String,
    address: Option<String>,
    user_agent: Option<String>,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
}

/// Begins a session.
pub async fn insert(conn: &impl Conn, session: &Session) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO session (key_hash, id, user_id, state, address, user_agent, created_at, last_seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            session.key_hash.as_str().into(),
            session.id.into(),
            session.user.map(|user| user.0).into(),
            session.state.as_str().into(),
            session.address.clone().into(),
            session.user_agent.clone().into(),
            session.created_at.0.into(),
            session.last_seen_at.0.into(),
            session.expires_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str =
    "key_hash, id, user_id, state, address, user_agent, created_at, last_seen_at, expires_at";

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            key_hash: row.key_hash,
            id: row.id,
            user: row.user_id.map(UserId),
            state: row.state,
            address: row.address,
            user_agent: row.user_agent,
            created_at: Timestamp(row.created_at),
            last_seen_at: Timestamp(row.last_seen_at),
            expires_at: Timestamp(row.expires_at),
        }
    }
}

/// A session that has not ended.
pub async fn find(conn: &impl Conn, key_hash: &str, now: Timestamp) -> Result<Option<Session>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM session WHERE key_hash = $1 AND expires_at > $2");
    let row = sql::one::<Row, _>(conn, &sql, [key_hash.into(), now.0.into()]).await?;
    Ok(row.map(Session::from))
}

/// Sessions of a person that have not ended, last used first.
pub async fn of_user(conn: &impl Conn, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM session WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, key_hash"
    );
    let rows = sql::all::<Row, _>(conn, &sql, [user.0.into(), now.0.into()]).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Ends one session of a person.
pub async fn end(conn: &impl Conn, user: UserId, id: Uuid) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "DELETE FROM session WHERE user_id = $1 AND id = $2",
        [user.0.into(), id.into()],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::NotFound { table: "session" });
    }
    Ok(())
}

/// Ends every session of a person but one. Returns how many.
pub async fn end_others(conn: &impl Conn, user: UserId, keep: Option<Uuid>) -> Result<u64, StorageError> {
    match keep {
        None => delete_of_user(conn, user).await,
        Some(keep) => {
            sql::execute(
                conn,
                "DELETE FROM session WHERE user_id = $1 AND (id IS NULL OR id <> $2)",
                [user.0.into(), keep.into()],
            )
            .await
        }
    }
}

/// Changes what a session holds; false when it has ended.
pub async fn update(
    conn: &impl Conn,
    key_hash: &str,
    user: Option<UserId>,
    state: &str,
) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE session SET user_id = $2, state = $3 WHERE key_hash = $1",
        [key_hash.into(), user.map(|user| user.0).into(), state.into()],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Notes that a session is in use, and moves its end.
pub async fn touch(
    conn: &impl Conn,
    key_hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE session SET last_seen_at = $2, expires_at = $3 WHERE key_hash = $1",
        [key_hash.into(), now.0.into(), expires_at.0.into()],
    )
    .await?;
    Ok(())
}

/// Ends a session.
pub async fn delete(conn: &impl Conn, key_hash: &str) -> Result<(), StorageError> {
    sql::execute(conn, "DELETE FROM session WHERE key_hash = $1", [key_hash.into()]).await?;
    Ok(())
}

/// Ends every session of a person. Returns how many.
pub async fn delete_of_user(conn: &impl Conn, user: UserId) -> Result<u64, StorageError> {
    sql::execute(conn, "DELETE FROM session WHERE user_id = $1", [user.0.into()]).await
}

/// Sweeps sessions that have ended. Returns how many.
pub async fn sweep(conn: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    sql::execute(conn, "DELETE FROM session WHERE expires_at <= $1", [now.0.into()]).await
}
