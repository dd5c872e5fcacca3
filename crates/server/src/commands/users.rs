//! `integrator users`: who may sign in, when nobody can do it in the interface.

use anyhow::{Context, bail};
use engine::Engine;
use secrecy::ExposeSecret;
use std::io::Write;
use storage::accounts::{self, User};
use storage::{Db, PageOf, sessions};

/// People listed at once.
const PAGE: u64 = 500;

/// Lists everybody.
pub async fn list(db: &Db, out: &mut impl Write) -> anyhow::Result<()> {
    let mut page = PageOf {
        limit: PAGE,
        before: None,
    };
    loop {
        let users = accounts::users(db, page).await?;
        for user in &users {
            let role = if user.is_superuser {
                " · администратор установки"
            } else {
                ""
            };
            let state = if user.disabled_at.is_some() {
                " · отключён"
            } else {
                ""
            };
            writeln!(out, "{}  {}{role}{state}", user.email, user.name)?;
        }
        match users.last() {
            Some(last) if users.len() as u64 == PAGE => page.before = Some(last.id.0),
            _ => return Ok(()),
        }
    }
}

/// Prints a link that signs a person in once: the way back for who has lost the password.
pub async fn link(
    engine: &Engine,
    public_url: &str,
    email: &str,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let user = known(engine.db(), email).await?;
    if user.disabled_at.is_some() {
        bail!(
            "{} отключён: сначала выполните integrator users enable {}",
            user.email,
            user.email
        );
    }
    let token = engine.accounts().sign_in_token(user.id).await?;
    writeln!(out, "{public_url}/welcome#{}", token.expose_secret())?;
    writeln!(out, "Ссылка действует час и срабатывает один раз.")?;
    Ok(())
}

/// Lets a person in again, or keeps them out and ends their sessions.
pub async fn set_enabled(
    engine: &Engine,
    email: &str,
    is_enabled: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let db = engine.db();
    let user = known(db, email).await?;
    let since = (!is_enabled).then(|| engine.clock().now());
    if !is_enabled && user.is_superuser && accounts::n_superusers(db).await? < 2 {
        bail!(
            "{} — единственный администратор установки: сначала назначьте другого",
            user.email
        );
    }
    accounts::set_disabled(db, user.id, since).await?;
    if !is_enabled {
        sessions::end_others(db, user.id, None).await?;
    }
    let word = if is_enabled {
        "может входить"
    } else {
        "отключён, его сеансы завершены"
    };
    writeln!(out, "{} {word}.", user.email)?;
    Ok(())
}

async fn known(db: &Db, email: &str) -> anyhow::Result<User> {
    let email = email.trim().to_lowercase();
    let user = accounts::user_by_email(db, &email).await?;
    user.with_context(|| format!("человека с адресом {email} нет; список: integrator users list"))
}
