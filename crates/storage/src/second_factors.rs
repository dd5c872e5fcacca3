//! Second factors of people: the sealed secret of their authenticator, and hashes of recovery codes.

use crate::db::{Conn, Tx};
use crate::error::StorageError;
use crate::sql;
use domain::id::UserId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// The second factor of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecondFactor {
    /// Sealed secret.
    pub sealed: String,
    /// Since when it is asked for; `None` while it is being set up.
    pub confirmed_at: Option<Timestamp>,
    /// The last time step whose code was used: a code works once.
    pub last_step: i64,
}

#[derive(FromQueryResult)]
struct Row {
    sealed: String,
    confirmed_at: Option<i64>,
    last_step: i64,
}

/// The second factor of a person, confirmed or not.
pub async fn find(conn: &impl Conn, user: UserId) -> Result<Option<SecondFactor>, StorageError> {
    let sql = "SELECT sealed, confirmed_at, last_step FROM second_factor WHERE user_id = $1";
    let row = sql::one::<Row, _>(conn, sql, [user.0.into()]).await?;
    Ok(row.map(|row| SecondFactor {
        sealed: row.sealed,
        confirmed_at: row.confirmed_at.map(Timestamp),
        last_step: row.last_step,
    }))
}

/// Begins a second factor anew. [`StorageError::Conflict`] when one is confirmed already.
pub async fn begin(conn: &impl Conn, user: UserId, sealed: &str) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "INSERT INTO second_factor (user_id, sealed, last_step) VALUES ($1, $2, 0) ON CONFLICT (user_id) \
         DO UPDATE SET sealed = excluded.sealed, last_step = 0 WHERE second_factor.confirmed_at IS NULL",
        [user.0.into(), sealed.into()],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::Conflict);
    }
    Ok(())
}

/// Notes that the code of a time step was used: false when it, or a later one, was used before.
pub async fn use_step(conn: &impl Conn, user: UserId, step: i64) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE second_factor SET last_step = $2 WHERE user_id = $1 AND last_step < $2",
        [user.0.into(), step.into()],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Confirms the second factor and gives it these recovery codes.
pub async fn confirm(
    tx: &Tx,
    user: UserId,
    code_hashes: &[String],
    now: Timestamp,
) -> Result<(), StorageError> {
    let sql = "UPDATE second_factor SET confirmed_at = $2 WHERE user_id = $1";
    sql::execute(tx, sql, [user.0.into(), now.0.into()]).await?;
    sql::execute(
        tx,
        "DELETE FROM recovery_code WHERE user_id = $1",
        [user.0.into()],
    )
    .await?;
    for hash in code_hashes {
        sql::execute(
            tx,
            "INSERT INTO recovery_code (user_id, code_hash) VALUES ($1, $2)",
            [user.0.into(), hash.as_str().into()],
        )
        .await?;
    }
    Ok(())
}

/// Uses a recovery code up: false when there is no such code or it was used before.
pub async fn use_code(
    conn: &impl Conn,
    user: UserId,
    code_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE recovery_code SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
        [user.0.into(), code_hash.into(), now.0.into()],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Takes the second factor away with its recovery codes.
pub async fn delete(tx: &Tx, user: UserId) -> Result<(), StorageError> {
    for table in ["second_factor", "recovery_code"] {
        let sql = format!("DELETE FROM {table} WHERE user_id = $1");
        sql::execute(tx, &sql, [user.0.into()]).await?;
    }
    Ok(())
}
