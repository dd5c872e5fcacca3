//! Up to when the CRM has shown that our writes were carried out.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("seen_to"));
        let table = Table::alter()
            .table(Alias::new("snapshot"))
            .add_column(column.big_integer().not_null().default(0))
            .to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("snapshot"))
            .drop_column(Alias::new("seen_to"))
            .to_owned();
        manager.alter_table(table).await
    }
}
