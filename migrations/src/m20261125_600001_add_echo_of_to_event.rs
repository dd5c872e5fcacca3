//! Which delivery an echo is the echo of.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("echo_of"));
        let table = Table::alter()
            .table(Alias::new("event"))
            .add_column(column.uuid().null())
            .to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("event"))
            .drop_column(Alias::new("echo_of"))
            .to_owned();
        manager.alter_table(table).await
    }
}
