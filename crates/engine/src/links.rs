//! Which record on the other side belongs to this one, and in which lane both are written.

use crate::error::EngineError;
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::RecordKey;
use storage::links::{self, Link};
use storage::{Conn, StorageError};

/// The link of a record, if it has one; with several, the one that changed last.
pub(crate) async fn of(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
) -> Result<Option<Link>, StorageError> {
    Ok(links::of_record(conn, workspace, connection, key)
        .await?
        .into_iter()
        .next())
}

/// The link of a record that leads to one connection on the other side.
pub(crate) async fn to(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
    other: ConnectionId,
) -> Result<Option<Link>, EngineError> {
    let all = links::of_record(conn, workspace, connection, key).await?;
    Ok(all
        .into_iter()
        .find(|link| link.amocrm == other || link.lptracker == other))
}

/// The lane of everything that concerns a record and its counterpart. It is born with the first of the two
/// and stays when they are linked, so order holds across the birth of the link.
pub(crate) fn lane(link: Option<&Link>, connection: ConnectionId, key: &RecordKey) -> String {
    link.map_or_else(|| format!("{connection}/{key}"), |link| link.lane.clone())
}
