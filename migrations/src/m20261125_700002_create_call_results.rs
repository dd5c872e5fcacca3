//! Results of calls, how steps and dispositions become results, and leads whose calls are to be asked for.

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
            "call_result",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("connection_id"),
                text_null("call_key"),
                big("at"),
                text_null("phone"),
                text_null("contact"),
                text_null("result"),
                big_null("duration"),
                text_null("direction"),
                text_null("disposition"),
                text_null("comment"),
                text_null("operator"),
                text_null("recording"),
                text("source"),
                text_null("lead_id"),
                text_null("deal_id"),
                uuid_null("event_id"),
                text("sync"),
                text_null("sync_error"),
                flag("is_settled"),
                big("created_at"),
                big("updated_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ux_call_result_key",
            "call_result",
            &["workspace_id", "connection_id", "call_key"],
            true,
        )
        .await?;
        index(
            manager,
            "ix_call_result_at",
            "call_result",
            &["workspace_id", "at", "id"],
            false,
        )
        .await?;
        index(
            manager,
            "ix_call_result_phone",
            "call_result",
            &["workspace_id", "phone", "at"],
            false,
        )
        .await?;
        partial_index(
            manager,
            "ix_call_result_open",
            "call_result",
            &["workspace_id", "id"],
            "NOT is_settled",
        )
        .await?;
        create(
            manager,
            "call_setting",
            vec![uuid("workspace_id"), text("settings"), big("version")],
            &["workspace_id"],
        )
        .await?;
        create(
            manager,
            "call_poll",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                text("lead_id"),
                big("due_at"),
                int("n_done"),
            ],
            &["workspace_id", "connection_id", "lead_id"],
        )
        .await?;
        index(manager, "ix_call_poll_due", "call_poll", &["due_at"], false).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["call_poll", "call_setting", "call_result"]).await
    }
}
