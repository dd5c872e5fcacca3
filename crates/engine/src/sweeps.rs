//! Sweeps: a timer, a person's start or a great replay, walked page by page. A page's events and the place after it
//! are committed together, and an event's key names the sweep and the record: a walk that was cut, or that two processes
//! go on with, makes each event once.
//!
//! A sweep gives way: it takes its next page only when nothing of its connection waits for dispatch or delivery.

mod page;

use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::lease::holding;
use crate::pump::Rounds;
use crate::timers;
use crate::worker::Signals;
use domain::event::EventKind;
use domain::id::{ConnectionId, RuleId, SweepId, WorkspaceId};
use domain::record::RecordId;
use domain::rule::Schedule;
use domain::time::Timestamp;
use std::sync::Arc;
use storage::audit::{Actor, NewEntry};
use storage::rules::StoredRule;
use storage::sweeps::{self, Sweep, SweepKind, SweepState, Wanted};
use storage::{StorageError, connections, deliveries, events, rules, schedules};

/// Records that a person may name at once.
pub const MAX_RECORDS: usize = 1_000;
/// Pages read when a person wants to know how many there are.
const PREVIEW_PAGES: usize = 4;
/// Pause before looking whether the live work is done, in milliseconds.
const YIELD_MS: i64 = 1_000;
/// The shortest and the longest pause after a failure, in milliseconds.
const TROUBLE_MS: (i64, i64) = (5_000, 600_000);
/// A walk that fails so often in a row is given up.
const MAX_FAILURES: i32 = 20;

/// Which records a person means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chosen {
    /// These.
    Records(Vec<RecordId>),
    /// Those that sit in stages (all open ones when none is named) and did not change for so many days.
    Sitting(Schedule),
}

/// How many records a start would concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preview {
    /// Records counted.
    pub n: usize,
    /// These are all; else there are more.
    pub is_complete: bool,
}

/// Which earlier events a person lets run again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventsChosen {
    /// Only this rule looks at them; else all in force.
    pub rule: Option<RuleId>,
    /// From this connection.
    pub connection: Option<ConnectionId>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// Received at or after.
    pub from: Option<Timestamp>,
    /// Received before.
    pub to: Option<Timestamp>,
}

/// Starts, stops and carries out sweeps.
#[derive(Clone)]
pub struct Sweeps {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

impl Sweeps {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// Starts a rule in force on records. It must have the trigger «Запущено вручную».
    pub async fn start(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        rule: RuleId,
        chosen: Chosen,
    ) -> Result<Sweep, EngineError> {
        let stored = self.startable(workspace, rule).await?;
        let source = stored.source;
        let wanted = self.wanted(workspace, &stored, chosen).await?;
        let now = self.context.clock.now();
        let sweep = Sweep {
            rule: Some(rule),
            connection: Some(source),
            ..beginning(SweepKind::Manual, workspace, wanted, &actor.name, now)
        };
        self.begin(sweep, actor, "rule.started_by_hand").await
    }

