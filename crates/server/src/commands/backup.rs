//! `integrator backup` and `integrator restore`: a copy of an SQLite database, taken while the server runs.

use anyhow::{Context, bail, ensure};
use std::io::Write;
use std::path::Path;
use storage::Db;

const POSTGRES: &str = "Базу PostgreSQL копируют её собственные средства:
  pg_dump --format=custom --file=integrator.dump \"$INTEGRATOR_DATABASE__URL\"
  pg_restore --clean --if-exists --dbname=\"$INTEGRATOR_DATABASE__URL\" integrator.dump";

/// Writes a copy into a new file and checks that it opens.
pub async fn backup(db: &Db, path: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    if db.is_postgres() {
        bail!(POSTGRES);
    }
    ensure!(
        !path.exists(),
        "файл {} уже есть: назовите другой",
        path.display()
    );
    let name = path.to_str().context("имя файла не записывается в UTF-8")?;
    db.copy_into(name).await?;
    check(path).await?;
    let n_bytes = std::fs::metadata(path)?.len();
    writeln!(
        out,
        "Копия готова: {} ({} КБ).",
        path.display(),
        n_bytes.div_ceil(1024)
    )?;
    writeln!(
        out,
        "Храните её вместе с ключом установки (vault.key) и папкой файлов: без ключа секреты подключений не открыть."
    )?;
    Ok(())
}

/// Puts a checked copy in the place of the database, which must be free: the server is stopped, the old file moved.
pub async fn restore(url: &str, path: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let Some(target) = sqlite_path(url) else {
        bail!(POSTGRES);
    };
    let target = Path::new(target);
    ensure!(path.is_file(), "файла {} нет", path.display());
    for suffix in ["", "-wal", "-shm"] {
        let taken = format!("{}{suffix}", target.display());
        ensure!(
            !Path::new(&taken).exists(),
            "на месте базы уже лежит {taken}: остановите сервер и уберите файл, затем повторите"
        );
    }
    check(path).await?;
    std::fs::copy(path, target).with_context(|| format!("{} не записан", target.display()))?;
    writeln!(out, "База восстановлена: {}. Запустите сервер.", target.display())?;
    Ok(())
}

/// A copy that does not open, or is damaged, is worse than none.
async fn check(path: &Path) -> anyhow::Result<()> {
    let copy = Db::connect(&format!("sqlite://{}?mode=rw", path.display()), 1)
        .await
        .with_context(|| format!("{} не открывается", path.display()))?;
    let damage = copy.damage().await;
    copy.close().await?;
    let damage = damage.with_context(|| format!("{} — не база Интегратора", path.display()))?;
    ensure!(
        damage.is_empty(),
        "{} повреждён: {}",
        path.display(),
        damage.join("; ")
    );
    Ok(())
}

/// The file of an SQLite address: `sqlite://path?mode=rwc`.
fn sqlite_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    rest.split('?').next().filter(|path| !path.is_empty())
}
