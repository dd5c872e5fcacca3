//! Rules with their drafts, and their published versions, which never change.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::id::{ConnectionId, RuleId, RuleVersionId, UserId, WorkspaceId};
use domain::rule::Rule as RuleDocument;
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A rule with its draft.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredRule {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: RuleId,
    /// Name in the draft.
    pub name: String,
    /// Place in the order of evaluation, ascending.
    pub position: i32,
    /// Switched on.
    pub enabled: bool,
    /// Connection whose events it looks at.
    pub source: ConnectionId,
    /// The draft.
    pub draft: RuleDocument,
    /// Grows with every change.
    pub version: i64,
    /// The version in force.
    pub published: Option<PublishedMark>,
    /// What a person should look at, in Russian.
    pub attention: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which version of a rule is in force.
#[derive(Clone, PartialEq, Debug)]
pub struct PublishedMark {
    /// Its id.
    pub id: RuleVersionId,
    /// Its number.
    pub number: i32,
    /// Its document.
    pub document: RuleDocument,
}

#[derive(FromQueryResult)]
struct Row {
    workspace_id: Uuid,
    id: Uuid,
    name: String,
    position: i32,
    enabled: bool,
    source: Uuid,
    draft: String,
    version: i64,
    attention: Option<String>,
    created_at: i64,
    updated_at: i64,
    published_id: Option<Uuid>,
    published_number: Option<i32>,
    published_document: Option<String>,
}

const SELECT: &str = "SELECT r.workspace_id, r.id, r.name, r.\"position\", r.enabled, r.source, r.draft, r.version, \
    r.attention, r.created_at, r.updated_at, v.id AS published_id, v.number AS published_number, \
    v.document AS published_document FROM rule r LEFT JOIN rule_version v \
    ON v.workspace_id = r.workspace_id AND v.id = r.published_version_id WHERE r.deleted_at IS NULL";

impl TryFrom<Row> for StoredRule {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let published = match (row.published_id, row.published_number, &row.published_document) {
            (Some(id), Some(number), Some(text)) => Some(PublishedMark {
                id: RuleVersionId(id),
                number,
                document: document("rule_version", id, text)?,
            }),
            _ => None,
        };
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: RuleId(row.id),
            draft: document("rule", row.id, &row.draft)?,
            name: row.name,
            position: row.position,
            enabled: row.enabled,
            source: ConnectionId(row.source),
            version: row.version,
            published,
            attention: row.attention,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

/// The moment of a change, made later than every change of the workspace before it, so that the newest moment
/// tells whether anything changed even within one millisecond. `{now}` is the place of the clock's moment.
fn moment(now: &str) -> String {
    format!(
        "(SELECT CASE WHEN COALESCE(MAX(m.updated_at), 0) >= {now} THEN MAX(m.updated_at) + 1 ELSE {now} END \
         FROM rule m WHERE m.workspace_id = $1)"
    )
}

/// A rule to be stored; it is put behind all others.
#[derive(Clone, PartialEq, Debug)]
pub struct NewRule<'a> {
    /// Its id.
    pub id: RuleId,
    /// Its draft.
    pub draft: &'a RuleDocument,
    /// Switched on from the start.
    pub enabled: bool,
}

/// Stores a new rule behind all others, with version 1.
pub async fn insert(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: NewRule<'_>,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO rule (workspace_id, id, name, \"position\", enabled, source, draft, version, created_at, updated_at) \
         SELECT $1, $2, $3, COALESCE(MAX(\"position\"), 0) + 1, $4, $5, $6, 1, $7, $7 FROM rule \
         WHERE workspace_id = $1 AND deleted_at IS NULL",
        [
            workspace.0.into(),
            rule.id.0.into(),
            rule.draft.name.as_str().into(),
            rule.enabled.into(),
            rule.draft.source.0.into(),
            json(rule.draft).into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Rules of a workspace in the order of evaluation.
pub async fn list(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<StoredRule>, StorageError> {
    let sql = format!("{SELECT} AND r.workspace_id = $1 ORDER BY r.\"position\", r.id");
    sql::all::<Row, _>(conn, &sql, [workspace.0.into()])
        .await?
        .into_iter()
        .map(StoredRule::try_from)
        .collect()
}

/// One rule.
pub async fn find(conn: &impl Conn, workspace: WorkspaceId, id: RuleId) -> Result<StoredRule, StorageError> {
    let sql = format!("{SELECT} AND r.workspace_id = $1 AND r.id = $2");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "rule" })?
        .try_into()
}

/// Replaces the draft of a rule that is still at `version`; gives the new version.
pub async fn update_draft(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: RuleId,
    version: i64,
    draft: &RuleDocument,
    now: Timestamp,
) -> Result<i64, StorageError> {
    let sql = format!(
        "UPDATE rule SET name = $4, source = $5, draft = $6, version = version + 1, updated_at = {} \
         WHERE workspace_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL",
        moment("$7")
    );
    let n_rows = sql::execute(
        conn,
        &sql,
        [
            workspace.0.into(),
            id.0.into(),
            version.into(),
            draft.name.as_str().into(),
            draft.source.0.into(),
            json(draft).into(),
            now.0.into(),
        ],
    )
    .await?;
    if n_rows == 0 {
        // Gone or moved on: the caller must know which.
        find(conn, workspace, id).await?;
        return Err(StorageError::Stale { table: "rule" });
    }
    Ok(version + 1)
}

/// Switches a rule on or off.
pub async fn set_enabled(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: RuleId,
    enabled: bool,
    now: Timestamp,
) -> Result<(), StorageError> {
    let sql = format!(
        "UPDATE rule SET enabled = $3, updated_at = {} WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL",
        moment("$4")
    );
    touched(
        sql::execute(
            conn,
            &sql,
            [workspace.0.into(), id.0.into(), enabled.into(), now.0.into()],
        )
        .await?,
    )
}

/// Marks what a person should look at; `None` takes the mark away.
pub async fn set_attention(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: RuleId,
    attention: Option<&str>,
) -> Result<(), StorageError> {
    touched(
        sql::execute(
            conn,
            "UPDATE rule SET attention = $3 WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL",
            [
                workspace.0.into(),
                id.0.into(),
                attention.map(str::to_owned).into(),
            ],
        )
        .await?,
    )
}

#[derive(FromQueryResult)]
struct PlaceRow {
    id: Uuid,
    position: i32,
}

/// Puts rules into this order. Those not named stand behind, in the order they had. Call it with a transaction.
pub async fn reorder(
    conn: &impl Conn,
    workspace: WorkspaceId,
    order: &[RuleId],
    now: Timestamp,
) -> Result<(), StorageError> {
    let sql = format!(
        "UPDATE rule SET \"position\" = $3, updated_at = {} WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL",
        moment("$4")
    );
    let placed = sql::all::<PlaceRow, _>(
        conn,
        "SELECT id, \"position\" FROM rule WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY \"position\", id",
        [workspace.0.into()],
    )
    .await?;
    let positions: HashMap<Uuid, i32> = placed.iter().map(|row| (row.id, row.position)).collect();
    let named: HashSet<Uuid> = order.iter().map(|id| id.0).collect();
    let behind = placed.iter().map(|row| row.id).filter(|id| !named.contains(id));
    for (id, position) in order.iter().map(|id| id.0).chain(behind).zip(1_i32..) {
        if positions.get(&id) == Some(&position) {
            continue;
        }
        touched(
            sql::execute(
                conn,
                &sql,
                [workspace.0.into(), id.into(), position.into(), now.0.into()],
            )
            .await?,
        )?;
    }
    Ok(())
}

/// Takes a rule away. Its versions stay, since runs refer to them.
pub async fn delete(
    conn: &impl Conn,
    workspace: WorkspaceId,
    id: RuleId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let sql = format!(
        "UPDATE rule SET deleted_at = $3, enabled = $4, updated_at = {} \
         WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL",
        moment("$3")
    );
    touched(
        sql::execute(
            conn,
            &sql,
            [workspace.0.into(), id.0.into(), now.0.into(), false.into()],
        )
        .await?,
    )
}

fn touched(n_rows: u64) -> Result<(), StorageError> {
    if n_rows == 0 {
        Err(StorageError::NotFound { table: "rule" })
    } else {
        Ok(())
    }
}

/// A published version.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleVersion {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: RuleVersionId,
    /// Its rule.
    pub rule: RuleId,
    /// From 1.
    pub number: i32,
    /// The document as published.
    pub document: RuleDocument,
    /// What it does, in one sentence.
    pub summary: String,
    /// Who published it.
    pub published_by: Option<UserId>,
    /// When.
    pub published_at: Timestamp,
}

#[derive(FromQueryResult)]
struct VersionRow {
    workspace_id: Uuid,
    id: Uuid,
    rule_id: Uuid,
    number: i32,
    document: String,
    summary: String,
    published_by: Option<Uuid>,
    published_at: i64,
}

const VERSION_COLUMNS: &str =
    "v.workspace_id, v.id, v.rule_id, v.number, v.document, v.summary, v.published_by, v.published_at";

impl TryFrom<VersionRow> for RuleVersion {
    type Error = StorageError;

    fn try_from(row: VersionRow) -> Result<Self, StorageError> {
        Ok(Self {
            workspace: WorkspaceId(row.workspace_id),
            id: RuleVersionId(row.id),
            rule: RuleId(row.rule_id),
            number: row.number,
            document: document("rule_version", row.id, &row.document)?,
            summary: row.summary,
            published_by: row.published_by.map(UserId),
            published_at: Timestamp(row.published_at),
        })
    }
}

#[derive(FromQueryResult)]
struct NumberRow {
    number: i32,
}

/// Stores a version under the next number of its rule and puts it in force; gives the number. The rule must
/// still be at `version`, and its draft is what is published.
pub async fn publish(
    conn: &impl Conn,
    rule: &StoredRule,
    id: RuleVersionId,
    summary: &str,
    published_by: Option<UserId>,
    now: Timestamp,
) -> Result<i32, StorageError> {
    let sql = format!(
        "UPDATE rule SET published_version_id = $4, version = version + 1, attention = NULL, updated_at = {} \
         WHERE workspace_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL",
        moment("$5")
    );
    let n_rows = sql::execute(
        conn,
        &sql,
        [
            rule.workspace.0.into(),
            rule.id.0.into(),
            rule.version.into(),
            id.0.into(),
            now.0.into(),
        ],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::Stale { table: "rule" });
    }
    sql::one::<NumberRow, _>(
        conn,
        "INSERT INTO rule_version (workspace_id, id, rule_id, number, document, summary, published_by, published_at) \
         SELECT $1, $2, $3, COALESCE(MAX(number), 0) + 1, $4, $5, $6, $7 FROM rule_version \
         WHERE workspace_id = $1 AND rule_id = $3 RETURNING number",
        [
            rule.workspace.0.into(),
            id.0.into(),
            rule.id.0.into(),
            json(&rule.draft).into(),
            summary.into(),
            published_by.map(|user| user.0).into(),
            now.0.into(),
        ],
    )
    .await?
    .map(|row| row.number)
    .ok_or(StorageError::NotFound {
        table: "rule_version",
    })
}

