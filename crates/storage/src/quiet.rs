//! Rules with a quiet window: what they wait for. A row stands for one rule and one record; it is replaced by every
//! further event of the record and taken away when the rule was asked.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::event::Fact;
use domain::id::{ConnectionId, EventId, RuleId, WorkspaceId};
use domain::record::RecordKey;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A rule that waits until a record is quiet.
#[derive(Clone, PartialEq, Debug)]
pub struct Quiet {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The connection of the record.
    pub connection: ConnectionId,
    /// The rule.
    pub rule: RuleId,
    /// The last event of the record.
    pub event: EventId,
    /// What the events since the window began tell together: last values, first former values, all changes.
    pub fact: Fact,
    /// The longest chain of our own deliveries behind one of them.
    pub chain: u16,
    /// When the record has been quiet for long enough.
    pub due_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    connection_id: Uuid,
    rule_id: Uuid,
    event_id: Uuid,
    fact: String,
    chain: i32,
    due_at: i64,
}

const COLUMNS: &str = "workspace_id, connection_id, rule_id, event_id, fact, chain, due_at";

impl TryFrom<Row> for Quiet {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            connection: ConnectionId(row.connection_id),
            rule: RuleId(row.rule_id),
            event: EventId(row.event_id),
            fact: document("quiet", row.event_id, &row.fact)?,
            chain: u16::try_from(row.chain).unwrap_or(u16::MAX),
            due_at: Timestamp(row.due_at),
        })
    }
}

/// Lets a rule wait, or wait longer.
pub async fn put(conn: &impl Conn, waiting: &Quiet) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO quiet (workspace_id, connection_id, rule_id, record_kind, record_id, event_id, fact, chain, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (workspace_id, connection_id, record_kind, record_id, rule_id) DO UPDATE SET \
         event_id = excluded.event_id, fact = excluded.fact, chain = excluded.chain, due_at = excluded.due_at",
        [
            waiting.workspace.0.into(),
            waiting.connection.0.into(),
            waiting.rule.0.into(),
            waiting.fact.key.kind.as_str().into(),
            waiting.fact.key.id.0.as_str().into(),
            waiting.event.0.into(),
            json(&waiting.fact).into(),
            i32::from(waiting.chain).into(),
            waiting.due_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The rule was asked about this event: it waits no longer, unless a newer event came.
pub async fn delete(conn: &impl Conn, waiting: &Quiet) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM quiet WHERE workspace_id = $1 AND connection_id = $2 AND record_kind = $3 AND record_id = $4 \
         AND rule_id = $5 AND event_id = $6",
        [
            waiting.workspace.0.into(),
            waiting.connection.0.into(),
            waiting.fact.key.kind.as_str().into(),
            waiting.fact.key.id.0.as_str().into(),
            waiting.rule.0.into(),
            waiting.event.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// What rules wait for on these records.
pub async fn of_records(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
) -> Result<Vec<Quiet>, StorageError> {
    let mut found = Vec::new();
    for (kind, ids) in sql::by_kind(keys) {
        for ids in sql::lists(&ids) {
            let sql = format!(
                "SELECT {COLUMNS} FROM quiet WHERE workspace_id = $1 AND connection_id = $2 AND record_kind = $3 \
                 AND record_id IN ({})",
                sql::list_places(3, ids.len())
            );
            for row in sql::all::<Row, _>(conn, &sql, sql::of_list(workspace, connection, kind, ids)).await? {
                found.push(Quiet::try_from(row)?);
            }
        }
    }
    Ok(found)
}

/// Waits of a connection that are over, the longest ago first.
pub async fn due(
    conn: &impl Conn,
    connection: ConnectionId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Quiet>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM quiet WHERE connection_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3"
    );
    sql::all::<Row, _>(
        conn,
        &sql,
        [connection.0.into(), now.0.into(), (limit as i64).into()],
    )
    .await?
    .into_iter()
    .map(Quiet::try_from)
    .collect()
}

/// Connections with waits that are over.
pub async fn due_connections(conn: &impl Conn, now: Timestamp) -> Result<Vec<ConnectionId>, StorageError> {
    let sql = "SELECT DISTINCT connection_id FROM quiet WHERE due_at <= $1";
    sql::connections(conn, sql, [now.0.into()]).await
}

/// When the next wait is over.
pub async fn next_due(conn: &impl Conn) -> Result<Option<Timestamp>, StorageError> {
    sql::moment(conn, "SELECT MIN(due_at) AS due_at FROM quiet", []).await
}
