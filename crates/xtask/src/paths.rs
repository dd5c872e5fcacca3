//! Where things live. Nothing but sources is kept in the checkout, so that a fresh clone is quick.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the checkout.
///
/// The run-time variable goes first: several checkouts share one target folder, and a binary built for one
/// of them may be found by another.
pub fn root() -> PathBuf {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest_dir
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or(manifest_dir)
}

/// `${XDG_CACHE_HOME:-~/.cache}/crm-integrator`: tools, compiled output, built interfaces, node modules.
pub fn cache() -> PathBuf {
    xdg("XDG_CACHE_HOME", ".cache").join("crm-integrator")
}

/// `${XDG_DATA_HOME:-~/.local/share}/crm-integrator`: databases and keys of demos.
pub fn data() -> PathBuf {
    xdg("XDG_DATA_HOME", ".local/share").join("crm-integrator")
}

/// The root given to `cargo install` and `npm --prefix`.
pub fn tools() -> PathBuf {
    cache().join("tools")
}

/// Cargo's output: what the environment says, else our own folder outside the checkout.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| cache().join("target"))
}

/// Logs of the commands that run in the background.
pub fn logs() -> PathBuf {
    cache().join("logs")
}

/// The program `name` if the shell would find it.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

fn xdg(variable: &str, under_home: &str) -> PathBuf {
    match env::var_os(variable) {
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(under_home),
    }
}
