//! What an operator asks of the database: a copy, a check, its age.

use crate::db::{Db, is_postgres, raw};
use crate::error::StorageError;
use crate::sql;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use sea_orm_migration::MigratorTrait;

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

/// Connections to the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolUse {
    /// Open.
    pub n_open: u32,
    /// Of these, waiting for something to do.
    pub n_idle: u32,
    /// As many as may be opened.
    pub n_most: u32,
}

impl Db {
    /// Speaks PostgreSQL, whose own tools copy it.
    pub fn is_postgres(&self) -> bool {
        is_postgres(self)
    }

    /// Writes a consistent copy of an SQLite database into a new file while everything goes on. Fails when the file
    /// is there.
    pub async fn copy_into(&self, path: &str) -> Result<(), StorageError> {
        let pool = raw(self);
        let statement =
            Statement::from_sql_and_values(pool.get_database_backend(), "VACUUM INTO $1", [path.into()]);
        pool.execute_raw(statement).await?;
        Ok(())
    }

    /// What SQLite finds wrong with the file; empty when nothing. PostgreSQL checks itself.
    pub async fn damage(&self) -> Result<Vec<String>, StorageError> {
        if self.is_postgres() {
            return Ok(Vec::new());
        }
        let sql = "SELECT integrity_check AS text FROM pragma_integrity_check";
        let rows = sql::all::<Text, _>(self, sql, []).await?;
        Ok(rows
            .into_iter()
            .map(|row| row.text)
            .filter(|text| text != "ok")
            .collect())
    }

    /// How many migrations wait to be applied.
    pub async fn n_pending_migrations(&self) -> Result<usize, StorageError> {
        Ok(migrations::Migrator::get_pending_migrations(&self.pool)
            .await?
            .len())
    }

    /// How the pool stands.
    pub fn pool_use(&self) -> PoolUse {
        let (n_open, n_idle, n_most) = if self.is_postgres() {
            let pool = self.pool.get_postgres_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        } else {
            let pool = self.pool.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        };
        PoolUse {
            n_open,
            n_idle: u32::try_from(n_idle).unwrap_or(u32::MAX),
            n_most,
        }
    }

    /// The database's clock, in milliseconds since 1970; on SQLite that of this machine.
    pub async fn now_ms(&self) -> Result<i64, StorageError> {
        let sql = if self.is_postgres() {
            "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS number"
        } else {
            "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS number"
        };
        let row = sql::one::<Number, _>(self, sql, []).await?;
        Ok(row.map_or(0, |row| row.number))
    }
}
