//! Lists of deliveries.

use super::{COLUMNS, Delivery, Row};
use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, Order, PageOf};
use domain::delivery::DeliveryState;
use domain::id::{ConnectionId, EventId, RuleId, WorkspaceId};

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// On this connection.
    pub connection: Option<ConnectionId>,
    /// In one of these states; empty means any.
    pub states: Vec<DeliveryState>,
    /// Of this rule.
    pub rule: Option<RuleId>,
    /// With this failure.
    pub error_code: Option<String>,
    /// Changing a record with this id.
    pub record_id: Option<String>,
    /// Which come first.
    pub order: Order,
}

/// Deliveries of a workspace, newest first.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wanted: &DeliveryFilter,
    page: PageOf,
) -> Result<Vec<Delivery>, StorageError> {
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    if let Some(connection) = wanted.connection {
        filter.and("connection_id = {}", [connection.0.into()]);
    }
    // Written out rather than given as values, so that the dead can be read from their index.
    if let [state] = wanted.states.as_slice() {
        filter.and(&format!("state = '{}'", state.as_str()), []);
    } else if !wanted.states.is_empty() {
        let states: Vec<String> = wanted
            .states
            .iter()
            .map(|state| format!("'{}'", state.as_str()))
            .collect();
        filter.and(&format!("state IN ({})", states.join(", ")), []);
    }
    if let Some(rule) = wanted.rule {
        filter.and("rule_id = {}", [rule.0.into()]);
    }
    if let Some(code) = &wanted.error_code {
        filter.and("error_code = {}", [code.as_str().into()]);
    }
    if let Some(id) = &wanted.record_id {
        filter.and("record_id = {}", [id.as_str().into()]);
    }
    if let Some(before) = page.before {
        filter.and(&format!("id {} {{}}", wanted.order.after()), [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery{clause} ORDER BY id {} LIMIT ${}",
        wanted.order.word(),
        values.len()
    );
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(Delivery::try_from)
        .collect()
}

/// Deliveries of several events in order.
pub async fn of_events(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<Delivery>, StorageError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    filter.among("event_id", events.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!("SELECT {COLUMNS} FROM delivery{clause}");
    let mut rows = sql::all::<Row, _>(conn, &sql, values).await?;
    // Asked for the order, SQLite would rather read the whole history by its key.
    rows.sort_unstable_by_key(|row| row.id);
    rows.into_iter().map(Delivery::try_from).collect()
}
