//! How long a workspace keeps things, where it wants less than the installation allows.

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
            "retention",
            vec![
                uuid("workspace_id"),
                int_null("bodies_days"),
                int_null("history_days"),
                big("updated_at"),
            ],
            &["workspace_id"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Alias::new("retention")).to_owned())
            .await
    }
}
