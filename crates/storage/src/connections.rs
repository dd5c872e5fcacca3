//! Connections with their secrets and catalogues.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::catalogue::Catalogue;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A connection without its catalogue and without its secrets.
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: ConnectionId,
    /// Which CRM.
    pub kind: ConnectorKind,
    /// Name given by people.
    pub name: String,
    /// Settings of the connector (domain, project), without secrets.
    pub settings: serde_json::Value,
    /// Whether it may be used.
    pub state: ConnectionState,
    /// Why it may not, in Russian.
    pub state_reason: Option<String>,
    /// What the last successful check told (a JSON document of the engine).
    pub card: Option<serde_json::Value>,
    /// When the catalogue was read.
    pub catalogue_at: Option<Timestamp>,
    /// State of the webhook subscription (a JSON document of the engine).
    pub subscription: Option<serde_json::Value>,
    /// When the subscription was last looked at.
    pub subscription_at: Option<Timestamp>,
    /// Last call that succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Last call that failed.
    pub last_failure_at: Option<Timestamp>,
    /// Its failure in Russian.
    pub last_failure: Option<String>,
    /// Last event received.
    pub last_event_at: Option<Timestamp>,
    /// Up to which moment changes were reconciled.
    pub reconciled_at: Option<Timestamp>,
    /// The data key of its workspace's secrets, sealed by the installation key.
    pub data_key: Option<String>,
    /// Grows with every change of settings or secret.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    kind: String,
    name: String,
    settings: String,
    state: String,
    state_reason: Option<String>,
    card: Option<String>,
    catalogue_at: Option<i64>,
    subscription: Option<String>,
    subscription_at: Option<i64>,
    last_success_at: Option<i64>,
    last_failure_at: Option<i64>,
    last_failure: Option<String>,
    last_event_at: Option<i64>,
    reconciled_at: Option<i64>,
    data_key: Option<String>,
    version: i64,
    created_at: i64,
}

const COLUMNS: &str = "workspace_id, id, kind, name, settings, state, state_reason, card, catalogue_at, \
    subscription, subscription_at, last_success_at, last_failure_at, last_failure, last_event_at, \
    reconciled_at, data_key, version, created_at";

impl TryFrom<Row> for Connection {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let corrupt = || StorageError::Corrupt {
            table: "connection",
            id: row.id.to_string(),
        };
        let optional = |text: &Option<String>| -> Result<Option<serde_json::Value>, StorageError> {
            text.as_deref()
                .map(|text| document("connection", row.id, text))
                .transpose()
        };
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: ConnectionId(row.id),
            kind: ConnectorKind::parse(&row.kind).ok_or_else(corrupt)?,
            settings: document("connection", row.id, &row.settings)?,
            state: ConnectionState::parse(&row.state).ok_or_else(corrupt)?,
            card: optional(&row.card)?,
            subscription: optional(&row.subscription)?,
            name: row.name,
            state_reason: row.state_reason,
            catalogue_at: row.catalogue_at.map(Timestamp),
            subscription_at: row.subscription_at.map(Timestamp),
            last_success_at: row.last_success_at.map(Timestamp),
            last_failure_at: row.last_failure_at.map(Timestamp),
            last_failure: row.last_failure,
            last_event_at: row.last_event_at.map(Timestamp),
            reconciled_at: row.reconciled_at.map(Timestamp),
            data_key: row.data_key,
            version: row.version,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Stores a new connection.
pub async fn insert(conn: &impl Conn, connection: &Connection) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO connection (workspace_id, id, kind, name, settings, state, state_reason, data_key, version, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)",
        [
            connection.workspace.0.into(),
            connection.id.0.into(),
            connection.kind.as_str().into(),
            connection.name.as_str().into(),
            json(&connection.settings).into(),
            connection.state.as_str().into(),
            connection.state_reason.clone().into(),
            connection.data_key.clone().into(),
            connection.created_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// All connections of a workspace, oldest first.
pub async fn list(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<Connection>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM connection WHERE workspace_id = $1 ORDER BY id");
    sql::all::<Row, _>(conn, &sql, [workspace.0.into()])
        .await?
        .into_iter()
        .map(Connection::try_from)
        .collect()
}

/// Every connection of the installation, for the workers. Rows that do not parse are left out.
pub async fn list_all(conn: &impl Conn) -> Result<Vec<Connection>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM connection ORDER BY id");
    let rows = sql::all::<Row, _>(conn, &sql, []).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Connection::try_from(row).ok())
        .collect())
}

/// One connection.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Connection, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM connection WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "connection" })?
        .try_into()
}

/// One connection of any workspace, for the workers.
pub async fn find_any(conn: &impl Conn, id: ConnectionId) -> Result<Option<Connection>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM connection WHERE id = $1");
    sql::one::<Row, _>(conn, &sql, [id.0.into()])
        .await?
        .map(Connection::try_from)
        .transpose()
}

/// Changes name and settings.
pub async fn update(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    name: &str,
    settings: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET name = $3, settings = $4, version = version + 1, updated_at = $5 \
             WHERE workspace_id = $1 AND id = $2",
            [
                workspace.0.into(),
                id.0.into(),
                name.into(),
                json(settings).into(),
                now.0.into(),
            ],
        )
        .await?,
    )
}

