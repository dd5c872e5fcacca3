//! Intake, dispatch and delivery: the only place with loops.
//!
//! ```text
//! intake     verify the secret → parse → event keys → commit → answer
//! dispatch   waiting events, in order per record → read what rules ask for → evaluate
//!            → one transaction: runs + planned deliveries + event done
//! deliver    lease a connection → due deliveries, first of each lane → look, if a write is uncertain
//!            → write → one transaction: progress + link + memory → attempt and new state
//! ```
//!
//! **Invariants.** No remote call happens inside a transaction. A write leaves only after the intention to
//! send it is committed, and its effect is recorded in one transaction with the link and the memory of the
//! record. No CRM is known here by anything but its kind. «Now» comes from [`clock::Clock`].

pub mod accounts;
mod attention;
mod breaker;
pub mod calls;
pub mod catalogue_diff;
pub mod clock;
pub mod connections;
pub mod context;
mod deliverer;
mod dispatcher;
pub mod error;
pub mod failpoint;
mod gated;
pub mod imports;
pub mod intake;
mod keeper;
pub mod keys;
mod lease;
mod links;
pub mod meter;
mod pump;
pub mod reconcile;
pub mod refresher;
pub mod replay;
pub mod retention;
mod rulebook;
pub mod rules;
pub mod secrets;
pub mod stops;
pub mod sweeps;
pub mod templates;
mod timers;
pub mod trials;
mod turns;
mod worker;
pub mod zone;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::context::Context;
use crate::intake::{Accepted, Intake};
use crate::keeper::Keeper;
use crate::reconcile::Reconciler;
use crate::refresher::Refresher;
use crate::replay::Replays;
use crate::retention::Retention;
use crate::rules::Rules;
use crate::stops::Stops;
use crate::sweeps::Sweeps;
use crate::trials::Trials;
use crate::worker::{Signals, Worker};
use domain::connection::ConnectorKind;
use std::sync::Arc;
use storage::Db;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use crate::context::{ConnectorFactory, Settings, new_id};
pub use crate::error::{EngineError, FailedCase};
pub use crate::secrets::Secret;

/// The engine of one process. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    context: Arc<Context>,
    intake: Arc<Intake>,
    worker: Arc<Worker>,
    keeper: Arc<Keeper>,
    signals: Arc<Signals>,
    tasks: TaskTracker,
}

impl Engine {
    /// Puts the parts together. Nothing runs yet.
    pub fn new(context: Context) -> Self {
        let context = Arc::new(context);
        let signals = Arc::new(Signals::default());
        Self {
            intake: Arc::new(Intake::new(Arc::clone(&context), Arc::clone(&signals))),
            worker: Arc::new(Worker::new(Arc::clone(&context), Arc::clone(&signals))),
            keeper: Arc::new(Keeper::new(Arc::clone(&context), Arc::clone(&signals))),
            context,
            signals,
            tasks: TaskTracker::new(),
        }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.context.db
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.context.clock
    }

    /// What the parts share.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Takes the body of a webhook. When this returns, its facts are stored.
    pub async fn receive(
        &self,
        kind: ConnectorKind,
        secret: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Accepted, EngineError> {
        self.intake.receive(kind, secret, content_type, body).await
    }

    /// Work on connections.
    pub fn connections(&self) -> Connections {
        Connections::new(Arc::clone(&self.context))
    }

    /// Work on rules.
    pub fn rules(&self) -> Rules {
        Rules::new(Arc::clone(&self.context))
    }

    /// Emergency stops.
    pub fn stops(&self) -> Stops {
        Stops::new(Arc::clone(&self.context), Arc::clone(&self.signals))
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        Retention::new(Arc::clone(&self.context))
    }

    /// Work on accounts.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(Arc::clone(&self.context))
    }

    /// Letting events and deliveries run again, and trying rules without acting.
    pub fn replays(&self) -> Replays {
        Replays::new(Arc::clone(&self.context), Arc::clone(&self.signals))
    }

    /// Timers, starts by hand and great replays.
    pub fn sweeps(&self) -> Sweeps {
        Sweeps::new(Arc::clone(&self.context), Arc::clone(&self.signals))
    }

    /// One round of timers and sweeps by hand. Returns how much was done.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        self.worker.sweep.step().await
    }

    /// What the editor tries rules on.
    pub fn trials(&self) -> Trials {
        Trials::new(Arc::clone(&self.context))
    }

    /// Reading what changed in the CRMs.
    pub fn reconciler(&self) -> &Reconciler {
        &self.keeper.reconcile.rounds
    }

    /// Credentials and their ends.
    pub fn refresher(&self) -> &Refresher {
        &self.keeper.refresher
    }

    /// Work on files.
    pub fn imports(&self) -> imports::Imports {
        imports::Imports::new(Arc::clone(&self.context), Arc::clone(&self.signals))
    }

    /// Work on results of calls.
    pub fn calls(&self) -> calls::Calls {
        calls::Calls::new(Arc::clone(&self.context), Arc::clone(&self.signals))
    }

    /// Starts the loops. They end when `stop` is cancelled; [`Engine::stopped`] waits for them.
    pub fn spawn(&self, stop: &CancellationToken) {
        self.worker.spawn(stop, &self.tasks);
        self.keeper.spawn(stop, &self.tasks);
        self.tasks.close();
    }

    /// Waits until the loops have finished the step they were in, and gives the leases back.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
        if let Err(error) = lease::give_back(&self.context).await {
            tracing::warn!(%error, "права на подключения не возвращены: другие подождут их окончания");
        }
    }

    /// One round of dispatch and delivery by hand, for tests and tools. Returns how much was done.
    pub async fn step(&self) -> Result<usize, EngineError> {
        self.context.stops.refresh(&self.context.db).await?;
        let n_files = self.worker.files_step().await?;
        Ok(n_files + self.worker.dispatch.step().await? + self.worker.deliver.step().await?)
    }

    /// One round of reconciliation by hand, over every connection that is to be read. Returns how many events it
    /// found.
    pub async fn reconcile(&self) -> Result<usize, EngineError> {
        self.keeper.reconcile.step().await
    }

    /// What a process does first about the time it was away.
    pub async fn wake(&self) -> Result<(), EngineError> {
        self.keeper.wake().await
    }

    /// Rounds until nothing is due any more, `at_most` of them.
    pub async fn settle(&self, at_most: usize) -> Result<usize, EngineError> {
        let mut n_done = 0;
        for _ in 0..at_most {
            match self.step().await? {
                0 => break,
                n => n_done += n,
            }
        }
        Ok(n_done)
    }
}
