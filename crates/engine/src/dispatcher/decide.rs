//! What becomes of one event: an echo, a wait, or runs and deliveries. Nothing is written here.

use super::batch::{Case, Decided, Group, Outcome, Round};
use super::facts::{self, Completed};
use super::{CONSEQUENCE_MS, Dispatcher, LOOK_AGAIN_MS, change, memory, quiet};
use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::links;
use crate::reconcile::news::is_stale_hook;
use crate::rulebook::{self, Book};
use domain::command::Command;
use domain::delivery::DeliveryState;
use domain::evaluate::{Evaluation, Explanation, Facts, Verdict, evaluate};
use domain::event::Origin;
use domain::id::{DeliveryId, RunId};
use domain::index::IndexedRule;
use domain::run::RunOutcome;
use domain::time::Timestamp;
use storage::connections::Connection;
use storage::deliveries::Delivery;
use storage::events::{Ending, EventState, StoredEvent};
use storage::memory::Echo;
use storage::runs::Run;

/// A worker that broke off over an event so often leaves it alone.
pub(super) const MAX_CRASHES: i32 = 3;

/// Whether the CRMs may be asked now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    NotNow,
    Allowed,
}

/// What an event is worth once its surroundings are known.
enum Asked<'a> {
    Rules(Case<'a>),
    Decided(Decided),
}

impl Dispatcher {
    /// What becomes of the first event of a group; `None` when a CRM must be asked and may not be now.
    pub(super) async fn decide(
        &self,
        round: &Round,
        group: &mut Group,
        outcome: &mut Outcome,
        stored: &StoredEvent,
        reading: Reading,
    ) -> Result<Option<Decided>, EngineError> {
        let event = &stored.event;
        let link = group.link.clone();
        let case = match asked(&self.context, round, group, stored, link.as_ref()) {
            Asked::Rules(case) => case,
            Asked::Decided(decided) => {
                if matches!(&decided, Decided::Done { ending, .. } if ending.state == EventState::Echo) {
                    memory::take_over(group, outcome, round, stored);
                }
                return Ok(Some(decided));
            }
        };
        let db = &self.context.db;
        if event.origin == Origin::Webhook
            && is_stale_hook(db, round.connection.kind, stored, &case.change).await?
        {
            return Ok(Some(Decided::Done {
                ending: Ending {
                    id: event.id,
                    state: EventState::Dispatched,
                    n_matched: 0,
                    outcome: Some("уже найдено сверкой с CRM".to_owned()),
                    echo_of: None,
                },
                runs: Vec::new(),
                deliveries: Vec::new(),
            }));
        }
        let then = match stored.replay_of {
            Some(original) if stored.as_then => {
                Some(rulebook::of_event(&self.context, round.workspace, original).await?)
            }
            _ => None,
        };
        let book = then.as_ref().unwrap_or(&round.book);
        let known = facts::from_event(stored, &case.change, book, round.now);
        let is_wanted = |entry: &&IndexedRule| {
            let only = stored.only_rule;
            only.is_none() || book.rule_of.get(&entry.version).copied() == only
        };
        let mut rules: Vec<&IndexedRule> = book.index.candidates(event.connection, &known);
        rules.retain(is_wanted);
        let held = if round.book.has_quiet && is_from_crm(event.origin) {
            let held = quiet::take_out(&mut rules, group, round, event);
            held.into_iter().filter(is_wanted).collect()
        } else {
            Vec::new()
        };
        let known =
            match facts::complete(&self.context, &case, known, &rules, &mut group.reads, reading).await? {
                Completed::Facts(known) => *known,
                Completed::NotNow => return Ok(None),
                Completed::Wait { reason } => {
                    return Ok(Some(Decided::Waits {
                        event: event.id,
                        due_at: round.now.plus_ms(self.context.settings.retry.base_ms),
                        reason,
                    }));
                }
            };
        let evaluations = evaluate_all(&self.context, &rules, &known, case.chain);
        let mut decided = decided(&case, book, round.now, &rules, evaluations);
        if let Decided::Done { runs, .. } = &mut decided {
            runs.extend(
                held.iter()
                    .filter_map(|entry| quiet::hold(group, outcome, &case, round, entry)),
            );
        }
        if is_from_crm(event.origin) {
            memory::take_over(group, outcome, round, stored);
        }
        Ok(Some(decided))
    }
}

/// Is it ours, must it wait, or are rules to be asked?
fn asked<'a>(
    context: &Context,
    round: &'a Round,
    group: &Group,
    stored: &'a StoredEvent,
    link: Option<&'a storage::links::Link>,
) -> Asked<'a> {
    let event = &stored.event;
    let ended = |state, outcome: String, echo_of| {
        Asked::Decided(Decided::Done {
            ending: Ending {
                id: event.id,
                state,
                n_matched: 0,
                outcome: Some(outcome),
                echo_of,
            },
            runs: Vec::new(),
            deliveries: Vec::new(),
        })
    };
    if stored.n_crashes >= MAX_CRASHES {
        let text = format!(
            "разбор события аварийно прервался {MAX_CRASHES} раза подряд, оно отложено; его можно запустить снова"
        );
        tracing::error!(event.id = %event.id, "событие отложено в карантин: разбор прерывался");
        return ended(EventState::Quarantined, text, None);
    }
    // A mark may explain the event only while it is valid, and a write made after the event arrived cannot have
    // caused it.
    let marks: Vec<Echo> = group
        .marks
        .iter()
        .filter(|mark| mark.expires_at > event.received_at && mark.written_at <= event.received_at)
        .cloned()
        .collect();
    let from_crm = is_from_crm(event.origin);
    if from_crm && marks.is_empty() && change::is_creation(event.fact.kind) {
        let patience = round.now.0 - event.received_at.0 < context.settings.creation_wait_ms;
        if patience && round.creating.contains(&event.fact.key.kind) {
            return Asked::Decided(Decided::Waits {
                event: event.id,
                due_at: round.now.plus_ms(LOOK_AGAIN_MS),
                reason: "ждём ответа на нашу запись: возможно, это её эхо".to_owned(),
            });
        }
    }
    let known = group.snapshot.as_ref();
    let seen_to = known.map_or(Timestamp(0), |known| known.seen_to);
    let expected = change::expected(known.map(|known| &known.record), seen_to, &marks, &event.fact);
    let mut change = change::of(&event.fact, expected.as_ref());
    if from_crm && let Some(mark) = change::explained(&event.fact, &change, &marks) {
        let text = format!("эхо нашей записи {}", mark.delivery);
        return ended(EventState::Echo, text, Some(mark.delivery));
    }
    if from_crm && memory::is_overtaken(known, round, stored) {
        change.keep_told(&event.fact);
    }
    Asked::Rules(Case {
        stored,
        connection: &round.connection,
        link,
        change,
        chain: chain(stored, &round.connection, &marks),
    })
}

