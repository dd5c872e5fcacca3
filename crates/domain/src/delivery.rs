//! Deliveries: commands on their way, and when a failed one is tried again.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its turn or its next try.
    Pending,
    /// A try is under way.
    Leased,
    /// A write was sent and its outcome is unknown: it is being looked for, «неизвестно, проверяем».
    Uncertain,
    /// Done.
    Delivered,
    /// Nothing had to be done (the record already is as wanted, or the rule said to skip).
    Skipped,
    /// Will not be tried again by itself.
    Dead,
    /// Taken back by a person.
    Cancelled,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Leased,
        Self::Uncertain,
        Self::Delivered,
        Self::Skipped,
        Self::Dead,
        Self::Cancelled,
    ];

    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Uncertain => "uncertain",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Skipped | Self::Dead | Self::Cancelled
        )
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The wanted effect is there.
    Done,
    /// Nothing had to be done.
    Skipped,
    /// The CRM refused for good.
    Rejected,
    /// To be tried again later.
    Postponed,
    /// It is unknown whether the write was applied.
    Unknown,
}

impl Outcome {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Postponed => "postponed",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Done,
            Self::Skipped,
            Self::Rejected,
            Self::Postponed,
            Self::Unknown,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
    }
}

/// The longest wait of our own choice behind a CRM that says when to come again, in milliseconds.
const ASKED_BOUND_MS: i64 = 60_000;

/// When to try again: full jitter over an exponential bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// Bound of the first wait, in milliseconds.
    pub base_ms: i64,
    /// By how much the bound grows with each attempt.
    pub factor: i64,
    /// The bound never grows above this, in milliseconds.
    pub cap_ms: i64,
    /// No try later than this after the first, in milliseconds.
    pub give_up_after_ms: i64,
}

impl RetryPolicy {
    /// 2 s, ×3, at most 1 h, for 24 h.
    pub const DEFAULT: Self = Self {
        base_ms: 2_000,
        factor: 3,
        cap_ms: 3_600_000,
        give_up_after_ms: 24 * 3_600_000,
    };

    /// The longest wait after the given number of failed attempts (from 1).
    pub fn bound_ms(&self, n_attempts: u32) -> i64 {
        let mut bound = self.base_ms;
        for _ in 1..n_attempts.max(1) {
            bound = bound.saturating_mul(self.factor).min(self.cap_ms);
        }
        bound.min(self.cap_ms)
    }

    /// When to try next, or `None` when it is time to give up.
    ///
    /// `random` is uniform in 0..=1; `asked_ms` is what the CRM asked us to wait and is never undercut,
    /// but clamped to the cap. Whoever says when to come again is not broken: the bound then stays at a minute.
    pub fn next(
        &self,
        first_at: Timestamp,
        now: Timestamp,
        n_attempts: u32,
        random: f64,
        asked_ms: Option<i64>,
    ) -> Option<Timestamp> {
        let bound = match asked_ms {
            Some(_) => self.bound_ms(n_attempts).min(ASKED_BOUND_MS),
            None => self.bound_ms(n_attempts),
        };
        let jittered = (bound as f64 * random.clamp(0.0, 1.0)) as i64;
        let wait = jittered.max(asked_ms.unwrap_or(0).clamp(0, self.cap_ms)).max(1);
        let next = now.plus_ms(wait);
        (next.0 - first_at.0 <= self.give_up_after_ms).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_crm_that_says_when_is_not_kept_waiting() {
        let (now, policy) = (Timestamp(0), RetryPolicy::DEFAULT);
        let wait = |asked| policy.next(now, now, 9, 1.0, asked).unwrap().0;
        assert_eq!(wait(Some(1_000)), 60_000);
        assert_eq!(wait(Some(90_000)), 90_000);
        assert_eq!(wait(None), 3_600_000);
    }

    #[test]
    fn bounds_grow_to_the_cap() {
        let bounds: Vec<i64> = (1..10).map(|n| RetryPolicy::DEFAULT.bound_ms(n) / 1000).collect();
        assert_eq!(bounds, [2, 6, 18, 54, 162, 486, 1458, 3600, 3600]);
    }

    #[test]
    fn words_are_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
        for outcome in [
            Outcome::Done,
            Outcome::Skipped,
            Outcome::Rejected,
            Outcome::Postponed,
            Outcome::Unknown,
        ] {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }

    proptest! {
        #[test]
        fn bounds_are_monotone_and_bounded(
            base_ms in 1i64..100_000, factor in 1i64..10, cap_ms in 1i64..10_000_000, n in 1u32..60,
        ) {
            let policy = RetryPolicy { base_ms, factor, cap_ms, give_up_after_ms: i64::MAX };
            prop_assert!(policy.bound_ms(n) <= policy.bound_ms(n + 1));
            prop_assert!(policy.bound_ms(n) <= cap_ms);
            prop_assert!(policy.bound_ms(n) >= base_ms.min(cap_ms));
        }

        #[test]
        fn the_next_try_lies_ahead_and_in_time(
            first in 0i64..2_000_000_000_000, waited in 0i64..100_000_000, n in any::<u32>().prop_map(|n| n % 1000),
            random in any::<f64>(), asked in proptest::option::of(any::<i64>()),
        ) {
            let policy = RetryPolicy::DEFAULT;
            let (first, now) = (Timestamp(first), Timestamp(first + waited));
            match policy.next(first, now, n, random, asked) {
                Some(next) => {
                    prop_assert!(next > now);
                    prop_assert!(next.0 - now.0 <= policy.cap_ms);
                    prop_assert!(next.0 - first.0 <= policy.give_up_after_ms);
                    if let Some(asked) = asked {
                        prop_assert!(next.0 - now.0 >= asked.min(policy.cap_ms));
                    }
                }
                None => prop_assert!(waited + policy.cap_ms >= policy.give_up_after_ms),
            }
        }
    }
}
