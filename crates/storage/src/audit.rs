//! The audit log. An entry is written in the transaction of the change it tells of.

use crate::db::{Conn, Tx};
use crate::error::StorageError;
use crate::sql::{self, Filter, Order, PageOf, document, json};
use domain::id::{AuditEntryId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use sha2::{Digest, Sha256};
use std::fmt::Write;
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

impl<'a> NewEntry<'a> {
    /// What was done to a thing, with its state before and after.
    pub fn of(
        subject_kind: &'a str,
        action: &'a str,
        id: impl std::fmt::Display,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> Self {
        Self {
            action,
            subject_kind,
            subject_id: id.to_string(),
            before,
            after,
        }
    }
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
    actor_id: Option<Uuid>,
    actor_name: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    before: Option<String>,
    after: Option<String>,
    request_id: Option<String>,
    address: Option<String>,
    number: Option<i64>,
    hash: Option<String>,
}

const COLUMNS: &str = "id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, \"before\", \
                       \"after\", request_id, address, number, hash";

#[derive(FromQueryResult)]
struct ChainRow {
    n_entries: i64,
    head: String,
}

/// Writes an entry in the transaction of the change, and chains it to the entry before.
pub async fn insert(
    tx: &Tx,
    workspace: WorkspaceId,
    id: AuditEntryId,
    actor: &Actor,
    entry: NewEntry<'_>,
    now: Timestamp,
) -> Result<(), StorageError> {
    // Also takes the row's lock: entries of one workspace are chained one after the other.
    let chain = sql::one::<ChainRow, _>(
        tx,
        "INSERT INTO audit_chain (workspace_id, n_entries, head) VALUES ($1, 1, '') ON CONFLICT (workspace_id) \
         DO UPDATE SET n_entries = audit_chain.n_entries + 1 RETURNING n_entries, head",
        [workspace.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "audit_chain" })?;
    let row = Row {
        id: id.0,
        at: now.0,
        actor_kind: actor.kind.as_str().to_owned(),
        actor_id: actor.id,
        actor_name: actor.name.clone(),
        action: entry.action.to_owned(),
        subject_kind: entry.subject_kind.to_owned(),
        subject_id: entry.subject_id,
        before: entry.before.as_ref().map(json),
        after: entry.after.as_ref().map(json),
        request_id: actor.request_id.clone(),
        address: actor.address.clone(),
        number: Some(chain.n_entries),
        hash: None,
    };
    let hash = row.hash_after(workspace, &chain.head);
    sql::execute(
        tx,
        "UPDATE audit_chain SET head = $2 WHERE workspace_id = $1",
        [workspace.0.into(), hash.as_str().into()],
    )
    .await?;
    sql::execute(
        tx,
        "INSERT INTO audit_entry (workspace_id, id, at, actor_kind, actor_id, actor_name, action, subject_kind, \
         subject_id, \"before\", \"after\", request_id, address, number, previous_hash, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        [
            workspace.0.into(),
            row.id.into(),
            row.at.into(),
            row.actor_kind.into(),
            row.actor_id.into(),
            row.actor_name.into(),
            row.action.into(),
            row.subject_kind.into(),
            row.subject_id.into(),
            row.before.into(),
            row.after.into(),
            row.request_id.into(),
            row.address.into(),
            row.number.into(),
            chain.head.into(),
            hash.into(),
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

impl Row {
    /// SHA-256 over the hash before and everything that the entry says, as a JSON array.
    fn hash_after(&self, workspace: WorkspaceId, previous: &str) -> String {
        let text = json(&(
            (previous, workspace, self.number, self.id, self.at),
            (&self.actor_kind, self.actor_id, &self.actor_name),
            (&self.action, &self.subject_kind, &self.subject_id),
            (&self.before, &self.after, &self.request_id, &self.address),
        ));
        Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// What a walk along the chain of a workspace's audit log found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verification {
    /// Entries looked at.
    pub n_entries: u64,
    /// Hash of the last one: worth noting elsewhere, since who can rewrite the whole table can rewrite this too.
    pub head: String,
    /// Number of the first entry that is missing or was changed; `None` when all is as it was written.
    pub broken_at: Option<u64>,
}

/// Walks along the chain: every entry must be there and say what it said when it was written.
pub async fn verify(conn: &impl Conn, workspace: WorkspaceId) -> Result<Verification, StorageError> {
    const STEP: i64 = 500;
    let chain = sql::one::<ChainRow, _>(
        conn,
        "SELECT n_entries, head FROM audit_chain WHERE workspace_id = $1",
        [workspace.0.into()],
    )
    .await?;
    let (n_expected, expected) = chain.map_or((0, String::new()), |row| (row.n_entries, row.head));
    let (mut head, mut number) = (String::new(), 0_i64);
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_entry WHERE workspace_id = $1 AND number > $2 AND number <= $3 ORDER BY number"
    );
    let broken = |number: i64, head: String| Verification {
        n_entries: number.unsigned_abs(),
        head,
        broken_at: Some(number.unsigned_abs() + 1),
    };
    while number < n_expected {
        let until = (number + STEP).min(n_expected);
        let rows = sql::all::<Row, _>(conn, &sql, [workspace.0.into(), number.into(), until.into()]).await?;
        for row in &rows {
            let hash = row.hash_after(workspace, &head);
            if row.number != Some(number + 1) || row.hash.as_ref() != Some(&hash) {
                return Ok(broken(number, head));
            }
            (head, number) = (hash, number + 1);
        }
        if number < until {
            return Ok(broken(number, head));
        }
    }
    let whole = head == expected;
    Ok(Verification {
        n_entries: number.unsigned_abs(),
        broken_at: (!whole).then_some(number.unsigned_abs()),
        head,
    })
}

/// Which entries to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Of this kind of thing.
    pub subject_kind: Option<String>,
    /// Of this thing.
    pub subject_id: Option<String>,
    /// By this person or key.
    pub actor_id: Option<Uuid>,
    /// Of this action, or of all whose word begins so: `rule.`.
    pub action: Option<String>,
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
    if let Some(id) = wanted.actor_id {
        filter.and("actor_id = {}", [id.into()]);
    }
    if let Some(action) = &wanted.action {
        let places = "substr(action, 1, CAST({} AS INTEGER)) = {}";
        filter.and(
            places,
            [(action.chars().count() as i64).into(), action.as_str().into()],
        );
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
        "SELECT {COLUMNS} FROM audit_entry{clause} ORDER BY id {} LIMIT ${}",
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