/// A CRM told it, so it is news of the record and may be an echo.
pub(super) const fn is_from_crm(origin: Origin) -> bool {
    matches!(origin, Origin::Webhook | Origin::Poll)
}

pub(super) fn evaluate_all(
    context: &Context,
    rules: &[&IndexedRule],
    known: &Facts,
    chain: u16,
) -> Vec<Evaluation> {
    let mut stopped = false;
    rules
        .iter()
        .map(|entry| {
            if stopped {
                return without_looking(RunOutcome::Stopped);
            }
            let mut evaluation = evaluate(&entry.rule, known);
            if evaluation.outcome == RunOutcome::Matched {
                stopped = entry.rule.rule().stop;
                if chain > context.settings.max_chain {
                    evaluation.outcome = RunOutcome::LoopGuard;
                    evaluation.commands.clear();
                }
            }
            evaluation
        })
        .collect()
}

pub(super) fn decided(
    case: &Case<'_>,
    book: &Book,
    now: Timestamp,
    rules: &[&IndexedRule],
    evaluations: Vec<Evaluation>,
) -> Decided {
    let event = &case.stored.event;
    let lane = links::lane(case.link, event.connection, &event.fact.key);
    let (mut deliveries, mut runs) = (Vec::new(), Vec::new());
    let mut n_matched = 0;
    for (entry, evaluation) in rules.iter().zip(evaluations) {
        let Some(mut run) = run(case, book, entry, now) else {
            continue;
        };
        if evaluation.outcome == RunOutcome::Matched {
            n_matched += 1;
        }
        run.outcome = evaluation.outcome;
        run.explanation = evaluation.explanation;
        run.notes = evaluation.notes;
        run.n_commands = i32::try_from(evaluation.commands.len()).unwrap_or(i32::MAX);
        for command in evaluation.commands {
            deliveries.push(delivery(case, &run, command, &lane));
        }
        runs.push(run);
    }
    Decided::Done {
        ending: Ending {
            id: event.id,
            state: EventState::Dispatched,
            n_matched,
            outcome: None,
            echo_of: None,
        },
        runs,
        deliveries,
    }
}

/// A run of a rule that has not been asked yet.
pub(super) fn run(case: &Case<'_>, book: &Book, entry: &IndexedRule, now: Timestamp) -> Option<Run> {
    let event = &case.stored.event;
    let unasked = without_looking(RunOutcome::Stopped);
    Some(Run {
        workspace: event.workspace,
        id: RunId(new_id()),
        event: event.id,
        rule: book.rule_of.get(&entry.version).copied()?,
        version: entry.version,
        outcome: unasked.outcome,
        explanation: unasked.explanation,
        notes: unasked.notes,
        n_commands: 0,
        at: now,
    })
}

fn delivery(case: &Case<'_>, run: &Run, command: Command, lane: &str) -> Delivery {
    Delivery {
        workspace: run.workspace,
        id: DeliveryId(new_id()),
        run: run.id,
        event: run.event,
        rule: run.rule,
        connection: command.connection,
        lane: lane.to_owned(),
        command,
        state: DeliveryState::Pending,
        progress: serde_json::json!({}),
        record: None,
        error_code: None,
        error: None,
        replay_of: None,
        chain: case.chain,
        n_attempts: 0,
        created_at: run.at,
        first_at: None,
        due_at: run.at,
        finished_at: None,
    }
}

/// How many of our deliveries stand between an event and a person's act.
fn chain(stored: &StoredEvent, connection: &Connection, marks: &[Echo]) -> u16 {
    let event = &stored.event;
    let ours = connection
        .card
        .as_ref()
        .and_then(|card| card.get("user"))
        .and_then(serde_json::Value::as_i64);
    let by_a_person = event
        .fact
        .author
        .is_some_and(|author| author != 0 && Some(author) != ours);
    if by_a_person {
        return event.chain;
    }
    marks
        .iter()
        .filter(|mark| event.received_at.0 - mark.written_at.0 <= CONSEQUENCE_MS)
        .map(|mark| mark.chain.saturating_add(1))
        .fold(event.chain, u16::max)
}

fn without_looking(outcome: RunOutcome) -> Evaluation {
    Evaluation {
        outcome,
        explanation: Explanation {
            verdict: Verdict::Unknown,
            compared: None,
            children: Vec::new(),
        },
        commands: Vec::new(),
        notes: Vec::new(),
    }
}
