//! Emergency stops: what a person has told us not to send.

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
        // The installation's own stop carries the nil workspace, so that the key stays whole.
        create(
            manager,
            "stop",
            vec![
                uuid("workspace_id"),
                text("scope"),
                uuid("subject_id"),
                text_null("reason"),
                text("actor_name"),
                big("stopped_at"),
            ],
            &["workspace_id", "scope", "subject_id"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Alias::new("stop")).to_owned())
            .await
    }
}
