//! How calls become results in a workspace, and leads whose calls are to be asked for.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::RecordId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use serde::de::DeserializeOwned;
use uuid::Uuid;

#[derive(FromQueryResult)]
struct SettingRow {
    settings: String,
}

/// The settings of a workspace, if it ever changed them.
pub async fn find<S: DeserializeOwned>(
    conn: &impl Conn,
    workspace: WorkspaceId,
) -> Result<Option<S>, StorageError> {
    sql::one::<SettingRow, _>(
        conn,
        "SELECT settings FROM call_setting WHERE workspace_id = $1 AND settings <> ''",
        [workspace.0.into()],
    )
    .await?
    .map(|row| document("call_setting", workspace, &row.settings))
    .transpose()
}

/// Stores the settings.
pub async fn save<S: serde::Serialize>(
    conn: &impl Conn,
    workspace: WorkspaceId,
    settings: &S,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO call_setting (workspace_id, settings, version) VALUES ($1, $2, 1) ON CONFLICT (workspace_id) \
         DO UPDATE SET settings = excluded.settings, version = call_setting.version + 1",
        [workspace.0.into(), json(settings).into()],
    )
    .await?;
    Ok(())
}

/// Takes the turn of a workspace until the end of the transaction: two calls that may be the same one are not
/// compared with what was before both.
pub async fn take_turn(conn: &crate::Tx, workspace: WorkspaceId) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO call_setting (workspace_id, settings, version) VALUES ($1, '', 1) ON CONFLICT (workspace_id) \
         DO UPDATE SET version = call_setting.version + 1",
        [workspace.0.into()],
    )
    .await?;
    Ok(())
}

/// A lead whose calls are to be asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poll {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Where the lead is.
    pub connection: ConnectionId,
    /// The lead.
    pub lead: RecordId,
    /// How often it was asked already.
    pub n_done: i32,
}

/// Asks for the calls of a lead from a moment on, beginning anew.
pub async fn ask(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    lead: &RecordId,
    due_at: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO call_poll (workspace_id, connection_id, lead_id, due_at, n_done) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (workspace_id, connection_id, lead_id) DO UPDATE SET due_at = excluded.due_at, n_done = 0",
        [
            workspace.0.into(),
            connection.0.into(),
            lead.0.as_str().into(),
            due_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct PollRow {
    workspace_id: Uuid,
    connection_id: Uuid,
    lead_id: String,
    n_done: i32,
}

/// The connections with leads that are due.
pub async fn due_connections(conn: &impl Conn, now: Timestamp) -> Result<Vec<ConnectionId>, StorageError> {
    let sql = "SELECT DISTINCT connection_id FROM call_poll WHERE due_at <= $1";
    sql::connections(conn, sql, [now.0.into()]).await
}

/// Takes leads of a connection that are due; until `until` nobody else takes them.
pub async fn take(
    conn: &impl Conn,
    connection: ConnectionId,
    now: Timestamp,
    until: Timestamp,
    limit: u64,
) -> Result<Vec<Poll>, StorageError> {
    let rows = sql::all::<PollRow, _>(
        conn,
        "UPDATE call_poll SET due_at = $2 WHERE due_at <= $1 AND (workspace_id, connection_id, lead_id) IN (SELECT \
         workspace_id, connection_id, lead_id FROM call_poll WHERE due_at <= $1 AND connection_id = $4 \
         ORDER BY due_at LIMIT $3) RETURNING workspace_id, connection_id, lead_id, n_done",
        [
            now.0.into(),
            until.0.into(),
            (limit as i64).into(),
            connection.0.into(),
        ],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Poll {
            workspace: WorkspaceId(row.workspace_id),
            connection: ConnectionId(row.connection_id),
            lead: RecordId(row.lead_id),
            n_done: row.n_done,
        })
        .collect())
}

/// Ends the asking, or lets it wait for the next time.
pub async fn asked(conn: &impl Conn, poll: &Poll, next: Option<Timestamp>) -> Result<(), StorageError> {
    let key = [
        poll.workspace.0.into(),
        poll.connection.0.into(),
        poll.lead.0.as_str().into(),
    ];
    match next {
        None => {
            let sql = "DELETE FROM call_poll WHERE workspace_id = $1 AND connection_id = $2 AND lead_id = $3";
            sql::execute(conn, sql, key).await?
        }
        Some(due_at) => {
            let sql = "UPDATE call_poll SET due_at = $4, n_done = n_done + 1 WHERE workspace_id = $1 \
                       AND connection_id = $2 AND lead_id = $3";
            sql::execute(conn, sql, key.into_iter().chain([due_at.0.into()])).await?
        }
    };
    Ok(())
}
