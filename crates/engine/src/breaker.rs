//! Circuit breakers: a CRM that fails again and again is left alone for a while, then tried with one delivery.
//!
//! What this process knows of the connections it works on. A ban and a lost authorisation need no counting: they shut
//! the connection at once, and its state says so.

use crate::context::Context;
use crate::error::EngineError;
use connector::{ConnectorError, Verdict};
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::audit::{Actor, NewEntry};
use storage::connections;

/// Failures in a row after which nothing is sent for a while.
const FAILURES: u32 = 5;
/// The first pause, and the longest one, in milliseconds; each failed trial doubles it.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 300_000;

#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    n_failed: u32,
    /// Pauses since the last success.
    n_pauses: u32,
    /// Nothing is sent before this.
    open_until: Option<Timestamp>,
    /// A person was told.
    is_told: bool,
}

/// How a connection may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Circuit {
    /// As usual.
    Closed,
    /// With one delivery, to see whether the CRM is back.
    Trial,
    /// Not at all.
    Open,
}

/// The breakers of one process.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<HashMap<ConnectionId, Breaker>>);

impl Breakers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn circuit(&self, id: ConnectionId, now: Timestamp) -> Circuit {
        match self.lock().get(&id).and_then(|breaker| breaker.open_until) {
            None => Circuit::Closed,
            Some(until) if until > now => Circuit::Open,
            Some(_) => Circuit::Trial,
        }
    }

    /// Connections that may send nothing now.
    pub(crate) fn open(&self, now: Timestamp) -> Vec<ConnectionId> {
        let all = self.lock();
        let open = all
            .iter()
            .filter(|(_, breaker)| breaker.open_until.is_some_and(|until| until > now));
        open.map(|(id, _)| *id).collect()
    }

    /// A call ended. An answer of any kind proves that the CRM is there.
    pub(crate) fn note(&self, id: ConnectionId, error: Option<&ConnectorError>, now: Timestamp) {
        let asked = match error.map(ConnectorError::verdict) {
            None | Some(Verdict::Permanent) => {
                if let Some(breaker) = self.lock().get_mut(&id) {
                    *breaker = Breaker {
                        is_told: breaker.is_told,
                        ..Breaker::default()
                    };
                }
                return;
            }
            Some(Verdict::Hold | Verdict::Reauthorise | Verdict::Suspend) => return,
            Some(Verdict::Retry(asked)) => asked,
        };
        let mut all = self.lock();
        let breaker = all.entry(id).or_default();
        breaker.n_failed += 1;
        // Calls that were under way when it opened say nothing new.
        if breaker.n_failed < FAILURES || breaker.open_until.is_some_and(|until| until > now) {
            return;
        }
        let pause = (FIRST_MS << breaker.n_pauses.min(10)).min(LONGEST_MS);
        let asked = asked.map_or(0, |asked: Duration| asked.as_millis() as i64);
        breaker.open_until = Some(now.plus_ms(pause.max(asked.min(LONGEST_MS))));
        breaker.n_pauses += 1;
    }

    /// What a person is to be told of a connection and was not yet: that it is left alone until a moment, or that
    /// it works again.
    fn news(&self, id: ConnectionId) -> Option<Option<Timestamp>> {
        let mut all = self.lock();
        let breaker = all.get_mut(&id)?;
        match (breaker.is_told, breaker.open_until) {
            (false, Some(until)) => {
                breaker.is_told = true;
                Some(Some(until))
            }
            (true, None) => {
                all.remove(&id);
                Some(None)
            }
            _ => None,
        }
    }
}

/// Tells the owner, once for each outage and once for its end: in the connection's answer and in the audit.
pub(crate) async fn tell(
    context: &Context,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<(), EngineError> {
    let Some(open_until) = context.breakers.news(id) else {
        return Ok(());
    };
    let (action, reason) = match open_until {
        Some(_) => (
            "connection.circuit_opened",
            Some("CRM не отвечает: запросы приостановлены и возобновятся сами, ожидающее сохраняет место"),
        ),
        None => ("connection.circuit_closed", None),
    };
    tracing::warn!(connection.id = %id, action, "предохранитель подключения");
    let entry = NewEntry {
        action,
        subject_kind: "connection",
        subject_id: id.to_string(),
        before: None,
        after: open_until.map(|until| serde_json::json!({ "until": until.0 })),
    };
    let tx = context.db.begin().await?;
    connections::set_reason(&tx, workspace, id, reason).await?;
    context.audit(&tx, workspace, &Actor::system(), entry).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::new_id;

    const DOWN: ConnectorError = ConnectorError::Unavailable {
        status: 503,
        uncertain: false,
    };

    fn failing(breakers: &Breakers, id: ConnectionId, n: usize, at: i64) -> Circuit {
        for _ in 0..n {
            breakers.note(id, Some(&DOWN), Timestamp(at));
        }
        breakers.circuit(id, Timestamp(at))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_an_answer() {
        let (breakers, id) = (Breakers::default(), ConnectionId(new_id()));
        assert_eq!(failing(&breakers, id, 4, 0), Circuit::Closed);
        breakers.note(id, Some(&ConnectorError::NotFound), Timestamp(0));
        assert_eq!(failing(&breakers, id, 4, 0), Circuit::Closed, "an answer between");
        assert_eq!(failing(&breakers, id, 1, 0), Circuit::Open);
        assert_eq!(breakers.circuit(id, Timestamp(FIRST_MS)), Circuit::Trial);
        breakers.note(id, None, Timestamp(FIRST_MS));
        assert_eq!(breakers.circuit(id, Timestamp(FIRST_MS)), Circuit::Closed);
    }

    #[test]
    fn each_failed_trial_doubles_the_pause_up_to_a_limit() {
        let (breakers, id) = (Breakers::default(), ConnectionId(new_id()));
        let (mut now, mut pause) = (0, FIRST_MS);
        failing(&breakers, id, 5, now);
        for _ in 0..12 {
            assert_eq!(breakers.circuit(id, Timestamp(now + pause - 1)), Circuit::Open);
            now += pause;
            assert_eq!(breakers.circuit(id, Timestamp(now)), Circuit::Trial);
            pause = (pause * 2).min(LONGEST_MS);
            assert_eq!(failing(&breakers, id, 1, now), Circuit::Open);
        }
        assert_eq!(pause, LONGEST_MS);
    }

    #[test]
    fn what_the_crm_asks_for_is_respected() {
        let (breakers, id) = (Breakers::default(), ConnectionId(new_id()));
        let busy = ConnectorError::RateLimited {
            after: Some(Duration::from_secs(60)),
        };
        for _ in 0..5 {
            breakers.note(id, Some(&busy), Timestamp(0));
        }
        assert_eq!(breakers.circuit(id, Timestamp(59_999)), Circuit::Open);
        assert_eq!(breakers.circuit(id, Timestamp(60_000)), Circuit::Trial);
    }
}
