//! A template database, made once per version of the migrations, and copies of it.

use std::path::Path;

use anyhow::{Context, Result};
use migrations::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;
use tokio::sync::OnceCell;
use uuid::Uuid;

const TEMPLATE: &str = concat!("crm_template_", env!("MIGRATIONS_FINGERPRINT"));
/// Test databases are named `crm_test_<process id>_<unique>`, so that leftovers can be told.
const PREFIX: &str = "crm_test_";
/// Held while the template is made and leftovers are swept; the number only has to be ours.
const ADVISORY_LOCK: i64 = 0x6372_6d5f_7465_7374;

static PREPARED: OnceCell<()> = OnceCell::const_new();

/// A database that is dropped with the value.
#[derive(Debug)]
pub(crate) struct OwnDatabase {
    server: String,
    name: String,
    url: String,
}

impl OwnDatabase {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Makes a fresh database on the server.
pub(crate) async fn create(server: &str) -> Result<OwnDatabase> {
    PREPARED.get_or_try_init(|| prepare(server)).await?;
    let name = format!("{PREFIX}{}_{}", std::process::id(), Uuid::now_v7().simple());
    let admin = crate::connect(server, 1).await?;
    let created = admin
        .execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        .await;
    admin.close().await?;
    created.context("copying the template")?;
    let url = with_database(server, &name);
    Ok(OwnDatabase {
        server: server.to_owned(),
        name,
        url,
    })
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The test's own runtime may be shutting down, and cannot be waited for from here.
        let dropped = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let admin = crate::connect(&server, 1).await?;
                admin.execute_unprepared(&statement).await?;
                admin.close().await?;
                Ok(())
            })
        })
        .join();
        let failed = match dropped {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "the thread panicked".to_owned(),
        };
        // A second panic would end the process and hide the first one.
        if std::thread::panicking() {
            eprintln!("database {} is left over: {failed}", self.name);
        } else {
            panic!("database {} is left over: {failed}", self.name);
        }
    }
}

/// Sweeps leftovers and makes the template, one process at a time.
async fn prepare(server: &str) -> Result<()> {
    // One connection, so that the lock and all that it guards are of one session.
    let admin = crate::connect(server, 1).await?;
    admin
        .execute_unprepared(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .await?;
    let prepared = async {
        sweep(&admin).await?;
        make_template(&admin, server).await
    }
    .await;
    // Closing the connection gives the lock back.
    admin.close().await?;
    prepared
}

async fn sweep(admin: &DatabaseConnection) -> Result<()> {
    for name in databases(admin).await? {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            admin
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await?;
        }
    }
    Ok(())
}

async fn make_template(admin: &DatabaseConnection, server: &str) -> Result<()> {
    if databases(admin).await?.iter().any(|name| name == TEMPLATE) {
        return Ok(());
    }
    // The name is given last: a database of that name is complete, whatever was interrupted before.
    let unfinished = format!("{TEMPLATE}_unfinished");
    admin
        .execute_unprepared(&format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"))
        .await?;
    admin
        .execute_unprepared(&format!("CREATE DATABASE {unfinished} TEMPLATE template0"))
        .await?;
    let connection = crate::connect(&with_database(server, &unfinished), 1).await?;
    let migrated = Migrator::up(&connection, None).await;
    connection.close().await?;
    migrated.context("migrating the template")?;
    admin
        .execute_unprepared(&format!("ALTER DATABASE {unfinished} RENAME TO {TEMPLATE}"))
        .await?;
    Ok(())
}

async fn databases(admin: &DatabaseConnection) -> Result<Vec<String>> {
    let all = Statement::from_string(DbBackend::Postgres, "SELECT datname::text FROM pg_database");
    let rows = admin.query_all_raw(all).await?;
    rows.iter()
        .map(|row| Ok(row.try_get::<String>("", "datname")?))
        .collect()
}

/// The server's address with another database in it.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = server
        .split_once('?')
        .map_or((server, None), |(a, o)| (a, Some(o)));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{}/{name}{options}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, expected: &str) {
        assert_eq!(with_database(server, "x"), expected);
    }

    #[test]
    fn database_is_replaced_in_an_address() {
        check(
            "postgres://u@localhost/postgres?host=/tmp/pg",
            "postgres://u@localhost/x?host=/tmp/pg",
        );
        check("postgres://u:p@db:5433/postgres", "postgres://u:p@db:5433/x");
        check("postgres://db", "postgres://db/x");
    }
}
