//! Guessing passwords is slowed down, without letting anybody shut the owner out.
//!
//! Every try is counted *before* the password is looked at, so tries side by side gain nothing: under the
//! account, under the address, and under both together. Beyond a few free tries each further one must wait, twice
//! as long as the one before, a quarter of an hour at most. Who has signed in from an address before is not held
//! up there by what others try elsewhere; a link by mail works whatever is counted.

use super::Accounts;
use crate::error::EngineError;
use domain::time::Timestamp;
use std::net::IpAddr;
use storage::sign_in_throttle::{self as counters, Counter};

/// The longest wait, in milliseconds.
const LONGEST_MS: i64 = 15 * 60_000;
/// A counter that was not touched for so long begins anew, in milliseconds.
const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600_000;
/// A sign-in makes its address trusted for so long, in milliseconds.
pub const TRUSTED_FOR_MS: i64 = 30 * 86_400_000;

/// What is being tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tried {
    /// Signing in.
    SignIn,
    /// Asking for a letter.
    Letter,
}

/// A try that was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Try {
    names: Names,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Names {
    account: String,
    address: String,
    both: String,
}

impl Names {
    fn of(tried: Tried, email: &str, address: Option<&str>) -> Self {
        let word = match tried {
            Tried::SignIn => "sign_in",
            Tried::Letter => "letter",
        };
        // Hashed: what was typed may be a password in the wrong field.
        let account = &vault::hash_token(&email.trim().to_lowercase())[..32];
        let address = network(address.unwrap_or_default());
        Self {
            account: format!("{word}:account:{account}"),
            address: format!("{word}:address:{address}"),
            both: format!("{word}:both:{account}:{address}"),
        }
    }

    /// In the order in which they are locked, with how many tries are free.
    fn in_order(&self) -> [(&str, i64); 3] {
        [(&self.account, 10), (&self.address, 30), (&self.both, 5)]
    }
}

/// A person at home has a whole IPv6 network of addresses: it counts as one.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// How long the next try must wait after so many failures.
fn wait_ms(n_failures: i64, n_free: i64) -> i64 {
    let beyond = n_failures - n_free;
    if beyond < 0 {
        return 0;
    }
    let doubled = 1_000_i64.checked_shl(u32::try_from(beyond.min(20)).unwrap_or(20));
    doubled.unwrap_or(LONGEST_MS).min(LONGEST_MS)
}

impl Accounts {
    /// Counts a try before it is made; refuses it when it comes too soon.
    pub async fn count_try(
        &self,
        tried: Tried,
        email: &str,
        address: Option<&str>,
    ) -> Result<Try, EngineError> {
        let now = self.context.clock.now();
        let names = Names::of(tried, email, address);
        let tx = self.context.db.begin().await?;
        let mut locked = Vec::with_capacity(3);
        for (name, n_free) in names.in_order() {
            let counter = counters::lock(&tx, name, now).await?;
            locked.push((name, n_free, forgotten(counter, now)));
        }
        let at_home = locked
            .last()
            .and_then(|(_, _, both)| both.trusted_at)
            .is_some_and(|at| now.0 - at.0 < TRUSTED_FOR_MS);
        let held_up = locked
            .iter()
            .filter(|(name, ..)| !(at_home && *name == names.account))
            .map(|(_, _, counter)| counter.blocked_until)
            .max();
        if let Some(until) = held_up.filter(|until| *until > now) {
            return Err(EngineError::TooSoon {
                wait_ms: until.0 - now.0,
            });
        }
        for (name, n_free, counter) in locked {
            let n_failures = counter.n_failures + 1;
            let counter = Counter {
                n_failures,
                last_at: now,
                blocked_until: now.plus_ms(wait_ms(n_failures, n_free)),
                ..counter
            };
            counters::put(&tx, name, counter).await?;
        }
        tx.commit().await?;
        Ok(Try { names })
    }

    /// The try succeeded: its account begins anew, and its address is one that this account is known at. The
    /// address stays counted, since a stranger has an account too.
    pub async fn forgive(&self, tried: &Try) -> Result<(), EngineError> {
        let now = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        for name in [&tried.names.account, &tried.names.both] {
            counters::lock(&tx, name, now).await?;
            let counter = Counter {
                n_failures: 0,
                last_at: now,
                blocked_until: Timestamp(0),
                trusted_at: Some(now),
            };
            counters::put(&tx, name, counter).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn forgotten(counter: Counter, now: Timestamp) -> Counter {
    if now.0 - counter.last_at.0 < FORGOTTEN_AFTER_MS {
        return counter;
    }
    Counter {
        n_failures: 0,
        blocked_until: Timestamp(0),
        ..counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_a_quarter_of_an_hour() {
        assert_eq!(wait_ms(4, 5), 0);
        assert_eq!(wait_ms(5, 5), 1_000);
        assert_eq!(wait_ms(6, 5), 2_000);
        assert_eq!(wait_ms(14, 5), 512_000);
        assert_eq!(wait_ms(15, 5), LONGEST_MS);
        assert_eq!(wait_ms(i64::MAX, 5), LONGEST_MS);
    }

    #[test]
    fn an_ipv6_home_is_one_address() {
        let of = |address: &str| Names::of(Tried::SignIn, "a@example.ru", Some(address));
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
        assert_eq!(
            of("10.0.0.1"),
            Names::of(Tried::SignIn, " A@Example.ru", Some("10.0.0.1"))
        );
    }
}
