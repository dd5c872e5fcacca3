//! Virtual time of the sandbox: real time plus an offset, or a standing value.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Time as both fakes see it. Cheap to clone; all clones share one time.
#[derive(Clone, Debug)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    moved: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    offset_ms: i64,
    frozen_at_ms: Option<i64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State {
                    offset_ms: 0,
                    frozen_at_ms: None,
                }),
                moved: watch::Sender::new(0),
            }),
        }
    }
}

impl Clock {
    /// Virtual time, milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        let state = self.state();
        state.frozen_at_ms.unwrap_or_else(|| real_ms() + state.offset_ms)
    }

    /// Virtual time, whole seconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves time forward; sleepers whose moment has come wake at once.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        {
            let mut state = self.state();
            match &mut state.frozen_at_ms {
                Some(at) => *at = at.saturating_add(by_ms),
                None => state.offset_ms = state.offset_ms.saturating_add(by_ms),
            }
        }
        self.signal();
    }

    /// Stops time at its present value; only [`Clock::advance`] moves it then.
    pub fn freeze(&self) {
        let now = self.now_ms();
        self.state().frozen_at_ms = Some(now);
        self.signal();
    }

    /// Stops time at a given moment (milliseconds since the Unix epoch).
    pub fn freeze_at(&self, at_ms: i64) {
        self.state().frozen_at_ms = Some(at_ms);
        self.signal();
    }

    /// Lets time run again from where it stands.
    pub fn unfreeze(&self) {
        {
            let mut state = self.state();
            if let Some(at) = state.frozen_at_ms.take() {
                state.offset_ms = at - real_ms();
            }
        }
        self.signal();
    }

    /// Whether time stands still.
    pub fn is_frozen(&self) -> bool {
        self.state().frozen_at_ms.is_some()
    }

    /// Back to real time.
    pub fn reset(&self) {
        *self.state() = State {
            offset_ms: 0,
            frozen_at_ms: None,
        };
        self.signal();
    }

    /// Waits until virtual time reaches `at_ms`, by flow of real time or by [`Clock::advance`].
    pub async fn sleep_until(&self, at_ms: i64) {
        let mut moved = self.inner.moved.subscribe();
        loop {
            let left = at_ms - self.now_ms();
            if left <= 0 {
                return;
            }
            if self.is_frozen() {
                if moved.changed().await.is_err() {
                    return;
                }
            } else {
                let left = Duration::from_millis(left.unsigned_abs());
                tokio::select! {
                    _ = tokio::time::sleep(left) => {}
                    _ = moved.changed() => {}
                }
            }
        }
    }

    /// Waits for `by` of virtual time.
    pub async fn sleep(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.sleep_until(self.now_ms().saturating_add(by_ms)).await;
    }

    fn signal(&self) {
        self.inner.moved.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_time_moves_only_by_advance() {
        let clock = Clock::default();
        clock.freeze_at(5_000);
        assert_eq!(clock.now_ms(), 5_000);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!((clock.now_ms(), clock.now()), (6_500, 6));
        clock.unfreeze();
        assert!(clock.now_ms() >= 6_500 && clock.now_ms() < 60_000);
    }

    #[tokio::test]
    async fn sleeper_wakes_when_frozen_time_is_advanced() {
        let clock = Clock::default();
        clock.freeze();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(3600));
        sleeper.await.expect("the sleeper ends");
    }
}
