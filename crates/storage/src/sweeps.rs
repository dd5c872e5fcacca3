//! Sweeps: walks over records, or over earlier events, that make one event for each, for one rule.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::event::EventKind;
use domain::id::{ConnectionId, RuleId, SweepId, WorkspaceId};
use domain::record::RecordId;
use domain::time::Timestamp;
use domain::value::Stage;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a sweep is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SweepKind {
    /// A timer of a rule.
    Schedule,
    /// A person starts a rule on records.
    Manual,
    /// A person lets earlier events run again.
    Replay,
}

impl SweepKind {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::Replay => "replay",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual, Self::Replay]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// How a sweep stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SweepState {
    /// Under way.
    Running,
    /// Everything was walked.
    Done,
    /// A person stopped it; events made before stay.
    Cancelled,
    /// It was given up.
    Failed,
}

impl SweepState {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Cancelled, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// What is walked over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Records that sit in stages.
    Sitting {
        /// The stages.
        stages: Vec<Stage>,
        /// Only those that did not change for so many days; 0 takes all.
        idle_days: u32,
    },
    /// These deals or leads.
    Records(Vec<RecordId>),
    /// Events received in a time.
    Events {
        /// From this connection.
        connection: Option<ConnectionId>,
        /// Of this kind.
        kind: Option<EventKind>,
        /// Received at or after.
        from: Option<Timestamp>,
        /// Received before; never later than the moment the sweep was asked for.
        to: Timestamp,
    },
}

/// A sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sweep {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: SweepId,
    /// Why it is made.
    pub kind: SweepKind,
    /// The rule that is to look at its events; `None` for all rules in force.
    pub rule: Option<RuleId>,
    /// The connection whose records are walked; `None` for events of any.
    pub connection: Option<ConnectionId>,
    /// The tick it stands for, or when it was asked for.
    pub tick_at: Timestamp,
    /// What is walked.
    pub wanted: Wanted,
    /// Where it goes on.
    pub cursor: Option<String>,
    /// How it stands.
    pub state: SweepState,
    /// Records or events looked at.
    pub n_seen: i32,
    /// Events made.
    pub n_events: i32,
    /// Ticks of the timer that nobody carried out before this one.
    pub n_missed: i32,
    /// Failures in a row.
    pub n_failures: i32,
    /// The last failure in Russian, while it lasts.
    pub failure: Option<String>,
    /// Who asked for it.
    pub actor_name: String,
    /// When something is to be done next.
    pub due_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    kind: String,
    rule_id: Uuid,
    connection_id: Uuid,
    tick_at: i64,
    wanted: String,
    cursor: Option<String>,
    state: String,
    n_seen: i32,
    n_events: i32,
    n_missed: i32,
    n_failures: i32,
    failure: Option<String>,
    actor_name: String,
    due_at: i64,
    created_at: i64,
    finished_at: Option<i64>,
}

const COLUMNS: &str = "workspace_id, id, kind, rule_id, connection_id, tick_at, wanted, cursor, state, n_seen, \
    n_events, n_missed, n_failures, failure, actor_name, due_at, created_at, finished_at";

/// Stands for any rule or connection, so that the key of a sweep stays whole.
const ANY: Uuid = Uuid::nil();

fn named(id: Uuid) -> Option<Uuid> {
    Some(id).filter(|id| *id != ANY)
}

impl TryFrom<Row> for Sweep {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let corrupt = || StorageError::Corrupt {
            table: "sweep",
            id: row.id.to_string(),
        };
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: SweepId(row.id),
            kind: SweepKind::parse(&row.kind).ok_or_else(corrupt)?,
            rule: named(row.rule_id).map(RuleId),
            connection: named(row.connection_id).map(ConnectionId),
            tick_at: Timestamp(row.tick_at),
            wanted: document("sweep", row.id, &row.wanted)?,
            state: SweepState::parse(&row.state).ok_or_else(corrupt)?,
            cursor: row.cursor,
            n_seen: row.n_seen,
            n_events: row.n_events,
            n_missed: row.n_missed,
            n_failures: row.n_failures,
            failure: row.failure,
            actor_name: row.actor_name,
            due_at: Timestamp(row.due_at),
            created_at: Timestamp(row.created_at),
            finished_at: row.finished_at.map(Timestamp),
        })
    }
}