/// Published versions of a rule, newest first.
pub async fn versions(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
) -> Result<Vec<RuleVersion>, StorageError> {
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM rule_version v WHERE v.workspace_id = $1 AND v.rule_id = $2 \
         ORDER BY v.number DESC"
    );
    sql::all::<VersionRow, _>(conn, &sql, [workspace.0.into(), rule.0.into()])
        .await?
        .into_iter()
        .map(RuleVersion::try_from)
        .collect()
}

/// One published version of a rule.
pub async fn version(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    id: RuleVersionId,
) -> Result<RuleVersion, StorageError> {
    let sql = format!(
        "SELECT {VERSION_COLUMNS} FROM rule_version v WHERE v.workspace_id = $1 AND v.rule_id = $2 AND v.id = $3"
    );
    sql::one::<VersionRow, _>(conn, &sql, [workspace.0.into(), rule.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound {
            table: "rule_version",
        })?
        .try_into()
}

/// Several published versions by id, for naming the rules of runs. Ids that are not there are left out.
pub async fn versions_by_id(
    conn: &impl Conn,
    workspace: WorkspaceId,
    ids: &[RuleVersionId],
) -> Result<Vec<RuleVersion>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = sql::Filter::default();
    filter.and("v.workspace_id = {}", [workspace.0.into()]);
    filter.among("v.id", ids.iter().map(|id| id.0.into()));
    let (clause, values) = filter.finish();
    let sql = format!("SELECT {VERSION_COLUMNS} FROM rule_version v{clause}");
    sql::all::<VersionRow, _>(conn, &sql, values)
        .await?
        .into_iter()
        .map(RuleVersion::try_from)
        .collect()
}

