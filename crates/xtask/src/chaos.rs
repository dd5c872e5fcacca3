//! `cargo xtask chaos`: the chaos test for as long as one likes, with a seed of one's own.

use anyhow::{Result, bail};

use crate::apt::{self, Package};
use crate::{cmd, say};

/// `cargo xtask chaos [--minutes N] [--seed S]`.
pub fn main(args: &[String]) -> Result<()> {
    let (mut minutes, mut seed) = (5.0_f64, std::process::id().into());
    for pair in args.chunks(2) {
        let [name, value] = pair else {
            bail!("у ключа {} нет значения", pair[0])
        };
        match name.as_str() {
            "--minutes" => minutes = value.parse()?,
            "--seed" => seed = value.parse::<u64>()?,
            other => bail!("неизвестный ключ {other}; нужно: cargo xtask chaos --minutes N --seed S"),
        }
    }
    apt::ensure(&[Package::Postgres])?;
    say::note(&format!(
        "зерно {seed}; повторить: cargo xtask chaos --minutes {minutes} --seed {seed}"
    ));
    // The test brings a PostgreSQL of its own, which it takes away now and then.
    cmd::run(
        cmd::cargo()
            .args([
                "test",
                "-q",
                "-p",
                "server",
                "--test",
                "it",
                "--",
                "chaos::",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("CHAOS_MINUTES", minutes.to_string())
            .env("CHAOS_SEED", seed.to_string()),
    )
}
