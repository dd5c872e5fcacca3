//! Dispatch: what do the rules make of the events of a connection? They are looked at in batches: a few statements
//! read what is known around all of them, one transaction writes what became of them: runs, planned deliveries, the
//! new memory of the records, and that the events are done.
//!
//! Reading order: [`batch`] (what is looked at together), [`decide`] (one event), [`facts`] (what rules may look at),
//! [`change`] (what an event changed), [`memory`] (what is remembered of it), [`mod@quiet`] (rules that wait), [`commit`] (writing), [`alarm`] (what a person is
//! told), [`careful`] (events that a worker may have died over), [`trial`] (trying a rule).

pub(crate) mod alarm;
mod batch;
mod careful;
pub(crate) mod change;
mod commit;
mod decide;
mod facts;
mod memory;
mod quiet;
mod trial;

pub(crate) use change::same;
pub(crate) use trial::{Trial, try_rule};

use crate::context::Context;
use crate::error::EngineError;
use crate::lease::holding;
use crate::pump::Rounds;
use crate::rulebook::Rulebook;
use crate::worker::Signals;
use batch::{Decided, Group, Outcome, Round};
use decide::Reading;
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::time::Timestamp;
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use storage::events::{self, EventState, StoredEvent};
use storage::{StorageError, connections, quiet as windows};
use tokio::sync::{Semaphore, mpsc};

/// Consequences of a write follow it within this time, in milliseconds.
const CONSEQUENCE_MS: i64 = 10_000;
/// How long an event waits between looks when it has to wait, in milliseconds.
const LOOK_AGAIN_MS: i64 = 300;
/// Records of one connection that are read from the CRMs in one round, and side by side: a slow CRM must not hold
/// up the others, and what waits for it must not fill the memory.
const READS_IN_A_ROUND: usize = 16;
const SIDE_BY_SIDE: usize = 8;
/// Batches in memory at once, whatever the number of connections. Waiting for a place is first come, first served,
/// so connections take turns. A batch that asks a CRM gives its place up meanwhile.
const BATCHES_AT_ONCE: usize = 8;

/// Decides what becomes of events.
pub(crate) struct Dispatcher {
    context: Arc<Context>,
    rulebook: Rulebook,
    signals: Arc<Signals>,
    places: Semaphore,
}

