//! Events: immutable facts, each stored once by its key, and whether rules have looked at it.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, Order, PageOf, document, json};
use domain::event::{Event, EventKind, Fact, Origin};
use domain::id::{ConnectionId, EventId, RuleId, WorkspaceId};
use domain::record::RecordKey;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::borrow::Borrow;
use uuid::Uuid;

mod waiting;

pub use waiting::{
    Ending, add_matches, count_crash, finish, finish_all, next_due, postpone, waiting, waiting_connections,
};

/// Whether rules have looked at an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventState {
    /// Waits for dispatch.
    New,
    /// Rules have looked at it.
    Dispatched,
    /// It was caused by our own write: recorded, not acted on.
    Echo,
    /// It brought the worker down repeatedly and was set aside.
    Quarantined,
}

impl EventState {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Dispatched => "dispatched",
            Self::Echo => "echo",
            Self::Quarantined => "quarantined",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::New, Self::Dispatched, Self::Echo, Self::Quarantined]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// An event as it is stored.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Whether rules have looked at it.
    pub state: EventState,
    /// What became of it, in words (echo of which delivery, why postponed).
    pub outcome: Option<String>,
    /// The body it came in.
    pub inbound: Option<Uuid>,
    /// The event it repeats by a person's wish.
    pub replay_of: Option<EventId>,
    /// Only this rule is to look at it.
    pub only_rule: Option<RuleId>,
    /// Rules look at it in the versions that looked at [`Self::replay_of`].
    pub as_then: bool,
    /// How many rules matched.
    pub n_matched: i32,
    /// How often a worker broke off over it.
    pub n_crashes: i32,
    /// When rules looked at it.
    pub dispatched_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    origin: String,
    state: String,
    fact: String,
    outcome: Option<String>,
    inbound_id: Option<Uuid>,
    replay_of: Option<Uuid>,
    only_rule_id: Option<Uuid>,
    as_then: bool,
    chain: i32,
    n_matched: i32,
    n_crashes: i32,
    received_at: i64,
    dispatched_at: Option<i64>,
}

const COLUMNS: &str = "workspace_id, id, connection_id, origin, state, fact, outcome, inbound_id, replay_of, \
    only_rule_id, as_then, chain, n_matched, n_crashes, received_at, dispatched_at";

impl TryFrom<Row> for StoredEvent {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let corrupt = || StorageError::Corrupt {
            table: "event",
            id: row.id.to_string(),
        };
        let fact: Fact = document("event", row.id, &row.fact)?;
        Ok(Self {
            state: EventState::parse(&row.state).ok_or_else(corrupt)?,
            event: Event {
                id: EventId(row.id),
                workspace: WorkspaceId(row.workspace_id),
                connection: ConnectionId(row.connection_id),
                origin: Origin::parse(&row.origin).ok_or_else(corrupt)?,
                received_at: Timestamp(row.received_at),
                chain: u16::try_from(row.chain).map_err(|_| corrupt())?,
                fact,
            },
            outcome: row.outcome,
            inbound: row.inbound_id,
            replay_of: row.replay_of.map(EventId),
            only_rule: row.only_rule_id.map(RuleId),
            as_then: row.as_then,
            n_matched: row.n_matched,
            n_crashes: row.n_crashes,
            dispatched_at: row.dispatched_at.map(Timestamp),
        })
    }
}

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The event.
    pub event: Event,
    /// Its key: unique within the connection.
    pub key: String,
    /// The body it came in.
    pub inbound: Option<Uuid>,
    /// The event it repeats.
    pub replay_of: Option<EventId>,
    /// Only this rule is to look at it.
    pub only_rule: Option<RuleId>,
    /// Rules look at it in the versions that looked at [`Self::replay_of`].
    pub as_then: bool,
    /// Not looked at before this moment.
    pub due_at: Timestamp,
}

/// A body that a CRM sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Inbound {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: Uuid,
    /// Which connection it came to.
    pub connection: ConnectionId,
    /// When.
    pub received_at: Timestamp,
    /// Its content type.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// Stores bodies as they came.
