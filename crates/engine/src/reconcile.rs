//! Reconciliation: reads from a CRM what changed since the last known moment and feeds in what its webhooks did
//! not tell.
//!
//! A walk goes page by page. The events of a page and the place after it are committed together, so a walk goes
//! on where it was cut. The connection counts as reconciled up to the moment the walk began, once it ended.
//! Each walk begins some minutes earlier than the one before ended: the CRM's clock is not ours, and what is
//! known already is told apart (`news`).

pub(crate) mod news;

use crate::context::{Context, new_id};
use crate::error::EngineError;
use crate::failpoint::point;
use crate::intake::key_of;
use crate::lease::holding;
use crate::pump::Rounds;
use crate::worker::Signals;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::event::{Event, Fact, Origin};
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::record::{Record, RecordKey};
use domain::time::Timestamp;
use std::sync::Arc;
use storage::connections::{self, Connection};
use storage::events::{self, NewEvent};
use storage::memory::Snapshot;
use storage::reconciliations::{self, Reconciliation};
use storage::{StorageError, Tx, deliveries, memory};

/// Walks overlap by this much, in milliseconds.
pub(crate) const OVERLAP_MS: i64 = 300_000;
/// With a working subscription, changes younger than this are left to their webhooks; the next walk overlaps.
const LEFT_TO_HOOKS_MS: i64 = 60_000;
/// Pages read in one round.
const PAGES: usize = 20;
/// While other work of the connection is due, one page in this time, in milliseconds.
const BESIDE_LIVE_MS: i64 = 10_000;
/// Pause before looking whether the live work is done, in milliseconds.
const YIELD_MS: i64 = 1_000;
/// Pauses between walks in milliseconds, shortest and longest: as a safety net behind webhooks, and instead of
/// them.
const NET_MS: (i64, i64) = (600_000, 3_600_000);
const POLLING_MS: (i64, i64) = (60_000, 600_000);
/// Connections looked at in one step.
const AT_ONCE: u64 = 50;

/// How the reconciliation of a connection stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Standing {
    /// Reconciled up to here.
    pub reconciled_at: Option<Timestamp>,
    /// The walk under way and those before it; `None` before the first.
    pub walk: Option<Reconciliation>,
}

/// Reconciles connections.
pub struct Reconciler {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

impl Reconciler {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// How a connection stands.
    pub async fn standing(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<Standing, EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        Ok(Standing {
            reconciled_at: connection.reconciled_at,
            walk: reconciliations::find(&self.context.db, workspace, id).await?,
        })
    }

