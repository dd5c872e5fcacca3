//! What the hub remembers of foreign records: their last known state, the marks of its own writes, and which
//! contact has which phone.

use crate::db::{Conn, Tx, is_postgres};
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::field::FieldKey;
use domain::id::{ConnectionId, DeliveryId, WorkspaceId};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// The last known state of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// The record with every field ever learnt.
    pub record: Record,
    /// The CRM has shown that it carried out what we wrote up to this moment.
    pub seen_to: Timestamp,
    /// When something was last learnt.
    pub updated_at: Timestamp,
}

impl Snapshot {
    /// What is learnt of a record for the first time.
    pub const fn new(record: Record, now: Timestamp) -> Self {
        Self {
            record,
            seen_to: Timestamp(0),
            updated_at: now,
        }
    }
}

#[derive(FromQueryResult)]
struct SnapshotRow {
    record: String,
    seen_to: i64,
    updated_at: i64,
}

impl SnapshotRow {
    fn read(self, what: impl std::fmt::Display) -> Result<Snapshot, StorageError> {
        Ok(Snapshot {
            record: document("snapshot", what, &self.record)?,
            seen_to: Timestamp(self.seen_to),
            updated_at: Timestamp(self.updated_at),
        })
    }
}

/// The last known state of a record, if any.
pub async fn snapshot(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
) -> Result<Option<Snapshot>, StorageError> {
    sql::one::<SnapshotRow, _>(
        conn,
        "SELECT record, seen_to, updated_at FROM snapshot WHERE workspace_id = $1 AND connection_id = $2 \
         AND record_kind = $3 AND record_id = $4",
        [
            workspace.0.into(),
            connection.0.into(),
            key.kind.as_str().into(),
            key.id.0.as_str().into(),
        ],
    )
    .await?
    .map(|row| row.read(key))
    .transpose()
}

/// Last known states of several records of a connection, in no order; records without one are left out.
pub async fn snapshots(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
) -> Result<Vec<Snapshot>, StorageError> {
    read_snapshots(conn, workspace, connection, keys, "").await
}

/// The same for changing them: nobody else does before the transaction ends.
pub async fn snapshots_to_change(
    tx: &Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
) -> Result<Vec<Snapshot>, StorageError> {
    // SQLite has one writer at a time. In one order, as they are stored.
    let lock = match is_postgres(tx) {
        true => " ORDER BY record_id FOR UPDATE",
        false => "",
    };
    read_snapshots(tx, workspace, connection, keys, lock).await
}

async fn read_snapshots(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
    lock: &str,
) -> Result<Vec<Snapshot>, StorageError> {
    let mut found = Vec::new();
    for (kind, ids) in sql::by_kind(keys) {
        for ids in sql::lists(&ids) {
            let sql = format!(
                "SELECT record, seen_to, updated_at FROM snapshot WHERE workspace_id = $1 AND connection_id = $2 \
                 AND record_kind = $3 AND record_id IN ({}){lock}",
                sql::list_places(3, ids.len())
            );
            for row in
                sql::all::<SnapshotRow, _>(conn, &sql, sql::of_list(workspace, connection, kind, ids)).await?
            {
                found.push(row.read(kind.as_str())?);
            }
        }
    }
    Ok(found)
}

