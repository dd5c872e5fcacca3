//! What the server shares between its worker threads. Handlers reach it only through the handles of
//! [`crate::http::access`].

use crate::config::Network;
use crate::connectors::Connectors;
use crate::http::pulses::Pulses;
use crate::mail::Mailer;
use api::session::SandboxUrl;
use engine::Engine;
use engine::clock::Clock;
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vault::Keyring;

/// Shared by every worker thread; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The business, with the database and the clock.
    pub engine: Engine,
    /// Seals what must not stand in the database in clear.
    pub keyring: Arc<Keyring>,
    /// What `/metrics` asks for; `None` to answer only on this machine.
    pub metrics_token: Option<SecretString>,
    /// Sends letters.
    pub mailer: Mailer,
    /// The CRMs by name: forms of connections and OAuth need them.
    pub connectors: Arc<Connectors>,
    /// Our own address, without a slash at the end.
    pub public_url: Arc<str>,
    /// Proxies whose word on the client's address is believed.
    pub trusted_proxies: Arc<[Network]>,
    /// Pages of the sandbox CRMs, in the demo.
    pub sandbox: Arc<[SandboxUrl]>,
    /// Who listens to what changes.
    pub pulses: Pulses,
    /// False while starting and shutting down.
    pub ready: Arc<AtomicBool>,
}

impl App {
    /// Whether requests are to be sent here.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.engine.clock()
    }
}
