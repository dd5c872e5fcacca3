//! Rows of imports: each once, by the number it has in its sheet.

use crate::db::{Conn, is_postgres};
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::id::{EventId, ImportId, WorkspaceId};
use sea_orm::FromQueryResult;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RowState {
    /// Checked and good.
    Accepted,
    /// The same person stands in an earlier row or import.
    Duplicate,
    /// Handed over; its end is not known yet.
    Queued,
    /// Carried out.
    Done,
    /// Nothing had to be done, and why.
    Skipped,
    /// Not good, or refused; the reason stands beside it.
    Failed,
}

impl RowState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Queued,
        Self::Done,
        Self::Skipped,
        Self::Failed,
    ];

    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A row of an import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportRow {
    /// Its number in the sheet, from 1.
    pub number: i64,
    /// What became of it.
    pub state: RowState,
    /// Who it is about; two rows with the same are duplicates.
    pub key: Option<String>,
    /// Its cells as people see them.
    pub cells: Vec<String>,
    /// Why it failed, was skipped, or what it repeats.
    pub error: Option<String>,
    /// The event it became.
    pub event: Option<EventId>,
}

#[derive(FromQueryResult)]
struct Row {
    number: i64,
    state: String,
    row_key: Option<String>,
    cells: String,
    error: Option<String>,
    event_id: Option<Uuid>,
}

const COLUMNS: &str = "number, state, row_key, cells, error, event_id";

impl TryFrom<Row> for ImportRow {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            number: row.number,
            state: RowState::parse(&row.state).ok_or(StorageError::Corrupt {
                table: "import_row",
                id: row.number.to_string(),
            })?,
            key: row.row_key,
            cells: document("import_row", row.number, &row.cells)?,
            error: row.error,
            event: row.event_id.map(EventId),
        })
    }
}

const AT_ONCE: usize = 500;

/// Stores rows; one that is already there stays as it is.
pub async fn insert(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    rows: &[ImportRow],
) -> Result<(), StorageError> {
    for rows in rows.chunks(AT_ONCE) {
        let sql = format!(
            "INSERT INTO import_row (workspace_id, import_id, number, state, row_key, cells, error, event_id) VALUES {} \
             ON CONFLICT (workspace_id, import_id, number) DO NOTHING",
            sql::places(conn, rows.len(), 8)
        );
        let mut values = Vec::with_capacity(rows.len() * 8);
        for row in rows {
            values.extend([
                workspace.0.into(),
                import.0.into(),
                row.number.into(),
                row.state.as_str().into(),
                row.key.clone().into(),
                json(&row.cells).into(),
                row.error.clone().into(),
                row.event.map(|event| event.0).into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Stores what changed about a row.
pub async fn save(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    row: &ImportRow,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE import_row SET state = $4, row_key = $5, cells = $6, error = $7, event_id = $8 \
         WHERE workspace_id = $1 AND import_id = $2 AND number = $3",
        [
            workspace.0.into(),
            import.0.into(),
            row.number.into(),
            row.state.as_str().into(),
            row.key.clone().into(),
            json(&row.cells).into(),
            row.error.clone().into(),
            row.event.map(|event| event.0).into(),
        ],
    )
    .await?;
    Ok(())
}

/// One row.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    number: i64,
) -> Result<ImportRow, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM import_row WHERE workspace_id = $1 AND import_id = $2 AND number = $3"
    );
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), import.0.into(), number.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "import_row" })?
        .try_into()
}

/// Rows in the order of the sheet, after a number; only those in a state, when one is given.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    state: Option<RowState>,
    after: i64,
    limit: u64,
) -> Result<Vec<ImportRow>, StorageError> {
    let only = if state.is_some() { "AND state = $5 " } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM import_row WHERE workspace_id = $1 AND import_id = $2 AND number > $3 {only}\
         ORDER BY number LIMIT $4"
    );
    let mut values: Vec<sea_orm::Value> = vec![
        workspace.0.into(),
        import.0.into(),
        after.into(),
        (limit as i64).into(),
    ];
    values.extend(state.map(|state| state.as_str().into()));
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(ImportRow::try_from)
        .collect()
}

/// Rows handed over: marks them so with their events. Returns how many were still waiting for it.
pub async fn hand_over(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    rows: &[(i64, EventId)],
) -> Result<u64, StorageError> {
    let mut n_marked = 0;
    for rows in rows.chunks(AT_ONCE) {
        let cases: String = (0..rows.len())
            .map(|at| format!(" WHEN ${} THEN ${}", at * 2 + 3, at * 2 + 4))
            .collect();
        let places: Vec<String> = (0..rows.len()).map(|at| format!("${}", at * 2 + 3)).collect();
        let sql = format!(
            "UPDATE import_row SET state = 'queued', event_id = CASE number{cases} END WHERE workspace_id = $1 \
             AND import_id = $2 AND number IN ({}) AND state = 'accepted'",
            places.join(", ")
        );
        let mut values: Vec<sea_orm::Value> = vec![workspace.0.into(), import.0.into()];
        for (number, event) in rows {
            values.push((*number).into());
            values.push(event.0.into());
        }
        n_marked += sql::execute(conn, &sql, values).await?;
    }
    Ok(n_marked)
}

