//! Attempts: every try of a delivery, with what was sent and answered.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, document, json};
use domain::delivery::Outcome;
use domain::id::{AttemptId, DeliveryId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// One try of a delivery.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: AttemptId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// From 1.
    pub number: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Stable word of the failure.
    pub error_code: Option<String>,
    /// The failure in Russian.
    pub error: Option<String>,
    /// Requests and answers (a JSON document of the engine).
    pub exchanges: serde_json::Value,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
}

#[derive(FromQueryResult)]
struct AttemptRow {
    id: Uuid,
    delivery_id: Uuid,
    number: i32,
    outcome: String,
    error_code: Option<String>,
    error: Option<String>,
    exchanges: String,
    started_at: i64,
    finished_at: i64,
}

/// Records attempts.
pub async fn insert_attempts(conn: &impl Conn, attempts: &[Attempt]) -> Result<(), StorageError> {
    for attempts in sql::batches(attempts) {
        let sql = format!(
            "INSERT INTO attempt (workspace_id, id, delivery_id, number, outcome, error_code, error, exchanges, \
             started_at, finished_at) VALUES {}",
            sql::places(conn, attempts.len(), 10)
        );
        let mut values: Vec<sea_orm::Value> = Vec::with_capacity(attempts.len() * 10);
        for attempt in attempts {
            values.extend([
                attempt.workspace.0.into(),
                attempt.id.0.into(),
                attempt.delivery.0.into(),
                (attempt.number as i32).into(),
                attempt.outcome.as_str().into(),
                attempt.error_code.clone().into(),
                attempt.error.clone().into(),
                json(&attempt.exchanges).into(),
                attempt.started_at.0.into(),
                attempt.finished_at.0.into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Attempts of several deliveries, in order.
pub async fn attempts(
    conn: &impl Conn,
    workspace: WorkspaceId,
    deliveries: &[DeliveryId],
) -> Result<Vec<Attempt>, StorageError> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    filter.among("delivery_id", deliveries.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!(
        "SELECT id, delivery_id, number, outcome, error_code, error, exchanges, started_at, finished_at \
         FROM attempt{clause}"
    );
    let mut rows = sql::all::<AttemptRow, _>(conn, &sql, values).await?;
    // Sorted here: asked for the order, SQLite walks through all attempts of the workspace to have it.
    rows.sort_by_key(|row| row.id);
    rows.into_iter()
        .map(|row| {
            let corrupt = || StorageError::Corrupt {
                table: "attempt",
                id: row.id.to_string(),
            };
            Ok(Attempt {
                workspace,
                id: AttemptId(row.id),
                delivery: DeliveryId(row.delivery_id),
                number: u32::try_from(row.number).map_err(|_| corrupt())?,
                outcome: Outcome::parse(&row.outcome).ok_or_else(corrupt)?,
                exchanges: document("attempt", row.id, &row.exchanges)?,
                error_code: row.error_code,
                error: row.error,
                started_at: Timestamp(row.started_at),
                finished_at: Timestamp(row.finished_at),
            })
        })
        .collect()
}
