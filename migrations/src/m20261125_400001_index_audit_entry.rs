//! What was done to one thing, and when last, is asked of a log that only grows.

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
        index(
            manager,
            "ix_audit_entry_subject",
            "audit_entry",
            &["workspace_id", "subject_kind", "subject_id", "at"],
            false,
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("ix_audit_entry_subject")
                    .table(Alias::new("audit_entry"))
                    .to_owned(),
            )
            .await
    }
}
