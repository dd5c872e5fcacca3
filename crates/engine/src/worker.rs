//! The loops. A step is woken by a signal or by a timer, takes no input, decides only from the database, and
//! may be repeated at will.

use crate::connections::Connections;
use crate::context::Context;
use crate::deliverer::Deliverer;
use crate::dispatcher::Dispatcher;
use crate::error::EngineError;
use domain::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use storage::{deliveries, events, memory};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest a loop sleeps when nothing wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// Pause after a failed step: the database is away.
const TROUBLE: Duration = Duration::from_secs(1);
/// How often memory that explains nothing any more is swept, and subscriptions are looked at.
const SWEEP: Duration = Duration::from_secs(60);
const SUBSCRIPTIONS: Duration = Duration::from_secs(3600);

/// What wakes the loops before their timers do.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Events were stored.
    pub(crate) events: Notify,
    /// Deliveries were planned or became due.
    pub(crate) deliveries: Notify,
}

/// The loops of one process.
pub(crate) struct Worker {
    pub(crate) context: Arc<Context>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) deliverer: Deliverer,
    pub(crate) connections: Connections,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            dispatcher: Dispatcher::new(Arc::clone(&context), Arc::clone(&signals)),
            deliverer: Deliverer::new(Arc::clone(&context), Arc::clone(&signals)),
            connections: Connections::new(Arc::clone(&context)),
            context,
            signals,
        }
    }

    /// Starts the loops; they end after their present step when `stop` is cancelled.
    pub(crate) fn spawn(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        let worker = Arc::clone(self);
        let token = stop.clone();
        tasks.spawn(async move { worker.dispatch(token).await });
        let worker = Arc::clone(self);
        let token = stop.clone();
        tasks.spawn(async move { worker.deliver(token).await });
        let worker = Arc::clone(self);
        let token = stop.clone();
        tasks.spawn(async move { worker.sweep(token).await });
    }

    async fn dispatch(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let result = self.dispatcher.step().await;
            let next = events::next_due(&self.context.db).await.ok().flatten();
            self.rest(&stop, &self.signals.events, "разбор событий", result, next)
                .await;
        }
    }

    async fn deliver(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let result = self.deliverer.step().await;
            let next = deliveries::next_due(&self.context.db).await.ok().flatten();
            self.rest(&stop, &self.signals.deliveries, "доставка", result, next)
                .await;
        }
    }

    async fn sweep(&self, stop: CancellationToken) {
        let mut since_subscriptions = Duration::ZERO;
        while stop
            .run_until_cancelled(tokio::time::sleep(SWEEP))
            .await
            .is_some()
        {
            if let Err(error) = memory::sweep_echoes(&self.context.db, self.context.clock.now()).await {
                tracing::warn!(%error, "уборка памяти о записях не удалась");
            }
            since_subscriptions += SWEEP;
            if since_subscriptions >= SUBSCRIPTIONS {
                since_subscriptions = Duration::ZERO;
                if let Err(error) = self.connections.repair_subscriptions().await {
                    tracing::warn!(%error, "проверка подписок не удалась");
                }
            }
        }
    }

    /// Sleeps until a signal, until something is due, or a second at most.
    async fn rest(
        &self,
        stop: &CancellationToken,
        signal: &Notify,
        what: &'static str,
        result: Result<usize, EngineError>,
        next: Option<Timestamp>,
    ) {
        let pause = match result {
            Ok(0) => match next {
                Some(at) => {
                    let wait =
                        at.0.saturating_sub(self.context.clock.now().0)
                            .clamp(20, IDLE.as_millis() as i64);
                    Duration::from_millis(wait.unsigned_abs())
                }
                None => IDLE,
            },
            Ok(_) => return,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "{what}: шаг не удался, повторим"
                );
                TROUBLE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = signal.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
