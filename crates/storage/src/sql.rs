//! Running statements. Both databases understand `$1`-style places, so a statement is written once.

use crate::db::{Conn, is_postgres, raw};
use crate::error::StorageError;
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use uuid::Uuid;

/// Runs a statement; gives the number of rows it touched.
pub(crate) async fn execute<C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, StorageError> {
    let conn = raw(conn);
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(conn.execute_raw(statement).await?.rows_affected())
}

/// Reads all rows.
pub(crate) async fn all<T: FromQueryResult, C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, StorageError> {
    let conn = raw(conn);
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(T::find_by_statement(statement).all(conn).await?)
}

/// Reads the first row.
pub(crate) async fn one<T: FromQueryResult, C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<T>, StorageError> {
    let conn = raw(conn);
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(T::find_by_statement(statement).one(conn).await?)
}

#[derive(FromQueryResult)]
struct MomentRow {
    due_at: Option<i64>,
}

/// Reads one moment, named `due_at`, that may be missing.
pub(crate) async fn moment<C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<Timestamp>, StorageError> {
    let row = one::<MomentRow, C>(conn, sql, values).await?;
    Ok(row.and_then(|row| row.due_at).map(Timestamp))
}

#[derive(FromQueryResult)]
struct ConnectionRow {
    connection_id: Uuid,
}

/// Reads connections, named `connection_id`.
pub(crate) async fn connections<C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<ConnectionId>, StorageError> {
    let rows = all::<ConnectionRow, C>(conn, sql, values).await?;
    Ok(rows
        .into_iter()
        .map(|row| ConnectionId(row.connection_id))
        .collect())
}

#[derive(FromQueryResult)]
struct OneRow {
    one: i32,
}

/// Whether a statement that selects `1 AS one` finds anything.
pub(crate) async fn is_any<C: Conn>(
    conn: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool, StorageError> {
    let row = one::<OneRow, C>(conn, sql, values).await?;
    Ok(row.is_some_and(|row| row.one == 1))
}

/// Builds a condition piece by piece with numbered places.
#[derive(Default)]
pub(crate) struct Filter {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// Adds a clause; each `{}` in it becomes the place of the next value.
    pub(crate) fn and(&mut self, clause: &str, values: impl IntoIterator<Item = Value>) -> &mut Self {
        let mut text = clause.to_owned();
        for value in values {
            self.values.push(value);
            text = text.replacen("{}", &format!("${}", self.values.len()), 1);
        }
        self.clauses.push(text);
        self
    }

    /// Adds that a column is one of these values.
    pub(crate) fn among(&mut self, column: &str, values: impl IntoIterator<Item = Value>) -> &mut Self {
        let values: Vec<Value> = values.into_iter().collect();
        let places = vec!["{}"; values.len()].join(", ");
        self.and(&format!("{column} IN ({places})"), values)
    }

    /// The `WHERE` text and its values.
    pub(crate) fn finish(self) -> (String, Vec<Value>) {
        if self.clauses.is_empty() {
            (String::new(), self.values)
        } else {
            (format!(" WHERE {}", self.clauses.join(" AND ")), self.values)
        }
    }
}

/// A stored document.
pub(crate) fn document<T: serde::de::DeserializeOwned>(
    table: &'static str,
    id: impl std::fmt::Display,
    text: &str,
) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::Corrupt {
        table,
        id: id.to_string(),
    })
}

/// A document to be stored. Our own types always print.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// `($1, $2), ($3, $4)` for so many rows of so many columns, for a statement that has no other places. SQLite finds
/// numbered places by walking through all of them, so there they have no numbers.
pub(crate) fn places<C: Conn>(conn: &C, n_rows: usize, n_columns: usize) -> String {
    if is_postgres(conn) {
        return places_from(0, n_rows, n_columns);
    }
    let row = format!("({})", vec!["?"; n_columns].join(", "));
    vec![row; n_rows].join(", ")
}

/// The same for places that come after others.
pub(crate) fn places_from(n_before: usize, n_rows: usize, n_columns: usize) -> String {
    let mut text = String::with_capacity(n_rows * n_columns * 6);
    for row in 0..n_rows {
        if row > 0 {
            text.push_str(", ");
        }
        text.push('(');
        for column in 0..n_columns {
            if column > 0 {
                text.push_str(", ");
            }
            text.push('$');
            text.push_str(&(n_before + row * n_columns + column + 1).to_string());
        }
        text.push(')');
    }
    text
}

/// Numbers of rows that one statement may carry. Few, so that the statements are prepared once and then known.
const BATCHES: [usize; 5] = [256, 64, 16, 4, 1];

/// Splits rows into as few batches as there are sizes of statements for.
pub(crate) fn batches<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = BATCHES.into_iter().find(|size| *size <= rows.len())?;
        let (batch, rest) = rows.split_at(size);
        rows = rest;
        Some(batch)
    })
}

/// Splits values of an `IN` list into batches of the same few sizes; the last one is filled up with its own last
/// value, which changes nothing.
pub(crate) fn lists<T: Clone>(values: &[T]) -> impl Iterator<Item = Vec<T>> {
    values.chunks(BATCHES[0]).map(|chunk| {
        let mut list = chunk.to_vec();
        let size = BATCHES.into_iter().rev().find(|size| *size >= chunk.len());
        if let Some(last) = chunk.last() {
            list.resize(size.unwrap_or(chunk.len()), last.clone());
        }
        list
    })
}

/// The ids of records by kind: statements name one kind, so that they go through the indexes.
pub(crate) fn by_kind(keys: &[RecordKey]) -> Vec<(RecordKind, Vec<&str>)> {
    let mut kinds: Vec<(RecordKind, Vec<&str>)> = Vec::new();
    for key in keys {
        match kinds.iter_mut().find(|(kind, _)| *kind == key.kind) {
            Some((_, ids)) => ids.push(&key.id.0),
            None => kinds.push((key.kind, vec![&key.id.0])),
        }
    }
    kinds
}

/// The values of a statement about records of one kind.
pub(crate) fn of_list(
    workspace: WorkspaceId,
    connection: ConnectionId,
    kind: RecordKind,
    ids: Vec<&str>,
) -> Vec<Value> {
    let mut values: Vec<Value> = vec![workspace.0.into(), connection.0.into(), kind.as_str().into()];
    values.extend(ids.into_iter().map(Value::from));
    values
}

/// `$3, $4, $5` for the values of an `IN` list.
pub(crate) fn list_places(n_before: usize, n_values: usize) -> String {
    (n_before + 1..=n_before + n_values)
        .map(|place| format!("${place}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Shared by every `list`: how many rows at most and before which id.
#[derive(Clone, Copy, Debug)]
pub struct PageOf {
    /// Rows at most.
    pub limit: u64,
    /// Only rows with a smaller id (they are listed newest first), or a greater one where the oldest come first.
    pub before: Option<Uuid>,
}

impl Default for PageOf {
    fn default() -> Self {
        Self {
            limit: 50,
            before: None,
        }
    }
}

/// Which rows of a list come first. Ids are in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

impl Order {
    /// What an id is to a cursor on the pages after it.
    pub(crate) const fn after(self) -> &'static str {
        match self {
            Self::Newest => "<",
            Self::Oldest => ">",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest => "ASC",
        }
    }
}
