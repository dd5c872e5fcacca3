//! Tools that are installed by ourselves, into the cache: nothing is done twice.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::apt::{self, Package};
use crate::wasm::Kind;
use crate::{cmd, paths, say};

/// Cuts wasm at the functions that Leptos marks lazy; of the same project as the crate that Leptos marks them with.
const WASM_SPLIT: &str = "0.2.4";
/// The npm package that ships `wasm-opt`. Debian's own is too old for what Rust 1.95 emits.
const BINARYEN: &str = "132.0.0";
/// The oldest Node.js that Playwright takes.
const NODE_MAJOR: u32 = 20;

/// Everything that any command needs, in parallel where the pieces do not depend on each other.
pub fn everything() -> Result<()> {
    let step = say::start("Проверяю инструменты");
    thread::scope(|scope| {
        let system = scope.spawn(|| apt::ensure(&[Package::Postgres, Package::Chromium]));
        let tools = interface_tools(Kind::Release);
        join(system)?;
        tools
    })?;
    step.done();
    Ok(())
}

/// What building the interface needs: the wasm target and wasm-bindgen; for a release also wasm-split and wasm-opt.
pub fn interface_tools(kind: Kind) -> Result<()> {
    fs::create_dir_all(paths::tools())
        .with_context(|| format!("не удалось создать {}", paths::tools().display()))?;
    // Two commands started at once would install the same thing twice.
    let lock = File::create(paths::cache().join("setup.lock"))?;
    lock.lock()?;
    node()?;
    wasm_target()?;
    if kind == Kind::Quick {
        return wasm_bindgen();
    }
    thread::scope(|scope| {
        let npm = scope.spawn(binaryen);
        // Both are compiled on all cores, so one after the other.
        wasm_bindgen().and_then(|()| wasm_split())?;
        join(npm)
    })
}

/// What the output of the interface's build depends on besides its sources.
pub fn interface_tool_versions() -> String {
    let rustc = cmd::try_output(Command::new("rustc").arg("--version")).unwrap_or_default();
    format!("{rustc}, wasm-split {WASM_SPLIT}, binaryen {BINARYEN}")
}

/// Waits for a thread and hands on its error; a panic becomes an error too.
pub fn join(handle: thread::ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    handle
        .join()
        .map_err(|_| anyhow!("поток установки аварийно завершился"))?
}

/// Checks that Node.js is there and new enough; it comes with the machine, as Rust does.
pub fn node() -> Result<()> {
    let Some(version) = cmd::try_output(Command::new("node").arg("--version")) else {
        bail!("не найден Node.js. Он нужен для сборки интерфейса и тестов: sudo apt-get install nodejs npm");
    };
    if paths::which("npm").is_none() {
        bail!("не найден npm: sudo apt-get install npm");
    }
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < NODE_MAJOR) {
        bail!("Node.js {version} слишком старый, нужен {NODE_MAJOR} или новее");
    }
    Ok(())
}

/// Adds the standard library for wasm; rustup does it in seconds.
pub fn wasm_target() -> Result<()> {
    let target = "wasm32-unknown-unknown";
    let libdir = cmd::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    let has_core = fs::read_dir(&libdir)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("libcore-")
        });
    if has_core {
        return Ok(());
    }
    if paths::which("rustup").is_none() {
        bail!("нет цели сборки {target}, а rustup не найден: поставьте её средствами вашей установки Rust");
    }
    let step = say::start(format!("Добавляю цель сборки {target}"));
    cmd::run_logged(
        Command::new("rustup").args(["target", "add", target]),
        "rustup-target",
    )?;
    step.done();
    Ok(())
}

/// Cuts the interface into a first load and parts; only a release needs it.
fn wasm_split() -> Result<()> {
    // The program does not tell its version, but cargo keeps a list.
    let installed = fs::read_to_string(paths::tools().join(".crates.toml")).unwrap_or_default();
    if installed.contains(&format!("\"wasm_split_cli_support {WASM_SPLIT} ")) {
        return Ok(());
    }
    let mut command = cargo_install("wasm_split_cli_support", WASM_SPLIT);
    command.args(["--locked", "--features", "build-binary", "--debug"]);
    let step = say::start(format!(
        "Собираю wasm-split {WASM_SPLIT} (один раз, около минуты)"
    ));
    cmd::run_logged(&mut command, "install-wasm-split")?;
    forget_build("wasm_split_cli_support");
    step.done();
    Ok(())
}

fn wasm_bindgen() -> Result<()> {
    let version = locked_version("wasm-bindgen")?;
    let binary = paths::tools().join("bin/wasm-bindgen");
    if version_of(&binary).is_some_and(|line| line == format!("wasm-bindgen {version}")) {
        return Ok(());
    }
    let mut command = cargo_install("wasm-bindgen-cli", &version);
    command.args(["--bin", "wasm-bindgen", "--debug"]);
    let step = say::start(format!("Собираю wasm-bindgen {version} (один раз, около минуты)"));
    cmd::run_logged(&mut command, "install-wasm-bindgen")?;
    forget_build("wasm-bindgen-cli");
    step.done();
    Ok(())
}

fn binaryen() -> Result<()> {
    let prefix = paths::tools().join("npm");
    let marker = prefix.join("node_modules/binaryen/package.json");
    let wanted = format!("\"version\": \"{BINARYEN}\"");
    if fs::read_to_string(marker).is_ok_and(|text| text.contains(&wanted)) {
        return Ok(());
    }
    let step = say::start(format!("Ставлю wasm-opt (binaryen {BINARYEN})"));
    fs::create_dir_all(&prefix)?;
    cmd::run_logged(
        cmd::program("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"])
            .arg(&prefix)
            .arg(format!("binaryen@{BINARYEN}")),
        "install-binaryen",
    )?;
    step.done();
    Ok(())
}

fn cargo_install(package: &str, version: &str) -> Command {
    let mut command = cmd::cargo();
    command
        // Outside the checkout, so that the workspace's own profiles and lock file stay out of it.
        .current_dir(paths::tools())
        .args(["install", package, "--version", version, "--force", "--root"])
        .arg(paths::tools())
        .env("CARGO_TARGET_DIR", build_dir(package))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    command
}

fn build_dir(package: &str) -> std::path::PathBuf {
    paths::cache().join("tools-target").join(package)
}

/// The objects of an installed tool are of no use to anybody, and large.
fn forget_build(package: &str) {
    if fs::remove_dir_all(build_dir(package)).is_err() {
        say::note(&format!("не удалось удалить {}", build_dir(package).display()));
    }
}

fn version_of(binary: &Path) -> Option<String> {
    binary
        .is_file()
        .then(|| cmd::try_output(Command::new(binary).arg("--version")))
        .flatten()
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let lock =
        fs::read_to_string(paths::root().join("Cargo.lock")).context("не удалось прочитать Cargo.lock")?;
    version_in_lock(&lock, package).with_context(|| format!("в Cargo.lock нет пакета {package}"))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    Some(
        lines
            .next()?
            .strip_prefix("version = \"")?
            .strip_suffix('"')?
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n";
        assert_eq!(version_in_lock(lock, "a").as_deref(), Some("1.2.3"));
        assert_eq!(version_in_lock(lock, "a-b").as_deref(), Some("0.1.0"));
        assert_eq!(version_in_lock(lock, "b"), None);
    }
}