pub async fn insert_inbound<B: Borrow<Inbound>>(conn: &impl Conn, bodies: &[B]) -> Result<(), StorageError> {
    for bodies in sql::batches(bodies) {
        let sql = format!(
            "INSERT INTO inbound (workspace_id, id, connection_id, received_at, content_type, body) VALUES {}",
            sql::places(conn, bodies.len(), 6)
        );
        let mut values = Vec::with_capacity(bodies.len() * 6);
        for body in bodies {
            let body = body.borrow();
            values.extend([
                body.workspace.0.into(),
                body.id.into(),
                body.connection.0.into(),
                body.received_at.0.into(),
                body.content_type.as_str().into(),
                body.body.as_str().into(),
            ]);
        }
        sql::execute(conn, &sql, values).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct InboundRow {
    connection_id: Uuid,
    received_at: i64,
    content_type: String,
    body: String,
}

/// A body as it came.
pub async fn inbound(conn: &impl Conn, workspace: WorkspaceId, id: Uuid) -> Result<Inbound, StorageError> {
    let row = sql::one::<InboundRow, _>(
        conn,
        "SELECT connection_id, received_at, content_type, body FROM inbound WHERE workspace_id = $1 AND id = $2",
        [workspace.0.into(), id.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "inbound" })?;
    Ok(Inbound {
        workspace,
        id,
        connection: ConnectionId(row.connection_id),
        received_at: Timestamp(row.received_at),
        content_type: row.content_type,
        body: row.body,
    })
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

/// Stores events; those whose key is already known are left out. Returns the ids that are new, in no order.
pub async fn insert<E: Borrow<NewEvent>>(
    conn: &impl Conn,
    events: &[E],
) -> Result<Vec<EventId>, StorageError> {
    let mut inserted = Vec::with_capacity(events.len());
    // Two transactions that store the same facts wait for each other's keys; going through the keys in one
    // order keeps them from waiting in a circle.
    let mut events: Vec<&NewEvent> = events.iter().map(Borrow::borrow).collect();
    events.sort_by_key(|new| {
        (
            new.event.workspace,
            new.event.connection,
            new.key.as_str(),
            new.event.id,
        )
    });
    for events in sql::batches(&events) {
        let sql = format!(
            "INSERT INTO event (workspace_id, id, connection_id, event_key, kind, record_kind, record_id, origin, state, \
             fact, inbound_id, replay_of, only_rule_id, as_then, chain, n_matched, n_crashes, received_at, occurred_at, due_at) VALUES {} \
             ON CONFLICT (workspace_id, connection_id, event_key) DO NOTHING RETURNING id",
            sql::places(conn, events.len(), 20)
        );
        let mut values = Vec::with_capacity(events.len() * 20);
        for new in events {
            let event = &new.event;
            values.extend([
                event.workspace.0.into(),
                event.id.0.into(),
                event.connection.0.into(),
                new.key.as_str().into(),
                event.fact.kind.as_str().into(),
                event.fact.key.kind.as_str().into(),
                event.fact.key.id.0.as_str().into(),
                event.origin.as_str().into(),
                EventState::New.as_str().into(),
                json(&event.fact).into(),
                new.inbound.into(),
                new.replay_of.map(|id| id.0).into(),
                new.only_rule.map(|id| id.0).into(),
                new.as_then.into(),
                i32::from(event.chain).into(),
                0.into(),
                0.into(),
                event.received_at.0.into(),
                event.fact.occurred_at.map(|at| at.0).into(),
                new.due_at.0.into(),
            ]);
        }
        inserted.extend(
            sql::all::<IdRow, _>(conn, &sql, values)
                .await?
                .into_iter()
                .map(|row| EventId(row.id)),
        );
    }
    Ok(inserted)
}

/// One event.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: EventId,
) -> Result<StoredEvent, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "event" })?
        .try_into()
}

