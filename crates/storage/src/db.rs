//! The database: pool, transactions, dialect.

use crate::error::StorageError;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pool of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pool: DatabaseConnection,
    /// SQLite has one writer at a time, and those who find it busy ask again at random: here they stand in line, so
    /// that nobody who writes much keeps others waiting.
    writer: Option<Arc<Semaphore>>,
}

/// An open transaction. Dropped without [`Tx::commit`] it is taken back. Nothing remote happens inside, and
/// nothing inside touches the pool.
#[derive(Debug)]
pub struct Tx {
    pub(crate) inner: DatabaseTransaction,
    _turn: Option<OwnedSemaphorePermit>,
}

mod sealed {
    pub trait Sealed {
        type Raw: sea_orm::ConnectionTrait;
        fn raw(&self) -> &Self::Raw;
    }
}

/// What a storage function runs on: the pool ([`Db`]) or an open transaction ([`Tx`]).
pub trait Conn: sealed::Sealed + Send + Sync {}

impl sealed::Sealed for Db {
    type Raw = DatabaseConnection;
    fn raw(&self) -> &DatabaseConnection {
        &self.pool
    }
}
impl Conn for Db {}

impl sealed::Sealed for Tx {
    type Raw = DatabaseTransaction;
    fn raw(&self) -> &DatabaseTransaction {
        &self.inner
    }
}
impl Conn for Tx {}

/// The connection inside, for this crate's queries only.
pub(crate) fn raw<C: Conn>(conn: &C) -> &impl ConnectionTrait {
    conn.raw()
}

/// Speaks PostgreSQL, not SQLite.
pub(crate) fn is_postgres<C: Conn>(conn: &C) -> bool {
    conn.raw().get_database_backend() == DbBackend::Postgres
}

impl Db {
    /// Opens `sqlite://path?mode=rwc` or `postgres://…` with at most `max_connections` (SQLite: readers
    /// beside one writer).
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StorageError> {
        Self::open(url, max_connections, false).await
    }

    /// The same over an SQLite file that does not grow any more, as on a full disk.
    #[cfg(feature = "testing")]
    pub async fn connect_on_full_disk(url: &str, max_connections: u32) -> Result<Self, StorageError> {
        Self::open(url, max_connections, true).await
    }

    async fn open(url: &str, max_connections: u32, is_full: bool) -> Result<Self, StorageError> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(max_connections.max(2))
            .min_connections(1)
            .connect_timeout(Duration::from_secs(5))
            .acquire_timeout(Duration::from_secs(10))
            .sqlx_logging(false);
        if url.starts_with("sqlite:") {
            options.map_sqlx_sqlite_opts(move |options| {
                // A limit below the present size becomes the present size.
                let limited = if is_full {
                    options.pragma("max_page_count", "1")
                } else {
                    options
                };
                limited
                    .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
                    .synchronous(sea_orm::sqlx::sqlite::SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_secs(10))
                    .pragma("cache_size", "-16000")
                    .pragma("temp_store", "memory")
            });
        }
        Ok(Self {
            pool: Database::connect(options).await?,
            writer: url.starts_with("sqlite:").then(|| Arc::new(Semaphore::new(1))),
        })
    }

    /// Brings the schema up to date. Several processes may do so at once: PostgreSQL takes them in turn.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        if self.pool.get_database_backend() == DbBackend::Postgres {
            let guard = self.pool.begin().await?;
            guard
                .execute_unprepared("SELECT pg_advisory_xact_lock(7264153)")
                .await?;
            migrations::Migrator::up(&self.pool, None).await?;
            guard.commit().await?;
        } else {
            migrations::Migrator::up(&self.pool, None).await?;
        }
        Ok(())
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once: a reader that later
    /// wants to write would fail without waiting.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let turn = match &self.writer {
            // Never closed, so the turn always comes.
            Some(writer) => Arc::clone(writer).acquire_owned().await.ok(),
            None => None,
        };
        Ok(Tx {
            inner: self.pool.begin_with_options(options).await?,
            _turn: turn,
        })
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<(), StorageError> {
        self.pool.ping().await.map_err(StorageError::from)
    }

    /// Closes the pool.
    pub async fn close(self) -> Result<(), StorageError> {
        self.pool.close().await.map_err(StorageError::from)
    }
}

impl Tx {
    /// Makes everything of this transaction last.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.inner.commit().await.map_err(StorageError::from)
    }
}