/// Stores a new sweep. False when there is one for this tick already.
pub async fn insert(conn: &impl Conn, sweep: &Sweep) -> Result<bool, StorageError> {
    let n_rows = sql::execute(
        conn,
        "INSERT INTO sweep (workspace_id, id, kind, rule_id, connection_id, tick_at, wanted, state, n_seen, \
         n_events, n_missed, n_failures, actor_name, due_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, 0, $10, $11, $12) \
         ON CONFLICT (workspace_id, rule_id, kind, tick_at) DO NOTHING",
        [
            sweep.workspace.0.into(),
            sweep.id.0.into(),
            sweep.kind.as_str().into(),
            sweep.rule.map_or(ANY, |id| id.0).into(),
            sweep.connection.map_or(ANY, |id| id.0).into(),
            sweep.tick_at.0.into(),
            json(&sweep.wanted).into(),
            SweepState::Running.as_str().into(),
            sweep.n_missed.into(),
            sweep.actor_name.as_str().into(),
            sweep.due_at.0.into(),
            sweep.created_at.0.into(),
        ],
    )
    .await?;
    Ok(n_rows > 0)
}

/// Stores how a running sweep stands now. Stale when it no longer runs: a person has stopped it.
pub async fn save(conn: &impl Conn, sweep: &Sweep) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE sweep SET cursor = $3, state = $4, n_seen = $5, n_events = $6, n_failures = $7, failure = $8, \
         due_at = $9, finished_at = $10, n_missed = $11 WHERE workspace_id = $1 AND id = $2 AND state = 'running'",
        [
            sweep.workspace.0.into(),
            sweep.id.0.into(),
            sweep.cursor.clone().into(),
            sweep.state.as_str().into(),
            sweep.n_seen.into(),
            sweep.n_events.into(),
            sweep.n_failures.into(),
            sweep.failure.clone().into(),
            sweep.due_at.0.into(),
            sweep.finished_at.map(|at| at.0).into(),
            sweep.n_missed.into(),
        ],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::Stale { table: "sweep" });
    }
    Ok(())
}

/// One sweep.
pub async fn find(conn: &impl Conn, workspace: WorkspaceId, id: SweepId) -> Result<Sweep, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM sweep WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "sweep" })?
        .try_into()
}

/// Sweeps of a workspace, newest first, of one rule or of all.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: Option<RuleId>,
    limit: u64,
) -> Result<Vec<Sweep>, StorageError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut values = vec![workspace.0.into(), limit.into()];
    let only = match rule {
        Some(rule) => {
            values.push(rule.0.into());
            " AND rule_id = $3"
        }
        None => "",
    };
    let sql = format!("SELECT {COLUMNS} FROM sweep WHERE workspace_id = $1{only} ORDER BY id DESC LIMIT $2");
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(Sweep::try_from)
        .collect()
}

/// The sweep of a rule by its timer that is still under way.
pub async fn running(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
) -> Result<Option<Sweep>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sweep WHERE workspace_id = $1 AND rule_id = $2 AND kind = 'schedule' \
         AND state = 'running' ORDER BY id LIMIT 1"
    );
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), rule.0.into()])
        .await?
        .map(Sweep::try_from)
        .transpose()
}

#[derive(FromQueryResult)]
struct KeyRow {
    connection_id: Uuid,
}

/// The connections with a sweep that is due; `None` stands for sweeps over events of any.
pub async fn due(conn: &impl Conn, now: Timestamp) -> Result<Vec<Option<ConnectionId>>, StorageError> {
    let rows = sql::all::<KeyRow, _>(
        conn,
        "SELECT DISTINCT connection_id FROM sweep WHERE state = 'running' AND due_at <= $1",
        [now.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| named(row.connection_id).map(ConnectionId))
        .collect())
}

/// The first due sweep of a connection.
pub async fn first_due(
    conn: &impl Conn,
    connection: Option<ConnectionId>,
    now: Timestamp,
) -> Result<Option<Sweep>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sweep WHERE state = 'running' AND connection_id = $1 AND due_at <= $2 \
         ORDER BY due_at, id LIMIT 1"
    );
    let id = connection.map_or(ANY, |id| id.0);
    sql::one::<Row, _>(conn, &sql, [id.into(), now.0.into()])
        .await?
        .map(Sweep::try_from)
        .transpose()
}

/// When the next sweep is due.
pub async fn next_due(conn: &impl Conn) -> Result<Option<Timestamp>, StorageError> {
    sql::moment(
        conn,
        "SELECT MIN(due_at) AS due_at FROM sweep WHERE state = 'running'",
        [],
    )
    .await
}
