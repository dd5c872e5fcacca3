//! Settings of the whole installation, each a text under a name.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// Name of the sealed key that signs cookies.
pub const COOKIE_KEY: &str = "cookie_key";

#[derive(FromQueryResult)]
struct Row {
    value: String,
}

/// A setting, if it was ever set.
pub async fn find(conn: &impl Conn, name: &str) -> Result<Option<String>, StorageError> {
    let row = sql::one::<Row, _>(conn, "SELECT value FROM setting WHERE name = $1", [name.into()]).await?;
    Ok(row.map(|row| row.value))
}

/// Sets a setting, whatever it was.
pub async fn put(conn: &impl Conn, name: &str, value: &str, now: Timestamp) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO setting (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        [name.into(), value.into(), now.0.into()],
    )
    .await?;
    Ok(())
}

/// Sets a setting unless it is set, and gives what then stands: several processes agree on one value.
pub async fn put_if_absent(
    conn: &impl Conn,
    name: &str,
    value: &str,
    now: Timestamp,
) -> Result<String, StorageError> {
    sql::execute(
        conn,
        "INSERT INTO setting (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        [name.into(), value.into(), now.0.into()],
    )
    .await?;
    find(conn, name)
        .await?
        .ok_or(StorageError::NotFound { table: "setting" })
}
