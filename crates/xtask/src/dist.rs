//! `cargo xtask dist FOLDER`: what a deployment consists of, optimised. The Dockerfile calls it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cmd, paths, say, setup, wasm};

/// Puts `integrator`, `sandbox` and the folder `interface` into the given folder.
pub fn main(args: &[String]) -> Result<()> {
    let [folder] = args else {
        bail!("нужно: cargo xtask dist ПАПКА")
    };
    let folder = std::env::current_dir()?.join(folder);
    setup::interface_tools(wasm::Kind::Release)?;
    let step = say::start("Собираю сервер для выпуска");
    cmd::run(cmd::cargo().args([
        "build",
        "--release",
        "--locked",
        "-p",
        "server",
        "-p",
        "sandbox",
        "--bins",
    ]))?;
    step.done();
    let interface = wasm::build(wasm::Kind::Release)?;
    wasm::check_budget(&interface)?;
    fs::create_dir_all(&folder).with_context(|| format!("не удалось создать {}", folder.display()))?;
    for name in ["integrator", "sandbox"] {
        copy(&paths::target().join("release").join(name), &folder.join(name))?;
    }
    let target = folder.join("interface");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    copy(&interface, &target)?;
    say::note(&format!("Готово: {}", folder.display()));
    Ok(())
}

fn copy(from: &Path, to: &PathBuf) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to).with_context(|| format!("не удалось скопировать {}", from.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
