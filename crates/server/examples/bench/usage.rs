//! A measured process: started, asked for its address, watched, stopped.

use anyhow::{Context, Result};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A server under measurement; killed when dropped.
pub struct Measured {
    child: Child,
    /// `127.0.0.1:12345`.
    pub address: String,
    pid: u32,
}

/// What a process used so far.
#[derive(Clone, Copy, Default)]
pub struct Used {
    pub cpu: Duration,
    pub resident_mb: f64,
    pub peak_mb: f64,
}

impl Measured {
    /// Starts a program and waits for the JSON line with its `url`.
    pub async fn start(program: &str, args: &[&str], variables: &[(&str, String)]) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for (name, value) in variables {
            command.env(name, value);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("не запускается {program}"))?;
        let pid = child.id().context("процесс уже завершился")?;
        let mut lines = BufReader::new(child.stdout.take().context("вывод")?).lines();
        let line = lines.next_line().await?.context("программа завершилась сразу")?;
        let line: serde_json::Value = serde_json::from_str(&line)?;
        let url = line["url"].as_str().context("в первой строке нет url")?;
        let address = url.trim_start_matches("http://").to_owned();
        // Left unread, a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address, pid })
    }

    /// This very program in another role.
    pub async fn myself(args: &[&str]) -> Result<Self> {
        let program = std::env::current_exe()?;
        Self::start(&program.to_string_lossy(), args, &[]).await
    }

    /// CPU time and memory up to now.
    pub fn used(&self) -> Result<Used> {
        of_process(self.pid)
    }

    /// Ends it at once, as a power cut would.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// CPU time and memory of this process up to now.
pub fn mine() -> Result<Used> {
    of_process(std::process::id())
}

fn of_process(pid: u32) -> Result<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program may hold blanks; what follows its bracket does not.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u64 = [11, 12]
        .iter()
        .filter_map(|at| fields.get(*at)?.parse::<u64>().ok())
        .sum();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mb = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kb: f64 = line
            .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or(0.0);
        kb / 1024.0
    };
    Ok(Used {
        cpu: Duration::from_millis(ticks * 10),
        resident_mb: mb("VmRSS"),
        peak_mb: mb("VmHWM"),
    })
}
