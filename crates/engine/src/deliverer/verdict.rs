//! What the end of an attempt means for its delivery.

use super::failure::Failure;
use super::progress::Progress;
use super::upsert::Ended;
use crate::context::Settings;
use connector::{ConnectorError, Verdict};
use domain::delivery::{DeliveryState, Outcome};
use domain::time::Timestamp;
use storage::deliveries::Delivery;

/// How long an undecided one waits before the next look, in milliseconds.
const LOOK_AGAIN_MS: i64 = 2_000;

/// What an attempt did to its delivery.
pub(super) struct Settled {
    pub(super) outcome: Outcome,
    pub(super) code: Option<&'static str>,
    pub(super) text: Option<String>,
}

/// One attempt at its end.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) progress: &'a Progress,
    pub(super) started_at: Timestamp,
    pub(super) now: Timestamp,
}

impl Judge<'_> {
    /// Decides the new state of a delivery.
    pub(super) fn judge(&self, delivery: &mut Delivery, result: Result<Ended, Failure>) -> Settled {
        let is_sent = self.progress.sent.is_some();
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
            Err(Failure::NotYet { code, reason }) => {
                if self.now.0 - delivery.created_at.0 <= self.settings.undecided_ms {
                    delivery.state = DeliveryState::Pending;
                    delivery.due_at = self.now.plus_ms(LOOK_AGAIN_MS);
                    return Settled {
                        outcome: Outcome::Postponed,
                        code: Some(code),
                        text: Some(format!("{reason}; ждём: она может ещё создаваться")),
                    };
                }
                self.judge(delivery, Err(Failure::Refused { code, text: reason }))
            }
            Err(Failure::Uncertain { reason }) => self.undecided(delivery, reason),
            Err(Failure::Connector(error)) => self.failed(delivery, &error, is_sent),
            // A row that was left is not settled at all; nothing else can be said of it here.
            Err(Failure::Left { .. }) => self.interrupted(delivery, is_sent),
            Err(Failure::Engine(error)) => {
                tracing::error!(delivery.id = %delivery.id, error = &error as &dyn std::error::Error, "сбой при доставке");
                self.interrupted(delivery, is_sent)
            }
        }
    }

    /// Our own side failed: tried again in a moment.
    fn interrupted(&self, delivery: &mut Delivery, is_sent: bool) -> Settled {
        delivery.state = waiting_state(is_sent);
        delivery.due_at = self.now.plus_ms(self.settings.retry.base_ms);
        Settled {
            outcome: Outcome::Postponed,
            code: Some("internal"),
            text: Some("внутренний сбой, повторим".to_owned()),
        }
    }

    fn failed(&self, delivery: &mut Delivery, error: &ConnectorError, is_sent: bool) -> Settled {
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
            if self.sent_age_ms() > self.settings.undecided_ms {
                return self.undecided(delivery, error.to_string());
            }
            delivery.state = DeliveryState::Uncertain;
            delivery.due_at = self.now.plus_ms(LOOK_AGAIN_MS.min(self.settings.retry.base_ms));
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
                let first_at = delivery.first_at.unwrap_or(self.started_at);
                let asked_ms = asked.map(|asked| asked.as_millis() as i64);
                let random = rand::random::<f64>();
                let retry = &self.settings.retry;
                let next = retry.next(first_at, self.now, delivery.n_attempts, random, asked_ms);
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

    fn sent_age_ms(&self) -> i64 {
        self.progress
            .sent
            .as_ref()
            .map_or(0, |sent| self.now.0 - sent.at.0)
    }

    /// The outcome of a write is unknown. Looked for again, and after a while left to a person.
    fn undecided(&self, delivery: &mut Delivery, reason: String) -> Settled {
        if self.sent_age_ms() <= self.settings.undecided_ms {
            delivery.state = DeliveryState::Uncertain;
            delivery.due_at = self.now.plus_ms(LOOK_AGAIN_MS);
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
