//! Links: pairs of external records that are the same thing on both sides.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, PageOf};
use domain::id::{ConnectionId, LinkId, WorkspaceId};
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A link between an amoCRM deal with its contact and an LPTracker lead with its contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: LinkId,
    /// The amoCRM side.
    pub amocrm: ConnectionId,
    /// The LPTracker side.
    pub lptracker: ConnectionId,
    /// amoCRM deal.
    pub deal: Option<RecordId>,
    /// amoCRM contact.
    pub contact: Option<RecordId>,
    /// LPTracker lead.
    pub lead: Option<RecordId>,
    /// LPTracker contact.
    pub lead_contact: Option<RecordId>,
    /// The lane of deliveries to either side, kept so that order holds across the birth of the link.
    pub lane: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Link {
    /// The id on this link of a kind of record.
    pub fn id_of(&self, kind: RecordKind) -> Option<&RecordId> {
        match kind {
            RecordKind::Deal => self.deal.as_ref(),
            RecordKind::Contact => self.contact.as_ref(),
            RecordKind::Lead => self.lead.as_ref(),
            RecordKind::LeadContact => self.lead_contact.as_ref(),
            _ => None,
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    amocrm_connection_id: Uuid,
    lptracker_connection_id: Uuid,
    deal_id: Option<String>,
    contact_id: Option<String>,
    lead_id: Option<String>,
    lead_contact_id: Option<String>,
    lane: String,
    created_at: i64,
    updated_at: i64,
}

const COLUMNS: &str = "workspace_id, id, amocrm_connection_id, lptracker_connection_id, deal_id, contact_id, lead_id, \
    lead_contact_id, lane, created_at, updated_at";

impl From<Row> for Link {
    fn from(row: Row) -> Self {
        Self {
            workspace: WorkspaceId(row.workspace_id),
            id: LinkId(row.id),
            amocrm: ConnectionId(row.amocrm_connection_id),
            lptracker: ConnectionId(row.lptracker_connection_id),
            deal: row.deal_id.map(RecordId),
            contact: row.contact_id.map(RecordId),
            lead: row.lead_id.map(RecordId),
            lead_contact: row.lead_contact_id.map(RecordId),
            lane: row.lane,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

fn column(kind: RecordKind) -> Option<(&'static str, &'static str)> {
    match kind {
        RecordKind::Deal => Some(("amocrm_connection_id", "deal_id")),
        RecordKind::Contact => Some(("amocrm_connection_id", "contact_id")),
        RecordKind::Lead => Some(("lptracker_connection_id", "lead_id")),
        RecordKind::LeadContact => Some(("lptracker_connection_id", "lead_contact_id")),
        _ => None,
    }
}

/// Links of a record, the one that changed last first.
pub async fn of_record(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &RecordKey,
) -> Result<Vec<Link>, StorageError> {
    let Some((connection_column, id_column)) = column(key.kind) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM link WHERE workspace_id = $1 AND {connection_column} = $2 AND {id_column} = $3 \
         ORDER BY updated_at DESC, id DESC LIMIT 20"
    );
    let rows = sql::all::<Row, _>(
        conn,
        &sql,
        [workspace.0.into(), connection.0.into(), key.id.0.as_str().into()],
    )
    .await?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// Links of several records of a connection, those that changed last first.
pub async fn of_records(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    keys: &[RecordKey],
) -> Result<Vec<Link>, StorageError> {
    let mut found = Vec::new();
    for kind in [
        RecordKind::Deal,
        RecordKind::Contact,
        RecordKind::Lead,
        RecordKind::LeadContact,
    ] {
        let Some((connection_column, id_column)) = column(kind) else {
            continue;
        };
        let ids: Vec<&str> = keys
            .iter()
            .filter(|key| key.kind == kind)
            .map(|key| key.id.0.as_str())
            .collect();
        for ids in sql::lists(&ids) {
            let sql = format!(
                "SELECT {COLUMNS} FROM link WHERE workspace_id = $1 AND {connection_column} = $2 \
                 AND {id_column} IN ({}) ORDER BY updated_at DESC, id DESC",
                sql::list_places(2, ids.len())
            );
            let mut values: Vec<sea_orm::Value> = vec![workspace.0.into(), connection.0.into()];
            values.extend(ids.into_iter().map(sea_orm::Value::from));
            found.extend(
                sql::all::<Row, _>(conn, &sql, values)
                    .await?
                    .into_iter()
                    .map(Link::from),
            );
        }
    }
    Ok(found)
}

/// Stores a link, or what is new about one with the same id.
pub async fn save(conn: &impl Conn, link: &Link) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO link (workspace_id, id, amocrm_connection_id, lptracker_connection_id, deal_id, contact_id, \
         lead_id, lead_contact_id, lane, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (workspace_id, id) DO UPDATE SET deal_id = excluded.deal_id, contact_id = excluded.contact_id, \
         lead_id = excluded.lead_id, lead_contact_id = excluded.lead_contact_id, updated_at = excluded.updated_at",
        [
            link.workspace.0.into(),
            link.id.0.into(),
            link.amocrm.0.into(),
            link.lptracker.0.into(),
            text(&link.deal),
            text(&link.contact),
            text(&link.lead),
            text(&link.lead_contact),
            link.lane.as_str().into(),
            link.created_at.0.into(),
            link.updated_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

fn text(id: &Option<RecordId>) -> sea_orm::Value {
    id.as_ref().map(|id| id.0.clone()).into()
}

/// One link.
pub async fn find(conn: &impl Conn, workspace: WorkspaceId, id: LinkId) -> Result<Link, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM link WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .map(Link::from)
        .ok_or(StorageError::NotFound { table: "link" })
}

/// Takes a link away.
pub async fn delete(conn: &impl Conn, workspace: WorkspaceId, id: LinkId) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "DELETE FROM link WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.0.into()],
    )
    .await?;
    if n_rows == 0 {
        Err(StorageError::NotFound { table: "link" })
    } else {
        Ok(())
    }
}

/// Links of a workspace, newest first; with `record_id`, those that name it on either side.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    record_id: Option<&str>,
    page: PageOf,
) -> Result<Vec<Link>, StorageError> {
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    if let Some(id) = record_id {
        filter.and(
            "(deal_id = {} OR contact_id = {} OR lead_id = {} OR lead_contact_id = {})",
            [id.into(), id.into(), id.into(), id.into()],
        );
    }
    if let Some(before) = page.before {
        filter.and("id < {}", [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM link{clause} ORDER BY id DESC LIMIT ${}",
        values.len()
    );
    Ok(sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(Link::from)
        .collect())
}
