//! Browser tests: Playwright with the system's Chromium against the real server and the sandbox.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::{self, Package};
use crate::build::Binaries;
use crate::{build, cmd, paths, say, setup, wasm};

/// `cargo xtask e2e [arguments for Playwright]`.
pub fn main(args: &[String]) -> Result<()> {
    let (binaries, interface) = prepare()?;
    let step = say::start("Браузерные тесты");
    test(&binaries, &interface, args)?;
    step.done();
    Ok(())
}

/// `cargo xtask screenshots`: every page, wide and narrow, into `screenshots/`.
pub fn screenshots() -> Result<()> {
    let (binaries, interface) = prepare()?;
    let step = say::start("Снимаю страницы в screenshots/");
    let mut command = playwright(&binaries, &interface)?;
    command.args(["test", "--config", "screenshots.config.ts"]);
    command.env("E2E_SCREENSHOTS", paths::root().join("screenshots"));
    cmd::run(&mut command)?;
    step.done();
    Ok(())
}

/// `cargo xtask bench web`: size of what is shipped, first useful paint and typing, with Chromium's own throttling.
pub fn bench() -> Result<()> {
    apt::ensure(&[Package::Chromium])?;
    setup::interface_tools(wasm::Kind::Release)?;
    install()?;
    let binaries = build::binaries()?;
    let interface = wasm::build(wasm::Kind::Release)?;
    wasm::check_budget(&interface)?;
    let step = say::start("Меряю интерфейс: 10 Мбит/с, процессор в 4 раза медленнее");
    let mut command = playwright(&binaries, &interface)?;
    command.args(["test", "--config", "bench.config.ts"]);
    cmd::run(&mut command)?;
    step.done();
    Ok(())
}

/// Checks the types of the tests, then runs them.
pub fn test(binaries: &Binaries, interface: &Path, args: &[String]) -> Result<()> {
    let modules = install()?;
    cmd::run(
        cmd::program(modules.join(".bin/tsc"))
            .arg("--noEmit")
            .current_dir(folder()),
    )?;
    cmd::run(playwright(binaries, interface)?.arg("test").args(args))
}

/// Installs the node modules into the cache, once per lock file, and links them into `e2e/`.
pub fn install() -> Result<PathBuf> {
    setup::node()?;
    let lock = fs::read(folder().join("package-lock.json")).context("нет e2e/package-lock.json")?;
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let dir = paths::cache()
        .join("e2e")
        .join(format!("{:016x}", hasher.finish()));
    let modules = dir.join("node_modules");
    // The mark is made last: an interrupted installation is begun anew.
    let mark = dir.join("installed");
    if !mark.is_file() {
        let step = say::start("Ставлю Playwright");
        fs::create_dir_all(&dir)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(folder().join(name), dir.join(name))?;
        }
        cmd::run_logged(
            cmd::program("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&dir)
                .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
            "install-playwright",
        )?;
        fs::write(&mark, "")?;
        step.done();
    }
    let link = folder().join("node_modules");
    if fs::read_link(&link).ok().as_deref() != Some(&modules) {
        match fs::symlink_metadata(&link) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&link)?,
            Ok(_) => fs::remove_file(&link)?,
            Err(_) => {}
        }
        symlink(&modules, &link).context("не удалось создать ссылку e2e/node_modules")?;
    }
    Ok(modules)
}

fn prepare() -> Result<(Binaries, PathBuf)> {
    apt::ensure(&[Package::Chromium])?;
    // What is shipped is what should be tested, if it is there; building it takes long.
    let kind = if wasm::is_built(wasm::Kind::Release)? {
        wasm::Kind::Release
    } else {
        wasm::Kind::Quick
    };
    setup::interface_tools(kind)?;
    install()?;
    let binaries = build::binaries()?;
    Ok((binaries, wasm::build(kind)?))
}

fn playwright(binaries: &Binaries, interface: &Path) -> Result<Command> {
    let chromium = apt::chromium().context("не найден Chromium")?;
    let mut command = cmd::program(install()?.join(".bin/playwright"));
    command
        .current_dir(folder())
        .env("E2E_SERVER", &binaries.server)
        .env("E2E_SANDBOX", &binaries.sandbox)
        .env("E2E_STATIC_DIR", interface)
        .env("E2E_CHROMIUM", chromium);
    Ok(command)
}

fn folder() -> PathBuf {
    paths::root().join("e2e")
}
