//! Short words for the columns that every table is made of.

use sea_orm_migration::prelude::*;

/// A column under construction.
pub(crate) fn uuid(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.uuid().not_null();
    column
}

pub(crate) fn uuid_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.uuid().null();
    column
}

pub(crate) fn text(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.text().not_null();
    column
}

pub(crate) fn text_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.text().null();
    column
}

pub(crate) fn big(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.big_integer().not_null();
    column
}

pub(crate) fn big_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.big_integer().null();
    column
}

pub(crate) fn int(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.integer().not_null();
    column
}

pub(crate) fn int_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.integer();
    column
}

pub(crate) fn flag(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.boolean().not_null();
    column
}

/// Creates a table with its columns and primary key.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    columns: Vec<ColumnDef>,
    key: &[&'static str],
) -> Result<(), DbErr> {
    let mut table = Table::create();
    table.table(Alias::new(name));
    for mut column in columns {
        table.col(&mut column);
    }
    let mut primary = Index::create();
    primary.name(format!("pk_{name}"));
    for column in key {
        primary.col(Alias::new(*column));
    }
    table.primary_key(&mut primary);
    manager.create_table(table.to_owned()).await
}

/// Creates an index; `unique` ones are constraints that storage knows by name.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(Alias::new(table));
    for column in columns {
        index.col(Alias::new(*column));
    }
    if unique {
        index.unique();
    }
    manager.create_index(index.to_owned()).await
}

/// Creates an index over the rows that a condition picks, in the words both databases share.
pub(crate) async fn partial_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
    condition: &'static str,
) -> Result<(), DbErr> {
    let columns = columns
        .iter()
        .map(|column| format!("\"{column}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let statement = format!("CREATE INDEX \"{name}\" ON \"{table}\" ({columns}) WHERE {condition}");
    manager.get_connection().execute_unprepared(&statement).await?;
    Ok(())
}

/// Drops tables in the given order.
pub(crate) async fn drop_all(manager: &SchemaManager<'_>, names: &[&'static str]) -> Result<(), DbErr> {
    for name in names {
        manager
            .drop_table(Table::drop().table(Alias::new(*name)).to_owned())
            .await?;
    }
    Ok(())
}
