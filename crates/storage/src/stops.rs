//! Emergency stops: what a person has told us not to send. What waits keeps its place.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, RuleId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// What is stopped. A connection is stopped by its state and not listed here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StopScope {
    /// Everything, in every workspace.
    Installation,
    /// Everything of one workspace.
    Workspace(WorkspaceId),
    /// What one rule has planned.
    Rule(WorkspaceId, RuleId),
}

impl StopScope {
    /// Workspace (nil for the installation), word, subject.
    const fn key(self) -> (Uuid, &'static str, Uuid) {
        match self {
            Self::Installation => (Uuid::nil(), "installation", Uuid::nil()),
            Self::Workspace(workspace) => (workspace.0, "workspace", workspace.0),
            Self::Rule(workspace, rule) => (workspace.0, "rule", rule.0),
        }
    }

    fn parse(workspace: Uuid, word: &str, subject: Uuid) -> Option<Self> {
        match word {
            "installation" => Some(Self::Installation),
            "workspace" => Some(Self::Workspace(WorkspaceId(workspace))),
            "rule" => Some(Self::Rule(WorkspaceId(workspace), RuleId(subject))),
            _ => None,
        }
    }
}

/// A stop in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// What is stopped.
    pub scope: StopScope,
    /// Why, in the words of who stopped it.
    pub reason: Option<String>,
    /// Who stopped it.
    pub actor_name: String,
    /// Since when.
    pub stopped_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    scope: String,
    subject_id: Uuid,
    reason: Option<String>,
    actor_name: String,
    stopped_at: i64,
}

/// Puts a stop into force. False when it was already.
pub async fn put(conn: &impl Conn, stop: &Stop) -> Result<bool, StorageError> {
    let (workspace, word, subject) = stop.scope.key();
    let n_rows = sql::execute(
        conn,
        "INSERT INTO stop (workspace_id, scope, subject_id, reason, actor_name, stopped_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, scope, subject_id) DO NOTHING",
        [
            workspace.into(),
            word.into(),
            subject.into(),
            stop.reason.clone().into(),
            stop.actor_name.as_str().into(),
            stop.stopped_at.0.into(),
        ],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Lifts a stop. False when there was none.
pub async fn lift(conn: &impl Conn, scope: StopScope) -> Result<bool, StorageError> {
    let (workspace, word, subject) = scope.key();
    let n_rows = sql::execute(
        conn,
        "DELETE FROM stop WHERE workspace_id = $1 AND scope = $2 AND subject_id = $3",
        [workspace.into(), word.into(), subject.into()],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Stops that concern a workspace, the installation's own among them.
pub async fn list(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<Stop>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT workspace_id, scope, subject_id, reason, actor_name, stopped_at FROM stop \
         WHERE workspace_id IN ($1, $2) ORDER BY stopped_at",
        [workspace.0.into(), Uuid::nil().into()],
    )
    .await?;
    rows.into_iter()
        .map(|row| {
            let scope = StopScope::parse(row.workspace_id, &row.scope, row.subject_id);
            Ok(Stop {
                scope: scope.ok_or_else(|| StorageError::Corrupt {
                    table: "stop",
                    id: row.subject_id.to_string(),
                })?,
                reason: row.reason,
                actor_name: row.actor_name,
                stopped_at: Timestamp(row.stopped_at),
            })
        })
        .collect()
}

/// Everything that may not send at this moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standstill {
    /// Stops in force.
    pub scopes: Vec<StopScope>,
    /// Connections that are not active, whatever the cause, and all those of stopped workspaces.
    pub connections: Vec<ConnectionId>,
}

#[derive(FromQueryResult)]
struct StandingRow {
    workspace_id: Uuid,
    scope: String,
    subject_id: Uuid,
}

/// Everything that may not send at this moment, of all workspaces: read several times a second.
pub async fn standstill(conn: &impl Conn) -> Result<Standstill, StorageError> {
    let rows = sql::all::<StandingRow, _>(
        conn,
        "SELECT workspace_id, scope, subject_id FROM stop UNION ALL \
         SELECT workspace_id, 'connection' AS scope, id AS subject_id FROM connection WHERE state <> 'active' \
         OR workspace_id IN (SELECT workspace_id FROM stop WHERE scope = 'workspace')",
        [],
    )
    .await?;
    let mut all = Standstill::default();
    for row in rows {
        match StopScope::parse(row.workspace_id, &row.scope, row.subject_id) {
            Some(scope) => all.scopes.push(scope),
            None => all.connections.push(ConnectionId(row.subject_id)),
        }
    }
    Ok(all)
}
