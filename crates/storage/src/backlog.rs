//! What waits in the whole installation, for the operator. Read every few seconds, so only indices over what waits
//! are walked: what is done costs nothing, however much of it there is.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::connection::ConnectorKind;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::collections::HashMap;
use uuid::Uuid;

/// What waits for one connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Of which kind the connection is; `None` for the hub's own operations, and for a connection that is gone.
    pub kind: Option<ConnectorKind>,
    /// How much.
    pub n_waiting: u64,
    /// When what has waited longest was due: in the future when all of it waits for its next try.
    pub oldest_due_at: Timestamp,
}

/// What waits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// Events that no rule has looked at yet.
    pub events: Vec<Waiting>,
    /// Deliveries that wait or are under way.
    pub deliveries: Vec<Waiting>,
    /// Deliveries that stopped and wait for a person.
    pub n_dead: u64,
}

#[derive(FromQueryResult)]
struct Row {
    connection_id: Option<Uuid>,
    n_waiting: i64,
    oldest_due_at: i64,
}

#[derive(FromQueryResult)]
struct KindRow {
    id: Uuid,
    kind: String,
}

#[derive(FromQueryResult)]
struct CountRow {
    n: i64,
}

/// What waits at this moment.
pub async fn backlog(conn: &impl Conn) -> Result<Backlog, StorageError> {
    let kinds = sql::all::<KindRow, _>(conn, "SELECT id, kind FROM connection", []).await?;
    let kinds: HashMap<Uuid, ConnectorKind> = kinds
        .into_iter()
        .filter_map(|row| Some((row.id, ConnectorKind::parse(&row.kind)?)))
        .collect();
    let dead = "SELECT COUNT(*) AS n FROM delivery WHERE state = 'dead'";
    Ok(Backlog {
        events: waiting(conn, EVENTS, &kinds).await?,
        deliveries: waiting(conn, DELIVERIES, &kinds).await?,
        n_dead: sql::one::<CountRow, _>(conn, dead, [])
            .await?
            .map_or(0, |row| row.n.unsigned_abs()),
    })
}

// Conditions as the indices over what waits have them: written otherwise, the indices would not be used.
const EVENTS: &str = "SELECT connection_id, COUNT(*) AS n_waiting, MIN(due_at) AS oldest_due_at FROM event \
                      WHERE state = 'new' GROUP BY connection_id";
const DELIVERIES: &str = "SELECT connection_id, COUNT(*) AS n_waiting, MIN(due_at) AS oldest_due_at FROM delivery \
                          WHERE state IN ('pending', 'uncertain', 'leased') GROUP BY connection_id";

async fn waiting(
    conn: &impl Conn,
    statement: &str,
    kinds: &HashMap<Uuid, ConnectorKind>,
) -> Result<Vec<Waiting>, StorageError> {
    let rows = sql::all::<Row, _>(conn, statement, []).await?;
    let waiting = |row: Row| Waiting {
        kind: row.connection_id.and_then(|id| kinds.get(&id).copied()),
        n_waiting: row.n_waiting.unsigned_abs(),
        oldest_due_at: Timestamp(row.oldest_due_at),
    };
    Ok(rows.into_iter().map(waiting).collect())
}
