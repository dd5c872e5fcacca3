//! Events that wait for dispatch: picking them, and recording what became of them.

use super::{COLUMNS, EventState, Row, StoredEvent};
use crate::db::Conn;
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, DeliveryId, EventId, WorkspaceId};
use domain::time::Timestamp;

/// `busy(id)`: the connections with waiting events, found by skipping from one to the next in the index, so that
/// a million events of one connection cost as much as one. A last row without an id ends it.
const BUSY: &str = "WITH RECURSIVE busy(id) AS (SELECT (SELECT connection_id FROM event WHERE state = 'new' \
    ORDER BY connection_id LIMIT 1) UNION ALL SELECT (SELECT connection_id FROM event WHERE state = 'new' \
    AND connection_id > busy.id ORDER BY connection_id LIMIT 1) FROM busy WHERE busy.id IS NOT NULL)";

/// Connections with events that wait for dispatch and are due.
pub async fn waiting_connections(
    conn: &impl Conn,
    now: Timestamp,
) -> Result<Vec<ConnectionId>, StorageError> {
    let sql = format!(
        "{BUSY} SELECT id AS connection_id FROM busy WHERE id IS NOT NULL AND (SELECT MIN(e.due_at) FROM event e \
         WHERE e.state = 'new' AND e.connection_id = busy.id) <= $1"
    );
    sql::connections(conn, &sql, [now.0.into()]).await
}

/// That no earlier event of the record of `e` waits for longer than `e` does.
const NOT_BEHIND: &str = "NOT EXISTS (SELECT 1 FROM event f WHERE f.workspace_id = e.workspace_id \
    AND f.connection_id = e.connection_id AND f.record_kind = e.record_kind AND f.record_id = e.record_id \
    AND f.state = 'new' AND f.due_at > e.due_at AND f.id < e.id)";

/// Events of a connection that wait for dispatch and are due, in the order in which they became due; those of
/// one record in the order of their ids, and none that has to wait for an earlier one of its record. A row that
/// does not parse comes as the error of its place, so that the others go on.
pub async fn waiting(
    conn: &impl Conn,
    connection: ConnectionId,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<(EventId, WorkspaceId, Result<StoredEvent, StorageError>)>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event e WHERE state = 'new' AND connection_id = $3 AND due_at <= $1 AND {NOT_BEHIND} \
         ORDER BY due_at, id LIMIT $2"
    );
    let rows = sql::all::<Row, _>(
        conn,
        &sql,
        [now.0.into(), (limit as i64).into(), connection.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                EventId(row.id),
                WorkspaceId(row.workspace_id),
                StoredEvent::try_from(row),
            )
        })
        .collect())
}

/// When the next waiting event is due. One behind an earlier event of its record does not count: nothing can be
/// done about it before that one.
pub async fn next_due(conn: &impl Conn) -> Result<Option<Timestamp>, StorageError> {
    let sql = format!(
        "{BUSY} SELECT MIN(due_at) AS due_at FROM (SELECT (SELECT e.due_at FROM event e WHERE e.state = 'new' \
         AND e.connection_id = busy.id AND {NOT_BEHIND} ORDER BY e.due_at, e.id LIMIT 1) AS due_at FROM busy \
         WHERE id IS NOT NULL) AS heads"
    );
    sql::moment(conn, &sql, []).await
}

/// Records what became of one waiting event. Stale when it no longer waits.
pub async fn finish(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: EventId,
    state: EventState,
    n_matched: usize,
    outcome: Option<&str>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let ending = Ending {
        id,
        state,
        n_matched,
        outcome: outcome.map(str::to_owned),
        echo_of: None,
    };
    finish_all(conn, workspace, &[ending], now).await
}

/// Lets an event wait until a moment, with the reason. Looking at it went well, so its crashes are forgotten.
pub async fn postpone(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: EventId,
    due_at: Timestamp,
    reason: &str,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE event SET due_at = $3, outcome = $4, n_crashes = 0 WHERE workspace_id = $1 AND id = $2 AND state = 'new'",
        [workspace.0.into(), id.0.into(), due_at.0.into(), reason.into()],
    )
    .await?;
    Ok(())
}

/// What became of an event.
#[derive(Clone, PartialEq, Debug)]
pub struct Ending {
    /// The event.
    pub id: EventId,
    /// Its state from now on.
    pub state: EventState,
    /// How many rules matched.
    pub n_matched: usize,
    /// In words.
    pub outcome: Option<String>,
    /// The delivery that it is the echo of.
    pub echo_of: Option<DeliveryId>,
}

/// Records what became of waiting events of one workspace. Stale when one of them no longer waits; whoever was
/// quicker stands, and the caller takes its transaction back.
pub async fn finish_all(
    conn: &impl Conn,
    workspace: WorkspaceId,
    endings: &[Ending],
    now: Timestamp,
) -> Result<(), StorageError> {
    for endings in sql::batches(endings) {
        let sql = format!(
            "WITH v(id, state, n_matched, outcome, echo_of) AS (VALUES {}) UPDATE event SET state = v.state, \
             n_matched = v.n_matched, outcome = v.outcome, echo_of = v.echo_of, dispatched_at = $2, n_crashes = 0 \
             FROM v WHERE event.workspace_id = $1 AND event.id = v.id AND event.state = 'new'",
            sql::places_from(2, endings.len(), 5)
        );
        let mut values: Vec<sea_orm::Value> = Vec::with_capacity(2 + endings.len() * 5);
        values.extend([workspace.0.into(), now.0.into()]);
        for ending in endings {
            values.extend([
                ending.id.0.into(),
                ending.state.as_str().into(),
                i32::try_from(ending.n_matched).unwrap_or(i32::MAX).into(),
                ending.outcome.clone().into(),
                ending.echo_of.map(|delivery| delivery.0).into(),
            ]);
        }
        if sql::execute(conn, &sql, values).await? != endings.len() as u64 {
            return Err(StorageError::Stale { table: "event" });
        }
    }
    Ok(())
}

/// Counts one more time that a worker broke off over an event, before it is looked at again or after it did; with
/// a moment, it is not looked at before then.
pub async fn count_crash(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: EventId,
    again_at: Option<Timestamp>,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE event SET n_crashes = n_crashes + 1, due_at = COALESCE($3, due_at) \
         WHERE workspace_id = $1 AND id = $2 AND state = 'new'",
        [workspace.0.into(), id.0.into(), again_at.map(|at| at.0).into()],
    )
    .await?;
    Ok(())
}

/// Rules that waited for a quiet record matched an event that is done.
pub async fn add_matches(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: EventId,
    n_matched: usize,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE event SET n_matched = n_matched + $3 WHERE workspace_id = $1 AND id = $2",
        [
            workspace.0.into(),
            id.0.into(),
            i32::try_from(n_matched).unwrap_or(i32::MAX).into(),
        ],
    )
    .await?;
    Ok(())
}
