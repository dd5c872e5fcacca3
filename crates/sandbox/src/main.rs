//! The program: both fakes until SIGTERM or ctrl-c.

use std::io::Write;

use anyhow::{Context, bail};
use sandbox::{Options, Sandbox};

const USAGE: &str = "sandbox [--amocrm-port N] [--lptracker-port N] [--address A] [--demo]";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Some(options) = options(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let sandbox = Sandbox::try_start(options)?;
    let line = serde_json::json!({"amocrm": sandbox.amocrm_url, "lptracker": sandbox.lptracker_url});
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("stdout is closed")?;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = term.recv() => {}
        end = tokio::signal::ctrl_c() => end?,
    }
    sandbox.stop();
    Ok(())
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let mut options = Options {
        amocrm_port: 7081,
        lptracker_port: 7082,
        ..Options::default()
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--amocrm-port" => {
                options.amocrm_port = value()?.parse().context("--amocrm-port is a port number")?
            }
            "--lptracker-port" => {
                options.lptracker_port = value()?.parse().context("--lptracker-port is a port number")?;
            }
            "--address" => options.address = value()?,
            "--demo" => options.demo = true,
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other}\n{USAGE}"),
        }
    }
    Ok(Some(options))
}
