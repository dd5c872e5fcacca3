//! The loops. A step is woken by a signal or by a timer, takes no input, decides only from the database, and
//! may be repeated at will.
//!
//! Each connection has a pump of its own while it has something due, so that a slow CRM holds up nobody else.

use crate::connections::Connections;
use crate::context::Context;
use crate::deliverer::Deliverer;
use crate::dispatcher::Dispatcher;
use crate::error::EngineError;
use domain::id::ConnectionId;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::{StorageError, deliveries, events, memory};
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
    connections: Connections,
    dispatching: Busy<ConnectionId>,
    delivering: Busy<Option<ConnectionId>>,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            dispatcher: Dispatcher::new(Arc::clone(&context), Arc::clone(&signals)),
            deliverer: Deliverer::new(Arc::clone(&context)),
            connections: Connections::new(Arc::clone(&context)),
            dispatching: Busy::default(),
            delivering: Busy::default(),
            context,
            signals,
        }
    }

    /// Starts the loops; they end after their present step when `stop` is cancelled.
    pub(crate) fn spawn(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        let (worker, token, tracker) = (Arc::clone(self), stop.clone(), tasks.clone());
        tasks.spawn(async move { worker.dispatch(&token, &tracker).await });
        let (worker, token, tracker) = (Arc::clone(self), stop.clone(), tasks.clone());
        tasks.spawn(async move { worker.deliver(&token, &tracker).await });
        let (worker, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { worker.sweep(&token).await });
    }

    async fn dispatch(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        while !stop.is_cancelled() {
            let due = self.dispatcher.due().await;
            let is_ok = told("разбор событий", &due);
            for connection in due.unwrap_or_default() {
                if !self.dispatching.take(connection) {
                    continue;
                }
                let (worker, token) = (Arc::clone(self), stop.clone());
                tasks.spawn(async move {
                    while !token.is_cancelled() {
                        let done = worker.dispatcher.round(connection).await;
                        told("разбор событий", &done);
                        if !matches!(done, Ok(n) if n > 0) {
                            break;
                        }
                    }
                    worker.dispatching.leave(connection);
                });
            }
            self.rest(
                stop,
                &self.signals.events,
                is_ok,
                events::next_due(&self.context.db),
            )
            .await;
        }
    }

    async fn deliver(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        while !stop.is_cancelled() {
            let due = self.deliverer.due().await;
            let is_ok = told("доставка", &due);
            for connection in due.unwrap_or_default() {
                if !self.delivering.take(connection) {
                    continue;
                }
                let (worker, token) = (Arc::clone(self), stop.clone());
                tasks.spawn(async move {
                    while !token.is_cancelled() {
                        let done = worker.deliverer.round(connection).await;
                        told("доставка", &done);
                        if !matches!(done, Ok(n) if n > 0) {
                            break;
                        }
                        // What was done here may have been what another connection's lane waited for.
                        worker.signals.deliveries.notify_one();
                    }
                    worker.delivering.leave(connection);
                });
            }
            self.rest(
                stop,
                &self.signals.deliveries,
                is_ok,
                deliveries::next_due(&self.context.db),
            )
            .await;
        }
    }

    async fn sweep(&self, stop: &CancellationToken) {
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
        is_ok: bool,
        next: impl Future<Output = Result<Option<domain::time::Timestamp>, StorageError>>,
    ) {
        let pause = match next.await {
            Ok(Some(at)) if is_ok => {
                let wait = at.0.saturating_sub(self.context.clock.now().0);
                Duration::from_millis(wait.clamp(25, IDLE.as_millis() as i64).unsigned_abs())
            }
            Ok(None) if is_ok => IDLE,
            _ => TROUBLE,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = signal.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Logs a failed step; says whether it was a good one.
fn told<T>(what: &'static str, result: &Result<T, EngineError>) -> bool {
    if let Err(error) = result {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "{what}: шаг не удался, повторим"
        );
    }
    result.is_ok()
}

/// Which connections have a pump at work.
struct Busy<K>(Mutex<HashSet<K>>);

impl<K> Default for Busy<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Busy<K> {
    /// True when nobody else had it.
    fn take(&self, key: K) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }

    fn leave(&self, key: K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}
