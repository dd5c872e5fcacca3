//! Dispatch: what do the rules make of an event? One transaction writes the answer: runs, planned
//! deliveries, the new memory of the record, and that the event is done.

mod change;
mod facts;

pub(crate) use change::same;

use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::lease::holding;
use crate::links;
use crate::pump::Rounds;
use crate::rulebook::{self, Book, Rulebook};
use crate::worker::Signals;
use domain::command::Command;
use domain::compile::{Diagnostic, compile};
use domain::delivery::DeliveryState;
use domain::evaluate::{Evaluation, Explanation, Facts, Verdict, evaluate};
use domain::event::Origin;
use domain::field::SystemField;
use domain::id::{ConnectionId, DeliveryId, EventId, RuleVersionId, RunId, WorkspaceId};
use domain::index::IndexedRule;
use domain::record::Record;
use domain::rule::Rule;
use domain::run::RunOutcome;
use domain::time::Timestamp;
use domain::value::Value;
use futures::StreamExt;
use std::sync::Arc;
use storage::connections::{self, Connection};
use storage::deliveries::{self, Delivery};
use storage::events::{self, EventState, StoredEvent};
use storage::links::Link;
use storage::memory::{self, Echo};
use storage::runs::{self, Run};
use storage::{StorageError, Tx};
use uuid::Uuid;

/// Consequences of a write follow it within this time, in milliseconds.
const CONSEQUENCE_MS: i64 = 10_000;
/// How long an event waits between looks when it has to wait, in milliseconds.
const LOOK_AGAIN_MS: i64 = 300;
/// Records looked at side by side: a slow CRM must not hold up the others.
const SIDE_BY_SIDE: usize = 8;

/// Decides what becomes of events.
pub(crate) struct Dispatcher {
    context: Arc<Context>,
    rulebook: Rulebook,
    signals: Arc<Signals>,
}

/// What became of one event in one step.
enum Step {
    Done,
    /// It has to wait, and so have later events of its record.
    Waits,
}

/// An event with everything that is known around it before any rule is asked.
struct Case {
    stored: StoredEvent,
    connection: Connection,
    link: Option<Link>,
    snapshot: Option<Record>,
    change: change::Change,
    chain: u16,
}