    /// Lets a connection be reconciled at once.
    pub async fn hasten(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<(), EngineError> {
        let connection = connections::find(&self.context.db, workspace, id).await?;
        if connection.state != ConnectionState::Active {
            return Err(EngineError::Inactive {
                reason: connection
                    .state_reason
                    .unwrap_or_else(|| "подключение не работает: сначала восстановите его".to_owned()),
            });
        }
        reconciliations::hasten(&self.context.db, workspace, id, self.context.clock.now()).await?;
        self.signals.changes.notify_one();
        Ok(())
    }

    /// Goes on with the walk of a connection, or begins one. Returns how many events it found.
    async fn work(&self, id: ConnectionId) -> Result<usize, EngineError> {
        let Some(connection) = connections::find_any(&self.context.db, id).await? else {
            return Ok(0);
        };
        let now = self.context.clock.now();
        let mut walk = reconciliations::find(&self.context.db, connection.workspace, id)
            .await?
            .unwrap_or_else(|| Reconciliation::new(connection.workspace, id, now));
        if connection.state != ConnectionState::Active || walk.due_at > now {
            return Ok(0);
        }
        let mut n_found = 0;
        for _ in 0..PAGES {
            if self.gives_way(&mut walk).await? {
                break;
            }
            match self.page(&connection, &mut walk).await {
                Ok(n) => n_found += n,
                Err(EngineError::Connector(error)) => {
                    let now = self.context.clock.now();
                    crate::connections::note(&self.context.db, &connection, Some(&error), now).await?;
                    point!(ReconcileFailed);
                    self.failed(&mut walk, &error.to_string()).await?;
                    break;
                }
                Err(error) => return Err(error),
            }
            if walk.since.is_none() {
                break;
            }
        }
        if n_found > 0 {
            self.signals.events.notify_one();
        }
        Ok(n_found)
    }

    /// Live work goes first; beside it a page now and then, so that a busy connection is reconciled, too.
    async fn gives_way(&self, walk: &mut Reconciliation) -> Result<bool, EngineError> {
        let now = self.context.clock.now();
        if walk.page_at.is_none_or(|at| now.0 - at.0 >= BESIDE_LIVE_MS) {
            return Ok(false);
        }
        if !deliveries::due_connections(&self.context.db, now)
            .await?
            .contains(&Some(walk.connection))
        {
            return Ok(false);
        }
        walk.due_at = now.plus_ms(YIELD_MS);
        reconciliations::save(&self.context.db, walk).await?;
        Ok(true)
    }

    /// Reads one page; its news and the place after it are committed together.
    async fn page(&self, connection: &Connection, walk: &mut Reconciliation) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        let since = match walk.since {
            Some(since) => since,
            None => {
                let since = first_moment(connection);
                walk.since = Some(since);
                walk.started_at = Some(now);
                walk.n_found = 0;
                since
            }
        };
        let connector = self.context.connector(connection).await?;
        let changes = connector.changes(since, walk.cursor.as_deref()).await?;
        let young = if is_subscribed(connection) {
            now.plus_ms(-LEFT_TO_HOOKS_MS)
        } else {
            Timestamp(i64::MAX)
        };
        let begins = begins(connection);
        let (mut facts, mut old) = (Vec::new(), Vec::new());
        for fact in changes.facts {
            if fact.occurred_at.is_some_and(|at| at > young) {
                continue;
            }
            if is_old(connection, &fact) {
                old.push(fact.record);
            } else {
                facts.extend(news::of(&self.context.db, connection, fact, since.max(begins)).await?);
            }
        }
        walk.page_at = Some(now);
        walk.cursor = changes.next;
        walk.n_failures = 0;
        walk.failure = None;
        let is_last = walk.cursor.is_none();
        let new: Vec<NewEvent> = facts
            .into_iter()
            .map(|fact| event(connection, fact, now))
            .collect();
        point!(ReconcileRead);
        let tx = self.context.db.begin().await?;
        let n_new = events::insert(&tx, &new).await?.len();
        point!(ReconcileEvents);
        walk.n_found = walk
            .n_found
            .saturating_add(i32::try_from(n_new).unwrap_or(i32::MAX));
        if n_new > 0 {
            connections::note_event(&tx, connection.workspace, connection.id, now).await?;
            point!(ReconcileNoted);
        }
        if !old.is_empty() {
            remember(&tx, connection, &old, now).await?;
            point!(ReconcileRemembered);
        }
        if is_last {
            let up_to = walk.started_at.unwrap_or(now);
            connections::set_reconciled(&tx, connection.workspace, connection.id, up_to).await?;
            point!(ReconcileMoment);
            ended(walk, is_subscribed(connection), now);
        }
        reconciliations::save(&tx, walk).await?;
        point!(ReconcilePlace);
        tx.commit().await?;
        point!(ReconcileCommitted);
        Ok(n_new)
    }

    async fn failed(&self, walk: &mut Reconciliation, failure: &str) -> Result<(), StorageError> {
        walk.n_failures = walk.n_failures.saturating_add(1);
        walk.failure = Some(failure.to_owned());
        let pause = POLLING_MS.0 << walk.n_failures.min(4);
        walk.due_at = self.context.clock.now().plus_ms(pause.min(POLLING_MS.1));
        reconciliations::save(&self.context.db, walk).await
    }
}

impl Rounds for Reconciler {
    type Key = ConnectionId;
    const NAME: &'static str = "сверка";

