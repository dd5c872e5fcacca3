//! The audit log. An entry is written in the transaction of the change it tells of.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, Filter, Order, PageOf, document, json};
use domain::id::{AuditEntryId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// What kind of actor did something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ActorKind {
    /// A person.
    User,
    /// A script with an API key.
    ApiKey,
    /// The hub itself.
    System,
}

impl ActorKind {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::System => "system",
        }
    }
}

/// Who does something, and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// What kind.
    pub kind: ActorKind,
    /// Id of the person or key.
    pub id: Option<Uuid>,
    /// Name of the person or key.
    pub name: String,
    /// Id of the request.
    pub request_id: Option<String>,
    /// Network address.
    pub address: Option<String>,
}

impl Actor {
    /// The hub itself.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            name: "Интегратор".to_owned(),
            request_id: None,
            address: None,
        }
    }

    /// The person, when it is one.
    pub fn user(&self) -> Option<domain::id::UserId> {
        self.id
            .filter(|_| self.kind == ActorKind::User)
            .map(domain::id::UserId)
    }
}

/// A change to be told of.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEntry<'a> {
    /// What was done: `rule.published`.
    pub action: &'a str,
    /// To what kind of thing.
    pub subject_kind: &'a str,
    /// To which one.
    pub subject_id: String,
    /// State before, without secrets.
    pub before: Option<serde_json::Value>,
    /// State after, without secrets.
    pub after: Option<serde_json::Value>,
}

/// A line of the audit log.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its id.
    pub id: AuditEntryId,
    /// When.
    pub at: Timestamp,
    /// Stable word of the kind of actor.
    pub actor_kind: String,
    /// Who.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which one.
    pub subject_id: String,
    /// State before.
    pub before: Option<serde_json::Value>,
    /// State after.
    pub after: Option<serde_json::Value>,
    /// Id of the request.
    pub request_id: Option<String>,
    /// Network address.
    pub address: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    at: i64,
    actor_kind: String,
    actor_name: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    before: Option<String>,
    after: Option<String>,
    request_id: Option<String>,
    address: Option<String>,
}

/// Writes an entry. Call it with the transaction of the change.
pub async fn insert(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: AuditEntryId,
    actor: &Actor,
    entry: NewEntry<'_>,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO audit_entry (workspace_id, id, at, actor_kind, actor_id, actor_name, action, subject_kind, \
         subject_id, \"before\", \"after\", request_id, address) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [
            workspace.0.into(),
            id.0.into(),
            now.0.into(),
            actor.kind.as_str().into(),
            actor.id.into(),
            actor.name.as_str().into(),
            entry.action.into(),
            entry.subject_kind.into(),
            entry.subject_id.into(),
            entry.before.as_ref().map(json).into(),
            entry.after.as_ref().map(json).into(),
            actor.request_id.clone().into(),
            actor.address.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct LastRow {
    at: Option<i64>,
}

/// When something was done to a thing last; `None` when it never was.
pub async fn last_at(
    conn: &impl Conn,
    workspace: WorkspaceId,
    subject_kind: &str,
    subject_id: &str,
    action: &str,
) -> Result<Option<Timestamp>, StorageError> {
    let row = sql::one::<LastRow, _>(
        conn,
        "SELECT MAX(at) AS at FROM audit_entry WHERE workspace_id = $1 AND subject_kind = $2 AND subject_id = $3 \
         AND action = $4",
        [
            workspace.0.into(),
            subject_kind.into(),
            subject_id.into(),
            action.into(),
        ],
    )
    .await?;
    Ok(row.and_then(|row| row.at).map(Timestamp))
}

/// Which entries to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Of this kind of thing.
    pub subject_kind: Option<String>,
    /// Of this thing.
    pub subject_id: Option<String>,
    /// At or after this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Which come first.
    pub order: Order,
}

/// Entries of a workspace, newest first.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    wanted: &AuditFilter,
    page: PageOf,
) -> Result<Vec<Entry>, StorageError> {
    let mut filter = Filter::default();
    filter.and("workspace_id = {}", [workspace.0.into()]);
    if let Some(kind) = &wanted.subject_kind {
        filter.and("subject_kind = {}", [kind.as_str().into()]);
    }
    if let Some(id) = &wanted.subject_id {
        filter.and("subject_id = {}", [id.as_str().into()]);
    }
    if let Some(from) = wanted.from {
        filter.and("at >= {}", [from.0.into()]);
    }
    if let Some(to) = wanted.to {
        filter.and("at < {}", [to.0.into()]);
    }
    if let Some(before) = page.before {
        filter.and(&format!("id {} {{}}", wanted.order.after()), [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT id, at, actor_kind, actor_name, action, subject_kind, subject_id, \"before\", \"after\", \
         request_id, address FROM audit_entry{clause} ORDER BY id {} LIMIT ${}",
        wanted.order.word(),
        values.len()
    );
    sql::all::<Row, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(|row| {
            let optional = |text: &Option<String>| {
                text.as_deref()
                    .map(|text| document("audit_entry", row.id, text))
                    .transpose()
            };
            Ok(Entry {
                id: AuditEntryId(row.id),
                at: Timestamp(row.at),
                before: optional(&row.before)?,
                after: optional(&row.after)?,
                actor_kind: row.actor_kind,
                actor_name: row.actor_name,
                action: row.action,
                subject_kind: row.subject_kind,
                subject_id: row.subject_id,
                request_id: row.request_id,
                address: row.address,
            })
        })
        .collect()
}
