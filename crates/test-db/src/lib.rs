//! A fresh migrated database for every test, on SQLite and on PostgreSQL.
//!
//! ```no_run
//! # async fn example() {
//! test_db::each_database(|db| async move {
//!     let connection = db.connect().await;
//!     // … the same case on both databases
//! })
//! .await;
//! # }
//! ```
//!
//! The schema is made once per version of the migrations, as a template file or database that each test gets
//! a copy of. The PostgreSQL server is named by `INTEGRATOR_TEST_POSTGRES`; `cargo xtask test` starts one, and
//! `cargo xtask db start` starts one that stays. Without it the PostgreSQL half of a test fails, unless
//! `INTEGRATOR_TEST_SQLITE_ONLY=1` is said aloud.
//!
//! Everything here panics on failure: only tests use it.

mod postgres;
mod server;
mod sqlite;

pub use server::OwnServer;

use std::fmt;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

/// The variable with the address of the PostgreSQL server, `postgres://…`.
pub const POSTGRES_VARIABLE: &str = "INTEGRATOR_TEST_POSTGRES";
/// The variable that, set to `1`, leaves out the PostgreSQL half of the tests.
pub const SQLITE_ONLY_VARIABLE: &str = "INTEGRATOR_TEST_SQLITE_ONLY";

/// Which database a [`TestDb`] lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of its own, in write-ahead mode.
    Sqlite,
    /// A database of its own on the server of [`POSTGRES_VARIABLE`].
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A migrated and otherwise empty database that belongs to one test and is deleted on drop.
///
/// Keep the value until the test is over: connections do not keep the database alive.
#[derive(Debug)]
pub struct TestDb {
    kind: Kind,
    url: String,
    _owned: Owned,
}

/// What is deleted on drop.
#[derive(Debug)]
enum Owned {
    Folder { _folder: tempfile::TempDir },
    Database { _database: postgres::OwnDatabase },
}

impl TestDb {
    /// The address to open the database with, as in the server's configuration.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Runs a statement of a test's own, beside the product.
    ///
    /// # Panics
    ///
    /// When the database refuses it.
    pub async fn execute(&self, sql: &str) {
        let connection = self.connect().await;
        if let Err(error) = connection.execute_unprepared(sql).await {
            panic!("{}: {sql}: {error}", self.kind);
        }
        if let Err(error) = connection.close().await {
            panic!("{}: {error}", self.kind);
        }
    }

    /// A pool of this test's own, for looking at rows from outside.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url, 4)
            .await
            .unwrap_or_else(|error| panic!("{}: {error:#}", self.kind))
    }
}

/// A fresh SQLite database in a temporary file.
pub async fn sqlite() -> TestDb {
    let (folder, url) = sqlite::create()
        .await
        .unwrap_or_else(|error| panic!("SQLite: {error:#}"));
    TestDb {
        kind: Kind::Sqlite,
        url,
        _owned: Owned::Folder { _folder: folder },
    }
}

/// A fresh PostgreSQL database on the server named by [`POSTGRES_VARIABLE`].
///
/// # Panics
///
/// When the variable is not set: a PostgreSQL test must not pass by not being run.
pub async fn postgres() -> TestDb {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else {
        panic!(
            "{POSTGRES_VARIABLE} is not set: start a server with `cargo xtask db start`, run everything with \
             `cargo xtask test`, or leave PostgreSQL out on purpose with {SQLITE_ONLY_VARIABLE}=1"
        );
    };
    let database = postgres::create(&server)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL at {server}: {error:#}"));
    TestDb {
        kind: Kind::Postgres,
        url: database.url().to_owned(),
        _owned: Owned::Database { _database: database },
    }
}

/// Runs one case on SQLite, then on PostgreSQL.
///
/// A failing case says which database it failed on.
pub async fn each_database<F, Fut>(case: F)
where
    F: Fn(TestDb) -> Fut,
    Fut: Future<Output = ()>,
{
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    eprintln!("{name}: on {}", Kind::Sqlite);
    case(sqlite().await).await;
    if sqlite_only() {
        eprintln!("{name}: {} left out by {SQLITE_ONLY_VARIABLE}", Kind::Postgres);
        return;
    }
    eprintln!("{name}: on {}", Kind::Postgres);
    case(postgres().await).await;
}

/// Whether the PostgreSQL half of the tests is left out on purpose.
pub fn sqlite_only() -> bool {
    std::env::var(SQLITE_ONLY_VARIABLE).is_ok_and(|value| value == "1")
        && std::env::var_os(POSTGRES_VARIABLE).is_none()
}

async fn connect(url: &str, max_connections: u32) -> anyhow::Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}