    async fn due(&self) -> Result<Vec<ConnectionId>, EngineError> {
        Ok(reconciliations::due(&self.context.db, self.context.clock.now(), AT_ONCE).await?)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(reconciliations::next_due(&self.context.db).await?)
    }

    async fn round(&self, connection: ConnectionId) -> Result<usize, EngineError> {
        Ok(holding(&self.context, Some(connection), self.work(connection))
            .await?
            .unwrap_or(0))
    }
}

/// What happened before the connection was made is no news.
const fn begins(connection: &Connection) -> Timestamp {
    connection.created_at.plus_ms(-1_000)
}

/// Where a walk begins. LPTracker tells states without a history, so the first walk takes in every lead there is:
/// nobody could tell later what changed of one that was never known.
fn first_moment(connection: &Connection) -> Timestamp {
    match connection.reconciled_at {
        None if connection.kind == ConnectorKind::Lptracker => Timestamp(0),
        known => known
            .unwrap_or(connection.created_at)
            .plus_ms(-OVERLAP_MS)
            .max(begins(connection)),
    }
}

/// The state of a record from before the connection; lists are told to the minute.
fn is_old(connection: &Connection, fact: &Fact) -> bool {
    connection.reconciled_at.is_none()
        && connection.kind == ConnectorKind::Lptracker
        && fact
            .occurred_at
            .is_some_and(|at| at < begins(connection).plus_ms(-news::grain(connection.kind)))
}

/// Takes old states into memory where nothing is known yet.
async fn remember(
    tx: &Tx,
    connection: &Connection,
    old: &[Record],
    now: Timestamp,
) -> Result<(), StorageError> {
    let (workspace, id) = (connection.workspace, connection.id);
    let keys: Vec<RecordKey> = old.iter().map(|record| record.key.clone()).collect();
    let known = memory::snapshots(tx, workspace, id, &keys).await?;
    let new: Vec<Snapshot> = old
        .iter()
        .filter(|record| !known.iter().any(|known| known.record.key == record.key))
        .map(|record| Snapshot::new(record.clone(), now))
        .collect();
    memory::save_snapshots(tx, workspace, id, &new.iter().collect::<Vec<_>>()).await
}

/// Our webhooks come, as far as was last seen.
fn is_subscribed(connection: &Connection) -> bool {
    let flag = |name: &str| {
        connection
            .subscription
            .as_ref()
            .and_then(|state| state.get(name))
            .and_then(serde_json::Value::as_bool)
    };
    flag("installed") == Some(true) && flag("disabled") != Some(true)
}

/// The next walk comes soon after one that found something, and ever later after those that did not.
fn ended(walk: &mut Reconciliation, is_subscribed: bool, now: Timestamp) {
    if walk.n_found > 0 {
        walk.n_idle = 0;
        walk.found_at = Some(now);
        walk.n_last_found = walk.n_found;
    } else {
        walk.n_idle = walk.n_idle.saturating_add(1);
    }
    let (shortest, longest) = if is_subscribed { NET_MS } else { POLLING_MS };
    let pause = (shortest << walk.n_idle.clamp(0, 8)).min(longest);
    walk.due_at = now.plus_ms(pause);
    walk.since = None;
    walk.started_at = None;
    walk.cursor = None;
}

fn event(connection: &Connection, mut fact: Fact, now: Timestamp) -> NewEvent {
    NewEvent {
        key: key_of(&mut fact),
        inbound: None,
        replay_of: None,
        only_rule: None,
        as_then: false,
        due_at: now,
        event: Event {
            id: EventId(new_id()),
            workspace: connection.workspace,
            connection: connection.id,
            origin: Origin::Poll,
            received_at: now,
            chain: 0,
            fact,
        },
    }
}
