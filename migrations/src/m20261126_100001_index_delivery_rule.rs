//! Which rules wait for a connection, and what of each has been due longest: rules take turns.

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
        partial_index(
            manager,
            "ix_delivery_rule",
            "delivery",
            &["connection_id", "rule_id", "due_at", "id"],
            "state IN ('pending', 'uncertain', 'leased')",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("ix_delivery_rule")
                    .table(Alias::new("delivery"))
                    .to_owned(),
            )
            .await
    }
}
