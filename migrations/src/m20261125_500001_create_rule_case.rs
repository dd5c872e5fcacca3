//! Test cases of rules.

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
            "rule_case",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("rule_id"),
                text("name"),
                text("facts"),
                text("expected"),
                big("created_at"),
                big("updated_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_rule_case_rule",
            "rule_case",
            &["workspace_id", "rule_id"],
            false,
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["rule_case"]).await
    }
}
