//! What the program does besides serving: one module for each family of sub-commands. They print to the output that
//! they are given and never start a loop.

pub mod backup;
pub mod doctor;
pub mod keys;
pub mod users;

use crate::config::Config;
use crate::startup;
use anyhow::ensure;
use domain::time::Timestamp;
use engine::Engine;
use secrecy::ExposeSecret;
use std::io::Write;
use std::path::Path;

/// Something done to an installation from the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation<'a> {
    /// Look at everything and say what to do.
    Doctor,
    /// Which keys have sealed what.
    KeyStatus,
    /// Seal everything with the newest key.
    RotateKeys,
    /// Everybody who may sign in.
    ListUsers,
    /// A one-time link for this e-mail.
    Link(&'a str),
    /// Let this e-mail in again, or keep it out.
    SetEnabled(&'a str, bool),
    /// Copy the database into this file.
    Backup(&'a Path),
    /// Put this copy in the place of the database.
    Restore(&'a Path),
}

impl<'a> Operation<'a> {
    /// Reads the words of the command line; `None` when they mean nothing.
    pub fn parse(words: &[&'a str]) -> Option<Self> {
        Some(match words {
            ["doctor"] => Self::Doctor,
            ["keys", "status"] => Self::KeyStatus,
            ["keys", "rotate"] => Self::RotateKeys,
            ["users", "list"] => Self::ListUsers,
            ["users", "link", email] => Self::Link(email),
            ["users", "enable", email] => Self::SetEnabled(email, true),
            ["users", "disable", email] => Self::SetEnabled(email, false),
            ["backup", file] => Self::Backup(Path::new(*file)),
            ["restore", file] => Self::Restore(Path::new(*file)),
            _ => return None,
        })
    }

    /// Does it, telling how it went.
    pub async fn run(self, config: &Config, now: Timestamp, out: &mut impl Write) -> anyhow::Result<()> {
        match self {
            Self::Doctor => {
                let n_troubles = doctor::examine(config, now.0, out).await?;
                ensure!(n_troubles == 0, "неисправностей: {n_troubles}");
                Ok(())
            }
            Self::Restore(file) => backup::restore(config.database.url.expose_secret(), file, out).await,
            Self::KeyStatus => {
                at_rest(config, async |engine| {
                    keys::status(config, engine.db(), out).await
                })
                .await
            }
            Self::RotateKeys => {
                at_rest(config, async |engine| {
                    keys::rotate(config, engine.db(), out).await
                })
                .await
            }
            Self::ListUsers => at_rest(config, async |engine| users::list(engine.db(), out).await).await,
            Self::Link(email) => {
                let url = config.server.public_url.as_deref().unwrap_or_default();
                at_rest(config, async |engine| users::link(engine, url, email, out).await).await
            }
            Self::SetEnabled(email, is_enabled) => {
                at_rest(config, async |engine| {
                    users::set_enabled(engine, email, is_enabled, out).await
                })
                .await
            }
            Self::Backup(file) => {
                at_rest(config, async |engine| {
                    backup::backup(engine.db(), file, out).await
                })
                .await
            }
        }
    }
}

/// Does one thing over the database and closes it.
async fn at_rest(
    config: &Config,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let engine = startup::at_rest(config).await?;
    let done = work(&engine).await;
    engine.db().clone().close().await?;
    done
}
