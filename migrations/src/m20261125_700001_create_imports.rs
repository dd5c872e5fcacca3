//! Uploaded files, their rows, and the mappings that are remembered for files with the same header.

use crate::table::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "import",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                text("name"),
                text("purpose"),
                text("state"),
                text("plan"),
                text("fingerprint"),
                uuid_null("rule_id"),
                big("position"),
                big("n_rows"),
                text_null("error"),
                big("version"),
                big("created_at"),
                big_null("started_at"),
                big_null("finished_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        partial_index(
            manager,
            "ix_import_at_work",
            "import",
            &["workspace_id", "id"],
            "state IN ('checking', 'running')",
        )
        .await?;
        create(
            manager,
            "import_row",
            vec![
                uuid("workspace_id"),
                uuid("import_id"),
                big("number"),
                text("state"),
                text_null("row_key"),
                text("cells"),
                text_null("error"),
                uuid_null("event_id"),
            ],
            &["workspace_id", "import_id", "number"],
        )
        .await?;
        partial_index(
            manager,
            "ix_import_row_key",
            "import_row",
            &["workspace_id", "row_key"],
            "row_key IS NOT NULL",
        )
        .await?;
        index(
            manager,
            "ix_import_row_state",
            "import_row",
            &["workspace_id", "import_id", "state", "number"],
            false,
        )
        .await?;
        create(
            manager,
            "import_mapping",
            vec![
                uuid("workspace_id"),
                text("purpose"),
                text("fingerprint"),
                text("columns"),
                big("updated_at"),
            ],
            &["workspace_id", "purpose", "fingerprint"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["import_mapping", "import_row", "import"]).await
    }
}
