//! Workspaces, users, sessions, API keys, audit, settings.

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
            "workspace",
            vec![
                uuid("id"),
                text("name"),
                text("zone"),
                text_null("calendar"),
                big("created_at"),
            ],
            &["id"],
        )
        .await?;
        create(
            manager,
            "user",
            vec![
                uuid("id"),
                text("email"),
                text("name"),
                text_null("password_hash"),
                flag("is_superuser"),
                big_null("disabled_at"),
                big("created_at"),
            ],
            &["id"],
        )
        .await?;
        index(manager, "ux_user_email", "user", &["email"], true).await?;
        create(
            manager,
            "membership",
            vec![
                uuid("workspace_id"),
                uuid("user_id"),
                text("role"),
                big("created_at"),
            ],
            &["workspace_id", "user_id"],
        )
        .await?;
        index(manager, "ix_membership_user", "membership", &["user_id"], false).await?;
        create(
            manager,
            "session",
            vec![
                text("key_hash"),
                uuid_null("user_id"),
                text("state"),
                text_null("address"),
                text_null("user_agent"),
                big("created_at"),
                big("last_seen_at"),
                big("expires_at"),
            ],
            &["key_hash"],
        )
        .await?;
        index(manager, "ix_session_user", "session", &["user_id"], false).await?;
        index(manager, "ix_session_expires", "session", &["expires_at"], false).await?;
        create(
            manager,
            "sign_in_link",
            vec![
                text("token_hash"),
                uuid_null("user_id"),
                text("purpose"),
                big("expires_at"),
                big_null("used_at"),
            ],
            &["token_hash"],
        )
        .await?;
        create(
            manager,
            "api_key",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                text("name"),
                text("prefix"),
                text("token_hash"),
                text("scopes"),
                uuid_null("created_by"),
                big("created_at"),
                big_null("expires_at"),
                big_null("last_used_at"),
                big_null("revoked_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(manager, "ix_api_key_token", "api_key", &["token_hash"], false).await?;
        create(
            manager,
            "request_key",
            vec![
                uuid("workspace_id"),
                text("key"),
                text("operation"),
                text("body_hash"),
                int("status"),
                text("response"),
                big("created_at"),
            ],
            &["workspace_id", "key"],
        )
        .await?;
        create(
            manager,
            "audit_entry",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                big("at"),
                text("actor_kind"),
                uuid_null("actor_id"),
                text("actor_name"),
                text("action"),
                text("subject_kind"),
                text("subject_id"),
                text_null("before"),
                text_null("after"),
                text_null("request_id"),
                text_null("address"),
                text_null("previous_hash"),
                text_null("hash"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        create(
            manager,
            "setting",
            vec![text("name"), text("value"), big("updated_at")],
            &["name"],
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(
            manager,
            &[
                "setting",
                "audit_entry",
                "request_key",
                "api_key",
                "sign_in_link",
                "session",
                "membership",
                "user",
                "workspace",
            ],
        )
        .await
    }
}