impl Dispatcher {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            context,
            rulebook: Rulebook::default(),
            signals,
        }
    }

    /// Connections with something to look at.
    pub(crate) async fn due(&self) -> Result<Vec<ConnectionId>, EngineError> {
        Ok(events::waiting_connections(&self.context.db, self.context.clock.now()).await?)
    }

    /// Looks at the events of a connection that wait, oldest first and in order per record. Returns how many
    /// were looked at.
    pub(crate) async fn round(&self, connection: ConnectionId) -> Result<usize, EngineError> {
        Ok(holding(&self.context, Some(connection), self.work(connection))
            .await?
            .unwrap_or(0))
    }

    async fn work(&self, connection: ConnectionId) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let limit = self.context.settings.dispatch_batch;
        let waiting = events::waiting(&self.context.db, connection, now, limit).await?;
        let n_waiting = waiting.len();
        let mut records: Vec<Vec<StoredEvent>> = Vec::new();
        for (id, workspace, stored) in waiting {
            match stored {
                Ok(stored) => {
                    let same = records
                        .iter_mut()
                        .find(|record| record[0].event.fact.key == stored.event.fact.key);
                    match same {
                        Some(record) => record.push(stored),
                        None => records.push(vec![stored]),
                    }
                }
                Err(error) => self.set_aside(workspace, id, &error).await?,
            }
        }
        let results: Vec<Result<(), EngineError>> = futures::stream::iter(records)
            .map(|record| self.record(record))
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        results.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(n_waiting)
    }

    async fn record(&self, events: Vec<StoredEvent>) -> Result<(), EngineError> {
        for stored in events {
            match self.event(stored).await {
                // Somebody else was quicker, and their answer stands.
                Ok(Step::Done) | Err(EngineError::Storage(StorageError::Stale { table: "event" })) => {}
                Ok(Step::Waits) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A row that no longer parses must not hold up the others.
    async fn set_aside(
        &self,
        workspace: WorkspaceId,
        id: EventId,
        error: &StorageError,
    ) -> Result<(), EngineError> {
        tracing::error!(event.id = %id, %error, "событие не читается и отложено в карантин");
        let now = self.context.clock.now();
        let text = "запись события повреждена";
        events::finish(
            &self.context.db,
            workspace,
            id,
            EventState::Quarantined,
            0,
            Some(text),
            now,
        )
        .await?;
        Ok(())
    }

    async fn event(&self, stored: StoredEvent) -> Result<Step, EngineError> {
        let event = &stored.event;
        let db = &self.context.db;
        let now = self.context.clock.now();
        let key = &event.fact.key;
        let connection = match connections::find(db, event.workspace, event.connection).await {
            Ok(connection) => connection,
            Err(StorageError::NotFound { .. }) => {
                let text = Some("подключение удалено");
                events::finish(
                    db,
                    event.workspace,
                    event.id,
                    EventState::Dispatched,
                    0,
                    text,
                    now,
                )
                .await?;
                return Ok(Step::Done);
            }
            Err(error) => return Err(error.into()),
        };
        let mut marks = memory::echoes(
            db,
            event.workspace,
            event.connection,
            std::slice::from_ref(key),
            event.received_at,
        )
        .await?;
        // A write made after the event arrived cannot have caused it.
        marks.retain(|mark| mark.written_at <= event.received_at);
        let from_crm = matches!(event.origin, Origin::Webhook | Origin::Poll);
        if from_crm && marks.is_empty() && change::is_creation(event.fact.kind) {
            let patience = now.0 - event.received_at.0 < self.context.settings.creation_wait_ms;
            if patience
                && memory::creations_under_way(db, event.workspace, event.connection, now)
                    .await?
                    .contains(&key.kind)
            {
                let text = "ждём ответа на нашу запись: возможно, это её эхо";
                events::postpone(db, event.workspace, event.id, now.plus_ms(LOOK_AGAIN_MS), text).await?;
                return Ok(Step::Waits);
            }
        }
        let snapshot = memory::snapshot(db, event.workspace, event.connection, key)
            .await?
            .map(|it| it.record);
        let expected = change::expected(snapshot.as_ref(), &marks, &event.fact);
        let change = change::of(&event.fact, expected.as_ref());
        if from_crm && let Some(mark) = change::explained(&event.fact, &change, &marks) {
            let text = format!("эхо нашей записи {}", mark.delivery);
            let tx = db.begin().await?;
            remember(&tx, &stored, snapshot, now).await?;
            events::finish(
                &tx,
                event.workspace,
                event.id,
                EventState::Echo,
                0,
                Some(&text),
                now,
            )
            .await?;
            tx.commit().await?;
            return Ok(Step::Done);
        }
        let link = links::of(db, event.workspace, event.connection, key).await?;
        let chain = chain(&stored, &connection, &marks);
        self.ask_rules(Case {
            stored,
            connection,
            link,
            snapshot,
            change,
            chain,
        })
        .await
    }

    async fn ask_rules(&self, case: Case) -> Result<Step, EngineError> {
        let event = &case.stored.event;
        let now = self.context.clock.now();
        let book = self.rulebook.book(&self.context, event.workspace).await?;
        let known = facts::from_event(&case.stored, &case.change, &book, now);
        let mut rules: Vec<&IndexedRule> = book.index.candidates(event.connection, &known);
        if let Some(only) = case.stored.only_rule {
            rules.retain(|entry| book.rule_of.get(&entry.version) == Some(&only));
        }
        let known = match facts::complete(&self.context, &case, known, &rules).await? {
            facts::Completed::Facts(known) => *known,
            facts::Completed::Wait { reason } => {
                let due_at = now.plus_ms(self.context.settings.retry.base_ms);
                events::postpone(&self.context.db, event.workspace, event.id, due_at, &reason).await?;
                return Ok(Step::Waits);
            }
        };
        let evaluations = self.evaluate_all(&rules, &known, case.chain);
        self.write(&case, &book, &rules, evaluations).await?;
        Ok(Step::Done)
    }

    fn evaluate_all(&self, rules: &[&IndexedRule], known: &Facts, chain: u16) -> Vec<Evaluation> {
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
                    if chain > self.context.settings.max_chain {
                        evaluation.outcome = RunOutcome::LoopGuard;
                        evaluation.commands.clear();
                    }
                }
                evaluation
            })
            .collect()
    }

    async fn write(
        &self,
        case: &Case,
        book: &Book,
        rules: &[&IndexedRule],
        evaluations: Vec<Evaluation>,
    ) -> Result<(), EngineError> {
        let event = &case.stored.event;
        let now = self.context.clock.now();
        let lane = links::lane(case.link.as_ref(), event.connection, &event.fact.key);
        let (mut planned, mut made) = (Vec::new(), Vec::new());
        let mut n_matched = 0;
        for (entry, evaluation) in rules.iter().zip(evaluations) {
            let Some(rule) = book.rule_of.get(&entry.version).copied() else {
                continue;
            };
            match evaluation.outcome {
                RunOutcome::Matched => n_matched += 1,
                RunOutcome::LoopGuard => {
                    tracing::error!(rule.id = %rule, event.id = %event.id, "сработала защита от зацикливания");
                }
                _ => {}
            }
            let run = Run {
                workspace: event.workspace,
                id: RunId(new_id()),
                event: event.id,
                rule,
                version: entry.version,
                outcome: evaluation.outcome,
                explanation: evaluation.explanation,
                notes: evaluation.notes,
                n_commands: i32::try_from(evaluation.commands.len()).unwrap_or(i32::MAX),
                at: now,
            };
            for command in evaluation.commands {
                planned.push(delivery(case, &run, command, &lane));
            }
            made.push(run);
        }
        let tx = self.context.db.begin().await?;
        runs::insert(&tx, &made).await?;
        deliveries::insert(&tx, &planned).await?;
        if matches!(event.origin, Origin::Webhook | Origin::Poll) {
            remember(&tx, &case.stored, case.snapshot.clone(), now).await?;
        }
        events::finish(
            &tx,
            event.workspace,
            event.id,
            EventState::Dispatched,
            n_matched,
            None,
            now,
        )
        .await?;
        tx.commit().await?;
        if !planned.is_empty() {
            self.signals.deliveries.notify_one();
        }
        Ok(())
    }
}

