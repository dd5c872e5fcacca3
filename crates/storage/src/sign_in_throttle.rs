//! Counters of failed sign-ins: what they mean is the engine's affair.

use crate::db::{Conn, Tx};
use crate::error::StorageError;
use crate::sql;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// What is counted under a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    /// Tries since the last success.
    pub n_failures: i64,
    /// The last of them.
    pub last_at: Timestamp,
    /// No try before this moment.
    pub blocked_until: Timestamp,
    /// When a sign-in last succeeded under this name.
    pub trusted_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    n_failures: i64,
    last_at: i64,
    blocked_until: i64,
    trusted_at: Option<i64>,
}

/// Reads a counter, made if need be, and keeps others from it until the transaction ends. Lock several in the
/// order of their names.
pub async fn lock(tx: &Tx, name: &str, now: Timestamp) -> Result<Counter, StorageError> {
    let row = sql::one::<Row, _>(
        tx,
        "INSERT INTO sign_in_throttle (name, n_failures, last_at, blocked_until) VALUES ($1, 0, $2, 0) \
         ON CONFLICT (name) DO UPDATE SET name = excluded.name \
         RETURNING n_failures, last_at, blocked_until, trusted_at",
        [name.into(), now.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound {
        table: "sign_in_throttle",
    })?;
    Ok(Counter {
        n_failures: row.n_failures,
        last_at: Timestamp(row.last_at),
        blocked_until: Timestamp(row.blocked_until),
        trusted_at: row.trusted_at.map(Timestamp),
    })
}

/// Stores a counter that was locked.
pub async fn put(tx: &Tx, name: &str, counter: Counter) -> Result<(), StorageError> {
    sql::execute(
        tx,
        "UPDATE sign_in_throttle SET n_failures = $2, last_at = $3, blocked_until = $4, trusted_at = $5 WHERE name = $1",
        [
            name.into(),
            counter.n_failures.into(),
            counter.last_at.0.into(),
            counter.blocked_until.0.into(),
            counter.trusted_at.map(|at| at.0).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Sweeps counters that were not touched since a moment. Returns how many.
pub async fn sweep(conn: &impl Conn, before: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "DELETE FROM sign_in_throttle WHERE last_at < $1 AND (trusted_at IS NULL OR trusted_at < $1)",
        [before.0.into()],
    )
    .await
}
