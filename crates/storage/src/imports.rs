//! Uploaded files on their way, and the mappings remembered for files with the same header.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, PageOf, document, json};
use domain::id::{ImportId, RuleId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Where an import stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImportState {
    /// The file is there; a person decides what its columns mean.
    Uploaded,
    /// Its rows are being read and checked.
    Checking,
    /// The report is ready; a person decides whether to start.
    Checked,
    /// Rows are being handed over.
    Running,
    /// Stopped by a person, to be gone on with.
    Paused,
    /// Every row has come to an end.
    Done,
    /// Given up by a person; rows handed over before stay.
    Cancelled,
    /// The file cannot be read.
    Failed,
}

impl ImportState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Uploaded,
        Self::Checking,
        Self::Checked,
        Self::Running,
        Self::Paused,
        Self::Done,
        Self::Cancelled,
        Self::Failed,
    ];

    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// An import; `plan` is a document of the engine: sheet, header, mapping, place.
#[derive(Clone, PartialEq, Debug)]
pub struct Import<P> {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: ImportId,
    /// Name of the file as uploaded.
    pub name: String,
    /// `contacts` or `calls`.
    pub purpose: String,
    /// Where it stands.
    pub state: ImportState,
    /// What is to be done with it.
    pub plan: P,
    /// What the header has in common with other files.
    pub fingerprint: String,
    /// The rule that puts its rows into a CRM, visible among the others.
    pub rule: Option<RuleId>,
    /// The last row of the sheet that was checked.
    pub position: i64,
    /// Rows checked so far.
    pub n_rows: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// Grows with every change by a person or a worker.
    pub version: i64,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// When its rows began to be handed over.
    pub started_at: Option<Timestamp>,
    /// When it came to an end.
    pub finished_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    name: String,
    purpose: String,
    state: String,
    plan: String,
    fingerprint: String,
    rule_id: Option<Uuid>,
    position: i64,
    n_rows: i64,
    error: Option<String>,
    version: i64,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

const COLUMNS: &str = "workspace_id, id, name, purpose, state, plan, fingerprint, rule_id, position, n_rows, error, \
    version, created_at, started_at, finished_at";

fn import<P: DeserializeOwned>(row: Row) -> Result<Import<P>, StorageError> {
    Ok(Import {
        workspace: WorkspaceId(row.workspace_id),
        id: ImportId(row.id),
        state: ImportState::parse(&row.state).ok_or(StorageError::Corrupt {
            table: "import",
            id: row.id.to_string(),
        })?,
        plan: document("import", row.id, &row.plan)?,
        name: row.name,
        purpose: row.purpose,
        fingerprint: row.fingerprint,
        rule: row.rule_id.map(RuleId),
        position: row.position,
        n_rows: row.n_rows,
        error: row.error,
        version: row.version,
        created_at: Timestamp(row.created_at),
        started_at: row.started_at.map(Timestamp),
        finished_at: row.finished_at.map(Timestamp),
    })
}

/// Stores a new import.
pub async fn insert<P: serde::Serialize>(conn: &impl Conn, import: &Import<P>) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO import ({COLUMNS}) VALUES {}",
        sql::places(conn, 1, 15)
    );
    sql::execute(
        conn,
        &sql,
        [
            import.workspace.0.into(),
            import.id.0.into(),
            import.name.as_str().into(),
            import.purpose.as_str().into(),
            import.state.as_str().into(),
            json(&import.plan).into(),
            import.fingerprint.as_str().into(),
            import.rule.map(|rule| rule.0).into(),
            import.position.into(),
            import.n_rows.into(),
            import.error.clone().into(),
            import.version.into(),
            import.created_at.0.into(),
            import.started_at.map(|at| at.0).into(),
            import.finished_at.map(|at| at.0).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Stores what changed about an import that is still at its version, and counts the version up.
pub async fn save<P: serde::Serialize>(conn: &impl Conn, import: &mut Import<P>) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE import SET purpose = $3, state = $4, plan = $5, fingerprint = $6, rule_id = $7, position = $8, \
         n_rows = $9, error = $10, started_at = $11, finished_at = $12, version = version + 1 \
         WHERE workspace_id = $1 AND id = $2 AND version = $13",
        [
            import.workspace.0.into(),
            import.id.0.into(),
            import.purpose.as_str().into(),
            import.state.as_str().into(),
            json(&import.plan).into(),
            import.fingerprint.as_str().into(),
            import.rule.map(|rule| rule.0).into(),
            import.position.into(),
            import.n_rows.into(),
            import.error.clone().into(),
            import.started_at.map(|at| at.0).into(),
            import.finished_at.map(|at| at.0).into(),
            import.version.into(),
        ],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::Stale { table: "import" });
    }
    import.version += 1;
    Ok(())
}

