//! Delivery: due commands are leased, carried out without any transaction open, and recorded. What a crash
//! leaves behind is looked for before anything is written again.

mod attempt;
mod diff;
mod failure;
mod operation;
mod progress;
mod upsert;

use self::attempt::Attempt;
use self::failure::Failure;
use self::upsert::Ended;
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::lease::holding;
use crate::pump::Rounds;
use connector::http::{Trace, traced};
use connector::{ConnectorError, Verdict};
use domain::command::Operation;
use domain::connection::ConnectionState;
use domain::delivery::{DeliveryState, Outcome};
use domain::id::{AttemptId, ConnectionId};
use domain::time::Timestamp;
use futures::StreamExt;
use std::sync::Arc;
use storage::connections::{self, Connection};
use storage::deliveries::{self, Delivery};
use storage::{StorageError, events};

/// How long an undecided one waits before the next look, in milliseconds.
const LOOK_AGAIN_MS: i64 = 2_000;

/// Carries deliveries out.
pub(crate) struct Deliverer {
    context: Arc<Context>,
}

/// What an attempt did to its delivery.
struct Settled {
    outcome: Outcome,
    code: Option<&'static str>,
    text: Option<String>,
}

impl Rounds for Deliverer {
    type Key = Option<ConnectionId>;
    const NAME: &'static str = "доставка";

    async fn due(&self) -> Result<Vec<Self::Key>, EngineError> {
        Self::due(self).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        Self::next_due(self).await
    }

    async fn round(&self, key: Self::Key) -> Result<usize, EngineError> {
        Self::round(self, key).await
    }
}

impl Deliverer {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Connections with something due; `None` stands for the hub's own operations.
    pub(crate) async fn due(&self) -> Result<Vec<Option<ConnectionId>>, EngineError> {
        let stops = &self.context.stops;
        if stops.is_everything_stopped() {
            return Ok(Vec::new());
        }
        let held = stops.connections();
        let due = deliveries::due_connections(&self.context.db, self.context.clock.now()).await?;
        Ok(due
            .into_iter()
            .filter(|due| due.is_none_or(|id| !held.contains(&id)))
            .collect())
    }

