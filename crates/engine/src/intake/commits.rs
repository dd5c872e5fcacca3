//! Shared commits: what arrives together is stored together, and each is answered after its commit.
//!
//! Whoever finds nobody storing starts a task that stores whatever waits, until nothing does. While one commit is on
//! its way the next batch gathers, so the batches grow with the load by themselves and a lone webhook waits for
//! nobody. The queue is bounded in number and in bytes: what does not fit, or is not stored in time, is refused, and
//! the CRM sends it again.

use crate::calls;
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use crate::worker::Signals;
use domain::event::Event;
use domain::id::{ConnectionId, EventId, WorkspaceId};
use domain::time::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::events::{self, Inbound, NewEvent};
use storage::{StorageError, Tx, connections};
use tokio::sync::oneshot;

/// Requests that may wait for a commit.
const MAX_WAITING: usize = 8_192;
/// Bytes of bodies that may wait for a commit.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// Events in one commit, unless a single request has more.
const MAX_EVENTS: usize = 512;
/// amoCRM waits two seconds for its answer; a refusal in time is better than silence.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// The time of a connection's last event is stored this often at most, in milliseconds.
const NOTE_EVERY_MS: i64 = 1_000;

/// What one request wants stored.
pub(super) struct Stored {
    pub(super) workspace: WorkspaceId,
    pub(super) connection: ConnectionId,
    pub(super) inbound: Option<Inbound>,
    pub(super) events: Vec<NewEvent>,
    pub(super) at: Timestamp,
}

impl Stored {
    /// About how much memory it takes while it waits: the facts hold about what the body says.
    fn n_bytes(&self) -> usize {
        let body = self.inbound.as_ref().map_or(0, |inbound| inbound.body.len());
        512 + 2 * body + 512 * self.events.len()
    }
}

struct Waiting {
    wanted: Stored,
    n_bytes: usize,
    answer: oneshot::Sender<Result<usize, EngineError>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    n_bytes: usize,
    /// A task is storing what waits.
    is_storing: bool,
    /// When the last event of a connection was noted in its row.
    noted: HashMap<ConnectionId, Timestamp>,
}

/// The queue and who empties it.
pub(super) struct Commits {
    context: Arc<Context>,
    signals: Arc<Signals>,
    queue: Mutex<Queue>,
}

impl Commits {
    pub(super) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Arc<Self> {
        Arc::new(Self {
            context,
            signals,
            queue: Mutex::default(),
        })
    }

    /// Stores; how many events were new. [`EngineError::Busy`] when too much waits or it took too long; it may then
    /// still be stored, which the repeat finds out by its keys.
    pub(super) async fn store(self: &Arc<Self>, wanted: Stored) -> Result<usize, EngineError> {
        let (answer, answered) = oneshot::channel();
        let n_bytes = wanted.n_bytes();
        let is_first = {
            let mut queue = self.lock();
            // A single large one is let in when nothing waits: it can never fit otherwise.
            let is_full = queue.waiting.len() >= MAX_WAITING
                || !queue.waiting.is_empty() && queue.n_bytes + n_bytes > MAX_WAITING_BYTES;
            if is_full {
                return Err(EngineError::Busy);
            }
            queue.n_bytes += n_bytes;
            queue.waiting.push_back(Waiting {
                wanted,
                n_bytes,
                answer,
            });
            !std::mem::replace(&mut queue.is_storing, true)
        };
        if is_first {
            // A task of its own: the request that happened to be first may be given up by its caller.
            let storing = Storing {
                commits: Arc::clone(self),
                is_over: false,
            };
            tokio::spawn(storing.run());
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(EngineError::Busy),
        }
    }

    async fn store_all(&self) {
        while let Some(batch) = self.next() {
            let (wanted, answers): (Vec<Stored>, Vec<_>) =
                batch.into_iter().map(|one| (one.wanted, one.answer)).unzip();
            match self.commit(&wanted).await {
                Ok(new) => {
                    self.wake(&new);
                    for (wanted, answer) in wanted.iter().zip(answers) {
                        let n_new = wanted.events.iter().filter(|event| new.contains(&event.event.id));
                        // Whoever gave up asking is not told.
                        let _gone = answer.send(Ok(n_new.count()));
                    }
                }
                Err(error) if wanted.len() > 1 && is_about_one(&error) => {
                    // One of them may be what the database refuses: it must not take the others along.
                    for (wanted, answer) in wanted.into_iter().zip(answers) {
                        let result = self.commit(std::slice::from_ref(&wanted)).await;
                        if let Ok(new) = &result {
                            self.wake(new);
                        }
                        let _gone = answer.send(result.map(|new| new.len()).map_err(EngineError::from));
                    }
                }
                Err(error) => {
                    tracing::error!(
                        n_requests = wanted.len(),
                        error = &error as &dyn std::error::Error,
                        "вебхуки не сохранены, отправители повторят их"
                    );
                    for answer in answers {
                        let _gone = answer.send(Err(EngineError::Busy));
                    }
                }
            }
        }
    }

