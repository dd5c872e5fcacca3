//! Counts for the panel.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::WorkspaceId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;

/// What happened in a period, and what waits now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Events received in the period.
    pub n_events: i64,
    /// Of these, events that at least one rule matched.
    pub n_matched: i64,
    /// Of these, echoes of our own writes.
    pub n_echoes: i64,
    /// Deliveries done in the period.
    pub n_delivered: i64,
    /// Deliveries that died in the period.
    pub n_dead: i64,
    /// Deliveries that wait or are under way now.
    pub n_waiting: i64,
    /// Deliveries whose outcome is unknown now.
    pub n_uncertain: i64,
    /// Median time from event to done, in milliseconds, over the period's last thousand; `None` without any.
    pub median_ms: Option<i64>,
}

#[derive(FromQueryResult)]
struct EventRow {
    n_events: i64,
    n_matched: i64,
    n_echoes: i64,
}

#[derive(FromQueryResult)]
struct CountRow {
    state: String,
    n: i64,
}

#[derive(FromQueryResult)]
struct TimeRow {
    took: i64,
}

/// Figures of a workspace from a moment on.
pub async fn figures(
    conn: &impl Conn,
    workspace: WorkspaceId,
    from: Timestamp,
) -> Result<Figures, StorageError> {
    let mut figures = Figures::default();
    if let Some(row) = sql::one::<EventRow, _>(
        conn,
        "SELECT COUNT(*) AS n_events, COUNT(CASE WHEN n_matched > 0 THEN 1 END) AS n_matched, \
         COUNT(CASE WHEN state = 'echo' THEN 1 END) AS n_echoes FROM event WHERE workspace_id = $1 AND received_at >= $2",
        [workspace.0.into(), from.0.into()],
    )
    .await?
    {
        figures.n_events = row.n_events;
        figures.n_matched = row.n_matched;
        figures.n_echoes = row.n_echoes;
    }
    let finished = sql::all::<CountRow, _>(
        conn,
        "SELECT state, COUNT(*) AS n FROM delivery WHERE workspace_id = $1 AND finished_at >= $2 GROUP BY state",
        [workspace.0.into(), from.0.into()],
    )
    .await?;
    let waiting = sql::all::<CountRow, _>(
        conn,
        "SELECT state, COUNT(*) AS n FROM delivery WHERE workspace_id = $1 \
         AND state IN ('pending', 'uncertain', 'leased') GROUP BY state",
        [workspace.0.into()],
    )
    .await?;
    for row in finished.into_iter().chain(waiting) {
        match row.state.as_str() {
            "delivered" | "skipped" => figures.n_delivered += row.n,
            "dead" => figures.n_dead += row.n,
            "pending" | "leased" => figures.n_waiting += row.n,
            "uncertain" => figures.n_uncertain += row.n,
            _ => {}
        }
    }
    let mut times: Vec<i64> = sql::all::<TimeRow, _>(
        conn,
        "SELECT finished_at - created_at AS took FROM delivery WHERE workspace_id = $1 AND finished_at >= $2 \
         AND state = 'delivered' ORDER BY id DESC LIMIT 1000",
        [workspace.0.into(), from.0.into()],
    )
    .await?
    .into_iter()
    .map(|row| row.took)
    .collect();
    times.sort_unstable();
    figures.median_ms = times.get(times.len() / 2).copied();
    Ok(figures)
}
