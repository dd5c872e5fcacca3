//! What was lately heard of a record: for telling whether a change is news.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document};
use domain::event::{Fact, Origin};
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::RecordKey;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// An event of a record as far as it matters for telling repeats.
#[derive(Clone, PartialEq, Debug)]
pub struct Heard {
    /// How it came.
    pub origin: Origin,
    /// Rules have not looked at it yet, so the memory of the record lacks it.
    pub is_waiting: bool,
    /// What it says.
    pub fact: Fact,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    origin: String,
    state: String,
    fact: String,
}

/// What the CRM told of a record (by webhook or by reading) since a moment, oldest first, the latest so many.
pub async fn since(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Heard>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT id, origin, state, fact FROM event WHERE workspace_id = $1 AND connection_id = $2 \
         AND record_kind = $3 AND record_id = $4 AND origin IN ('webhook', 'poll') \
         AND (received_at >= $5 OR state = 'new') ORDER BY id DESC LIMIT $6",
        [
            workspace.0.into(),
            connection.0.into(),
            key.kind.as_str().into(),
            key.id.0.as_str().into(),
            since.0.into(),
            (limit as i64).into(),
        ],
    )
    .await?;
    read(rows)
}

/// What reading found of a record before an event came, latest first.
pub async fn polled_before(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
    before: Uuid,
) -> Result<Vec<Heard>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT id, origin, state, fact FROM event WHERE workspace_id = $1 AND connection_id = $2 \
         AND record_kind = $3 AND record_id = $4 AND origin = 'poll' AND id < $5 ORDER BY id DESC LIMIT 20",
        [
            workspace.0.into(),
            connection.0.into(),
            key.kind.as_str().into(),
            key.id.0.as_str().into(),
            before.into(),
        ],
    )
    .await?;
    read(rows)
}

fn read(rows: Vec<Row>) -> Result<Vec<Heard>, StorageError> {
    let mut heard = Vec::with_capacity(rows.len());
    for row in rows.into_iter().rev() {
        // A row that does not parse is set aside by dispatch; it tells nothing here.
        let (Ok(fact), Some(origin)) = (document("event", row.id, &row.fact), Origin::parse(&row.origin))
        else {
            continue;
        };
        heard.push(Heard {
            origin,
            is_waiting: row.state == "new",
            fact,
        });
    }
    Ok(heard)
}
