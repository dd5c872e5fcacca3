//! A pump: finds the keys (connections) that have something due, and works on each in rounds, in a task of its
//! own, so that a slow one holds up nobody else.

use crate::clock::Clock;
use crate::error::EngineError;
use domain::time::Timestamp;
use futures::FutureExt;
use std::collections::HashSet;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest a pump sleeps when nothing wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// The shortest: what is due and not being worked on belongs to another process, or was only just missed.
const SOON_MS: i64 = 25;
/// Pause after a failed step: the database is away.
const TROUBLE: Duration = Duration::from_secs(1);

/// Work that is found by key and done in rounds. A round takes no input but its key, decides only from the
/// database, and may be repeated at will.
pub(crate) trait Rounds: Send + Sync + 'static {
    /// What a task is made for.
    type Key: Copy + Eq + Hash + Send + Sync + 'static;
    /// What the work is called in the log.
    const NAME: &'static str;

    /// The keys with something due.
    fn due(&self) -> impl Future<Output = Result<Vec<Self::Key>, EngineError>> + Send;
    /// When the next thing is due, of any key.
    fn next_due(&self) -> impl Future<Output = Result<Option<Timestamp>, EngineError>> + Send;
    /// One round; how much was done. Zero ends the task.
    fn round(&self, key: Self::Key) -> impl Future<Output = Result<usize, EngineError>> + Send;
}

/// Drives [`Rounds`].
pub(crate) struct Pump<R: Rounds> {
    /// The work, also for stepping by hand.
    pub(crate) rounds: R,
    clock: Arc<dyn Clock>,
    busy: Busy<R::Key>,
}

impl<R: Rounds> Pump<R> {
    pub(crate) fn new(rounds: R, clock: Arc<dyn Clock>) -> Self {
        Self {
            rounds,
            clock,
            busy: Busy::default(),
        }
    }

    /// One round of everything that is due, by hand.
    pub(crate) async fn step(&self) -> Result<usize, EngineError> {
        let mut n_done = 0;
        for key in self.rounds.due().await? {
            n_done += self.rounds.round(key).await?;
        }
        Ok(n_done)
    }

    /// Looks for due keys until `stop`, woken by `signal`; a round that did something calls `done`.
    pub(crate) async fn run(
        self: Arc<Self>,
        stop: CancellationToken,
        tasks: TaskTracker,
        signal: Arc<Notify>,
        done: impl Fn() + Clone + Send + Sync + 'static,
    ) {
        while !stop.is_cancelled() {
            let due = self.rounds.due().await;
            let is_ok = told(R::NAME, &due);
            for key in due.unwrap_or_default() {
                if self.busy.take(key) {
                    let (pump, token, done) = (Arc::clone(&self), stop.clone(), done.clone());
                    tasks.spawn(async move { pump.work(key, &token, done).await });
                }
            }
            self.rest(&stop, &signal, is_ok).await;
        }
    }

    async fn work(&self, key: R::Key, stop: &CancellationToken, done: impl Fn()) {
        // Left on every way out: a key that stays taken would never be worked on again.
        let _place = Place(&self.busy, key);
        while !stop.is_cancelled() {
            let round = AssertUnwindSafe(self.rounds.round(key)).catch_unwind().await;
            let Ok(round) = round else {
                // The panic hook has already written where and why.
                tracing::error!("{}: шаг аварийно прервался, повторим", R::NAME);
                tokio::time::sleep(TROUBLE).await;
                return;
            };
            if !told(R::NAME, &round) {
                // The key stays taken meanwhile: what failed just now is not tried again at once.
                let _stopped = stop.run_until_cancelled(tokio::time::sleep(TROUBLE)).await;
                return;
            }
            if !matches!(round, Ok(n) if n > 0) {
                return;
            }
            done();
        }
    }

    /// Sleeps until a signal, until something is due, or a second at most.
    async fn rest(&self, stop: &CancellationToken, signal: &Notify, is_ok: bool) {
        let pause = match self.rounds.next_due().await {
            Ok(Some(at)) if is_ok => {
                let wait = at.0.saturating_sub(self.clock.now().0);
                Duration::from_millis(wait.clamp(SOON_MS, IDLE.as_millis() as i64).unsigned_abs())
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
pub(crate) fn told<T>(what: &'static str, result: &Result<T, EngineError>) -> bool {
    if let Err(error) = result {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "{what}: шаг не удался, повторим"
        );
    }
    result.is_ok()
}

/// Which keys have a task at work.
struct Busy<K>(Mutex<HashSet<K>>);

impl<K> Default for Busy<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash> Busy<K> {
    /// True when nobody else had it.
    fn take(&self, key: K) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }

    fn leave(&self, key: K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// A taken key, left when dropped.
struct Place<'a, K: Copy + Eq + Hash>(&'a Busy<K>, K);

impl<K: Copy + Eq + Hash> Drop for Place<'_, K> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}
