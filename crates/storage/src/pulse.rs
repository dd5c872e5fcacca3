//! Whether anything changed: a few rows from the ends of indexes, cheap enough to be asked twice a second.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::WorkspaceId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// Where a workspace stands. Two that are equal mean that its lists show the same.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pulse {
    /// Newest event, newest run, how many of the newest events wait.
    pub events: (Option<Uuid>, Option<Uuid>, i64),
    /// Newest delivery, newest attempt, the last end of a delivery.
    pub deliveries: (Option<Uuid>, Option<Uuid>, Option<i64>),
    /// Connections with their states and catalogues.
    pub connections: Vec<(Uuid, String, Option<i64>, Option<String>)>,
    /// Rules: how many, and the last change.
    pub rules: (i64, Option<i64>, i64),
    /// Emergency stops that concern it: how many, and since when the last one.
    pub stops: (i64, Option<i64>),
}

#[derive(FromQueryResult)]
struct EndsRow {
    event: Option<Uuid>,
    run: Option<Uuid>,
    n_waiting: i64,
    delivery: Option<Uuid>,
    attempt: Option<Uuid>,
    finished_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct ConnectionRow {
    id: Uuid,
    state: String,
    catalogue_at: Option<i64>,
    state_reason: Option<String>,
}

#[derive(FromQueryResult)]
struct RulesRow {
    n_rules: i64,
    updated_at: Option<i64>,
    n_attention: i64,
}

#[derive(FromQueryResult)]
struct StopsRow {
    n_stops: i64,
    stopped_at: Option<i64>,
}

/// Events whose state is looked at: as many as a list shows at most.
const N_NEWEST: i64 = 200;

/// Where a workspace stands now.
pub async fn pulse(conn: &impl Conn, workspace: WorkspaceId) -> Result<Pulse, StorageError> {
    let newest =
        |table: &str| format!("(SELECT id FROM {table} WHERE workspace_id = $1 ORDER BY id DESC LIMIT 1)");
    let ends = format!(
        "SELECT {} AS event, {} AS run, (SELECT COUNT(*) FROM (SELECT state FROM event WHERE workspace_id = $1 \
         ORDER BY id DESC LIMIT $2) AS newest WHERE newest.state = 'new') AS n_waiting, {} AS delivery, {} AS attempt, \
         (SELECT MAX(finished_at) FROM delivery WHERE workspace_id = $1 AND finished_at IS NOT NULL) AS finished_at",
        newest("event"),
        newest("run"),
        newest("delivery"),
        newest("attempt"),
    );
    let ends = sql::one::<EndsRow, _>(conn, &ends, [workspace.0.into(), N_NEWEST.into()]).await?;
    let connections = sql::all::<ConnectionRow, _>(
        conn,
        "SELECT id, state, catalogue_at, state_reason FROM connection WHERE workspace_id = $1 ORDER BY id",
        [workspace.0.into()],
    )
    .await?;
    let rules = sql::one::<RulesRow, _>(
        conn,
        "SELECT COUNT(*) AS n_rules, MAX(updated_at) AS updated_at, COUNT(attention) AS n_attention FROM rule \
         WHERE workspace_id = $1 AND deleted_at IS NULL",
        [workspace.0.into()],
    )
    .await?;
    let stops = sql::one::<StopsRow, _>(
        conn,
        "SELECT COUNT(*) AS n_stops, MAX(stopped_at) AS stopped_at FROM stop WHERE workspace_id IN ($1, $2)",
        [workspace.0.into(), Uuid::nil().into()],
    )
    .await?;
    let mut pulse = Pulse {
        connections: connections
            .into_iter()
            .map(|row| (row.id, row.state, row.catalogue_at, row.state_reason))
            .collect(),
        ..Pulse::default()
    };
    if let Some(row) = ends {
        pulse.events = (row.event, row.run, row.n_waiting);
        pulse.deliveries = (row.delivery, row.attempt, row.finished_at);
    }
    if let Some(row) = stops {
        pulse.stops = (row.n_stops, row.stopped_at);
    }
    if let Some(row) = rules {
        pulse.rules = (row.n_rules, row.updated_at, row.n_attention);
    }
    Ok(pulse)
}