/// Stores the last known states of several records, no two of one. In one order, whoever stores them: two
/// transactions that learn of the same records must not wait for each other in a circle.
pub async fn save_snapshots(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    snapshots: &[&Snapshot],
) -> Result<(), StorageError> {
    let mut snapshots = snapshots.to_vec();
    snapshots.sort_by(|one, other| one.record.key.cmp(&other.record.key));
    for snapshots in sql::batches(&snapshots) {
        let sql = format!(
            "INSERT INTO snapshot (workspace_id, connection_id, record_kind, record_id, record, seen_to, updated_at) \
             VALUES {} ON CONFLICT (workspace_id, connection_id, record_kind, record_id) \
             DO UPDATE SET record = excluded.record, seen_to = excluded.seen_to, updated_at = excluded.updated_at",
            sql::places(conn, snapshots.len(), 7)
        );
        let mut values: Vec<sea_orm::Value> = Vec::with_capacity(snapshots.len() * 7);
        for Snapshot {
            record,
            seen_to,
            updated_at,
        } in snapshots
        {
            values.extend([
                workspace.0.into(),
                connection.0.into(),
                record.key.kind.as_str().into(),
                record.key.id.0.as_str().into(),
                json(record).into(),
                seen_to.0.into(),
                updated_at.0.into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// A mark of our own write, made before the call so that an echo quicker than the answer is recognised.
#[derive(Clone, PartialEq, Debug)]
pub struct Echo {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: Uuid,
    /// Where we wrote.
    pub connection: ConnectionId,
    /// For which delivery.
    pub delivery: DeliveryId,
    /// Kind of the record written or made.
    pub kind: RecordKind,
    /// Its id; `None` while a creation is on its way.
    pub record: Option<RecordId>,
    /// What we wrote.
    pub fields: Vec<(FieldKey, Value)>,
    /// Chain counter that a genuine consequence inherits.
    pub chain: u16,
    /// When we wrote.
    pub written_at: Timestamp,
    /// After this it no longer explains anything.
    pub expires_at: Timestamp,
}

#[derive(FromQueryResult)]
struct EchoRow {
    workspace_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    delivery_id: Uuid,
    record_kind: String,
    record_id: Option<String>,
    fields: String,
    chain: i32,
    written_at: i64,
    expires_at: i64,
}

const ECHO_COLUMNS: &str = "workspace_id, id, connection_id, delivery_id, record_kind, record_id, fields, chain, \
    written_at, expires_at";

impl TryFrom<EchoRow> for Echo {
    type Error = StorageError;

    fn try_from(row: EchoRow) -> Result<Self, StorageError> {
        let corrupt = || StorageError::Corrupt {
            table: "echo",
            id: row.id.to_string(),
        };
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: row.id,
            connection: ConnectionId(row.connection_id),
            delivery: DeliveryId(row.delivery_id),
            kind: RecordKind::parse(&row.record_kind).ok_or_else(corrupt)?,
            record: row.record_id.map(RecordId),
            fields: document("echo", row.id, &row.fields)?,
            chain: u16::try_from(row.chain).map_err(|_| corrupt())?,
            written_at: Timestamp(row.written_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// Marks writes; a mark that is there already learns the record that was made.
pub async fn insert_echoes(conn: &impl Conn, echoes: &[Echo]) -> Result<(), StorageError> {
    for echoes in sql::batches(echoes) {
        let sql = format!(
            "INSERT INTO echo ({ECHO_COLUMNS}) VALUES {} ON CONFLICT (workspace_id, id) \
             DO UPDATE SET record_id = excluded.record_id, expires_at = excluded.expires_at",
            sql::places(conn, echoes.len(), 10)
        );
        let mut values: Vec<sea_orm::Value> = Vec::with_capacity(echoes.len() * 10);
        for echo in echoes {
            values.extend([
                echo.workspace.0.into(),
                echo.id.into(),
                echo.connection.0.into(),
                echo.delivery.0.into(),
                echo.kind.as_str().into(),
                echo.record.as_ref().map(|id| id.0.clone()).into(),
                json(&echo.fields).into(),
                i32::from(echo.chain).into(),
                echo.written_at.0.into(),
                echo.expires_at.0.into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

/// Takes a mark away: the write did not happen.
pub async fn delete_echo(conn: &impl Conn, workspace: WorkspaceId, id: Uuid) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM echo WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.into()],
    )
    .await?;
    Ok(())
}

/// Marks on several records of a connection that explain something at or after a moment, newest first.
pub async fn echoes(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
    since: Timestamp,
) -> Result<Vec<Echo>, StorageError> {
    let mut found = Vec::new();
    for (kind, ids) in sql::by_kind(keys) {
        for ids in sql::lists(&ids) {
            let n_ids = ids.len();
            // The plus keeps SQLite, which has no figures about the table, off the index over expiry.
            let sql = format!(
                "SELECT {ECHO_COLUMNS} FROM echo WHERE workspace_id = $1 AND connection_id = $2 AND record_kind = $3 \
                 AND record_id IN ({}) AND +expires_at > ${}",
                sql::list_places(3, n_ids),
                n_ids + 4
            );
            let mut values = sql::of_list(workspace, connection, kind, ids);
            values.push(since.0.into());
            for row in sql::all::<EchoRow, _>(conn, &sql, values).await? {
                found.push(Echo::try_from(row)?);
            }
        }
    }
    // Here and not in the statement: the index over ids would lead past every mark of the workspace.
    found.sort_unstable_by_key(|echo| std::cmp::Reverse(echo.id));
    Ok(found)
}

#[derive(FromQueryResult)]
struct KindRow {
    record_kind: String,
}

/// Kinds of which a creation is on its way in a connection: an announcement of a new record of such a kind may be
/// its echo.
pub async fn creations_under_way(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Vec<RecordKind>, StorageError> {
    let rows = sql::all::<KindRow, _>(
        conn,
        "SELECT DISTINCT record_kind FROM echo WHERE workspace_id = $1 AND connection_id = $2 \
         AND record_id IS NULL AND expires_at > $3",
        [workspace.0.into(), connection.0.into(), now.0.into()],
    )
    .await?;
    Ok(rows
        .iter()
        .filter_map(|row| RecordKind::parse(&row.record_kind))
        .collect())
}

/// Marks of connections that are not being reconciled are swept after this, in milliseconds.
const KEPT_MS: i64 = 48 * 3_600_000;

/// Sweeps marks that explain nothing any more: those that expired before the moment up to which their connection
/// was reconciled, since reconciliation finds late what we wrote long ago.
pub async fn sweep_echoes(conn: &impl Conn, now: Timestamp) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "DELETE FROM echo WHERE expires_at <= $1 AND (expires_at <= $2 OR EXISTS (SELECT 1 FROM connection c \
         WHERE c.workspace_id = echo.workspace_id AND c.id = echo.connection_id AND c.reconciled_at > echo.expires_at + $3))",
        [
            now.0.into(),
            now.plus_ms(-KEPT_MS).0.into(),
            RECONCILED_TWICE_MS.into(),
        ],
    )
    .await
}

/// A change is read again by the walk after the one that should have found it, in milliseconds.
const RECONCILED_TWICE_MS: i64 = 600_000;

#[derive(FromQueryResult)]
struct ContactRow {
    contact_id: String,
}

/// The contact known to have a phone (normalised): the CRM's own search lags behind writes.
pub async fn known_contact(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    phone: &str,
) -> Result<Option<RecordId>, StorageError> {
    Ok(sql::one::<ContactRow, _>(
        conn,
        "SELECT contact_id FROM known_contact WHERE workspace_id = $1 AND connection_id = $2 AND phone = $3",
        [workspace.0.into(), connection.0.into(), phone.into()],
    )
    .await?
    .map(|row| RecordId(row.contact_id)))
}

/// Remembers which contact has a phone (normalised).
pub async fn remember_contact(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    phone: &str,
    contact: &RecordId,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO known_contact (workspace_id, connection_id, phone, contact_id, updated_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, connection_id, phone) \
         DO UPDATE SET contact_id = excluded.contact_id, updated_at = excluded.updated_at",
        [
            workspace.0.into(),
            connection.0.into(),
            phone.into(),
            contact.0.as_str().into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}
