//! Connections, their secrets, catalogues and leases.

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
            "connection",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                text("kind"),
                text("name"),
                text("settings"),
                text("state"),
                text_null("state_reason"),
                text_null("card"),
                text_null("catalogue"),
                big_null("catalogue_at"),
                text_null("subscription"),
                big_null("subscription_at"),
                big_null("last_success_at"),
                big_null("last_failure_at"),
                text_null("last_failure"),
                big_null("last_event_at"),
                big_null("reconciled_at"),
                text_null("data_key"),
                big("version"),
                big("created_at"),
                big("updated_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        // The workers know a connection by its id alone.
        index(manager, "ix_connection_id", "connection", &["id"], false).await?;
        // The row is long, and the workers ask often whether a catalogue is newer.
        index(
            manager,
            "ix_connection_catalogue",
            "connection",
            &["workspace_id", "catalogue_at"],
            false,
        )
        .await?;
        create(
            manager,
            "hook_secret",
            vec![
                text("secret_hash"),
                uuid("workspace_id"),
                uuid("connection_id"),
                text("sealed"),
                big("created_at"),
                big_null("expires_at"),
            ],
            &["secret_hash"],
        )
        .await?;
        index(
            manager,
            "ix_hook_secret_connection",
            "hook_secret",
            &["workspace_id", "connection_id"],
            false,
        )
        .await?;
        create(
            manager,
            "credential",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                text("sealed"),
                text_null("previous"),
                big_null("expires_at"),
                big("version"),
                big("updated_at"),
            ],
            &["workspace_id", "connection_id"],
        )
        .await?;
        create(
            manager,
            "catalogue_change",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("connection_id"),
                big("at"),
                text("changes"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        create(
            manager,
            "lease",
            vec![text("name"), text("owner"), big("fence"), big("until")],
            &["name"],
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(
            manager,
            &[
                "lease",
                "catalogue_change",
                "credential",
                "hook_secret",
                "connection",
            ],
        )
        .await
    }
}