/// One import.
pub async fn find<P: DeserializeOwned>(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: ImportId,
) -> Result<Import<P>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM import WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "import" })
        .and_then(import)
}

/// Imports of a workspace, newest first.
pub async fn list<P: DeserializeOwned>(
    conn: &impl Conn,
    workspace: WorkspaceId,
    page: PageOf,
) -> Result<Vec<Import<P>>, StorageError> {
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    if let Some(before) = page.before {
        filter.and("id < {}", [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM import{clause} ORDER BY id DESC LIMIT ${}",
        values.len()
    );
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(import)
        .collect()
}

#[derive(FromQueryResult)]
struct KeyRow {
    workspace_id: Uuid,
    id: Uuid,
}

/// Imports of all workspaces that a worker has to go on with.
pub async fn at_work(conn: &impl Conn) -> Result<Vec<(WorkspaceId, ImportId)>, StorageError> {
    let rows = sql::all::<KeyRow, _>(
        conn,
        "SELECT workspace_id, id FROM import i WHERE state IN ('checking', 'running') OR state IN ('paused', 'cancelled') \
         AND EXISTS (SELECT 1 FROM import_row r WHERE r.workspace_id = i.workspace_id AND r.import_id = i.id \
         AND r.state = 'queued') ORDER BY workspace_id, id LIMIT 100",
        [],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (WorkspaceId(row.workspace_id), ImportId(row.id)))
        .collect())
}

/// Takes an import away with its rows.
pub async fn delete(conn: &impl Conn, workspace: WorkspaceId, id: ImportId) -> Result<(), StorageError> {
    for sql in [
        "DELETE FROM import_row WHERE workspace_id = $1 AND import_id = $2",
        "DELETE FROM import WHERE workspace_id = $1 AND id = $2",
    ] {
        sql::execute(conn, sql, [workspace.0.into(), id.0.into()]).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct MappingRow {
    columns: String,
}

/// The mapping that was used last for files with this header.
pub async fn remembered<M: DeserializeOwned>(
    conn: &impl Conn,
    workspace: WorkspaceId,
    purpose: &str,
    fingerprint: &str,
) -> Result<Option<M>, StorageError> {
    sql::one::<MappingRow, _>(
        conn,
        "SELECT columns FROM import_mapping WHERE workspace_id = $1 AND purpose = $2 AND fingerprint = $3",
        [workspace.0.into(), purpose.into(), fingerprint.into()],
    )
    .await?
    .map(|row| document("import_mapping", fingerprint, &row.columns))
    .transpose()
}

/// Remembers a mapping for files with this header.
pub async fn remember<M: serde::Serialize>(
    conn: &impl Conn,
    workspace: WorkspaceId,
    purpose: &str,
    fingerprint: &str,
    mapping: &M,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO import_mapping (workspace_id, purpose, fingerprint, columns, updated_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (workspace_id, purpose, fingerprint) DO UPDATE SET columns = excluded.columns, \
         updated_at = excluded.updated_at",
        [
            workspace.0.into(),
            purpose.into(),
            fingerprint.into(),
            json(mapping).into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}
