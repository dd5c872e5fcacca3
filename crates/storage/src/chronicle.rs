//! What belongs to one deal across both CRMs: its records, and what echoes were caused by.

use crate::db::Conn;
use crate::error::StorageError;
use crate::links::{self, Link};
use crate::sql::{self, Filter, PageOf};
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, DeliveryId, EventId, WorkspaceId};
use domain::record::{RecordId, RecordKey, RecordKind};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A record of a connection.
pub type Place = (ConnectionId, RecordKey);

/// Links looked at for one question at most.
const MAX_LINKS: u64 = 20;

/// Records that belong together, with the links that say so.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Together {
    /// Each once.
    pub records: Vec<Place>,
    /// Newest first.
    pub links: Vec<Link>,
}

impl Together {
    fn add(&mut self, connection: ConnectionId, kind: RecordKind, id: &RecordId) {
        let place = (connection, RecordKey { kind, id: id.clone() });
        if !self.records.contains(&place) {
            self.records.push(place);
        }
    }

    fn link(&mut self, link: Link) {
        if self.links.iter().any(|known| known.id == link.id) {
            return;
        }
        for kind in [RecordKind::Deal, RecordKind::Contact] {
            if let Some(id) = link.id_of(kind) {
                self.add(link.amocrm, kind, id);
            }
        }
        for kind in [RecordKind::Lead, RecordKind::LeadContact] {
            if let Some(id) = link.id_of(kind) {
                self.add(link.lptracker, kind, id);
            }
        }
        self.links.push(link);
    }
}

#[derive(FromQueryResult)]
struct PlaceRow {
    connection_id: Uuid,
    record_kind: String,
}

/// The records that the record with this id (of this kind, when named) belongs with.
pub async fn of_record(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: &str,
    kind: Option<RecordKind>,
) -> Result<Together, StorageError> {
    let mut all = Together::default();
    let kinds: Vec<RecordKind> = kind.map_or_else(|| RecordKind::ALL.to_vec(), |kind| vec![kind]);
    let mut filter = Filter::default();
    filter.and(
        "workspace_id = {} AND record_id = {}",
        [workspace.0.into(), id.into()],
    );
    filter.among("record_kind", kinds.iter().map(|kind| kind.as_str().into()));
    let (clause, values) = filter.finish();
    let sql = format!("SELECT DISTINCT connection_id, record_kind FROM event{clause}");
    for row in sql::all::<PlaceRow, _>(conn, &sql, values).await? {
        if let Some(kind) = RecordKind::parse(&row.record_kind) {
            all.add(ConnectionId(row.connection_id), kind, &RecordId(id.to_owned()));
        }
    }
    let page = PageOf {
        limit: MAX_LINKS,
        before: None,
    };
    for link in links::list(conn, workspace, Some(id), page).await? {
        let named = |kind| link.id_of(kind).is_some_and(|known| known.0 == id);
        if kinds.iter().any(|kind| named(*kind)) {
            all.link(link);
        }
    }
    Ok(all)
}

#[derive(FromQueryResult)]
struct ContactRow {
    connection_id: Uuid,
    contact_id: String,
    kind: String,
}

/// The records that contacts with this phone (in E.164 digits, as contacts are remembered) belong with.
pub async fn of_phone(
    conn: &impl Conn,
    workspace: WorkspaceId,
    phone: &str,
) -> Result<Together, StorageError> {
    let rows = sql::all::<ContactRow, _>(
        conn,
        "SELECT k.connection_id, k.contact_id, c.kind FROM known_contact k JOIN connection c \
         ON c.workspace_id = k.workspace_id AND c.id = k.connection_id WHERE k.workspace_id = $1 AND k.phone = $2",
        [workspace.0.into(), phone.into()],
    )
    .await?;
    let mut all = Together::default();
    for row in rows {
        let kind = match ConnectorKind::parse(&row.kind) {
            Some(ConnectorKind::Amocrm) => RecordKind::Contact,
            Some(ConnectorKind::Lptracker) => RecordKind::LeadContact,
            None => continue,
        };
        let key = RecordKey {
            kind,
            id: RecordId(row.contact_id),
        };
        let connection = ConnectionId(row.connection_id);
        all.add(connection, kind, &key.id);
        for link in links::of_record(conn, workspace, connection, &key).await? {
            all.link(link);
        }
    }
    Ok(all)
}

/// What an echo was caused by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EchoCause {
    /// The echo.
    pub echo: EventId,
    /// The delivery that wrote.
    pub delivery: DeliveryId,
    /// The event behind that delivery; `None` when it is no longer kept.
    pub event: Option<EventId>,
}

#[derive(FromQueryResult)]
struct CauseRow {
    id: Uuid,
    echo_of: Uuid,
    event_id: Option<Uuid>,
}

/// What those of these events that are echoes were caused by.
pub async fn causes(
    conn: &impl Conn,
    workspace: WorkspaceId,
    events: &[EventId],
) -> Result<Vec<EchoCause>, StorageError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::default();
    filter.and(
        "e.workspace_id = {} AND e.echo_of IS NOT NULL",
        [workspace.0.into()],
    );
    filter.among("e.id", events.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!(
        "SELECT e.id, e.echo_of, d.event_id FROM event e LEFT JOIN delivery d \
         ON d.workspace_id = e.workspace_id AND d.id = e.echo_of{clause}"
    );
    Ok(sql::all::<CauseRow, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(|row| EchoCause {
            echo: EventId(row.id),
            delivery: DeliveryId(row.echo_of),
            event: row.event_id.map(EventId),
        })
        .collect())
}