/// Ends the waiting of every row not handed over yet.
pub async fn give_up(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    reason: &str,
) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "UPDATE import_row SET state = 'skipped', row_key = NULL, error = $3 WHERE workspace_id = $1 AND import_id = $2 \
         AND state = 'accepted'",
        [workspace.0.into(), import.0.into(), reason.into()],
    )
    .await
}

#[derive(FromQueryResult)]
struct CountRow {
    state: String,
    n: i64,
}

/// How many rows are in each state.
pub async fn counts(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
) -> Result<Vec<(RowState, i64)>, StorageError> {
    let rows = sql::all::<CountRow, _>(
        conn,
        "SELECT state, COUNT(*) AS n FROM import_row WHERE workspace_id = $1 AND import_id = $2 GROUP BY state",
        [workspace.0.into(), import.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((RowState::parse(&row.state)?, row.n)))
        .collect())
}

#[derive(FromQueryResult)]
struct KnownRow {
    row_key: String,
    import_id: Uuid,
    number: i64,
}

/// The states of rows that were not refused.
const NOT_REFUSED: &str = "('accepted', 'queued', 'done', 'skipped')";

/// The statement of [`known_keys`] for so many keys: the workspace is its first value.
///
/// PostgreSQL has no figures about a table that is being filled by a first file. It then takes a list of keys for
/// worth nothing and reads every row of the workspace instead, again for each batch, so that time grows with the
/// square of the rows. There each key is looked up by itself, and the state is asked of what was found.
fn known_keys_sql(conn: &impl Conn, n_keys: usize) -> String {
    if is_postgres(conn) {
        let places: Vec<String> = (0..n_keys).map(|at| format!("(${}::text)", at + 2)).collect();
        return format!(
            "SELECT r.row_key, r.import_id, r.number FROM (VALUES {}) AS k (row_key) CROSS JOIN LATERAL (SELECT row_key, \
             import_id, number, state FROM import_row WHERE workspace_id = $1 AND row_key = k.row_key OFFSET 0) AS r \
             WHERE r.state IN {NOT_REFUSED}",
            places.join(", ")
        );
    }
    format!(
        "SELECT row_key, import_id, number FROM import_row WHERE workspace_id = $1 AND row_key IN ({}) \
         AND state IN {NOT_REFUSED}",
        sql::list_places(1, n_keys)
    )
}

/// Which of these keys stand already in a row that was not refused, and where.
pub async fn known_keys(
    conn: &impl Conn,
    workspace: WorkspaceId,
    keys: &[&str],
) -> Result<Vec<(String, ImportId, i64)>, StorageError> {
    let mut known = Vec::new();
    // Each key once: one that a file repeats must not bring its rows again for each time.
    let keys: Vec<&str> = keys
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    for keys in keys.chunks(AT_ONCE) {
        let sql = known_keys_sql(conn, keys.len());
        let mut values: Vec<sea_orm::Value> = vec![workspace.0.into()];
        values.extend(keys.iter().map(|key| sea_orm::Value::from(*key)));
        let rows = sql::all::<KnownRow, _>(conn, &sql, values).await?;
        known.extend(
            rows.into_iter()
                .map(|row| (row.row_key, ImportId(row.import_id), row.number)),
        );
    }
    Ok(known)
}

/// How many rows speak of a phone whose contact is known in a connection. The key of a row begins with the phone.
pub async fn count_known_contacts(
    conn: &impl Conn,
    workspace: WorkspaceId,
    import: ImportId,
    connection: domain::id::ConnectionId,
) -> Result<i64, StorageError> {
    let row = sql::one::<CountRow, _>(
        conn,
        "SELECT 'known' AS state, COUNT(*) AS n FROM import_row r JOIN known_contact k ON k.workspace_id = r.workspace_id \
         AND k.phone = r.row_key AND k.connection_id = $3 WHERE r.workspace_id = $1 AND r.import_id = $2 \
         AND r.state = 'accepted'",
        [workspace.0.into(), import.0.into(), connection.0.into()],
    )
    .await?;
    Ok(row.map_or(0, |row| row.n))
}

/// Takes all rows of an import away.
pub async fn clear(conn: &impl Conn, workspace: WorkspaceId, import: ImportId) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM import_row WHERE workspace_id = $1 AND import_id = $2",
        [workspace.0.into(), import.0.into()],
    )
    .await?;
    Ok(())
}
