//! The loops of one process: a pump for events, one for deliveries, one for sweeps.

use crate::context::Context;
use crate::deliverer::Deliverer;
use crate::dispatcher::Dispatcher;
use crate::error::EngineError;
use crate::pump::{Pump, told};
use crate::sweeps::Sweeps;
use std::sync::Arc;
use std::time::Duration;
use storage::memory;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often memory that explains nothing any more and files that broke off are taken away.
const TIDY: Duration = Duration::from_secs(60);
/// How long files and results of calls rest between steps, with nothing and with something going on.
const FILES_IDLE: Duration = Duration::from_secs(1);
const FILES_BUSY: Duration = Duration::from_millis(20);

/// What wakes the loops before their timers do.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Events were stored.
    pub(crate) events: Arc<Notify>,
    /// Deliveries were planned or became due.
    pub(crate) deliveries: Arc<Notify>,
    /// A sweep was asked for.
    pub(crate) sweeps: Arc<Notify>,
    /// Something is to be reconciled at once.
    pub(crate) changes: Arc<Notify>,
    /// A file has something to be done.
    pub(crate) imports: Notify,
}

/// The loops of one process.
pub(crate) struct Worker {
    pub(crate) context: Arc<Context>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) dispatch: Arc<Pump<Dispatcher>>,
    pub(crate) deliver: Arc<Pump<Deliverer>>,
    pub(crate) sweep: Arc<Pump<Sweeps>>,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        let dispatcher = Dispatcher::new(Arc::clone(&context), Arc::clone(&signals));
        let deliverer = Deliverer::new(Arc::clone(&context));
        let sweeps = Sweeps::new(Arc::clone(&context), Arc::clone(&signals));
        Self {
            dispatch: Arc::new(Pump::new(dispatcher, Arc::clone(&context.clock))),
            deliver: Arc::new(Pump::new(deliverer, Arc::clone(&context.clock))),
            sweep: Arc::new(Pump::new(sweeps, Arc::clone(&context.clock))),
            context,
            signals,
        }
    }

    /// Starts the loops; they end after their present step when `stop` is cancelled.
    pub(crate) fn spawn(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        let events = Arc::clone(&self.signals.events);
        tasks.spawn(Arc::clone(&self.dispatch).run(stop.clone(), tasks.clone(), events, || {}));
        let deliveries = Arc::clone(&self.signals.deliveries);
        let signals = Arc::clone(&self.signals);
        // What was done here may have been what another connection's lane waited for.
        let done = move || signals.deliveries.notify_one();
        tasks.spawn(Arc::clone(&self.deliver).run(stop.clone(), tasks.clone(), deliveries, done));
        let asked = Arc::clone(&self.signals.sweeps);
        tasks.spawn(Arc::clone(&self.sweep).run(stop.clone(), tasks.clone(), asked, || {}));
        tasks.spawn(crate::stops::watch(Arc::clone(&self.context), stop.clone()));
        let (worker, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { worker.tidy(&token).await });
        let (worker, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { worker.files(&token).await });
        let (worker, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { worker.calls(&token).await });
    }

    /// One step of files and results of calls, for tests and tools.
    pub(crate) async fn files_step(&self) -> Result<usize, EngineError> {
        Ok(self.calls_step().await? + self.rows_step().await?)
    }

    /// One step of asking for calls: the only one of these that waits for a CRM, so it has a loop of its own.
    async fn calls_step(&self) -> Result<usize, EngineError> {
        crate::calls::poll(&self.context).await
    }

    /// One step of files, and of what became of results.
    async fn rows_step(&self) -> Result<usize, EngineError> {
        let mut n_done = crate::imports::step(&self.context, &self.signals).await?;
        let mut after = None;
        loop {
            let (n_settled, next) = crate::calls::settle(&self.context, after).await?;
            n_done += n_settled;
            if next.is_none() {
                return Ok(n_done);
            }
            after = next;
        }
    }

    async fn calls(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let pause = pause_after(&self.calls_step().await, "опрос звонков");
            let _stopped = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn files(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let pause = pause_after(&self.rows_step().await, "загрузка файлов");
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.signals.imports.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn tidy(&self, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
            if let Err(error) = memory::sweep_echoes(&self.context.db, self.context.clock.now()).await {
                tracing::warn!(%error, "уборка памяти о записях не удалась");
            }
            if let Err(error) = crate::imports::folder::tidy(&self.context).await {
                tracing::warn!(%error, "уборка оборванных загрузок не удалась");
            }
        }
    }
}

/// How long to rest after a step; what went wrong is written down.
fn pause_after(step: &Result<usize, EngineError>, what: &'static str) -> Duration {
    told(what, step);
    match step {
        Ok(0) | Err(_) => FILES_IDLE,
        Ok(_) => FILES_BUSY,
    }
}