    fn wake(&self, new: &HashSet<EventId>) {
        if !new.is_empty() {
            self.signals.events.notify_one();
        }
    }

    /// What waits and whose asker is still there, as much as one commit takes. `None` ends the storing.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.lock();
        let mut batch = Vec::new();
        let mut n_events = 0;
        while let Some(first) = queue.waiting.front() {
            if !batch.is_empty() && n_events + first.wanted.events.len() > MAX_EVENTS {
                break;
            }
            let Some(one) = queue.waiting.pop_front() else {
                break;
            };
            queue.n_bytes -= one.n_bytes;
            // Refused already for taking too long; storing it would only hold up the others.
            if !one.answer.is_closed() {
                n_events += one.wanted.events.len();
                batch.push(one);
            }
        }
        queue.is_storing = !batch.is_empty();
        (!batch.is_empty()).then_some(batch)
    }

    /// One transaction for all; the events that are new.
    async fn commit(&self, wanted: &[Stored]) -> Result<HashSet<EventId>, StorageError> {
        let inbound: Vec<&Inbound> = wanted.iter().filter_map(|one| one.inbound.as_ref()).collect();
        let events: Vec<&NewEvent> = wanted.iter().flat_map(|one| &one.events).collect();
        let tx = self.context.db.begin().await?;
        events::insert_inbound(&tx, &inbound).await?;
        point!(IntakeBodies);
        let new = events::insert(&tx, &events).await?;
        point!(IntakeEvents);
        let new: HashSet<EventId> = new.into_iter().collect();
        let told: Vec<&Event> = events
            .iter()
            .map(|it| &it.event)
            .filter(|it| new.contains(&it.id))
            .collect();
        calls::hear(&tx, &told, self.context.clock.now()).await?;
        point!(IntakeCalls);
        let noted = self.note(&tx, wanted).await?;
        point!(IntakeNoted);
        tx.commit().await?;
        point!(IntakeCommitted);
        self.lock().noted.extend(noted);
        Ok(new)
    }

    /// The time of the last event, in the rows of the connections whose stored one is old.
    async fn note(&self, tx: &Tx, wanted: &[Stored]) -> Result<Vec<(ConnectionId, Timestamp)>, StorageError> {
        let mut last: Vec<(ConnectionId, WorkspaceId, Timestamp)> = {
            let queue = self.lock();
            let is_old = |one: &&Stored| {
                let noted = queue.noted.get(&one.connection);
                noted.is_none_or(|noted| one.at.0 - noted.0 >= NOTE_EVERY_MS)
            };
            let old = wanted.iter().filter(is_old);
            old.map(|one| (one.connection, one.workspace, one.at)).collect()
        };
        // In one order, so that two processes do not wait for each other in a circle.
        last.sort_unstable_by_key(|(connection, _, at)| (*connection, std::cmp::Reverse(*at)));
        last.dedup_by_key(|(connection, _, _)| *connection);
        for (connection, workspace, at) in &last {
            connections::note_event(tx, *workspace, *connection, *at).await?;
        }
        Ok(last
            .into_iter()
            .map(|(connection, _, at)| (connection, at))
            .collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The storing task; should it break off (its runtime ends), the next request starts another.
struct Storing {
    commits: Arc<Commits>,
    is_over: bool,
}

impl Storing {
    async fn run(mut self) {
        self.commits.store_all().await;
        self.is_over = true;
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        // After a regular end nobody is storing, or somebody else has begun to.
        if !self.is_over {
            self.commits.lock().is_storing = false;
        }
    }
}

/// The database refused something in a row, rather than being away.
fn is_about_one(error: &StorageError) -> bool {
    !matches!(error, StorageError::Unavailable(_))
}
