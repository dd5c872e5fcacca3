//! Counts for cards, lists and charts.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter};
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a connection has in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutboxCount {
    /// Deliveries that wait or are under way.
    pub n_waiting: u64,
    /// Dead deliveries.
    pub n_dead: u64,
}

#[derive(FromQueryResult)]
struct OutboxRow {
    connection_id: Option<Uuid>,
    n_waiting: i64,
    n_dead: i64,
}

/// Deliveries of a workspace that wait or are dead, by connection.
pub async fn outbox(
    conn: &impl Conn,
    workspace: WorkspaceId,
) -> Result<Vec<(ConnectionId, OutboxCount)>, StorageError> {
    let rows = sql::all::<OutboxRow, _>(
        conn,
        // Two halves, since each has an index over just its rows.
        "SELECT connection_id, COUNT(*) AS n_waiting, 0 AS n_dead FROM delivery WHERE workspace_id = $1 \
         AND state IN ('pending', 'uncertain', 'leased') GROUP BY connection_id \
         UNION ALL SELECT connection_id, 0 AS n_waiting, COUNT(*) AS n_dead FROM delivery WHERE workspace_id = $1 \
         AND state = 'dead' GROUP BY connection_id",
        [workspace.0.into()],
    )
    .await?;
    let mut counted: BTreeMap<ConnectionId, OutboxCount> = BTreeMap::new();
    for row in rows {
        let Some(id) = row.connection_id else { continue };
        let count = counted.entry(ConnectionId(id)).or_default();
        count.n_waiting += row.n_waiting.unsigned_abs();
        count.n_dead += row.n_dead.unsigned_abs();
    }
    Ok(counted.into_iter().collect())
}

/// Deliveries of an event by where they stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeliveryCount {
    /// Under way.
    pub waiting: u32,
    /// Done.
    pub delivered: u32,
    /// Nothing had to be done, or taken back.
    pub skipped: u32,
    /// Dead.
    pub dead: u32,
}

#[derive(FromQueryResult)]
struct StateRow {
    event_id: Uuid,
    state: String,
    n: i64,
}

/// Deliveries of several events by where they stand; events without any are left out.
pub async fn of_events(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<(EventId, DeliveryCount)>, StorageError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    filter.among("event_id", events.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!("SELECT event_id, state, COUNT(*) AS n FROM delivery{clause} GROUP BY event_id, state");
    let mut counts: Vec<(EventId, DeliveryCount)> = Vec::new();
    for row in sql::all::<StateRow, _>(conn, &sql, values).await? {
        let id = EventId(row.event_id);
        let n = u32::try_from(row.n).unwrap_or(u32::MAX);
        let at = counts
            .iter()
            .position(|(known, _)| *known == id)
            .unwrap_or_else(|| {
                counts.push((id, DeliveryCount::default()));
                counts.len() - 1
            });
        let count = &mut counts[at].1;
        match row.state.as_str() {
            "delivered" => count.delivered += n,
            "skipped" | "cancelled" => count.skipped += n,
            "dead" => count.dead += n,
            _ => count.waiting += n,
        }
    }
    Ok(counts)
}

/// Figures of one step of a chart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StepCount {
    /// Events received.
    pub n_events: u64,
    /// Deliveries done.
    pub n_delivered: u64,
    /// Deliveries that found nothing to do.
    pub n_skipped: u64,
    /// Deliveries that died.
    pub n_dead: u64,
}

#[derive(FromQueryResult)]
struct StepRow {
    step: i64,
    n: i64,
}

/// Figures over `n_steps` equal steps of `step_ms` milliseconds that begin at `from`.
pub async fn steps(
    conn: &impl Conn,
    workspace: WorkspaceId,
    from: Timestamp,
    step_ms: i64,
    n_steps: usize,
) -> Result<Vec<StepCount>, StorageError> {
    let mut steps = vec![StepCount::default(); n_steps];
    let to = from.plus_ms(step_ms.saturating_mul(n_steps as i64));
    let queries = [
        ("event", "received_at", ""),
        ("delivery", "finished_at", " AND state = 'delivered'"),
        ("delivery", "finished_at", " AND state = 'skipped'"),
        ("delivery", "finished_at", " AND state = 'dead'"),
    ];
    for (at, (table, column, and)) in queries.into_iter().enumerate() {
        let sql = format!(
            "SELECT ({column} - $2) / $4 AS step, COUNT(*) AS n FROM {table} WHERE workspace_id = $1 \
             AND {column} >= $2 AND {column} < $3{and} GROUP BY 1"
        );
        let values = [workspace.0.into(), from.0.into(), to.0.into(), step_ms.into()];
        for row in sql::all::<StepRow, _>(conn, &sql, values).await? {
            let Some(step) = usize::try_from(row.step)
                .ok()
                .and_then(|step| steps.get_mut(step))
            else {
                continue;
            };
            let slot = match at {
                0 => &mut step.n_events,
                1 => &mut step.n_delivered,
                2 => &mut step.n_skipped,
                _ => &mut step.n_dead,
            };
            *slot = row.n.unsigned_abs();
        }
    }
    Ok(steps)
}

/// How long a delivery took from receiving its event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Took {
    /// When it was done.
    pub finished_at: Timestamp,
    /// In milliseconds.
    pub ms: i64,
}

#[derive(FromQueryResult)]
struct TookRow {
    finished_at: i64,
    took: i64,
}

/// How long the newest `limit` deliveries took that were done since a moment, the newest first.
pub async fn latencies(
    conn: &impl Conn,
    workspace: WorkspaceId,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Took>, StorageError> {
    let rows = sql::all::<TookRow, _>(
        conn,
        "SELECT d.finished_at, d.finished_at - e.received_at AS took FROM delivery d JOIN event e \
         ON e.workspace_id = d.workspace_id AND e.id = d.event_id WHERE d.workspace_id = $1 \
         AND d.finished_at >= $2 AND d.state = 'delivered' ORDER BY d.id DESC LIMIT $3",
        [workspace.0.into(), since.0.into(), (limit as i64).into()],
    )
    .await?;
    let took = |row: TookRow| Took {
        finished_at: Timestamp(row.finished_at),
        ms: row.took,
    };
    Ok(rows.into_iter().map(took).collect())
}
