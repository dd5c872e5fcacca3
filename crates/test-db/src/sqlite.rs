//! A template file, made once per version of the migrations, and copies of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use migrations::Migrator;
use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;

/// Beside this crate's build output: as private and as short-lived as a compiled file.
const TEMPLATE: &str = concat!(
    env!("OUT_DIR"),
    "/template-",
    env!("MIGRATIONS_FINGERPRINT"),
    ".db"
);

/// A folder with a fresh database in it, and the address of the database.
pub(crate) async fn create() -> Result<(TempDir, String)> {
    let template = template().await?;
    let folder = tempfile::Builder::new()
        .prefix("crm-integrator-test-")
        .tempdir()?;
    let file = folder.path().join("test.db");
    std::fs::copy(&template, &file).with_context(|| format!("copying {}", template.display()))?;
    let url = url(&file);
    Ok((folder, url))
}

async fn template() -> Result<PathBuf> {
    let template = PathBuf::from(TEMPLATE);
    if template.is_file() {
        return Ok(template);
    }
    // Several processes may come here at once: each makes its own file, and the last rename wins.
    let parent = template.parent().context("the template has no folder")?;
    std::fs::create_dir_all(parent)?;
    let folder = TempDir::new_in(parent)?;
    let file = folder.path().join("template.db");
    let connection = crate::connect(&url(&file), 1).await?;
    connection.execute_unprepared("PRAGMA journal_mode = WAL").await?;
    Migrator::up(&connection, None)
        .await
        .context("migrating the template")?;
    // All pages into the main file: only that one is copied.
    connection
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await?;
    connection.close().await?;
    std::fs::rename(&file, &template).with_context(|| format!("naming {}", template.display()))?;
    Ok(template)
}

fn url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}
