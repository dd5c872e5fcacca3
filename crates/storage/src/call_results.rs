//! Results of calls: one row per finished call, whichever way it came.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter};
use domain::id::{CallResultId, ConnectionId, EventId, WorkspaceId};
use domain::record::RecordId;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A result of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallResult {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: CallResultId,
    /// Whose events it makes: the connection of the call, or the one chosen for a file.
    pub connection: ConnectionId,
    /// The id that the CRM gave the call.
    pub call_key: Option<String>,
    /// When the call was.
    pub at: Timestamp,
    /// Phone in international form.
    pub phone: Option<String>,
    /// Name of the person called.
    pub contact: Option<String>,
    /// Result in the words of the workspace.
    pub result: Option<String>,
    /// Length in seconds.
    pub duration: Option<i64>,
    /// `incoming` or `outgoing`.
    pub direction: Option<String>,
    /// How the exchange ended it.
    pub disposition: Option<String>,
    /// Comment of the operator.
    pub comment: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// Address of the recording; never given out.
    pub recording: Option<String>,
    /// `webhook`, `poll`, `import`, `manual`, `api` or `rule`.
    pub source: String,
    /// The lead in LPTracker.
    pub lead: Option<RecordId>,
    /// The deal in amoCRM.
    pub deal: Option<RecordId>,
    /// The event that told the rules of it.
    pub event: Option<EventId>,
    /// `pending`, `synced` or `failed`.
    pub sync: String,
    /// Why it failed.
    pub sync_error: Option<String>,
    /// Nothing more will happen to `sync` by itself.
    pub is_settled: bool,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    connection_id: Uuid,
    call_key: Option<String>,
    at: i64,
    phone: Option<String>,
    contact: Option<String>,
    result: Option<String>,
    duration: Option<i64>,
    direction: Option<String>,
    disposition: Option<String>,
    comment: Option<String>,
    operator: Option<String>,
    recording: Option<String>,
    source: String,
    lead_id: Option<String>,
    deal_id: Option<String>,
    event_id: Option<Uuid>,
    sync: String,
    sync_error: Option<String>,
    is_settled: bool,
    created_at: i64,
    updated_at: i64,
}

const COLUMNS: &str = "workspace_id, id, connection_id, call_key, at, phone, contact, result, duration, direction, \
    disposition, comment, operator, recording, source, lead_id, deal_id, event_id, sync, sync_error, is_settled, \
    created_at, updated_at";

impl From<Row> for CallResult {
    fn from(row: Row) -> Self {
        Self {
            workspace: WorkspaceId(row.workspace_id),
            id: CallResultId(row.id),
            connection: ConnectionId(row.connection_id),
            call_key: row.call_key,
            at: Timestamp(row.at),
            phone: row.phone,
            contact: row.contact,
            result: row.result,
            duration: row.duration,
            direction: row.direction,
            disposition: row.disposition,
            comment: row.comment,
            operator: row.operator,
            recording: row.recording,
            source: row.source,
            lead: row.lead_id.map(RecordId),
            deal: row.deal_id.map(RecordId),
            event: row.event_id.map(EventId),
            sync: row.sync,
            sync_error: row.sync_error,
            is_settled: row.is_settled,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// Stores a result, or what is new about one with the same id.
pub async fn save(conn: &impl Conn, it: &CallResult) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO call_result ({COLUMNS}) VALUES {} ON CONFLICT (workspace_id, id) DO UPDATE SET \
         call_key = excluded.call_key, at = excluded.at, phone = excluded.phone, contact = excluded.contact, \
         result = excluded.result, duration = excluded.duration, direction = excluded.direction, \
         disposition = excluded.disposition, comment = excluded.comment, operator = excluded.operator, \
         recording = excluded.recording, lead_id = excluded.lead_id, deal_id = excluded.deal_id, \
         event_id = excluded.event_id, sync = excluded.sync, sync_error = excluded.sync_error, \
         is_settled = excluded.is_settled, updated_at = excluded.updated_at",
        sql::places(conn, 1, 23)
    );
    sql::execute(
        conn,
        &sql,
        [
            it.workspace.0.into(),
            it.id.0.into(),
            it.connection.0.into(),
            it.call_key.clone().into(),
            it.at.0.into(),
            it.phone.clone().into(),
            it.contact.clone().into(),
            it.result.clone().into(),
            it.duration.into(),
            it.direction.clone().into(),
            it.disposition.clone().into(),
            it.comment.clone().into(),
            it.operator.clone().into(),
            it.recording.clone().into(),
            it.source.as_str().into(),
            it.lead.as_ref().map(|id| id.0.clone()).into(),
            it.deal.as_ref().map(|id| id.0.clone()).into(),
            it.event.map(|event| event.0).into(),
            it.sync.as_str().into(),
            it.sync_error.clone().into(),
            it.is_settled.into(),
            it.created_at.0.into(),
            it.updated_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// One result.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: CallResultId,
) -> Result<CallResult, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM call_result WHERE workspace_id = $1 AND id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .map(CallResult::from)
        .ok_or(StorageError::NotFound { table: "call_result" })
}

/// The result with the id that a CRM gave the call.
pub async fn by_key(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &str,
) -> Result<Option<CallResult>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call_result WHERE workspace_id = $1 AND connection_id = $2 AND call_key = $3"
    );
    let values = [workspace.0.into(), connection.0.into(), key.into()];
    Ok(sql::one::<Row, _>(conn, &sql, values)
        .await?
        .map(CallResult::from))
}

