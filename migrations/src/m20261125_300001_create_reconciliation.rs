//! Where reading what changed stands.

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
            "reconciliation",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                big("due_at"),
                big_null("since"),
                big_null("started_at"),
                text_null("cursor"),
                int("n_found"),
                int("n_idle"),
                int("n_failures"),
                text_null("failure"),
                big_null("found_at"),
                int("n_last_found"),
                big_null("page_at"),
            ],
            &["workspace_id", "connection_id"],
        )
        .await?;
        // Late webhooks are compared with what reconciliation found before them.
        partial_index(
            manager,
            "ix_event_polled",
            "event",
            &["workspace_id", "connection_id", "record_kind", "record_id"],
            "origin = 'poll'",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("ix_event_polled")
                    .table(Alias::new("event"))
                    .to_owned(),
            )
            .await?;
        drop_all(manager, &["reconciliation"]).await
    }
}
