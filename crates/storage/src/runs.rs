//! Runs: what every rule that looked at an event made of it.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, document, json};
use domain::evaluate::{Explanation, Note};
use domain::id::{EventId, RuleId, RuleVersionId, RunId, WorkspaceId};
use domain::run::RunOutcome;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::borrow::Borrow;
use uuid::Uuid;

/// One rule version applied to one event.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: RunId,
    /// The event.
    pub event: EventId,
    /// The rule.
    pub rule: RuleId,
    /// The version used.
    pub version: RuleVersionId,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why, node by node.
    pub explanation: Explanation,
    /// What was left out, in words.
    pub notes: Vec<Note>,
    /// How many commands were planned.
    pub n_commands: i32,
    /// When.
    pub at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    event_id: Uuid,
    rule_id: Uuid,
    rule_version_id: Uuid,
    outcome: String,
    explanation: String,
    notes: String,
    n_commands: i32,
    at: i64,
}

/// Stores runs.
pub async fn insert<T: Borrow<Run>>(conn: &impl Conn, runs: &[T]) -> Result<(), StorageError> {
    for runs in sql::batches(runs) {
        let sql = format!(
            "INSERT INTO run (workspace_id, id, event_id, rule_id, rule_version_id, outcome, explanation, notes, \
             n_commands, at) VALUES {}",
            sql::places(conn, runs.len(), 10)
        );
        let mut values = Vec::with_capacity(runs.len() * 10);
        for run in runs {
            let run: &Run = run.borrow();
            values.extend([
                run.workspace.0.into(),
                run.id.0.into(),
                run.event.0.into(),
                run.rule.0.into(),
                run.version.0.into(),
                run.outcome.as_str().into(),
                json(&run.explanation).into(),
                json(&run.notes).into(),
                run.n_commands.into(),
                run.at.0.into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Runs of an event in the order of the rules.
pub async fn of_event(
    conn: &impl Conn,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Vec<Run>, StorageError> {
    of_events(conn, workspace, &[event]).await
}

/// Runs of several events in the order of the rules.
pub async fn of_events(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<Run>, StorageError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    filter.among("event_id", events.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!(
        "SELECT id, event_id, rule_id, rule_version_id, outcome, explanation, notes, n_commands, at FROM run{clause}"
    );
    let mut rows = sql::all::<Row, _>(conn, &sql, values).await?;
    // Asked for the order, SQLite would rather read the whole history by its key.
    rows.sort_unstable_by_key(|row| row.id);
    rows.into_iter()
        .map(|row| {
            Ok(Run {
                workspace,
                id: RunId(row.id),
                event: EventId(row.event_id),
                rule: RuleId(row.rule_id),
                version: RuleVersionId(row.rule_version_id),
                outcome: RunOutcome::parse(&row.outcome).ok_or_else(|| StorageError::Corrupt {
                    table: "run",
                    id: row.id.to_string(),
                })?,
                explanation: document("run", row.id, &row.explanation)?,
                notes: document("run", row.id, &row.notes)?,
                n_commands: row.n_commands,
                at: Timestamp(row.at),
            })
        })
        .collect()
}
