//! The programs of the project, built for use on this machine.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{cmd, paths, say};

/// Cargo's profile for the server and the sandbox, both in the demo and in browser tests.
///
/// The same as for tests, so that whoever has run one has built most of the other.
const PROFILE: &str = "dev";

/// Paths of the built programs.
pub struct Binaries {
    /// `integrator`, the product.
    pub server: PathBuf,
    /// `sandbox`, both fake CRMs.
    pub sandbox: PathBuf,
}

/// Builds the server and the sandbox; quick when nothing has changed.
pub fn binaries() -> Result<Binaries> {
    let step = say::start("Собираю сервер и песочницу");
    cmd::run(cmd::cargo().args([
        "build",
        "--profile",
        PROFILE,
        "-p",
        "server",
        "-p",
        "sandbox",
        "--bins",
    ]))?;
    step.done();
    let dir = paths::target().join(if PROFILE == "dev" { "debug" } else { PROFILE });
    let binaries = Binaries {
        server: dir.join("integrator"),
        sandbox: dir.join("sandbox"),
    };
    for file in [&binaries.server, &binaries.sandbox] {
        if !file.is_file() {
            bail!("сборка прошла, но программы нет: {}", file.display());
        }
    }
    Ok(binaries)
}
