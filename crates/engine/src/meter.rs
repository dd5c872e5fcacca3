//! What one process counts of its work, for the operator. Names of metrics are kept once released; labels are words of
//! closed sets, so that no count of series grows with the number of workspaces or records.

use crate::error::EngineError;
use crate::intake::Accepted;
use domain::connection::ConnectorKind;
use domain::id::EventId;
use domain::time::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::time::Duration;
use storage::backlog::{self, Backlog};
use storage::deliveries::{Attempt, Delivery};
use storage::{Db, StorageError};

/// Figures of what waits are believed for this long, in milliseconds, whoever asks.
const BACKLOG_FOR_MS: i64 = 5_000;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Attempted {
    action: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Acted {
    action: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Answered {
    crm: &'static str,
    answer: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Received {
    crm: &'static str,
    known: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Ended {
    state: &'static str,
}

/// Names the event whose page tells the rest.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Example {
    event: String,
}

/// Seconds of what a person or a CRM waits for.
const SHORT: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds of what may be tried again for a day.
const LONG: [f64; 13] = [
    0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
];

fn short() -> Histogram {
    Histogram::new(SHORT)
}

fn long() -> HistogramWithExemplars<Example> {
    HistogramWithExemplars::new(LONG.into_iter())
}

/// The counters of one process.
pub struct Meter {
    attempts: Family<Attempted, Counter>,
    attempt_time: Family<Acted, Histogram>,
    reaction_time: Family<Ended, HistogramWithExemplars<Example>>,
    bodies: Family<Answered, Counter>,
    body_time: Histogram,
    facts: Family<Received, Counter>,
    backlog: tokio::sync::Mutex<Option<(Timestamp, Arc<Backlog>)>>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            attempts: Family::default(),
            attempt_time: Family::new_with_constructor(short),
            reaction_time: Family::new_with_constructor(long),
            bodies: Family::default(),
            body_time: short(),
            facts: Family::default(),
            backlog: tokio::sync::Mutex::default(),
        }
    }
}

impl Meter {
    /// Hands the counters to a registry, which reads them from then on.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "attempts",
            "Attempts of deliveries by action and how they ended",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "attempt",
            "How long attempts took",
            Unit::Seconds,
            self.attempt_time.clone(),
        );
        registry.register_with_unit(
            "webhook_to_end",
            "From receiving a webhook to the last attempt of a delivery that follows from it, by how it ended",
            Unit::Seconds,
            self.reaction_time.clone(),
        );
        registry.register(
            "webhooks",
            "Bodies of webhooks by CRM and what was answered",
            self.bodies.clone(),
        );
        registry.register_with_unit(
            "webhook",
            "How long storing the body of a webhook took",
            Unit::Seconds,
            self.body_time.clone(),
        );
        registry.register(
            "facts",
            "Facts in bodies of webhooks, and whether they were known already",
            self.facts.clone(),
        );
    }

    /// What waits in the whole installation; asked of the database every few seconds at most.
    pub async fn backlog(&self, db: &Db, now: Timestamp) -> Result<Arc<Backlog>, StorageError> {
        let mut kept = self.backlog.lock().await;
        if let Some((at, backlog)) = &*kept
            && (0..BACKLOG_FOR_MS).contains(&(now.0 - at.0))
        {
            return Ok(Arc::clone(backlog));
        }
        let fresh = Arc::new(backlog::backlog(db).await?);
        *kept = Some((now, Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// An attempt was stored. `received_at`: when the webhook came that the delivery follows from.
    pub(crate) fn attempt(&self, delivery: &Delivery, attempt: &Attempt, received_at: Option<Timestamp>) {
        let action = delivery.command.operation.as_str();
        let outcome = attempt.outcome.as_str();
        self.attempts.get_or_create(&Attempted { action, outcome }).inc();
        let took = seconds(attempt.started_at, attempt.finished_at);
        self.attempt_time.get_or_create(&Acted { action }).observe(took);
        if let Some(received_at) = received_at
            && delivery.state.is_final()
        {
            let state = delivery.state.as_str();
            let example = example(delivery.event);
            self.reaction_time.get_or_create(&Ended { state }).observe(
                seconds(received_at, attempt.finished_at),
                Some(example),
                None,
            );
        }
    }

    /// A body of a webhook was answered.
    pub(crate) fn body(&self, kind: ConnectorKind, answer: &Result<Accepted, EngineError>, took: Duration) {
        let crm = kind.as_str();
        let word = match answer {
            Ok(_) => "accepted",
            Err(EngineError::UnknownHook) => "unknown_address",
            Err(EngineError::Intake(_)) => "refused",
            Err(EngineError::Busy) => "busy",
            Err(_) => "failed",
        };
        self.bodies.get_or_create(&Answered { crm, answer: word }).inc();
        if let Ok(accepted) = answer {
            self.body_time.observe(took.as_secs_f64());
            let n_known = accepted.n_facts.saturating_sub(accepted.n_new);
            for (known, n) in [("no", accepted.n_new), ("yes", n_known)] {
                self.facts
                    .get_or_create(&Received { crm, known })
                    .inc_by(n as u64);
            }
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.0.saturating_sub(from.0).max(0) as f64 / 1_000.0
}

fn example(event: EventId) -> Example {
    Example {
        event: event.to_string(),
    }
}
