//! `integrator keys`: the installation keys.

use crate::config::Config;
use anyhow::ensure;
use engine::keys::{self, KeyUse};
use secrecy::ExposeSecret;
use std::io::Write;
use storage::Db;
use vault::InstallationKey;

/// Prints a new key.
pub fn new(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", InstallationKey::generate()?.expose_secret())?;
    Ok(())
}

/// Says which key has sealed how much, and which configured ones are needed no more.
pub async fn status(config: &Config, db: &Db, out: &mut impl Write) -> anyhow::Result<()> {
    let KeyUse { by_key, n_unopened } = keys::key_use(db, &config.keyring).await?;
    let current = config.keyring.current_id();
    writeln!(out, "Новое запечатывает ключ «{current}».")?;
    for (key, n_texts) in &by_key {
        writeln!(out, "  {key}: запечатано {n_texts}")?;
    }
    if n_unopened > 0 {
        writeln!(
            out,
            "Не открывается ни одним ключом: {n_unopened}. Верните прежний ключ в vault.previous_keys."
        )?;
    } else if by_key.keys().any(|key| key != current) {
        writeln!(
            out,
            "Чтобы прежние ключи стали не нужны, выполните: integrator keys rotate"
        )?;
    } else {
        writeln!(out, "Прежние ключи не нужны: vault.previous_keys можно очистить.")?;
    }
    Ok(())
}

/// Seals everything anew with the newest key.
pub async fn rotate(config: &Config, db: &Db, out: &mut impl Write) -> anyhow::Result<()> {
    let before = keys::key_use(db, &config.keyring).await?;
    ensure!(
        before.n_unopened == 0,
        "не открывается ни одним ключом: {}. Верните прежний ключ в vault.previous_keys и повторите",
        before.n_unopened
    );
    let n_sealed = keys::rotate(db, &config.keyring).await?;
    writeln!(out, "Запечатано заново: {n_sealed}.")?;
    status(config, db, out).await
}
