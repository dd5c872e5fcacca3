//! A workspace as a whole: forgetting it with everything in it.

use crate::db::{Tx, is_postgres};
use crate::error::StorageError;
use crate::sql;
use domain::id::WorkspaceId;
use sea_orm::FromQueryResult;

#[derive(FromQueryResult)]
struct TableRow {
    name: String,
}

/// Forgets a workspace with every row that belongs to it. The tables are asked of the schema, so that a table
/// that is added later is not left behind.
pub async fn erase(tx: &Tx, workspace: WorkspaceId) -> Result<(), StorageError> {
    let tables = if is_postgres(tx) {
        "SELECT table_name AS name FROM information_schema.columns \
         WHERE column_name = 'workspace_id' AND table_schema = current_schema()"
    } else {
        "SELECT t.name AS name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.name = 'workspace_id'"
    };
    for table in sql::all::<TableRow, _>(tx, tables, []).await? {
        let sql = format!("DELETE FROM \"{}\" WHERE workspace_id = $1", table.name);
        sql::execute(tx, &sql, [workspace.0.into()]).await?;
    }
    let n_rows = sql::execute(tx, "DELETE FROM workspace WHERE id = $1", [workspace.0.into()]).await?;
    if n_rows == 0 {
        return Err(StorageError::NotFound { table: "workspace" });
    }
    Ok(())
}