impl Rounds for Dispatcher {
    type Key = ConnectionId;
    const NAME: &'static str = "разбор событий";

    async fn due(&self) -> Result<Vec<Self::Key>, EngineError> {
        Self::due(self).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(events::next_due(&self.context.db).await?)
    }

    async fn round(&self, key: Self::Key) -> Result<usize, EngineError> {
        Self::round(self, key).await
    }
}

fn delivery(case: &Case, run: &Run, command: Command, lane: &str) -> Delivery {
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

/// Takes over into memory what the event tells, unless something newer is known already.
async fn remember(
    tx: &Tx,
    stored: &StoredEvent,
    snapshot: Option<Record>,
    now: domain::time::Timestamp,
) -> Result<(), StorageError> {
    let event = &stored.event;
    let updated = |record: &Record| match record.get(SystemField::UpdatedAt.into()) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    };
    let record = match snapshot {
        Some(known) if updated(&known) > updated(&event.fact.record) => return Ok(()),
        Some(mut known) => {
            known.merge(&event.fact.record);
            known
        }
        None => event.fact.record.clone(),
    };
    memory::save_snapshot(tx, event.workspace, event.connection, &record, now).await
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

/// What a rule would make of an event.
pub(crate) struct Trial {
    pub(crate) evaluation: Evaluation,
    pub(crate) facts: Facts,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Evaluates a draft over a stored event as dispatch would, and writes nothing.
pub(crate) async fn try_rule(
    context: &Context,
    stored: StoredEvent,
    rule: &Rule,
) -> Result<Trial, EngineError> {
    let event = &stored.event;
    let db = &context.db;
    let connection = connections::find(db, event.workspace, event.connection).await?;
    let snapshot = memory::snapshot(db, event.workspace, event.connection, &event.fact.key).await?;
    let change = change::of(&event.fact, None);
    let link = links::of(db, event.workspace, event.connection, &event.fact.key).await?;
    let (compiled, diagnostics) = compile(rule, &rulebook::catalogues(db, event.workspace).await?);
    let book = rulebook::frame(context, event.workspace).await?;
    let known = facts::from_event(&stored, &change, &book, context.clock.now());
    let entry = IndexedRule {
        version: RuleVersionId(Uuid::nil()),
        position: 0,
        rule: Arc::new(compiled),
    };
    let case = Case {
        stored,
        connection,
        link,
        snapshot: snapshot.map(|it| it.record),
        change,
        chain: 0,
    };
    let facts = match facts::complete(context, &case, known.clone(), &[&entry]).await? {
        facts::Completed::Facts(facts) => *facts,
        // The CRM is away: better to show what is known than nothing.
        facts::Completed::Wait { .. } => known,
    };
    Ok(Trial {
        evaluation: evaluate(&entry.rule, &facts),
        facts,
        diagnostics,
    })
}
