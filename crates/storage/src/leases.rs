//! Leases: the right of one process to work on one CRM account, with a fencing number.

use crate::db::{Conn, Db};
use crate::error::StorageError;
use crate::sql;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

#[derive(FromQueryResult)]
struct Row {
    fence: i64,
}

/// The end of a lease that was given back: whoever takes it next takes over from nobody that died.
pub const GIVEN_BACK: Timestamp = Timestamp(0);

#[derive(FromQueryResult)]
struct HolderRow {
    owner: String,
    until: i64,
}

/// Who holds a lease, or held it last, and until when.
pub async fn holder(conn: &impl Conn, name: &str) -> Result<Option<(String, Timestamp)>, StorageError> {
    Ok(sql::one::<HolderRow, _>(
        conn,
        "SELECT owner, until FROM lease WHERE name = $1",
        [name.into()],
    )
    .await?
    .map(|row| (row.owner, Timestamp(row.until))))
}

/// Takes or renews a lease: the fence when `owner` holds it now, `None` when somebody else does. The fence
/// grows when the owner changes, so a write by a former owner can be told.
pub async fn acquire(
    conn: &impl Conn,
    name: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<i64>, StorageError> {
    Ok(sql::one::<Row, _>(
        conn,
        "INSERT INTO lease (name, owner, fence, until) VALUES ($1, $2, 1, $4) ON CONFLICT (name) DO UPDATE SET \
         fence = CASE WHEN lease.owner = excluded.owner THEN lease.fence ELSE lease.fence + 1 END, \
         owner = excluded.owner, until = excluded.until WHERE lease.owner = excluded.owner OR lease.until <= $3 \
         RETURNING fence",
        [name.into(), owner.into(), now.0.into(), until.0.into()],
    )
    .await?
    .map(|row| row.fence))
}

/// Takes or renews several leases at once: all of them, or none and `false` when somebody else holds one.
pub async fn acquire_all(
    db: &Db,
    names: &[String],
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StorageError> {
    let tx = db.begin().await?;
    for name in names {
        if acquire(&tx, name, owner, now, until).await?.is_none() {
            // Dropped unfinished, it takes back those before.
            return Ok(false);
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Gives back every lease of an owner that ends, so that others need not wait for their end.
pub async fn release(conn: &impl Conn, owner: &str) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE lease SET until = $2 WHERE owner = $1",
        [owner.into(), GIVEN_BACK.0.into()],
    )
    .await?;
    Ok(())
}
