//! The interface: compiled, bundled ([`bundle`]), compressed and weighed.
//!
//! A built interface is kept in the cache under the fingerprint of everything it was made from, so neither
//! a second run nor a fresh clone builds it again.

mod bundle;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cmd, paths, say, setup};

/// The largest allowed size, in bytes after brotli, of what the browser loads before it shows anything: the main
/// wasm, scripts and styles.
const BUDGET: u64 = 450_000;
/// How many built interfaces of one kind are kept.
const KEPT: usize = 4;
/// Raise it when this file changes what comes out of the same sources.
const RECIPE: u32 = 4;
/// For the wasm target only, so that macros and build scripts are not compiled again.
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
const COMPRESS: &str = include_str!("compress.js");

/// How the interface is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For use on this machine: quick to build.
    Quick,
    /// For people: small, compressed beforehand, within the size budget.
    Release,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Release => "release",
        }
    }

    /// Quick is cargo's own profile: its macros and build scripts are then shared with the server's build.
    fn profile(self) -> &'static str {
        match self {
            Self::Quick => "dev",
            Self::Release => "wasm-release",
        }
    }

    /// Arguments of cargo. In the release, pages marked lazy become parts of their own.
    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Quick => &[],
            Self::Release => &["--features", "split"],
        }
    }

    /// Flags for the wasm target, on top of those in `.cargo/config.toml`. Whoever cuts the file needs its relocations.
    fn rustflags(self) -> &'static str {
        match self {
            Self::Quick => "",
            Self::Release => "-Clink-arg=--emit-relocs",
        }
    }

    /// Brotli's: 11 is the smallest output, 1 the quickest.
    fn quality(self) -> &'static str {
        match self {
            Self::Quick => "1",
            Self::Release => "11",
        }
    }
}

/// `cargo xtask wasm [--quick]`.
pub fn main(args: &[String]) -> Result<()> {
    let kind = match args {
        [] => Kind::Release,
        [only] if only == "--quick" => Kind::Quick,
        _ => bail!("нужно: cargo xtask wasm [--quick]"),
    };
    setup::interface_tools(kind)?;
    let dir = build(kind)?;
    if kind == Kind::Release {
        check_budget(&dir)?;
    }
    say::note(&format!("Интерфейс: {}", dir.display()));
    Ok(())
}

/// The folder with the built interface; built now if there is none for the present sources.
pub fn build(kind: Kind) -> Result<PathBuf> {
    if !is_built(kind)? {
        compile(kind)?;
    }
    finish(kind)
}

/// The second half of [`build`]: makes files for the browser of what [`compile`] has left.
pub fn finish(kind: Kind) -> Result<PathBuf> {
    let dir = finished_dir(kind)?;
    if dir.join("index.html").is_file() {
        return Ok(dir);
    }
    let step = say::start("Собираю файлы интерфейса");
    let unfinished = dir.with_extension(std::process::id().to_string());
    if let Err(error) = gather(kind, &unfinished) {
        return match fs::remove_dir_all(&unfinished) {
            Ok(()) => Err(error),
            Err(left) => Err(error.context(format!("осталась папка {}: {left}", unfinished.display()))),
        };
    }
    if fs::rename(&unfinished, &dir).is_err() {
        // Another command has finished the same work first.
        fs::remove_dir_all(&unfinished)?;
    }
    step.done();
    forget_old(kind)?;
    Ok(dir)
}

/// Makes of the compiled client what the server serves.
fn gather(kind: Kind, dir: &Path) -> Result<()> {
    let profile = match kind.profile() {
        "dev" => "debug",
        other => other,
    };
    let compiled = paths::target()
        .join("wasm32-unknown-unknown")
        .join(profile)
        .join("frontend.wasm");
    bundle::bundle(kind, &compiled, dir)?;
    compress(dir, kind.quality())
}

/// Compiles the client, so that the files only have to be gathered. Needs no tools but the wasm target.
pub fn compile(kind: Kind) -> Result<()> {
    let step = say::start("Компилирую интерфейс");
    cmd::run(
        cmd::cargo()
            .args(["build", "--target", "wasm32-unknown-unknown", "-p", "frontend"])
            .args(["--profile", kind.profile()])
            .args(kind.features())
            .env(RUSTFLAGS, kind.rustflags()),
    )?;
    step.done();
    Ok(())
}

/// Whether [`build`] would find its work done.
pub fn is_built(kind: Kind) -> Result<bool> {
    Ok(finished_dir(kind)?.join("index.html").is_file())
}

/// Fails when the first load is over the budget, and says how much of it is used.
pub fn check_budget(dir: &Path) -> Result<()> {
    let (mut first, mut later) = (0, 0);
    for file in files(dir)? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(name) = name.strip_suffix(".br") else {
            continue;
        };
        let size = fs::metadata(&file)?.len();
        if name.ends_with(".wasm") && name != "main_bg.wasm" {
            later += size;
        } else {
            first += size;
        }
    }
    let text = format!(
        "первая загрузка после brotli: {} кБ из {} кБ; по мере надобности ещё {} кБ",
        first.div_ceil(1000),
        BUDGET / 1000,
        later.div_ceil(1000)
    );
    if first == 0 || first > BUDGET {
        bail!("интерфейс слишком велик: {text}");
    }
    say::note(&text);
    Ok(())
}

fn finished_dir(kind: Kind) -> Result<PathBuf> {
    let name = format!("{}-{:016x}", kind.name(), fingerprint(kind)?);
    Ok(paths::cache().join("interface").join(name))
}

/// A number that changes with any source of the interface, its dependencies or its tools.
fn fingerprint(kind: Kind) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    (RECIPE, kind.profile(), setup::interface_tool_versions()).hash(&mut hasher);
    let root = paths::root();
    for part in [
        "Cargo.lock",
        "Cargo.toml",
        ".cargo/config.toml",
        "frontend",
        "crates/api",
        "crates/domain",
    ] {
        let path = root.join(part);
        let mut sources = if path.is_dir() { files(&path)? } else { vec![path] };
        sources.retain(|file| !file.starts_with(root.join("frontend/dist")));
        sources.sort();
        for file in sources {
            file.strip_prefix(&root).unwrap_or(&file).hash(&mut hasher);
            fs::read(&file)
                .with_context(|| format!("не удалось прочитать {}", file.display()))?
                .hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// Puts `.br` and `.gz` beside every text and wasm file. Node has brotli built in.
fn compress(dir: &Path, quality: &str) -> Result<()> {
    let printed = cmd::output(cmd::program("node").args(["-e", COMPRESS]).arg(dir).arg(quality))?;
    let report: Value = serde_json::from_str(&printed).context("сжатие напечатало не JSON")?;
    if report["files"].as_u64().unwrap_or(0) == 0 {
        bail!("в {} нечего сжимать", dir.display());
    }
    Ok(())
}

fn forget_old(kind: Kind) -> Result<()> {
    let mut built: Vec<(SystemTime, PathBuf)> = fs::read_dir(paths::cache().join("interface"))?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(kind.name()))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    built.sort();
    let old = built.len().saturating_sub(KEPT);
    for (_, dir) in built.into_iter().take(old) {
        fs::remove_dir_all(&dir).with_context(|| format!("не удалось удалить {}", dir.display()))?;
    }
    Ok(())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("не удалось прочитать {}", dir.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
