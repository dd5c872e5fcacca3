//! Rules and their published versions.

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
            "rule",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                text("name"),
                int("position"),
                flag("enabled"),
                uuid("source"),
                text("draft"),
                big("version"),
                uuid_null("published_version_id"),
                text_null("attention"),
                big("created_at"),
                big("updated_at"),
                big_null("deleted_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_rule_updated",
            "rule",
            &["workspace_id", "updated_at"],
            false,
        )
        .await?;
        create(
            manager,
            "rule_version",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("rule_id"),
                int("number"),
                text("document"),
                text("summary"),
                uuid_null("published_by"),
                big("published_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ux_rule_version_number",
            "rule_version",
            &["workspace_id", "rule_id", "number"],
            true,
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["rule_version", "rule"]).await
    }
}
