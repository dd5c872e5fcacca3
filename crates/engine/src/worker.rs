//! The loops of one process: a pump for events, one for deliveries, and a sweep.

use crate::context::Context;
use crate::deliverer::Deliverer;
use crate::dispatcher::Dispatcher;
use crate::pump::Pump;
use std::sync::Arc;
use std::time::Duration;
use storage::memory;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often memory that explains nothing any more is swept.
const SWEEP: Duration = Duration::from_secs(60);

/// What wakes the loops before their timers do.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Events were stored.
    pub(crate) events: Arc<Notify>,
    /// Deliveries were planned or became due.
    pub(crate) deliveries: Arc<Notify>,
    /// Something is to be reconciled at once.
    pub(crate) changes: Arc<Notify>,
}

/// The loops of one process.
pub(crate) struct Worker {
    pub(crate) context: Arc<Context>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) dispatch: Arc<Pump<Dispatcher>>,
    pub(crate) deliver: Arc<Pump<Deliverer>>,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        let dispatcher = Dispatcher::new(Arc::clone(&context), Arc::clone(&signals));
        let deliverer = Deliverer::new(Arc::clone(&context));
        Self {
            dispatch: Arc::new(Pump::new(dispatcher, Arc::clone(&context.clock))),
            deliver: Arc::new(Pump::new(deliverer, Arc::clone(&context.clock))),
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
        tasks.spawn(crate::stops::watch(Arc::clone(&self.context), stop.clone()));
        let (worker, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { worker.sweep(&token).await });
    }

    async fn sweep(&self, stop: &CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(SWEEP))
            .await
            .is_some()
        {
            if let Err(error) = memory::sweep_echoes(&self.context.db, self.context.clock.now()).await {
                tracing::warn!(%error, "уборка памяти о записях не удалась");
            }
        }
    }
}
