//! `openapi/openapi.json`, as the server describes itself.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{build, paths, say};

/// `cargo xtask openapi`: rewrites the committed document; a test only compares.
pub fn main() -> Result<()> {
    let binaries = build::binaries()?;
    let step = say::start("Записываю openapi/openapi.json");
    let output = Command::new(&binaries.server)
        .arg("openapi")
        .current_dir(paths::root())
        .stderr(Stdio::inherit())
        .output()
        .context("сервер не запустился")?;
    if !output.status.success() {
        bail!("integrator openapi завершился с ошибкой ({})", output.status);
    }
    serde_json::from_slice::<serde_json::Value>(&output.stdout)
        .context("integrator openapi напечатал не JSON")?;
    let file = paths::root().join("openapi/openapi.json");
    fs::create_dir_all(paths::root().join("openapi"))?;
    fs::write(&file, &output.stdout).with_context(|| format!("не удалось записать {}", file.display()))?;
    step.done();
    Ok(())
}
