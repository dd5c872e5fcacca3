//! What is due, and when the next is.

use super::OPEN;
use super::leasing::{Held, first_of_lane};
use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, RuleId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// Open deliveries of a connection among which the next moment is looked for. Where all of them stand behind others,
/// the answer is that nothing is known to become due; whoever asks looks again soon anyway.
const WINDOW: u64 = 1_000;

/// `busy(id)`: the connections with open deliveries, found by skipping from one to the next in the index, so
/// that a million deliveries of one connection cost as much as one. A last row without an id ends it.
fn busy() -> String {
    let next = |after: &str| {
        format!(
            "(SELECT d.connection_id FROM delivery d WHERE {after} AND d.{OPEN} ORDER BY d.connection_id LIMIT 1)"
        )
    };
    format!(
        "WITH RECURSIVE busy(id) AS (SELECT {} UNION ALL SELECT {} FROM busy WHERE busy.id IS NOT NULL)",
        next("d.connection_id IS NOT NULL"),
        next("d.connection_id > busy.id")
    )
}

#[derive(FromQueryResult)]
struct ConnectionRow {
    connection_id: Option<Uuid>,
}

/// Connections with something due (`None` stands for the hub's own operations).
pub async fn due_connections(
    conn: &impl Conn,
    now: Timestamp,
) -> Result<Vec<Option<ConnectionId>>, StorageError> {
    let due =
        |whose: &str| format!("(SELECT MIN(d.due_at) FROM delivery d WHERE {whose} AND d.{OPEN}) <= $1");
    let sql = format!(
        "{} SELECT id AS connection_id FROM busy WHERE id IS NOT NULL AND {} \
         UNION ALL SELECT id AS connection_id FROM busy WHERE id IS NULL AND {}",
        busy(),
        due("d.connection_id = busy.id"),
        due("d.connection_id IS NULL")
    );
    let rows = sql::all::<ConnectionRow, _>(conn, &sql, [now.0.into()]).await?;
    Ok(rows
        .into_iter()
        .map(|row| row.connection_id.map(ConnectionId))
        .collect())
}

/// When the next delivery that is first in its lane is due. Those behind it do not count: nothing can be done
/// about them before it.
///
/// What held connections and rules keep back does not count either.
pub async fn next_due(
    conn: &impl Conn,
    connections: &[ConnectionId],
    rules: &[RuleId],
) -> Result<Option<Timestamp>, StorageError> {
    let mut values = Vec::new();
    let rules = Held::new(rules, &mut values);
    let mut places = Vec::with_capacity(connections.len());
    for connection in connections {
        values.push(connection.0.into());
        places.push(format!("${}", values.len()));
    }
    let held = match places.is_empty() {
        true => String::new(),
        false => format!(" AND id NOT IN ({})", places.join(", ")),
    };
    let next = |whose: &str| {
        format!(
            "(SELECT near.due_at FROM (SELECT d.workspace_id, d.id, d.lane, d.state, d.due_at FROM delivery d WHERE {whose} \
             AND d.{OPEN}{} ORDER BY d.due_at, d.id LIMIT {WINDOW}) near WHERE {} ORDER BY near.due_at, near.id LIMIT 1)",
            rules.spared("d"),
            first_of_lane("near", &rules)
        )
    };
    let sql = format!(
        "{} SELECT MIN(due_at) AS due_at FROM (SELECT {} AS due_at FROM busy WHERE id IS NOT NULL{} \
         UNION ALL SELECT {} AS due_at FROM busy WHERE id IS NULL) AS heads",
        busy(),
        next("d.connection_id = busy.id"),
        held,
        next("d.connection_id IS NULL")
    );
    sql::moment(conn, &sql, values).await
}

/// Whether a record may have been made in a connection of which nothing is known yet: something that finds or creates
/// was begun and is not at its end. Looked for among those that are due first.
pub async fn has_begun_upsert(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<bool, StorageError> {
    let sql = format!(
        "SELECT 1 AS one FROM (SELECT d.workspace_id, d.n_attempts, d.command FROM delivery d WHERE d.connection_id = $2 \
         AND d.{OPEN} ORDER BY d.due_at, d.id LIMIT {WINDOW}) near WHERE near.workspace_id = $1 AND near.n_attempts > 0 \
         AND near.command LIKE '%\"do\":\"upsert\"%' LIMIT 1"
    );
    sql::is_any(conn, &sql, [workspace.0.into(), connection.0.into()]).await
}
