//! The request budget of an account: so many requests in any window of time, however many tasks ask.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A sliding-window limiter. Cloning shares the budget.
///
/// A strict server counts arrivals, not departures, so the window is stretched by a margin: a request that
/// dawdled on the way must not meet a quick one in the same counted second.
#[derive(Clone, Debug)]
pub struct Throttle {
    inner: Arc<Mutex<Window>>,
}

#[derive(Debug)]
struct Window {
    limit: usize,
    span: Duration,
    sent: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

impl Throttle {
    /// At most `limit` requests in any `span`.
    pub fn new(limit: usize, span: Duration) -> Self {
        let limit = limit.max(1);
        Self {
            inner: Arc::new(Mutex::new(Window {
                limit,
                span,
                sent: VecDeque::with_capacity(limit),
                paused_until: None,
            })),
        }
    }

    /// Waits until a request may be sent, and counts it. Callers are served in order of asking.
    pub async fn acquire(&self) {
        // What is waited for is taken off only after the wait: a caller that gives up loses nothing.
        let mut window = self.inner.lock().await;
        if let Some(until) = window.paused_until {
            tokio::time::sleep_until(until).await;
            window.paused_until = None;
        }
        if window.sent.len() == window.limit
            && let Some(oldest) = window.sent.front().copied()
        {
            tokio::time::sleep_until(oldest + window.span).await;
            window.sent.pop_front();
        }
        window.sent.push_back(Instant::now());
    }

    /// Nothing is sent for this long: the CRM asked for a pause.
    pub async fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut window = self.inner.lock().await;
        if window.paused_until.is_none_or(|known| known < until) {
            window.paused_until = Some(until);
        }
    }

    /// How many requests could be sent at this moment without waiting.
    pub async fn available(&self) -> usize {
        let window = self.inner.lock().await;
        let now = Instant::now();
        let busy = window.sent.iter().filter(|at| **at + window.span > now).count();
        window.limit - busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_limit_in_any_window() {
        let throttle = Throttle::new(7, Duration::from_millis(1000));
        let mut times = Vec::new();
        for _ in 0..40 {
            throttle.acquire().await;
            times.push(Instant::now());
        }
        for pair in times.windows(8) {
            assert!(pair[7] - pair[0] >= Duration::from_millis(1000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_frees_no_place() {
        let throttle = Throttle::new(1, Duration::from_secs(1));
        throttle.acquire().await;
        let start = Instant::now();
        let gave_up = tokio::time::timeout(Duration::from_millis(10), throttle.acquire()).await;
        assert!(gave_up.is_err());
        throttle.acquire().await;
        assert!(Instant::now() - start >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_back() {
        let throttle = Throttle::new(7, Duration::from_secs(1));
        let start = Instant::now();
        throttle.pause(Duration::from_secs(5)).await;
        throttle.acquire().await;
        assert!(Instant::now() - start >= Duration::from_secs(5));
    }
}