/// Results of a phone within a span of time, ends included.
pub async fn near(
    conn: &impl Conn,
    workspace: WorkspaceId,
    phone: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<CallResult>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call_result WHERE workspace_id = $1 AND phone = $2 AND at >= $3 AND at <= $4 \
         ORDER BY at, id LIMIT 50"
    );
    let values = [workspace.0.into(), phone.into(), from.0.into(), to.0.into()];
    Ok(sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(CallResult::from)
        .collect())
}

/// The newest call of a lead.
pub async fn newest_of_lead(
    conn: &impl Conn,
    workspace: WorkspaceId,
    connection: ConnectionId,
    lead: &RecordId,
    since: Timestamp,
) -> Result<Option<CallResult>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call_result WHERE workspace_id = $1 AND at >= $4 AND connection_id = $2 AND lead_id = $3 \
         ORDER BY at DESC, id DESC LIMIT 1"
    );
    let values = [
        workspace.0.into(),
        connection.0.into(),
        lead.0.as_str().into(),
        since.0.into(),
    ];
    Ok(sql::one::<Row, _>(conn, &sql, values)
        .await?
        .map(CallResult::from))
}

/// Results whose end is not known, of all workspaces, by age.
pub async fn unsettled(
    conn: &impl Conn,
    after: Option<CallResultId>,
    limit: u64,
) -> Result<Vec<CallResult>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM call_result WHERE NOT is_settled AND event_id IS NOT NULL AND id > $1 ORDER BY id LIMIT $2"
    );
    let after = after.map_or(Uuid::nil(), |id| id.0);
    Ok(
        sql::all::<Row, _>(conn, &sql, [after.into(), (limit as i64).into()])
            .await?
            .into_iter()
            .map(CallResult::from)
            .collect(),
    )
}

/// What a list is ordered by, always with the id as the last word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Newest call first.
    #[default]
    Newest,
    /// Oldest call first.
    Oldest,
    /// Longest first.
    Longest,
    /// Shortest first.
    Shortest,
}

impl Order {
    const fn column(self) -> &'static str {
        match self {
            Self::Newest | Self::Oldest => "at",
            Self::Longest | Self::Shortest => "COALESCE(duration, -1)",
        }
    }

    const fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::Longest)
    }

    /// The place of a row in this order.
    pub fn place(self, it: &CallResult) -> (i64, Uuid) {
        match self {
            Self::Newest | Self::Oldest => (it.at.0, it.id.0),
            Self::Longest | Self::Shortest => (it.duration.unwrap_or(-1), it.id.0),
        }
    }
}

/// Which results are wanted.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// With this result.
    pub result: Option<String>,
    /// In this state.
    pub sync: Option<String>,
    /// That came this way.
    pub source: Option<String>,
    /// Of this operator.
    pub operator: Option<String>,
    /// Calls at or after.
    pub from: Option<Timestamp>,
    /// Calls before.
    pub to: Option<Timestamp>,
    /// Whose phone, contact, comment, lead or deal contains this text.
    pub text: Option<String>,
}

