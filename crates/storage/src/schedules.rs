//! When the timers of rules come due. A row stands for one timer of a rule in force.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{RuleId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A timer of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The rule.
    pub rule: RuleId,
    /// Place of the trigger in its document, from 0.
    pub place: i32,
    /// The next tick.
    pub due_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    rule_id: Uuid,
    place: i32,
    due_at: i64,
}

impl From<Row> for Timer {
    fn from(row: Row) -> Self {
        Self {
            workspace: WorkspaceId(row.workspace_id),
            rule: RuleId(row.rule_id),
            place: row.place,
            due_at: Timestamp(row.due_at),
        }
    }
}

/// Stores a timer.
pub async fn insert(conn: &impl Conn, timer: Timer) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO schedule (workspace_id, rule_id, place, due_at) VALUES ($1, $2, $3, $4)",
        [
            timer.workspace.0.into(),
            timer.rule.0.into(),
            timer.place.into(),
            timer.due_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes every timer of a rule away.
pub async fn delete(conn: &impl Conn, workspace: WorkspaceId, rule: RuleId) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM schedule WHERE workspace_id = $1 AND rule_id = $2",
        [workspace.0.into(), rule.0.into()],
    )
    .await?;
    Ok(())
}

/// Timers of a rule.
pub async fn of_rule(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
) -> Result<Vec<Timer>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT workspace_id, rule_id, place, due_at FROM schedule WHERE workspace_id = $1 AND rule_id = $2 \
         ORDER BY place",
        [workspace.0.into(), rule.0.into()],
    )
    .await?;
    Ok(rows.into_iter().map(Timer::from).collect())
}

/// Timers of every workspace that have come due, at most so many.
pub async fn due(conn: &impl Conn, now: Timestamp, limit: u64) -> Result<Vec<Timer>, StorageError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT workspace_id, rule_id, place, due_at FROM schedule WHERE due_at <= $1 \
         ORDER BY due_at, rule_id, place LIMIT $2",
        [now.0.into(), limit.into()],
    )
    .await?;
    Ok(rows.into_iter().map(Timer::from).collect())
}

/// When the next timer comes due.
pub async fn next_due(conn: &impl Conn) -> Result<Option<Timestamp>, StorageError> {
    sql::moment(conn, "SELECT MIN(due_at) AS due_at FROM schedule", []).await
}

/// Sets a timer to its next tick. False when it is no longer the one that was read: another process was quicker, or
/// the rule has changed.
pub async fn advance(conn: &impl Conn, timer: Timer, to: Timestamp) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE schedule SET due_at = $5 WHERE workspace_id = $1 AND rule_id = $2 AND place = $3 AND due_at = $4",
        [
            timer.workspace.0.into(),
            timer.rule.0.into(),
            timer.place.into(),
            timer.due_at.0.into(),
            to.0.into(),
        ],
    )
    .await?;
    Ok(n_rows > 0)
}
