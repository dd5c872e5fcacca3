//! Rules that wait until a record is quiet.

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
            "quiet",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                text("record_kind"),
                text("record_id"),
                uuid("rule_id"),
                uuid("event_id"),
                text("fact"),
                int("chain"),
                big("due_at"),
            ],
            &[
                "workspace_id",
                "connection_id",
                "record_kind",
                "record_id",
                "rule_id",
            ],
        )
        .await?;
        index(
            manager,
            "ix_quiet_due",
            "quiet",
            &["due_at", "connection_id"],
            false,
        )
        .await?;
        index(
            manager,
            "ix_quiet_connection",
            "quiet",
            &["connection_id", "due_at"],
            false,
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["quiet"]).await
    }
}
