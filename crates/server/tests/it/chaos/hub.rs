//! The hub as it runs in earnest: processes that can be killed, behind one address that finds a living one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One process of the hub.
pub struct Process {
    environment: HashMap<String, String>,
    child: Option<Child>,
    log: PathBuf,
}

impl Process {
    fn new(port: u16, log: PathBuf, shared: &HashMap<String, String>) -> Self {
        let mut environment = shared.clone();
        environment.insert("INTEGRATOR_SERVER__PORT".to_owned(), port.to_string());
        Self {
            environment,
            child: None,
            log,
        }
    }

    /// Starts it and waits until it listens; `false` when it gave up, as it does without its database.
    pub fn start(&mut self) -> bool {
        self.kill();
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_integrator"))
            .arg("serve")
            .env_clear()
            .envs(&self.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let mut line = String::new();
        let told = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        self.child = Some(child);
        told.is_ok() && line.contains("listening")
    }

    /// SIGKILL: nothing is flushed, nobody is told.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _already_dead = child.kill();
            let _reaped = child.wait();
        }
    }

    /// It was started and has not ended by itself.
    pub fn is_alive(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// All processes and the address before them.
pub struct Hub {
    pub processes: Vec<Process>,
    balancer: JoinHandle<()>,
}

impl Hub {
    /// Prepares so many processes over a database; none runs yet.
    pub async fn new(n: usize, database: &str, sandbox: &sandbox::Sandbox, logs: &std::path::Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared: HashMap<String, String> = [
            ("INTEGRATOR_SERVER__PUBLIC_URL", address),
            ("INTEGRATOR_DATABASE__URL", database.to_owned()),
            (
                "INTEGRATOR_VAULT__KEY",
                "9w2xPVq7mE0tRk3uYh5cBn8sLd6fGjZaXoWiQeTrU1M=".to_owned(),
            ),
            ("INTEGRATOR_DEMO__AMOCRM_URL", sandbox.amocrm_url.clone()),
            ("INTEGRATOR_DEMO__LPTRACKER_URL", sandbox.lptracker_url.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let ports: Vec<u16> = (0..n).map(|_| free_port()).collect();
        let processes = ports
            .iter()
            .enumerate()
            .map(|(at, port)| Process::new(*port, logs.join(format!("{at}.log")), &shared))
            .collect();
        Self {
            processes,
            balancer: tokio::spawn(balance(listener, ports)),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.balancer.abort();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Hands each connection to the next process in turn, or to another one when that is dead.
async fn balance(listener: TcpListener, ports: Vec<u16>) {
    let turn = Arc::new(AtomicUsize::new(0));
    let ports: Arc<[u16]> = ports.into();
    while let Ok((mut caller, _)) = listener.accept().await {
        let (turn, ports) = (Arc::clone(&turn), Arc::clone(&ports));
        tokio::spawn(async move {
            let first = turn.fetch_add(1, Ordering::Relaxed);
            for at in 0..ports.len() {
                let port = ports[(first + at) % ports.len()];
                if let Ok(mut process) = TcpStream::connect(("127.0.0.1", port)).await {
                    let _cut = tokio::io::copy_bidirectional(&mut caller, &mut process).await;
                    return;
                }
            }
        });
    }
}
