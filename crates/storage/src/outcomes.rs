//! What became of events: whether rules looked at them and how their deliveries ended.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{EventId, WorkspaceId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// What became of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventOutcome {
    /// Which.
    pub event: EventId,
    /// Rules have looked at it, or it was set aside.
    pub is_looked_at: bool,
    /// Rules that matched.
    pub n_matched: i32,
    /// Deliveries on their way.
    pub n_open: i64,
    /// Deliveries that wait for a person.
    pub n_dead: i64,
    /// Deliveries that did something.
    pub n_delivered: i64,
    /// Why one of them stopped or did nothing.
    pub error: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    state: String,
    n_matched: i32,
    n_open: i64,
    n_dead: i64,
    n_delivered: i64,
    error: Option<String>,
}

/// What became of these events. One that does not exist is left out.
pub async fn of_events(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<EventOutcome>, StorageError> {
    let mut outcomes = Vec::with_capacity(events.len());
    for events in events.chunks(500) {
        let count =
            |states: &str| format!("COALESCE(SUM(CASE WHEN d.state IN ({states}) THEN 1 ELSE 0 END), 0)");
        let sql = format!(
            "SELECT e.id, e.state, e.n_matched, {open} AS n_open, {dead} AS n_dead, {delivered} AS n_delivered, \
             MAX(d.error) AS error FROM event e LEFT JOIN delivery d ON d.workspace_id = e.workspace_id \
             AND d.event_id = e.id WHERE e.workspace_id = $1 AND e.id IN ({places}) GROUP BY e.id, e.state, e.n_matched",
            open = count("'pending', 'leased', 'uncertain'"),
            dead = count("'dead'"),
            delivered = count("'delivered'"),
            places = sql::list_places(1, events.len()),
        );
        let mut values: Vec<sea_orm::Value> = vec![workspace.0.into()];
        values.extend(events.iter().map(|event| sea_orm::Value::from(event.0)));
        outcomes.extend(
            sql::all::<Row, _>(conn, &sql, values)
                .await?
                .into_iter()
                .map(|row| EventOutcome {
                    event: EventId(row.id),
                    is_looked_at: row.state != "new",
                    n_matched: row.n_matched,
                    n_open: row.n_open,
                    n_dead: row.n_dead,
                    n_delivered: row.n_delivered,
                    error: row.error,
                }),
        );
    }
    Ok(outcomes)
}
