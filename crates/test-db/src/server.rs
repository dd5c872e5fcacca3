//! A PostgreSQL server of a test's own, which may be taken away under it and given back.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A running server with commits that survive its death; stopped and deleted on drop.
#[derive(Debug)]
pub struct OwnServer {
    folder: TempDir,
    programs: PathBuf,
}

impl OwnServer {
    /// Starts a server, reached by a socket in a folder of its own.
    ///
    /// # Panics
    ///
    /// When PostgreSQL's programs are not installed or do not work: `cargo xtask setup` installs them.
    pub fn start() -> Self {
        let Some(programs) = programs() else {
            panic!("PostgreSQL is not installed (initdb, pg_ctl): run `cargo xtask setup`")
        };
        let folder = tempfile::Builder::new()
            .prefix("crm-own-pg-")
            .tempdir()
            .unwrap_or_else(|error| panic!("a folder for PostgreSQL: {error}"));
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), mode).expect("the folder is ours");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let server = Self { folder, programs };
        run(server.program("initdb").arg("-D").arg(server.data()).args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        server.begin();
        server
    }

    /// The address of its only database.
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.folder.path().display()
        )
    }

    /// Starts it again after [`OwnServer::die`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn begin(&self) {
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c max_connections=100",
            self.folder.path().display()
        );
        run(self
            .control()
            .arg("-l")
            .arg(self.folder.path().join("server.log"))
            .args(["-w", "-t", "60", "-o", &options, "start"]));
    }

    /// Stops it as a power cut would: nothing is finished, nobody is told.
    ///
    /// # Panics
    ///
    /// When it was not running.
    pub fn die(&self) {
        run(self.control().args(["-m", "immediate", "-w", "stop"]));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data());
        command
    }

    /// PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        command
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let mut stop = self.control();
        stop.args(["-m", "immediate", "-w", "stop"]);
        // It may have been stopped by the test already.
        let _perhaps_stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn run(command: &mut Command) {
    // Its children would keep a pipe open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("{command:?}: {other:?}"),
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.join("initdb").is_file().then_some((version, folder))
        })
        .max();
    newest.map(|(_, folder)| folder).or_else(|| {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).find(|folder| Path::new(folder).join("initdb").is_file())
    })
}
