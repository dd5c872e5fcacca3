//! Counters of failed sign-ins, public ids of sessions, invitations, second factors, and the chain of the audit log.

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
            "sign_in_throttle",
            vec![
                text("name"),
                big("n_failures"),
                big("last_at"),
                big("blocked_until"),
                big_null("trusted_at"),
            ],
            &["name"],
        )
        .await?;
        // Found by the hash of its token before the workspace is known; without a workspace it lets somebody
        // make one.
        create(
            manager,
            "invitation",
            vec![
                text("token_hash"),
                uuid("id"),
                uuid_null("workspace_id"),
                text("email"),
                text_null("role"),
                uuid_null("invited_by"),
                big("created_at"),
                big("expires_at"),
                big_null("used_at"),
            ],
            &["token_hash"],
        )
        .await?;
        index(
            manager,
            "ix_invitation_workspace",
            "invitation",
            &["workspace_id", "id"],
            false,
        )
        .await?;
        create(
            manager,
            "second_factor",
            vec![
                uuid("user_id"),
                text("sealed"),
                big_null("confirmed_at"),
                big("last_step"),
            ],
            &["user_id"],
        )
        .await?;
        create(
            manager,
            "recovery_code",
            vec![uuid("user_id"), text("code_hash"), big_null("used_at")],
            &["user_id", "code_hash"],
        )
        .await?;
        create(
            manager,
            "audit_chain",
            vec![uuid("workspace_id"), big("n_entries"), text("head")],
            &["workspace_id"],
        )
        .await?;
        add(manager, "audit_entry", big_null("number")).await?;
        index(
            manager,
            "ix_audit_entry_number",
            "audit_entry",
            &["workspace_id", "number"],
            false,
        )
        .await?;
        add(manager, "session", uuid_null("id")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("ix_audit_entry_number")
            .table(Alias::new("audit_entry"))
            .to_owned();
        manager.drop_index(index).await?;
        for (table, column) in [("session", "id"), ("audit_entry", "number")] {
            let without = Table::alter()
                .table(Alias::new(table))
                .drop_column(Alias::new(column))
                .to_owned();
            manager.alter_table(without).await?;
        }
        drop_all(
            manager,
            &[
                "audit_chain",
                "recovery_code",
                "second_factor",
                "invitation",
                "sign_in_throttle",
            ],
        )
        .await
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    let with = Table::alter()
        .table(Alias::new(table))
        .add_column(&mut column)
        .to_owned();
    manager.alter_table(with).await
}
