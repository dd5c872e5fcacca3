//! PostgreSQL and Chromium from Debian's packages.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{cmd, paths, say};

/// A program that comes from the system's package manager.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// The server programs `initdb` and `pg_ctl`.
    Postgres,
    /// The browser for tests, with a font that has Cyrillic letters.
    Chromium,
}

impl Package {
    fn debian_names(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Chromium => &["chromium", "fonts-dejavu-core"],
        }
    }

    fn is_present(self) -> bool {
        match self {
            Self::Postgres => postgres_bin().is_some(),
            Self::Chromium => chromium().is_some(),
        }
    }
}

/// Installs what is missing with one call of `apt-get`; does nothing when all is there.
pub fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|package| !package.is_present())
        .flat_map(|package| package.debian_names().iter().copied())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let Some(prefix) = privileged() else {
        bail!(
            "не хватает пакетов: {names}. Для установки нужны права администратора. \
             Выполните сами и повторите команду:\n    sudo apt-get install {names}"
        );
    };
    let step = say::start(format!("Ставлю пакеты Debian: {names} (один раз)"));
    cmd::run_logged(apt_get(&prefix).args(["-q", "update"]), "apt-update")?;
    cmd::run_logged(
        apt_get(&prefix)
            .args(["-q", "-y", "--no-install-recommends", "install"])
            .args(&missing),
        "apt-install",
    )?;
    step.done();
    for package in packages {
        if !package.is_present() {
            bail!("после установки пакетов {names} программы всё ещё не найдены");
        }
    }
    Ok(())
}

/// The folder with `initdb` and `pg_ctl`: the newest of Debian's, else the one on the path.
pub fn postgres_bin() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").is_file().then_some((version, bin))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin).or_else(|| {
        paths::which("initdb")?
            .canonicalize()
            .ok()?
            .parent()
            .map(Path::to_path_buf)
    })
}

/// The system's Chromium.
pub fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| paths::which(name))
}

/// Whether we are root.
pub fn is_root() -> bool {
    cmd::try_output(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

/// How to become root: nothing to add, `sudo`, or not at all.
fn privileged() -> Option<Vec<&'static str>> {
    paths::which("apt-get")?;
    if is_root() {
        return Some(vec![]);
    }
    paths::which("sudo")?;
    let without_password = Command::new("sudo")
        .args(["-n", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if without_password {
        return Some(vec!["sudo", "-n"]);
    }
    // A password can only be asked of a person, and before the output goes to a log.
    let asked = std::io::stdin().is_terminal()
        && Command::new("sudo")
            .arg("-v")
            .status()
            .is_ok_and(|status| status.success());
    asked.then(|| vec!["sudo", "-n"])
}

fn apt_get(prefix: &[&str]) -> Command {
    let words: Vec<&str> = prefix
        .iter()
        .copied()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .collect();
    let mut command = cmd::program(words[0]);
    command.args(&words[1..]);
    command
}