impl Dispatcher {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self {
            context,
            rulebook: Rulebook::default(),
            signals,
            places: Semaphore::new(BATCHES_AT_ONCE),
        }
    }

    /// Looks at a batch of the events of a connection that wait, oldest first and in order per record. Returns how
    /// many were dealt with.
    async fn work(&self, id: ConnectionId) -> Result<usize, EngineError> {
        let place = self.places.acquire().await;
        let (db, now) = (&self.context.db, self.context.clock.now());
        let waiting = events::waiting(db, id, now, self.context.settings.dispatch_batch).await?;
        let Some(connection) = connections::find_any(db, id).await? else {
            return self.orphaned(waiting).await;
        };
        let round = Round::open(&self.context, &self.rulebook, connection, now).await?;
        let mut readable = Vec::with_capacity(waiting.len());
        for (id, workspace, stored) in waiting {
            match stored {
                Ok(stored) => readable.push(stored),
                Err(error) => self.set_aside(workspace, id, &error).await?,
            }
        }
        let groups = round.groups(&self.context, readable).await?;
        if self.context.leases.take_from_dead(id) && !groups.is_empty() {
            return self.carefully(&round, groups).await;
        }
        let mut n_done = 0;
        let (mut outcomes, mut unread) = (Vec::new(), Vec::new());
        for mut group in groups {
            let (outcome, rest) = self.go_through(&round, &mut group, Reading::NotNow).await?;
            outcomes.push(outcome);
            if rest == Rest::ToRead && unread.len() < READS_IN_A_ROUND {
                unread.push(group);
            }
        }
        n_done += self.commit(&round, outcomes).await?;
        drop(place);
        n_done += self.read_on(&round, unread).await?;
        n_done += self.end_quiet(&round).await?;
        Ok(n_done)
    }

    /// Goes on with records for which a CRM has to be asked.
    async fn read_on(&self, round: &Round, groups: Vec<Group>) -> Result<usize, EngineError> {
        let (decided, mut to_commit) = mpsc::unbounded_channel();
        let read = async move {
            let mut read = futures::stream::iter(groups)
                .map(async |mut group| self.go_through(round, &mut group, Reading::Allowed).await)
                .buffer_unordered(SIDE_BY_SIDE);
            while let Some(outcome) = read.next().await {
                if decided.send(outcome?.0).is_err() {
                    break;
                }
            }
            Ok(())
        };
        // Beside the reading, not between: a look that nobody polls may hold the connection of the database that a
        // commit waits for.
        let commit = async {
            let (mut n_done, mut outcomes) = (0, Vec::new());
            while to_commit.recv_many(&mut outcomes, SIDE_BY_SIDE).await > 0 {
                let _place = self.places.acquire().await;
                n_done += self.commit(round, std::mem::take(&mut outcomes)).await?;
            }
            Ok::<usize, EngineError>(n_done)
        };
        let (read, n_done): (Result<(), EngineError>, _) = futures::join!(read, commit);
        read?;
        n_done
    }

    /// Decides the events of one record in order, until one has to wait.
    async fn go_through(
        &self,
        round: &Round,
        group: &mut Group,
        reading: Reading,
    ) -> Result<(Outcome, Rest), EngineError> {
        let mut outcome = Outcome::default();
        while let Some(stored) = group.events.pop_front() {
            let deciding =
                AssertUnwindSafe(self.decide(round, group, &mut outcome, &stored, reading)).catch_unwind();
            match deciding.await {
                Ok(Ok(Some(decided))) => {
                    let waits = matches!(decided, Decided::Waits { .. });
                    outcome.decided.push(decided);
                    if waits {
                        return Ok((outcome, Rest::Waits));
                    }
                }
                Ok(Ok(None)) => {
                    group.events.push_front(stored);
                    return Ok((outcome, Rest::ToRead));
                }
                Ok(Err(error)) => return Err(error),
                Err(_panic) => {
                    self.broke_off(&stored).await?;
                    return Ok((outcome, Rest::Waits));
                }
            }
        }
        Ok((outcome, Rest::None))
    }

    /// Asks the rules whose records have been quiet for long enough.
    async fn end_quiet(&self, round: &Round) -> Result<usize, EngineError> {
        let due = windows::due(
            &self.context.db,
            round.connection.id,
            round.now,
            READS_IN_A_ROUND as u64,
        )
        .await?;
        let mut outcomes = Vec::with_capacity(due.len());
        for mut waiting in due {
            let mut outcome = Outcome::default();
            match events::find(&self.context.db, round.workspace, waiting.event).await {
                Ok(mut stored) => {
                    stored.event.fact = waiting.fact.clone();
                    let key = stored.clone();
                    let Some(mut group) = round.groups(&self.context, vec![key]).await?.pop() else {
                        continue;
                    };
                    match self.decide_quiet(round, &mut group, &waiting, &stored).await? {
                        Decided::Waits { due_at, .. } => {
                            waiting.due_at = due_at;
                            outcome.quiet.push(waiting);
                        }
                        decided => {
                            outcome.decided.push(decided);
                            outcome.settled.push(waiting);
                        }
                    }
                }
                // The event is gone with its history; nothing is left to decide about.
                Err(StorageError::NotFound { .. }) => outcome.settled.push(waiting),
                Err(error) => return Err(error.into()),
            }
            outcomes.push(outcome);
        }
        let n_due = outcomes.len();
        self.commit(round, outcomes).await?;
        Ok(n_due)
    }

    /// Events of a connection that is gone: nobody can say what they mean.
    async fn orphaned(
        &self,
        waiting: Vec<(EventId, WorkspaceId, Result<StoredEvent, StorageError>)>,
    ) -> Result<usize, EngineError> {
        let now = self.context.clock.now();
        for (id, workspace, _) in &waiting {
            let text = Some("подключение удалено");
            events::finish(
                &self.context.db,
                *workspace,
                *id,
                EventState::Dispatched,
                0,
                text,
                now,
            )
            .await?;
        }
        Ok(waiting.len())
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
        let text = Some("запись события повреждена");
        events::finish(
            &self.context.db,
            workspace,
            id,
            EventState::Quarantined,
            0,
            text,
            now,
        )
        .await?;
        Ok(())
    }
}

/// Why the events of a record were not gone through to the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    Waits,
    ToRead,
}

impl Rounds for Dispatcher {
    type Key = ConnectionId;
    const NAME: &'static str = "разбор событий";

    async fn due(&self) -> Result<Vec<Self::Key>, EngineError> {
        let (db, now) = (&self.context.db, self.context.clock.now());
        let mut due = events::waiting_connections(db, now).await?;
        due.extend(windows::due_connections(db, now).await?);
        due.sort_unstable();
        due.dedup();
        Ok(due)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let next = [
            events::next_due(&self.context.db).await?,
            windows::next_due(&self.context.db).await?,
        ];
        Ok(next.into_iter().flatten().min())
    }

    async fn round(&self, key: Self::Key) -> Result<usize, EngineError> {
        Ok(holding(&self.context, Some(key), self.work(key))
            .await?
            .unwrap_or(0))
    }
}