/// Sets whether it may be used, and why not.
pub async fn set_state(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    state: ConnectionState,
    reason: Option<&str>,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET state = $3, state_reason = $4 WHERE workspace_id = $1 AND id = $2",
            [
                workspace.0.into(),
                id.0.into(),
                state.as_str().into(),
                reason.map(str::to_owned).into(),
            ],
        )
        .await?,
    )
}

/// Tells of a working connection what is unusual about it, or that nothing is any more. One that a person or the CRM
/// has stopped keeps its own reason.
pub async fn set_reason(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    reason: Option<&str>,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE connection SET state_reason = $3 WHERE workspace_id = $1 AND id = $2 AND state = 'active'",
        [workspace.0.into(), id.0.into(), reason.map(str::to_owned).into()],
    )
    .await?;
    Ok(())
}

/// Stores what a successful check told.
pub async fn set_card(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    card: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET card = $3, last_success_at = $4 WHERE workspace_id = $1 AND id = $2",
            [workspace.0.into(), id.0.into(), json(card).into(), now.0.into()],
        )
        .await?,
    )
}

/// Stores the state of the subscription.
pub async fn set_subscription(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    subscription: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET subscription = $3, subscription_at = $4 WHERE workspace_id = $1 AND id = $2",
            [workspace.0.into(), id.0.into(), json(subscription).into(), now.0.into()],
        )
        .await?,
    )
}

/// Notes a call that succeeded.
pub async fn note_success(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE connection SET last_success_at = $3 WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into(), now.0.into()],
    )
    .await?;
    Ok(())
}

/// Notes a call that failed.
pub async fn note_failure(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    failure: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE connection SET last_failure_at = $3, last_failure = $4 WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into(), now.0.into(), failure.into()],
    )
    .await?;
    Ok(())
}

/// Notes that an event arrived.
pub async fn note_event(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE connection SET last_event_at = $3 WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into(), now.0.into()],
    )
    .await?;
    Ok(())
}

/// Notes up to which moment changes were reconciled.
pub async fn set_reconciled(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    up_to: Timestamp,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET reconciled_at = $3 WHERE workspace_id = $1 AND id = $2",
            [workspace.0.into(), id.0.into(), up_to.0.into()],
        )
        .await?,
    )
}

/// Takes a connection away with its secrets. Events and deliveries stay as history.
pub async fn delete(conn: &impl Conn, workspace: WorkspaceId, id: ConnectionId) -> Result<(), StorageError> {
    for table in ["hook_secret", "credential", "catalogue_change", "reconciliation"] {
        let sql = format!("DELETE FROM {table} WHERE workspace_id = $1 AND connection_id = $2");
        sql::execute(conn, &sql, [workspace.0.into(), id.0.into()]).await?;
    }
    touched(
        sql::execute(
            conn,
            "DELETE FROM connection WHERE workspace_id = $1 AND id = $2",
            [workspace.0.into(), id.0.into()],
        )
        .await?,
    )
}

fn touched(n_rows: u64) -> Result<(), StorageError> {
    if n_rows == 0 {
        Err(StorageError::NotFound { table: "connection" })
    } else {
        Ok(())
    }
}

#[derive(FromQueryResult)]
struct CatalogueRow {
    catalogue: Option<String>,
}

/// The catalogue, when it was ever read.
pub async fn catalogue(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Option<Catalogue>, StorageError> {
    let row = sql::one::<CatalogueRow, _>(
        conn,
        "SELECT catalogue FROM connection WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "connection" })?;
    row.catalogue
        .as_deref()
        .map(|text| document("connection", id, text))
        .transpose()
}

/// Stores a catalogue and, when something changed, the changes (a JSON document of the engine).
pub async fn set_catalogue(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    catalogue: &Catalogue,
    change: Option<(Uuid, &serde_json::Value)>,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE connection SET catalogue = $3, catalogue_at = $4 WHERE workspace_id = $1 AND id = $2",
            [
                workspace.0.into(),
                id.0.into(),
                json(catalogue).into(),
                catalogue.read_at.0.into(),
            ],
        )
        .await?,
    )?;
    if let Some((change_id, changes)) = change {
        sql::execute(
            conn,
            "INSERT INTO catalogue_change (workspace_id, id, connection_id, at, changes) VALUES ($1, $2, $3, $4, $5)",
            [
                workspace.0.into(),
                change_id.into(),
                id.0.into(),
                catalogue.read_at.0.into(),
                json(changes).into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// What a refresh of the catalogue found changed.
#[derive(Clone, PartialEq, Debug)]
pub struct CatalogueChange {
    /// When.
    pub at: Timestamp,
    /// What (a JSON document of the engine).
    pub changes: serde_json::Value,
}

#[derive(FromQueryResult)]
struct ChangeRow {
    id: Uuid,
    at: i64,
    changes: String,
}

/// Changes found by refreshes, newest first.
pub async fn catalogue_changes(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ConnectionId,
    limit: u64,
) -> Result<Vec<CatalogueChange>, StorageError> {
    sql::all::<ChangeRow, _>(
        conn,
        "SELECT id, at, changes FROM catalogue_change WHERE workspace_id = $1 AND connection_id = $2 \
         ORDER BY id DESC LIMIT $3",
        [workspace.0.into(), id.0.into(), (limit as i64).into()],
    )
    .await?
    .into_iter()
    .map(|row| {
        Ok(CatalogueChange {
            at: Timestamp(row.at),
            changes: document("catalogue_change", row.id, &row.changes)?,
        })
    })
    .collect()
}
