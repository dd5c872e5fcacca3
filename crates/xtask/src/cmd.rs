//! Running other programs.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// Lines of a log shown when a command that wrote to it has failed.
const TAIL_LINES: usize = 40;

/// A program started in the root of the checkout, with our tools first on the path.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(paths::root()).env("PATH", path_with_tools());
    // `cargo run` describes xtask in the environment. Build scripts that watch these variables (ring's does)
    // would be run anew at every switch between `cargo` and `cargo xtask`.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}

/// The same cargo that started us, with the output outside the checkout.
pub fn cargo() -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.env("CARGO_TARGET_DIR", paths::target());
    command
}

/// Runs to the end with our own terminal; a failure is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("не удалось запустить {}", shown(command)))?;
    if !status.success() {
        bail!("команда завершилась с ошибкой ({status}): {}", shown(command));
    }
    Ok(())
}

/// Runs to the end with everything written to `log`; on failure the end of the log becomes the error.
pub fn run_logged(command: &mut Command, log_name: &str) -> Result<()> {
    let log = log_file(log_name)?;
    let out = File::create(&log).with_context(|| format!("не удалось создать {}", log.display()))?;
    let err = out.try_clone()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .status()
        .with_context(|| format!("не удалось запустить {}", shown(command)))?;
    if !status.success() {
        bail!(
            "команда завершилась с ошибкой ({status}): {}\n{}",
            shown(command),
            tail(&log)
        );
    }
    Ok(())
}

/// Runs to the end and returns what it printed, trimmed; standard error goes to our terminal.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("не удалось запустить {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "команда завершилась с ошибкой ({}): {}",
            output.status,
            shown(command)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What the program prints, or nothing when it is missing or fails.
pub fn try_output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The path of a log in the cache, its folder made.
pub fn log_file(name: &str) -> Result<PathBuf> {
    let dir = paths::logs();
    fs::create_dir_all(&dir).with_context(|| format!("не удалось создать {}", dir.display()))?;
    Ok(dir.join(format!("{name}.log")))
}

/// The last lines of a log, for an error message.
pub fn tail(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.len().saturating_sub(TAIL_LINES);
    format!(
        "--- конец журнала {} ---\n{}",
        log.display(),
        lines[shown..].join("\n")
    )
}

fn path_with_tools() -> std::ffi::OsString {
    let tools = paths::tools();
    let mut dirs = vec![tools.join("bin"), tools.join("npm/node_modules/.bin")];
    dirs.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(dirs).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}

fn shown(command: &Command) -> String {
    let mut text = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy()
        .into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