/// Several events of a workspace, in no order. One that is not there, or no longer parses, is left out.
pub async fn find_all(
    conn: &impl Conn,
    workspace: WorkspaceId,
    ids: &[EventId],
) -> Result<Vec<StoredEvent>, StorageError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut found = Vec::with_capacity(ids.len());
    for ids in sql::lists(&ids) {
        let places = sql::list_places(1, ids.len());
        let sql = format!("SELECT {COLUMNS} FROM event WHERE workspace_id = $1 AND id IN ({places})");
        let values = std::iter::once(workspace.0.into()).chain(ids.into_iter().map(sea_orm::Value::from));
        for row in sql::all::<Row, _>(conn, &sql, values).await? {
            match StoredEvent::try_from(row) {
                Ok(event) => found.push(event),
                Err(error) => tracing::error!(%error, "событие не читается и оставлено в стороне"),
            }
        }
    }
    Ok(found)
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this connection.
    pub connection: Option<ConnectionId>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// In this state.
    pub state: Option<EventState>,
    /// Of this record.
    pub record: Option<RecordKey>,
    /// Of a record with this id, whatever its kind.
    pub record_id: Option<String>,
    /// Of one of these records; none of them when the list is empty.
    pub records: Option<Vec<(ConnectionId, RecordKey)>>,
    /// Looked at by this rule and matched.
    pub rule: Option<RuleId>,
    /// Matched by at least one rule.
    pub matched: Option<bool>,
    /// Received at or after.
    pub from: Option<Timestamp>,
    /// Received before.
    pub to: Option<Timestamp>,
    /// Which come first.
    pub order: Order,
}

/// Events of a workspace, newest first.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wanted: &EventFilter,
    page: PageOf,
) -> Result<Vec<StoredEvent>, StorageError> {
    let mut filter = Filter::default();
    filter.and("e.workspace_id = {}", [workspace.0.into()]);
    if let Some(connection) = wanted.connection {
        filter.and("e.connection_id = {}", [connection.0.into()]);
    }
    if let Some(kind) = wanted.kind {
        filter.and("e.kind = {}", [kind.as_str().into()]);
    }
    if let Some(state) = wanted.state {
        filter.and("e.state = {}", [state.as_str().into()]);
    }
    if let Some(record) = &wanted.record {
        filter.and(
            "e.record_kind = {} AND e.record_id = {}",
            [record.kind.as_str().into(), record.id.0.as_str().into()],
        );
    }
    if let Some(id) = &wanted.record_id {
        filter.and("e.record_id = {}", [id.as_str().into()]);
    }
    if let Some(records) = &wanted.records {
        of_any(&mut filter, records);
    }
    if let Some(rule) = wanted.rule {
        filter.and(
            "EXISTS (SELECT 1 FROM run r WHERE r.workspace_id = e.workspace_id AND r.event_id = e.id \
             AND r.rule_id = {} AND r.outcome = 'matched')",
            [rule.0.into()],
        );
    }
    match wanted.matched {
        Some(true) => {
            filter.and("e.n_matched > 0", []);
        }
        Some(false) => {
            filter.and("e.n_matched = 0", []);
        }
        None => {}
    }
    if let Some(from) = wanted.from {
        filter.and("e.received_at >= {}", [from.0.into()]);
    }
    if let Some(to) = wanted.to {
        filter.and("e.received_at < {}", [to.0.into()]);
    }
    if let Some(before) = page.before {
        filter.and(&format!("e.id {} {{}}", wanted.order.after()), [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM event e{clause} ORDER BY e.id {} LIMIT ${}",
        wanted.order.word(),
        values.len()
    );
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(StoredEvent::try_from)
        .collect()
}

fn of_any(filter: &mut Filter, records: &[(ConnectionId, RecordKey)]) {
    if records.is_empty() {
        filter.and("1 = 0", []);
        return;
    }
    let one = "(e.record_kind = {} AND e.record_id = {} AND e.connection_id = {})";
    let values: Vec<sea_orm::Value> = records
        .iter()
        .flat_map(|(connection, key)| {
            [
                key.kind.as_str().into(),
                key.id.0.as_str().into(),
                connection.0.into(),
            ]
        })
        .collect();
    filter.and(&format!("({})", vec![one; records.len()].join(" OR ")), values);
}