#[derive(FromQueryResult)]
struct NameRow {
    id: Uuid,
    name: String,
}

/// Names of all rules of a workspace, deleted ones included: history keeps speaking of them.
pub async fn names(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<(RuleId, String)>, StorageError> {
    let rows = sql::all::<NameRow, _>(
        conn,
        "SELECT id, name FROM rule WHERE workspace_id = $1",
        [workspace.0.into()],
    )
    .await?;
    Ok(rows.into_iter().map(|row| (RuleId(row.id), row.name)).collect())
}

#[derive(FromQueryResult)]
struct RunCountRow {
    rule_id: Uuid,
    n_runs: i64,
    n_matched: i64,
}

/// Runs of a rule since a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunCount {
    /// All of them.
    pub n_runs: u64,
    /// Those that matched.
    pub n_matched: u64,
}

/// How often each rule of a workspace ran since a moment; rules that did not are left out.
pub async fn run_counts(
    conn: &impl Conn,
    workspace: WorkspaceId,
    since: Timestamp,
) -> Result<Vec<(RuleId, RunCount)>, StorageError> {
    let rows = sql::all::<RunCountRow, _>(
        conn,
        "SELECT rule_id, COUNT(*) AS n_runs, COUNT(CASE WHEN outcome = 'matched' THEN 1 END) AS n_matched \
         FROM run WHERE workspace_id = $1 AND at >= $2 GROUP BY rule_id",
        [workspace.0.into(), since.0.into()],
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let count = RunCount {
                n_runs: row.n_runs.unsigned_abs(),
                n_matched: row.n_matched.unsigned_abs(),
            };
            (RuleId(row.rule_id), count)
        })
        .collect())
}
