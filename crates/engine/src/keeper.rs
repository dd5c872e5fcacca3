//! Housekeeping: everything that is done by the clock and not because something arrived. Reconciliation,
//! subscriptions, renewal of tokens, retention.

use crate::connections::Connections;
use crate::context::Context;
use crate::error::EngineError;
use crate::pump::{Pump, told};
use crate::reconcile::Reconciler;
use crate::refresher::Refresher;
use crate::retention::Retention;
use crate::worker::Signals;
use std::sync::Arc;
use std::time::Duration;
use storage::reconciliations;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often subscriptions are compared with the CRM, and credentials looked at.
const SUBSCRIPTIONS: Duration = Duration::from_secs(3600);
const CREDENTIALS: Duration = Duration::from_secs(300);
/// How often what is too old is looked for, and how long the database has for others between two small steps.
const RETENTION: Duration = Duration::from_secs(600);
const BETWEEN_STEPS: Duration = Duration::from_millis(20);
/// A connection that was not read for this long when the process starts is read at once, in milliseconds.
const AWAY_MS: i64 = 60_000;

/// The housekeeping of one process.
pub(crate) struct Keeper {
    context: Arc<Context>,
    pub(crate) reconcile: Arc<Pump<Reconciler>>,
    pub(crate) refresher: Refresher,
    connections: Connections,
    signals: Arc<Signals>,
    retention: Retention,
}

impl Keeper {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        let reconciler = Reconciler::new(Arc::clone(&context), Arc::clone(&signals));
        Self {
            reconcile: Arc::new(Pump::new(reconciler, Arc::clone(&context.clock))),
            refresher: Refresher::new(Arc::clone(&context)),
            connections: Connections::new(Arc::clone(&context)),
            retention: Retention::new(Arc::clone(&context)),
            signals,
            context,
        }
    }

    pub(crate) fn spawn(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        let (keeper, token, tracker) = (Arc::clone(self), stop.clone(), tasks.clone());
        tasks.spawn(async move {
            told("сверка", &keeper.wake().await);
            let (pump, signal) = (Arc::clone(&keeper.reconcile), Arc::clone(&keeper.signals.changes));
            pump.run(token, tracker, signal, || {}).await;
        });
        let (keeper, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            while pause(SUBSCRIPTIONS, &token).await {
                told(
                    "проверка подписок",
                    &keeper.connections.repair_subscriptions().await,
                );
            }
        });
        let (keeper, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            while pause(CREDENTIALS, &token).await {
                told("обновление доступов", &keeper.refresher.round().await);
            }
        });
        let (keeper, token) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            while pause(RETENTION, &token).await {
                told("уборка старого", &keeper.prune(&token).await);
            }
        });
    }

    /// Takes away everything that is too old, in steps with room for others between them.
    async fn prune(&self, stop: &CancellationToken) -> Result<(), EngineError> {
        let mut walk = self.retention.walk().await?;
        while self.retention.step(&mut walk).await? {
            if !pause(BETWEEN_STEPS, stop).await {
                break;
            }
        }
        Ok(())
    }

    /// After downtime nobody waits for the next walk.
    pub(crate) async fn wake(&self) -> Result<(), EngineError> {
        let now = self.context.clock.now();
        reconciliations::hasten_all(&self.context.db, now.plus_ms(-AWAY_MS), now).await?;
        Ok(())
    }
}

/// Waits; false when it is time to stop.
async fn pause(length: Duration, stop: &CancellationToken) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(length))
        .await
        .is_some()
}
