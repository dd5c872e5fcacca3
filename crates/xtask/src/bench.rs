//! `cargo xtask bench`: how fast it is. Builds for release, starts a PostgreSQL whose commits are durable, and runs
//! the measurements; the programs themselves are examples of the crates they measure.

use std::process::Command;

use anyhow::{Result, bail};

use crate::apt::{self, Package};
use crate::{cmd, db, e2e, paths, say};

/// Measurements of the running hub, in the order in which they are run.
const OF_THE_HUB: &[&str] = &["intake", "flow", "backlog", "budget", "import"];
/// The measurement of rules, which needs no hub.
const RULES: &str = "rules";

/// The measurement of the interface, in a browser.
const WEB: &str = "web";

/// `cargo xtask bench [name] [--secs N] [--db sqlite|postgresql] [--backlog N] [--rows N]`.
pub fn main(args: &[String]) -> Result<()> {
    let (wanted, keys) = match args.split_first() {
        Some((name, keys)) if !name.starts_with("--") => (Some(name.as_str()), keys),
        _ => (None, args),
    };
    if let Some(name) = wanted
        && name != RULES
        && name != WEB
        && !OF_THE_HUB.contains(&name)
    {
        bail!(
            "нет такого замера: {name}; есть: {RULES}, {WEB}, {}",
            OF_THE_HUB.join(", ")
        );
    }
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    if is_wanted(RULES) {
        cmd::run(cmd::cargo().args(["run", "--release", "-q", "-p", "domain", "--example", "measure"]))?;
    }
    if is_wanted(WEB) {
        e2e::bench()?;
    }
    let of_the_hub: Vec<&str> = OF_THE_HUB
        .iter()
        .copied()
        .filter(|name| is_wanted(name))
        .collect();
    if of_the_hub.is_empty() {
        return Ok(());
    }
    let step = say::start("Собираю для выпуска");
    cmd::run(cmd::cargo().args([
        "build",
        "--release",
        "-p",
        "server",
        "--bin",
        "integrator",
        "--example",
        "bench",
    ]))?;
    step.done();
    apt::ensure(&[Package::Postgres])?;
    let postgres = db::Server::start_durable()?;
    let release = paths::target().join("release");
    for name in of_the_hub {
        let mut bench = Command::new(release.join("examples/bench"));
        bench
            .arg(name)
            .args(keys)
            .env("BENCH_INTEGRATOR", release.join("integrator"))
            .env("BENCH_POSTGRES", postgres.url())
            .env(db::VARIABLE, postgres.url());
        cmd::run(&mut bench)?;
    }
    Ok(())
}
