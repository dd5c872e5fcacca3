//! Test cases of rules. They belong to a rule and not to its versions, and go when it goes.

use crate::db::Conn;
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::case::TestCase;
use domain::id::{RuleId, TestCaseId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A stored test case.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredCase {
    /// Its id.
    pub id: TestCaseId,
    /// Its rule.
    pub rule: RuleId,
    /// What it says.
    pub case: TestCase,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    rule_id: Uuid,
    name: String,
    facts: String,
    expected: String,
    created_at: i64,
    updated_at: i64,
}

const COLUMNS: &str = "id, rule_id, name, facts, expected, created_at, updated_at";

impl TryFrom<Row> for StoredCase {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: TestCaseId(row.id),
            rule: RuleId(row.rule_id),
            case: TestCase {
                name: row.name,
                facts: document("rule_case", row.id, &row.facts)?,
                expected: document("rule_case", row.id, &row.expected)?,
            },
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

/// Stores a new case.
pub async fn insert(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    id: TestCaseId,
    case: &TestCase,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO rule_case (workspace_id, id, rule_id, name, facts, expected, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        [
            workspace.0.into(),
            id.0.into(),
            rule.0.into(),
            case.name.as_str().into(),
            json(&case.facts).into(),
            json(&case.expected).into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Cases of a rule, oldest first.
pub async fn list(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
) -> Result<Vec<StoredCase>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM rule_case WHERE workspace_id = $1 AND rule_id = $2 ORDER BY id");
    sql::all::<Row, _>(conn, &sql, [workspace.0.into(), rule.0.into()])
        .await?
        .into_iter()
        .map(StoredCase::try_from)
        .collect()
}

/// One case of a rule.
pub async fn find(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    id: TestCaseId,
) -> Result<StoredCase, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM rule_case WHERE workspace_id = $1 AND rule_id = $2 AND id = $3");
    sql::one::<Row, _>(conn, &sql, [workspace.0.into(), rule.0.into(), id.0.into()])
        .await?
        .ok_or(StorageError::NotFound { table: "rule_case" })?
        .try_into()
}

/// Replaces what a case says.
pub async fn update(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    id: TestCaseId,
    case: &TestCase,
    now: Timestamp,
) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE rule_case SET name = $4, facts = $5, expected = $6, updated_at = $7 \
         WHERE workspace_id = $1 AND rule_id = $2 AND id = $3",
        [
            workspace.0.into(),
            rule.0.into(),
            id.0.into(),
            case.name.as_str().into(),
            json(&case.facts).into(),
            json(&case.expected).into(),
            now.0.into(),
        ],
    )
    .await?;
    there(n_rows)
}

/// Takes a case away.
pub async fn delete(
    conn: &impl Conn,
    workspace: WorkspaceId,
    rule: RuleId,
    id: TestCaseId,
) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "DELETE FROM rule_case WHERE workspace_id = $1 AND rule_id = $2 AND id = $3",
        [workspace.0.into(), rule.0.into(), id.0.into()],
    )
    .await?;
    there(n_rows)
}

/// Takes every case of a rule away.
pub async fn delete_all(conn: &impl Conn, workspace: WorkspaceId, rule: RuleId) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "DELETE FROM rule_case WHERE workspace_id = $1 AND rule_id = $2",
        [workspace.0.into(), rule.0.into()],
    )
    .await?;
    Ok(())
}

fn there(n_rows: u64) -> Result<(), StorageError> {
    if n_rows == 0 {
        Err(StorageError::NotFound { table: "rule_case" })
    } else {
        Ok(())
    }
}