    /// When something that may be sent is next due.
    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let stops = &self.context.stops;
        if stops.is_everything_stopped() {
            return Ok(None);
        }
        Ok(deliveries::next_due(&self.context.db, &stops.connections(), &stops.rules()).await?)
    }

    /// One round of a connection: whoever holds its lease takes what is due, first of each lane.
    pub(crate) async fn round(&self, id: Option<ConnectionId>) -> Result<usize, EngineError> {
        Ok(holding(&self.context, id, self.work(id)).await?.unwrap_or(0))
    }

    async fn work(&self, id: Option<ConnectionId>) -> Result<usize, EngineError> {
        let (db, settings) = (&self.context.db, &self.context.settings);
        let owner = &self.context.owner;
        let now = self.context.clock.now();
        // Whatever another holder left under way belongs to nobody now.
        deliveries::recover(db, id, owner, now).await?;
        if let Some(id) = id
            && let Some(connection) = connections::find_any(db, id).await?
            && connection.state != ConnectionState::Active
        {
            // Everything keeps its place until the pause is over.
            self.context.stops.pause(id);
            return Ok(0);
        }
        let until = now.plus_ms(settings.lease_ms);
        let held = self.context.stops.rules();
        let leased = deliveries::lease(db, id, owner, now, until, settings.deliveries_at_once, &held).await?;
        let n_leased = leased.len();
        let done: Vec<Result<(), EngineError>> = futures::stream::iter(leased)
            .map(|delivery| self.attempt(delivery))
            .buffer_unordered(n_leased.max(1))
            .collect()
            .await;
        done.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(n_leased)
    }

    async fn attempt(&self, delivery: Delivery) -> Result<(), EngineError> {
        let started_at = self.context.clock.now();
        let trace = Trace::default();
        let (delivery, result) = traced(trace.clone(), self.carry_out(delivery)).await;
        match result {
            // The lease went to somebody else meanwhile: what they do now counts, not this.
            Err(Failure::Engine(EngineError::Storage(StorageError::Stale { .. }))) => Ok(()),
            result => self.settle(delivery, result, &trace, started_at).await,
        }
    }

    async fn carry_out(&self, delivery: Delivery) -> (Delivery, Result<Ended, Failure>) {
        if let Operation::SaveCallResult { result } = &delivery.command.operation {
            let saved = crate::calls::save(&self.context, &delivery, result).await;
            return (delivery, saved.map(|()| Ended::Done).map_err(Failure::Engine));
        }
        let unchanged = delivery.clone();
        match self.begin(delivery).await {
            Err(failure) => (unchanged, Err(failure)),
            Ok(mut attempt) => {
                let command = attempt.delivery.command.clone();
                let result = match attempt.resolve().await {
                    Ok(()) => attempt.operate(&command.operation).await,
                    Err(failure) => Err(failure),
                };
                let now = self.context.clock.now();
                let error = match &result {
                    Err(Failure::Connector(error)) => Some(error),
                    _ => None,
                };
                let noted = crate::connections::note(&self.context.db, &attempt.connection, error, now).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "состояние подключения не записано");
                }
                (attempt.delivery, result)
            }
        }
    }

    async fn begin(&self, delivery: Delivery) -> Result<Attempt<'_>, Failure> {
        let context = &*self.context;
        let Some(id) = delivery.connection else {
            return Err(Failure::Refused {
                code: "unsupported",
                text: "действия вне CRM в этой версии не выполняются".to_owned(),
            });
        };
        let connection = match connections::find(&context.db, delivery.workspace, id).await {
            Ok(connection) => connection,
            Err(StorageError::NotFound { .. }) => {
                let text = "подключение удалено".to_owned();
                return Err(Failure::Refused {
                    code: "connection_gone",
                    text,
                });
            }
            Err(error) => return Err(error.into()),
        };
        if connection.state != ConnectionState::Active {
            return Err(Failure::Paused {
                reason: paused(&connection),
            });
        }
        let event = events::find(&context.db, delivery.workspace, delivery.event).await?;
        let progress =
            serde_json::from_value(delivery.progress.clone()).map_err(|_| StorageError::Corrupt {
                table: "delivery",
                id: delivery.id.to_string(),
            })?;
        let connector = context.working(&connection, Some(delivery.rule)).await?;
        Ok(Attempt {
            context,
            delivery,
            progress,
            event,
            connection,
            connector,
        })
    }

    /// One transaction for the fact «this attempt ended so».
    async fn settle(
        &self,
        mut delivery: Delivery,
        result: Result<Ended, Failure>,
        trace: &Trace,
        started_at: Timestamp,
    ) -> Result<(), EngineError> {
        let now = self.context.clock.now();
        let settled = self.judge(&mut delivery, result, started_at, now);
        delivery.error_code = settled.code.map(str::to_owned);
        delivery.error.clone_from(&settled.text);
        if delivery.state.is_final() {
            delivery.finished_at = Some(now);
        }
        if delivery.state == DeliveryState::Dead {
            tracing::warn!(
                delivery.id = %delivery.id, rule.id = %delivery.rule, code = settled.code.unwrap_or_default(),
                "доставка остановлена и ждёт решения человека"
            );
        }
        let attempt = deliveries::Attempt {
            workspace: delivery.workspace,
            id: AttemptId(new_id()),
            delivery: delivery.id,
            number: delivery.n_attempts,
            outcome: settled.outcome,
            error_code: settled.code.map(str::to_owned),
            error: settled.text,
            exchanges: serde_json::to_value(trace.take()).unwrap_or_default(),
            started_at,
            finished_at: now,
        };
        let tx = self.context.db.begin().await?;
        deliveries::release(&tx, &delivery, &self.context.owner).await?;
        deliveries::insert_attempt(&tx, &attempt).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Decides the new state of a delivery.
    fn judge(
        &self,
        delivery: &mut Delivery,
        result: Result<Ended, Failure>,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Settled {
        let is_sent = delivery.progress.get("sent").is_some_and(|sent| !sent.is_null());
        match result {
            Ok(Ended::Done) => {
                delivery.state = DeliveryState::Delivered;
                Settled {
                    outcome: Outcome::Done,
                    code: None,
                    text: None,
                }
            }
            Ok(Ended::Skipped(reason)) => {
                delivery.state = DeliveryState::Skipped;
                Settled {
                    outcome: Outcome::Skipped,
                    code: None,
                    text: Some(reason),
                }
            }
            Err(Failure::Refused { code, text }) => {
                delivery.state = DeliveryState::Dead;
                Settled {
                    outcome: Outcome::Rejected,
                    code: Some(code),
                    text: Some(text),
                }
            }
            Err(Failure::Paused { reason }) => {
                delivery.state = waiting_state(is_sent);
                delivery.n_attempts = delivery.n_attempts.saturating_sub(1);
                Settled {
                    outcome: Outcome::Postponed,
                    code: Some("paused"),
                    text: Some(reason),
                }
            }
            Err(Failure::Uncertain { reason }) => self.undecided(delivery, reason, now),
            Err(Failure::Connector(error)) => self.failed(delivery, &error, is_sent, started_at, now),
            Err(Failure::Engine(error)) => {
                tracing::error!(delivery.id = %delivery.id, error = &error as &dyn std::error::Error, "сбой при доставке");
                delivery.state = waiting_state(is_sent);
                delivery.due_at = now.plus_ms(self.context.settings.retry.base_ms);
                let text = "внутренний сбой, повторим".to_owned();
                Settled {
                    outcome: Outcome::Postponed,
                    code: Some("internal"),
                    text: Some(text),
                }
            }
        }
    }

    fn failed(
        &self,
        delivery: &mut Delivery,
        error: &ConnectorError,
        is_sent: bool,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Settled {
        let settled = |outcome| Settled {
            outcome,
            code: Some(error.code()),
            text: Some(error.to_string()),
        };
        if error.verdict() == Verdict::Hold {
            delivery.state = waiting_state(is_sent);
            delivery.n_attempts = delivery.n_attempts.saturating_sub(1);
            return settled(Outcome::Postponed);
        }
        if is_sent {
            // Unknown outcome: never given up before it was looked for, never repeated blindly.
            let age = sent_age_ms(delivery, now);
            if age > self.context.settings.undecided_ms {
                return self.undecided(delivery, error.to_string(), now);
            }
            delivery.state = DeliveryState::Uncertain;
            delivery.due_at = now.plus_ms(LOOK_AGAIN_MS.min(self.context.settings.retry.base_ms));
            return settled(Outcome::Unknown);
        }
        match error.verdict() {
            Verdict::Permanent => {
                delivery.state = DeliveryState::Dead;
                settled(Outcome::Rejected)
            }
            Verdict::Reauthorise | Verdict::Suspend | Verdict::Hold => {
                delivery.state = DeliveryState::Pending;
                settled(Outcome::Postponed)
            }
            Verdict::Retry(asked) => {
                let first_at = delivery.first_at.unwrap_or(started_at);
                let asked_ms = asked.map(|asked| asked.as_millis() as i64);
                let random = rand::random::<f64>();
                let next =
                    self.context
                        .settings
                        .retry
                        .next(first_at, now, delivery.n_attempts, random, asked_ms);
                match next {
                    Some(due_at) => {
                        delivery.state = DeliveryState::Pending;
                        delivery.due_at = due_at;
                        settled(Outcome::Postponed)
                    }
                    None => {
                        delivery.state = DeliveryState::Dead;
                        settled(Outcome::Rejected)
                    }
                }
            }
        }
    }

    /// The outcome of a write is unknown. Looked for again, and after a while left to a person.
    fn undecided(&self, delivery: &mut Delivery, reason: String, now: Timestamp) -> Settled {
        if sent_age_ms(delivery, now) <= self.context.settings.undecided_ms {
            delivery.state = DeliveryState::Uncertain;
            delivery.due_at = now.plus_ms(LOOK_AGAIN_MS);
            return Settled {
                outcome: Outcome::Unknown,
                code: Some("uncertain"),
                text: Some(reason),
            };
        }
        delivery.state = DeliveryState::Dead;
        let text = format!(
            "неизвестно, применила ли CRM нашу запись: {reason}. Проверьте карточку: если изменение есть — отмените \
             доставку, если нет — повторите её"
        );
        Settled {
            outcome: Outcome::Unknown,
            code: Some("undecided"),
            text: Some(text),
        }
    }
}

const fn waiting_state(is_sent: bool) -> DeliveryState {
    if is_sent {
        DeliveryState::Uncertain
    } else {
        DeliveryState::Pending
    }
}

fn sent_age_ms(delivery: &Delivery, now: Timestamp) -> i64 {
    let at = delivery
        .progress
        .get("sent")
        .and_then(|sent| sent.get("at"))
        .and_then(serde_json::Value::as_i64);
    at.map_or(0, |at| now.0 - at)
}

fn paused(connection: &Connection) -> String {
    let reason = connection.state_reason.as_deref().unwrap_or("не активно");
    format!("подключение «{}»: {reason}", connection.name)
}
