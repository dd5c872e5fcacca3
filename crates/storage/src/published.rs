//! Published rules as the workers need them.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document};
use domain::id::{EventId, RuleId, RuleVersionId, WorkspaceId};
use domain::rule::Rule;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A rule that is on, in its published version.
#[derive(Clone, PartialEq, Debug)]
pub struct PublishedRule {
    /// The rule.
    pub rule: RuleId,
    /// The version in force.
    pub version: RuleVersionId,
    /// Its place among the rules of the workspace.
    pub position: i32,
    /// What it says.
    pub document: Rule,
}

#[derive(FromQueryResult)]
struct Row {
    rule_id: Uuid,
    version_id: Uuid,
    position: i32,
    document: String,
}

impl TryFrom<Row> for PublishedRule {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            rule: RuleId(row.rule_id),
            version: RuleVersionId(row.version_id),
            position: row.position,
            document: document("rule_version", row.version_id, &row.document)?,
        })
    }
}

/// Rules of a workspace that are on, in order. One that does not parse comes as its error.
pub async fn published(
    conn: &impl Conn,
    workspace: WorkspaceId,
) -> Result<Vec<Result<PublishedRule, StorageError>>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT r.id AS rule_id, v.id AS version_id, r.position, v.document FROM rule r JOIN rule_version v \
         ON v.workspace_id = r.workspace_id AND v.id = r.published_version_id \
         WHERE r.workspace_id = $1 AND r.enabled AND r.deleted_at IS NULL ORDER BY r.position, r.id",
        [workspace.0.into()],
    )
    .await?;
    Ok(rows.into_iter().map(PublishedRule::try_from).collect())
}

/// Rules in the versions that looked at an event, in today's order; those deleted meanwhile are left out. One that does
/// not parse comes as its error.
pub async fn of_event(
    conn: &impl Conn,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Vec<Result<PublishedRule, StorageError>>, StorageError> {
    let rows = sql::all::<Row, _>(
        conn,
        "SELECT DISTINCT r.id AS rule_id, v.id AS version_id, r.position, v.document FROM run \
         JOIN rule_version v ON v.workspace_id = run.workspace_id AND v.id = run.rule_version_id \
         JOIN rule r ON r.workspace_id = v.workspace_id AND r.id = v.rule_id \
         WHERE run.workspace_id = $1 AND run.event_id = $2 AND r.deleted_at IS NULL ORDER BY r.position, r.id",
        [workspace.0.into(), event.0.into()],
    )
    .await?;
    Ok(rows.into_iter().map(PublishedRule::try_from).collect())
}

#[derive(FromQueryResult)]
struct RevisionRow {
    n: i64,
    moments: Option<i64>,
    catalogues: Option<i64>,
}

/// Changes whenever the published rules or catalogues of a workspace may have changed.
///
/// Moments are added up: a change makes the moment of its row later, so the sum grows with every change, while
/// the newest moment would hide one that was committed after a later or an equal one.
pub async fn revision(
    conn: &impl Conn,
    workspace: WorkspaceId,
) -> Result<(i64, Option<i64>, Option<i64>), StorageError> {
    let row = sql::one::<RevisionRow, _>(
        conn,
        "SELECT COUNT(*) AS n, CAST(SUM(updated_at) AS BIGINT) AS moments, \
         (SELECT CAST(SUM(catalogue_at) AS BIGINT) FROM connection c WHERE c.workspace_id = $1) AS catalogues \
         FROM rule WHERE workspace_id = $1",
        [workspace.0.into()],
    )
    .await?;
    Ok(row.map_or((0, None, None), |row| (row.n, row.moments, row.catalogues)))
}
