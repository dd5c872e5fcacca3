//! Programs that run beside each other until a person stops them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{cmd, say};

/// How long a program may take to say that it is ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a program may take to finish its work after it was asked to stop.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// What the command learns while programs run.
pub enum Event {
    /// A program printed a line.
    Line(&'static str, String),
    /// A person or the system wants us to end.
    Stop,
}

/// Turns Ctrl+C and requests to end into [`Event::Stop`].
pub fn watch_signals(sender: Sender<Event>) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(Event::Stop).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// The started programs; stopped on drop, the last one first.
pub struct Running {
    children: Vec<(&'static str, Child)>,
    logs_shown: bool,
    data: PathBuf,
}

impl Running {
    /// Nothing is running yet; logs go to files in `data`, or to the terminal when `logs_shown`.
    pub fn new(data: &Path, logs_shown: bool) -> Self {
        Self {
            children: Vec::new(),
            logs_shown,
            data: data.to_path_buf(),
        }
    }

    /// Starts a program and waits for the JSON line by which it says that it is ready.
    pub fn start(
        &mut self,
        name: &'static str,
        mut command: Command,
        sender: &Sender<Event>,
        receiver: &Receiver<Event>,
        is_ready: fn(&Value) -> bool,
    ) -> Result<Value> {
        let log = self.log(name);
        let errors = if self.logs_shown {
            Stdio::inherit()
        } else {
            File::create(&log)?.into()
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("{name}: программа не запустилась"))?;
        let out = child.stdout.take().context("вывод программы не перехвачен")?;
        self.children.push((name, child));
        let sender = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(Event::Line(name, line)).is_err() {
                    return;
                }
            }
        });
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(Event::Line(from, line)) if from == name => {
                    if let Some(line) = serde_json::from_str(&line).ok().filter(is_ready) {
                        return Ok(line);
                    }
                }
                Ok(Event::Line(..)) | Err(RecvTimeoutError::Timeout) => self.check()?,
                Ok(Event::Stop) => bail!("остановлено"),
                Err(RecvTimeoutError::Disconnected) => bail!("{name}: потеряна связь с программой"),
            }
        }
        bail!(
            "{name}: программа не сообщила о готовности за {}\n{}",
            say::seconds(START_LIMIT),
            cmd::tail(&log)
        )
    }

    /// Fails when a program has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        let mut ended: Option<(&'static str, ExitStatus)> = None;
        for (name, child) in &mut self.children {
            if let Some(status) = child.try_wait()? {
                ended = Some((name, status));
            }
        }
        match ended {
            Some((name, status)) => {
                bail!(
                    "{name}: программа завершилась сама ({status})\n{}",
                    cmd::tail(&self.log(name))
                )
            }
            None => Ok(()),
        }
    }

    /// Asks every program to end, the last one first, and waits for it.
    pub fn stop(&mut self) {
        while let Some((name, mut child)) = self.children.pop() {
            // After Ctrl+C the terminal has already told them; a second request does no harm.
            let asked = Command::new("sh")
                .args(["-c", &format!("kill -TERM {} 2>/dev/null", child.id())])
                .status();
            let began = Instant::now();
            while asked.is_ok() && began.elapsed() < STOP_LIMIT && matches!(child.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
            if matches!(child.try_wait(), Ok(None)) {
                say::failure(&format!("{name}: не завершается, останавливаю принудительно"));
                if let Err(error) = child.kill().and_then(|()| child.wait()) {
                    say::failure(&format!("{name}: {error}"));
                }
            }
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.data.join(format!(
            "{}.log",
            if name == "сервер" {
                "server"
            } else {
                "sandbox"
            }
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