fn filter(workspace: WorkspaceId, wanted: &CallFilter) -> Filter {
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    for (column, value) in [
        ("result", &wanted.result),
        ("sync", &wanted.sync),
        ("source", &wanted.source),
        ("operator", &wanted.operator),
    ] {
        if let Some(value) = value {
            filter.and(&format!("{column} = {{}}"), [value.as_str().into()]);
        }
    }
    if let Some(from) = wanted.from {
        filter.and("at >= {}", [from.0.into()]);
    }
    if let Some(to) = wanted.to {
        filter.and("at < {}", [to.0.into()]);
    }
    if let Some(text) = wanted
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let plain: String = text.chars().filter(|c| !"%_\\".contains(*c)).collect();
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        // What is typed as 8 999… is kept as +7999….
        let phone = if digits.len() == 11 && digits.starts_with('8') {
            &digits[1..]
        } else {
            &digits
        };
        let phone = if phone.is_empty() { plain.as_str() } else { phone };
        let like = |text: &str| sea_orm::Value::from(format!("%{text}%"));
        filter.and(
            "(phone LIKE {} OR contact LIKE {} OR comment LIKE {} OR lead_id = {} OR deal_id = {})",
            [like(phone), like(&plain), like(&plain), text.into(), text.into()],
        );
    }
    filter
}

/// Results of a workspace, at most `limit`, after a place in the order.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wanted: &CallFilter,
    order: Order,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<CallResult>, StorageError> {
    let mut filter = filter(workspace, wanted);
    let column = order.column();
    let (than, direction) = if order.is_descending() {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some((place, id)) = after {
        filter.and(
            &format!("({column} {than} {{}} OR ({column} = {{}} AND id {than} {{}}))"),
            [place.into(), place.into(), id.into()],
        );
    }
    let (clause, mut values) = filter.finish();
    values.push((limit as i64).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM call_result{clause} ORDER BY {column} {direction}, id {direction} LIMIT ${}",
        values.len()
    );
    Ok(sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(CallResult::from)
        .collect())
}

/// A piece of the chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    /// Days since 1970 by the workspace's offset from UTC.
    pub day: i64,
    /// Result.
    pub result: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// How many.
    pub n: i64,
}

#[derive(FromQueryResult)]
struct FigureRow {
    day: i64,
    result: Option<String>,
    operator: Option<String>,
    n: i64,
}

/// How many results by day, result and operator.
pub async fn figures(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wanted: &CallFilter,
    offset_ms: i64,
) -> Result<Vec<Figure>, StorageError> {
    let (clause, mut values) = filter(workspace, wanted).finish();
    values.push(offset_ms.into());
    let sql = format!(
        "SELECT (at + ${place}) / 86400000 AS day, result, operator, COUNT(*) AS n FROM call_result{clause} \
         GROUP BY (at + ${place}) / 86400000, result, operator ORDER BY 1, 2, 3 LIMIT 20000",
        place = values.len()
    );
    Ok(sql::all::<FigureRow, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(|row| Figure {
            day: row.day,
            result: row.result,
            operator: row.operator,
            n: row.n,
        })
        .collect())
}

/// Writes down what became of a result, unless it was told anew meanwhile. Returns how many rows.
pub async fn set_sync(
    conn: &impl Conn,
    it: &CallResult,
    sync: &str,
    error: Option<&str>,
) -> Result<u64, StorageError> {
    sql::execute(
        conn,
        "UPDATE call_result SET sync = $3, sync_error = $4, is_settled = TRUE WHERE workspace_id = $1 AND id = $2 \
         AND event_id = $5 AND NOT is_settled",
        [
            it.workspace.0.into(),
            it.id.0.into(),
            sync.into(),
            error.map(str::to_owned).into(),
            it.event.map(|event| event.0).into(),
        ],
    )
    .await
}

/// Lets a result wait again for what becomes of its event.
pub async fn reopen(conn: &impl Conn, it: &CallResult) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "UPDATE call_result SET sync = 'pending', sync_error = NULL, is_settled = FALSE WHERE workspace_id = $1 AND id = $2",
        [it.workspace.0.into(), it.id.0.into()],
    )
    .await?;
    Ok(())
}