    /// How many records a start would concern now. Reads the CRM, keeps nothing.
    pub async fn preview(
        &self,
        workspace: WorkspaceId,
        rule: RuleId,
        chosen: Chosen,
    ) -> Result<Preview, EngineError> {
        let stored = self.startable(workspace, rule).await?;
        let source = stored.source;
        let (stages, idle_days) = match self.wanted(workspace, &stored, chosen).await? {
            Wanted::Sitting { stages, idle_days } => (stages, idle_days),
            Wanted::Records(all) => {
                return Ok(Preview {
                    n: all.len(),
                    is_complete: true,
                });
            }
            Wanted::Events { .. } => return Err(StorageError::NotFound { table: "sweep" }.into()),
        };
        let connection = connections::find(&self.context.db, workspace, source).await?;
        let connector = self.context.connector(&connection).await?;
        let now = self.context.clock.now();
        let (mut n, mut cursor) = (0, None);
        for _ in 0..PREVIEW_PAGES {
            let listing = connector.sitting(&stages, cursor.as_deref()).await?;
            let idle = listing
                .records
                .iter()
                .filter(|one| page::is_idle(one, idle_days, now));
            n += idle.count();
            cursor = listing.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(Preview {
            n,
            is_complete: cursor.is_none(),
        })
    }

    /// Lets earlier events run again, behind everything that comes in meanwhile.
    pub async fn replay(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        chosen: EventsChosen,
    ) -> Result<Sweep, EngineError> {
        if let Some(rule) = chosen.rule {
            rules::find(&self.context.db, workspace, rule).await?;
        }
        // What came in at this very moment counts as earlier.
        let now = self.context.clock.now();
        let later = now.plus_ms(1);
        let wanted = Wanted::Events {
            connection: chosen.connection,
            kind: chosen.kind,
            from: chosen.from,
            // What comes in later, the replays themselves among it, is not replayed.
            to: chosen.to.unwrap_or(later).min(later),
        };
        let sweep = Sweep {
            rule: chosen.rule,
            ..beginning(SweepKind::Replay, workspace, wanted, &actor.name, now)
        };
        self.begin(sweep, actor, "event.replayed_many").await
    }

    /// Stops a sweep; events made before stay.
    pub async fn cancel(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: SweepId,
    ) -> Result<Sweep, EngineError> {
        let now = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        let mut sweep = sweeps::find(&tx, workspace, id).await?;
        sweep.state = SweepState::Cancelled;
        sweep.finished_at = Some(now);
        sweeps::save(&tx, &sweep).await?;
        self.audit(&tx, &sweep, actor, "sweep.cancelled").await?;
        tx.commit().await?;
        Ok(sweep)
    }

    async fn begin(
        &self,
        mut sweep: Sweep,
        actor: &Actor,
        action: &'static str,
    ) -> Result<Sweep, EngineError> {
        let tx = self.context.db.begin().await?;
        // Two starts within one millisecond are two starts.
        while !sweeps::insert(&tx, &sweep).await? {
            sweep.tick_at = sweep.tick_at.plus_ms(1);
        }
        self.audit(&tx, &sweep, actor, action).await?;
        tx.commit().await?;
        self.signals.sweeps.notify_one();
        Ok(sweep)
    }

    async fn audit(
        &self,
        tx: &storage::Tx,
        sweep: &Sweep,
        actor: &Actor,
        action: &'static str,
    ) -> Result<(), StorageError> {
        let (subject_kind, subject_id) = match sweep.rule {
            Some(rule) => ("rule", rule.to_string()),
            None => ("sweep", sweep.id.to_string()),
        };
        let entry = NewEntry {
            action,
            subject_kind,
            subject_id,
            before: None,
            after: Some(serde_json::json!({ "sweep": sweep.id })),
        };
        self.context.audit(tx, sweep.workspace, actor, entry).await
    }

    /// The rule with the document that is in force, if a person may start it.
    async fn startable(&self, workspace: WorkspaceId, rule: RuleId) -> Result<StoredRule, EngineError> {
        let stored = rules::find(&self.context.db, workspace, rule).await?;
        let refuse = |text: &str| EngineError::Invalid {
            pointer: "/",
            text: text.to_owned(),
        };
        let Some(mark) = stored.published.clone().filter(|_| stored.enabled) else {
            return Err(refuse("правило не работает: опубликуйте и включите его"));
        };
        let mut triggers = mark.document.triggers.iter();
        if !triggers.any(|trigger| trigger.kind == EventKind::Manual) {
            return Err(refuse(
                "у правила нет события «Запущено вручную»: добавьте его и опубликуйте правило",
            ));
        }
        Ok(StoredRule {
            source: mark.document.source,
            ..stored
        })
    }

    async fn wanted(
        &self,
        workspace: WorkspaceId,
        rule: &StoredRule,
        chosen: Chosen,
    ) -> Result<Wanted, EngineError> {
        match chosen {
            Chosen::Records(all) if all.is_empty() || all.len() > MAX_RECORDS => Err(EngineError::Invalid {
                pointer: "/records",
                text: format!("назовите записи: от 1 до {MAX_RECORDS}"),
            }),
            Chosen::Records(all) => Ok(Wanted::Records(all)),
            Chosen::Sitting(schedule) => {
                let mark = rule
                    .published
                    .as_ref()
                    .ok_or(StorageError::NotFound { table: "rule" })?;
                let db = &self.context.db;
                Ok(Wanted::Sitting {
                    stages: timers::stages(db, workspace, &mark.document, &schedule).await?,
                    idle_days: schedule.idle_days,
                })
            }
        }
    }

    /// Goes on with the first due sweep of a connection by one page; returns how many events it made.
    async fn work(&self, connection: Option<ConnectionId>) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let Some(mut sweep) = sweeps::first_due(&self.context.db, connection, now).await? else {
            return Ok(0);
        };
        if self.gives_way(connection, now).await? {
            sweep.due_at = now.plus_ms(YIELD_MS);
            return self.keep(&sweep).await;
        }
        match self.page(&mut sweep).await {
            // A page without events is progress, too.
            Ok(n_made) => Ok(n_made.max(1)),
            Err(EngineError::Storage(StorageError::Stale { .. })) => Ok(0),
            Err(EngineError::Storage(error)) => Err(error.into()),
            Err(error) => {
                sweep.n_failures = sweep.n_failures.saturating_add(1);
                sweep.failure = Some(match &error {
                    EngineError::Connector(error) => error.to_string(),
                    error => error.to_string(),
                });
                let pause = TROUBLE_MS.0 << sweep.n_failures.min(8);
                sweep.due_at = now.plus_ms(pause.min(TROUBLE_MS.1));
                if sweep.n_failures >= MAX_FAILURES {
                    sweep.state = SweepState::Failed;
                    sweep.finished_at = Some(now);
                }
                self.keep(&sweep).await
            }
        }
    }

