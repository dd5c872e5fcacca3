//! PostgreSQL for tests: a server of our own in a temporary folder, reached by a unix socket.
//!
//! It refuses to run as root, so as root everything is done as the `postgres` user of Debian's package.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::{self, Package};
use crate::{cmd, paths, say};

/// The variable by which tests find the server.
pub const VARIABLE: &str = "INTEGRATOR_TEST_POSTGRES";

/// Temporary servers live in folders named by this and the process id of their owner.
const PREFIX: &str = "crm-integrator-pg-";

/// A running server; stopped and deleted on drop.
pub struct Server {
    dir: PathBuf,
    keep: bool,
    safety: Safety,
}

/// What a server's data survives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Safety {
    /// Nothing: only tests look at it.
    None,
    /// A power cut, as in production: what is measured must be durable.
    PowerCut,
}

impl Server {
    /// Starts a server that lives as long as the value.
    pub fn start_temporary() -> Result<Self> {
        Self::temporary(Safety::None)
    }

    /// The same, with commits that survive a power cut, for measuring.
    pub fn start_durable() -> Result<Self> {
        Self::temporary(Safety::PowerCut)
    }

    fn temporary(safety: Safety) -> Result<Self> {
        sweep()?;
        let dir = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        let server = Self {
            dir,
            keep: false,
            safety,
        };
        server.start()?;
        Ok(server)
    }

    /// The address for [`VARIABLE`].
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.dir.display()
        )
    }

    fn persistent() -> Self {
        let user = cmd::try_output(Command::new("id").arg("-u")).unwrap_or_default();
        Self {
            dir: std::env::temp_dir().join(format!("{PREFIX}kept-{user}")),
            keep: true,
            safety: Safety::None,
        }
    }

    fn is_running(&self) -> bool {
        self.dir.join("data/postmaster.pid").is_file()
            && self.program("pg_ctl").is_ok_and(|mut command| {
                command.arg("-D").arg(self.dir.join("data")).arg("status");
                cmd::try_output(&mut command).is_some()
            })
    }

    fn start(&self) -> Result<()> {
        let data = self.dir.join("data");
        let log = self.dir.join("server.log");
        if !data.join("PG_VERSION").is_file() {
            self.make_dir()?;
            let mut initdb = self.program("initdb")?;
            initdb.arg("-D").arg(&data).args([
                "-U",
                "postgres",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]);
            cmd::run_logged(initdb.arg("--no-sync"), "initdb")?;
        }
        let safety = match self.safety {
            Safety::None => {
                "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_wal_size=256MB"
            }
            Safety::PowerCut => "-c max_wal_size=2GB -c shared_buffers=256MB",
        };
        // The socket keeps other hosts out and needs no free port.
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} {safety} -c max_connections=300",
            self.dir.display()
        );
        let mut command = self.program("pg_ctl")?;
        command
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .args(["-w", "-t", "60", "-o", &options, "start"]);
        cmd::run_logged(&mut command, "pg_ctl-start")
            .with_context(|| format!("PostgreSQL не запустился\n{}", cmd::tail(&log)))
    }

    fn stop(&self) -> Result<()> {
        let mut command = self.program("pg_ctl")?;
        command
            .arg("-D")
            .arg(self.dir.join("data"))
            .args(["-m", "immediate", "-w", "stop"]);
        cmd::run_logged(&mut command, "pg_ctl-stop")?;
        fs::remove_dir_all(&self.dir).with_context(|| format!("не удалось удалить {}", self.dir.display()))
    }

    /// A folder that the server's user owns; its parents must be open to that user, so not under `/root`.
    fn make_dir(&self) -> Result<()> {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir)?;
        }
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("не удалось создать {}", self.dir.display()))?;
        fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700))?;
        if apt::is_root() {
            cmd::run(Command::new("chown").arg("postgres").arg(&self.dir))?;
        }
        Ok(())
    }

    /// A program of the server, run by a user that it accepts.
    fn program(&self, name: &str) -> Result<Command> {
        let Some(bin) = apt::postgres_bin() else {
            bail!("не найдены программы PostgreSQL (initdb, pg_ctl)")
        };
        let path = bin.join(name);
        let mut command = if apt::is_root() {
            as_postgres(&path)?
        } else {
            Command::new(&path)
        };
        // The checkout may be closed to the `postgres` user.
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        if let Err(error) = self.stop() {
            say::failure(&format!("PostgreSQL для тестов не остановлен: {error:#}"));
        }
    }
}

/// `cargo xtask db start|stop|url`.
pub fn main(args: &[String]) -> Result<()> {
    let server = Server::persistent();
    match args.first().map(String::as_str) {
        Some("start") => {
            apt::ensure(&[Package::Postgres])?;
            if !server.is_running() {
                let step = say::start("Запускаю PostgreSQL для тестов");
                server.start()?;
                step.done();
            }
            println!("export {VARIABLE}='{}'", server.url());
        }
        Some("url") => println!("{}", server.url()),
        Some("stop") => {
            if server.is_running() {
                let step = say::start("Останавливаю PostgreSQL для тестов");
                server.stop()?;
                step.done();
            } else {
                say::note("PostgreSQL для тестов не запущен");
            }
        }
        _ => bail!("нужно: cargo xtask db start|stop|url"),
    }
    Ok(())
}

/// Ends the servers of commands that were interrupted: PostgreSQL outlives the terminal it was started from.
fn sweep() -> Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            drop(Server {
                dir: entry.path(),
                keep: false,
                safety: Safety::None,
            });
        }
    }
    Ok(())
}

fn as_postgres(program: &Path) -> Result<Command> {
    if paths::which("runuser").is_some() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        return Ok(command);
    }
    bail!("не найдена программа runuser (пакет util-linux): PostgreSQL нельзя запускать от имени root")
}
