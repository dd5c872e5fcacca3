//! What can go wrong with the database, by what the caller should do about it.

use thiserror::Error;

/// Why a storage call failed.
#[derive(Debug, Error)]
pub enum StorageError {
    /// There is no such row, or it belongs to somebody else.
    #[error("нет такой записи: {table}")]
    NotFound {
        /// Table that was asked.
        table: &'static str,
    },
    /// A unique constraint refused the row.
    #[error("такая запись уже есть")]
    Conflict,
    /// The row was changed by somebody else meanwhile.
    #[error("запись изменена другим пользователем: {table}")]
    Stale {
        /// Table whose row moved on.
        table: &'static str,
    },
    /// The database does not answer, is full or is busy: try again later.
    #[error("база данных недоступна")]
    Unavailable(#[source] sea_orm::DbErr),
    /// A stored document does not parse any more.
    #[error("повреждена запись {table} {id}")]
    Corrupt {
        /// Table of the row.
        table: &'static str,
        /// Its id.
        id: String,
    },
    /// Anything else the database said.
    #[error("ошибка базы данных")]
    Database(#[source] sea_orm::DbErr),
}

impl From<sea_orm::DbErr> for StorageError {
    fn from(error: sea_orm::DbErr) -> Self {
        use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::Conflict;
        }
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                let unavailable = match &**cause {
                    sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed => true,
                    // SQLite: busy, full, I/O; PostgreSQL: shutting down, cannot connect now, too many,
                    // taken back for the sake of another transaction.
                    sqlx::Error::Database(cause) => cause.code().is_some_and(|code| {
                        matches!(
                            code.as_ref(),
                            "5" | "13"
                                | "10"
                                | "261"
                                | "517"
                                | "57P01"
                                | "57P02"
                                | "57P03"
                                | "53100"
                                | "53300"
                                | "40001"
                                | "40P01"
                        )
                    }),
                    _ => false,
                };
                if unavailable {
                    Self::Unavailable(error)
                } else {
                    Self::Database(error)
                }
            }
            _ => Self::Database(error),
        }
    }
}