    async fn keep(&self, sweep: &Sweep) -> Result<usize, EngineError> {
        match sweeps::save(&self.context.db, sweep).await {
            // A person has stopped it meanwhile.
            Ok(()) | Err(StorageError::Stale { .. }) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Live work goes first.
    async fn gives_way(&self, connection: Option<ConnectionId>, now: Timestamp) -> Result<bool, EngineError> {
        let db = &self.context.db;
        let waiting = events::waiting_connections(db, now).await?;
        let leaving = deliveries::due_connections(db, now).await?;
        Ok(match connection {
            Some(id) => waiting.contains(&id) || leaving.contains(&Some(id)),
            None => !waiting.is_empty() || !leaving.is_empty(),
        })
    }
}

/// A sweep that has not walked yet, of no rule and no connection.
pub(crate) fn beginning(
    kind: SweepKind,
    workspace: WorkspaceId,
    wanted: Wanted,
    actor_name: &str,
    now: Timestamp,
) -> Sweep {
    Sweep {
        workspace,
        id: SweepId(new_id()),
        kind,
        rule: None,
        connection: None,
        tick_at: now,
        wanted,
        cursor: None,
        state: SweepState::Running,
        n_seen: 0,
        n_events: 0,
        n_missed: 0,
        n_failures: 0,
        failure: None,
        actor_name: actor_name.to_owned(),
        due_at: now,
        created_at: now,
        finished_at: None,
    }
}

impl Rounds for Sweeps {
    type Key = Option<ConnectionId>;
    const NAME: &'static str = "обход";

    async fn due(&self) -> Result<Vec<Self::Key>, EngineError> {
        timers::step(&self.context).await?;
        Ok(sweeps::due(&self.context.db, self.context.clock.now()).await?)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let timer = schedules::next_due(&self.context.db).await?;
        let sweep = sweeps::next_due(&self.context.db).await?;
        Ok(timer.into_iter().chain(sweep).min())
    }

    async fn round(&self, connection: Self::Key) -> Result<usize, EngineError> {
        Ok(holding(&self.context, connection, self.work(connection))
            .await?
            .unwrap_or(0))
    }
}
