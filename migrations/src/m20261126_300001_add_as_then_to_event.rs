//! Whether a repeated event is looked at by the rules as they stood at the first time.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(Alias::new("as_then"));
        let table = Table::alter()
            .table(Alias::new("event"))
            .add_column(column.boolean().not_null().default(false))
            .to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("event"))
            .drop_column(Alias::new("as_then"))
            .to_owned();
        manager.alter_table(table).await
    }
}
