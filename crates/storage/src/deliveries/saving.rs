//! Storing how far leased deliveries came, many in one statement.

use super::Delivery;
use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, json};
use domain::id::DeliveryId;
use sea_orm::{FromQueryResult, Value};
use std::collections::HashSet;
use uuid::Uuid;

#[derive(FromQueryResult)]
struct SavedRow {
    id: Uuid,
}

/// Stores how far leased deliveries came. Returns those that are still leased by `owner`: of the others nothing is
/// stored, whoever has them now counts.
pub async fn save_all(
    conn: &impl Conn,
    deliveries: &[&Delivery],
    owner: &str,
) -> Result<HashSet<DeliveryId>, StorageError> {
    const SET: &str = "progress = v.progress, record_kind = v.record_kind, record_id = v.record_id";
    const COLUMNS: [&str; 3] = ["progress", "record_kind", "record_id"];
    store(conn, deliveries, owner, SET, &COLUMNS, progress).await
}

/// Stores the new states of leased deliveries together with progress and failure, and gives them back. Returns those
/// that were still leased by `owner`, as [`save_all`] does.
pub async fn release_all(
    conn: &impl Conn,
    deliveries: &[&Delivery],
    owner: &str,
) -> Result<HashSet<DeliveryId>, StorageError> {
    const SET: &str = "progress = v.progress, record_kind = v.record_kind, record_id = v.record_id, state = v.state, \
        error_code = v.error_code, error = v.error, due_at = v.due_at, finished_at = v.finished_at, \
        n_attempts = v.n_attempts, lease_owner = NULL, lease_until = NULL";
    const COLUMNS: [&str; 9] = [
        "progress",
        "record_kind",
        "record_id",
        "state",
        "error_code",
        "error",
        "due_at",
        "finished_at",
        "n_attempts",
    ];
    store(conn, deliveries, owner, SET, &COLUMNS, |delivery| {
        let mut values = progress(delivery);
        values.extend([
            delivery.state.as_str().into(),
            delivery.error_code.clone().into(),
            delivery.error.clone().into(),
            delivery.due_at.0.into(),
            delivery.finished_at.map(|at| at.0).into(),
            (delivery.n_attempts as i32).into(),
        ]);
        values
    })
    .await
}

fn progress(delivery: &Delivery) -> Vec<Value> {
    let record = delivery.record.as_ref();
    vec![
        json(&delivery.progress).into(),
        record.map(|record| record.kind.as_str().to_owned()).into(),
        record.map(|record| record.id.0.clone()).into(),
    ]
}

async fn store(
    conn: &impl Conn,
    deliveries: &[&Delivery],
    owner: &str,
    set: &str,
    columns: &[&str],
    values_of: impl Fn(&Delivery) -> Vec<Value>,
) -> Result<HashSet<DeliveryId>, StorageError> {
    let mut saved = HashSet::with_capacity(deliveries.len());
    for deliveries in sql::batches(deliveries) {
        let n_columns = columns.len() + 2;
        let sql = format!(
            "WITH v(workspace, delivery, {}) AS (VALUES {}) UPDATE delivery SET {set} FROM v \
             WHERE delivery.workspace_id = v.workspace AND delivery.id = v.delivery AND delivery.state = 'leased' \
             AND delivery.lease_owner = $1 RETURNING id",
            columns.join(", "),
            sql::places_from(1, deliveries.len(), n_columns)
        );
        let mut values: Vec<Value> = Vec::with_capacity(1 + deliveries.len() * n_columns);
        values.push(owner.into());
        for delivery in deliveries {
            values.extend([delivery.workspace.0.into(), delivery.id.0.into()]);
            values.extend(values_of(delivery));
        }
        let rows = sql::all::<SavedRow, _>(conn, &sql, values).await?;
        saved.extend(rows.into_iter().map(|row| DeliveryId(row.id)));
    }
    Ok(saved)
}
