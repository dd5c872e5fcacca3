//! The request budget of an account: so many requests in any window of time, however many tasks ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that a request is reckoned to be on its way. An answer proves its arrival sooner; waiting for every
/// slow answer would leave a slow CRM half its budget.
pub const DAWDLE: Duration = Duration::from_millis(300);

/// A sliding-window limiter. Cloning shares the budget.
///
/// A strict server counts arrivals, not departures. A place is therefore taken from the departure until a window
/// after the moment at which the request had certainly arrived: its answer, or [`DAWDLE`] after it left.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Whose turn it is; held while waiting, so that callers are served in order of asking.
    turn: Arc<tokio::sync::Mutex<()>>,
    window: Arc<Mutex<Window>>,
}

#[derive(Debug)]
struct Window {
    limit: usize,
    span: Duration,
    sent: Vec<Sent>,
    next: u64,
    paused_until: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    number: u64,
    at: Instant,
    answered: Option<Instant>,
}

impl Sent {
    /// When its place is free again, if nothing more is heard of it.
    fn free_at(&self, span: Duration) -> Instant {
        let latest = self.at + DAWDLE;
        self.answered.map_or(latest, |answered| answered.min(latest)) + span
    }

    /// When its place could be free: an answer may still shorten the time.
    fn ask_at(&self, span: Duration, now: Instant) -> Instant {
        let soonest = self.at + span;
        if self.answered.is_none() && now < soonest {
            soonest
        } else {
            self.free_at(span)
        }
    }
}

/// A request under way. Dropping it says nothing: a request that is waited for no longer may still arrive.
#[derive(Debug)]
#[must_use = "its answer should be told"]
pub struct UnderWay {
    number: u64,
    window: Arc<Mutex<Window>>,
}

impl UnderWay {
    /// The answer is there, or the connection broke: the request is on its way no longer.
    pub fn answered(self) {
        let mut window = lock(&self.window);
        if let Some(sent) = window.sent.iter_mut().find(|sent| sent.number == self.number) {
            sent.answered = Some(Instant::now());
        }
    }
}

impl Throttle {
    /// At most `limit` requests in any `span`.
    pub fn new(limit: usize, span: Duration) -> Self {
        let limit = limit.max(1);
        Self {
            turn: Arc::default(),
            window: Arc::new(Mutex::new(Window {
                limit,
                span,
                sent: Vec::with_capacity(limit),
                next: 0,
                paused_until: None,
            })),
        }
    }

    /// Waits until a request may be sent, and counts it. Callers are served in order of asking; one that gives up
    /// takes no place.
    pub async fn acquire(&self) -> UnderWay {
        let _turn = self.turn.lock().await;
        loop {
            let wait = match lock(&self.window).admit(Instant::now()) {
                Ok(number) => {
                    return UnderWay {
                        number,
                        window: self.window.clone(),
                    };
                }
                Err(wait) => wait,
            };
            tokio::time::sleep_until(wait).await;
        }
    }

    /// Nothing is sent for this long: the CRM asked for a pause.
    pub fn pause(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut window = lock(&self.window);
        if window.paused_until.is_none_or(|known| known < until) {
            window.paused_until = Some(until);
        }
    }
}

impl Window {
    /// Counts a request that leaves now, or says when to ask again.
    fn admit(&mut self, now: Instant) -> Result<u64, Instant> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(until);
        }
        self.paused_until = None;
        let span = self.span;
        self.sent.retain(|sent| sent.free_at(span) > now);
        let asks = self.sent.iter().map(|sent| sent.ask_at(span, now));
        if self.sent.len() == self.limit
            && let Some(next) = asks.min()
        {
            return Err(next);
        }
        let number = self.next;
        self.next += 1;
        self.sent.push(Sent {
            number,
            at: now,
            answered: None,
        });
        Ok(number)
    }
}

fn lock(window: &Mutex<Window>) -> MutexGuard<'_, Window> {
    window.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Arrivals of `n` requests that are under way for so long and answered at once.
    async fn arrivals(throttle: &Throttle, n: usize, delays_ms: &[u64]) -> Vec<Instant> {
        let mut sent = tokio::task::JoinSet::new();
        for index in 0..n {
            let place = throttle.acquire().await;
            let arrival = Instant::now() + Duration::from_millis(delays_ms[index % delays_ms.len()]);
            sent.spawn(async move {
                tokio::time::sleep_until(arrival).await;
                place.answered();
                Instant::now()
            });
        }
        let mut arrived = sent.join_all().await;
        arrived.sort();
        arrived
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_limit_arrive_in_any_window() {
        for delays in [&[0][..], &[5, 250, 0, 90], &[300, 0, 0]] {
            let throttle = Throttle::new(7, SECOND);
            let times = arrivals(&throttle, 60, delays).await;
            for eight in times.windows(8) {
                assert!(eight[7] - eight[0] >= SECOND, "{delays:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn quick_answers_cost_no_budget_and_slow_ones_little() {
        for (delay, expected_ms) in [(0, 9_000), (2_000, 9 * 1_300)] {
            let throttle = Throttle::new(3, SECOND);
            let start = Instant::now();
            let mut places = Vec::new();
            for _ in 0..30 {
                let place = throttle.acquire().await;
                if delay == 0 {
                    place.answered();
                } else {
                    places.push(place);
                }
            }
            assert_eq!((Instant::now() - start).as_millis(), expected_ms);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_may_still_arrive() {
        let throttle = Throttle::new(1, SECOND);
        let start = Instant::now();
        drop(throttle.acquire().await);
        throttle.acquire().await.answered();
        assert_eq!(Instant::now() - start, SECOND + DAWDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_takes_no_place() {
        let throttle = Throttle::new(1, SECOND);
        throttle.acquire().await.answered();
        let start = Instant::now();
        let gave_up = tokio::time::timeout(Duration::from_millis(10), throttle.acquire()).await;
        assert!(gave_up.is_err());
        throttle.acquire().await.answered();
        assert_eq!(Instant::now() - start, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_back() {
        let throttle = Throttle::new(7, SECOND);
        let start = Instant::now();
        throttle.pause(Duration::from_secs(5));
        throttle.acquire().await.answered();
        assert!(Instant::now() - start >= Duration::from_secs(5));
    }
}
