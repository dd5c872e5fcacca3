//! Writing what became of events.

use super::batch::{Decided, Outcome, Round};
use super::{Dispatcher, alarm};
use crate::error::EngineError;
use crate::failpoint::point;
use domain::id::EventId;
use storage::deliveries::{self, Delivery};
use storage::events::{self, Ending};
use storage::memory::Snapshot;
use storage::runs::{self, Run};
use storage::{StorageError, memory, quiet};

impl Dispatcher {
    /// One transaction for all outcomes. When it fails, each record gets one of its own, so that a single one does
    /// not hold up the others. Returns how many events were dealt with.
    pub(super) async fn commit(&self, round: &Round, outcomes: Vec<Outcome>) -> Result<usize, EngineError> {
        let outcomes: Vec<Outcome> = outcomes
            .into_iter()
            .filter(|outcome| !outcome.is_nothing())
            .collect();
        match self.write(round, &outcomes).await {
            Ok(n_done) => Ok(n_done),
            Err(error @ StorageError::Unavailable(_)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(
                    n_records = outcomes.len(),
                    error = &error as &dyn std::error::Error,
                    "пачка событий не записана, записываю по одной"
                );
                self.write_each(round, &outcomes).await
            }
        }
    }

    async fn write_each(&self, round: &Round, outcomes: &[Outcome]) -> Result<usize, EngineError> {
        let mut n_done = 0;
        for outcome in outcomes {
            match self.write(round, std::slice::from_ref(outcome)).await {
                Ok(n) => n_done += n,
                // Somebody else was quicker, and their answer stands.
                Err(StorageError::Stale { table: "event" }) => n_done += outcome.decided.len(),
                Err(error @ StorageError::Unavailable(_)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "решение по событию не записано"
                    );
                    if let Some(first) = outcome.decided.first() {
                        self.count_crash(round.workspace, first.event()).await?;
                    }
                }
            }
        }
        Ok(n_done)
    }

    async fn write(&self, round: &Round, outcomes: &[Outcome]) -> Result<usize, StorageError> {
        if outcomes.is_empty() {
            return Ok(0);
        }
        let (workspace, connection, now) = (round.workspace, round.connection.id, round.now);
        let (mut new_runs, mut planned, mut endings, mut waits) = (vec![], vec![], vec![], vec![]);
        let (mut quiet_endings, mut n_done) = (vec![], 0);
        for outcome in outcomes {
            for decided in &outcome.decided {
                n_done += 1;
                match decided {
                    Decided::Done {
                        ending,
                        runs,
                        deliveries,
                    } => {
                        new_runs.extend::<Vec<&Run>>(runs.iter().collect());
                        planned.extend::<Vec<&Delivery>>(deliveries.iter().collect());
                        // The event of a quiet window was done long ago.
                        if outcome.settled.is_empty() {
                            endings.push(ending.clone());
                        } else {
                            quiet_endings.push(ending.clone());
                        }
                    }
                    Decided::Waits {
                        event,
                        due_at,
                        reason,
                    } => waits.push((*event, *due_at, reason)),
                }
            }
        }
        let snapshots: Vec<&Snapshot> = outcomes.iter().filter_map(|one| one.snapshot.as_ref()).collect();
        point!(DispatchDecided);
        let tx = self.context.db.begin().await?;
        runs::insert(&tx, &new_runs).await?;
        point!(DispatchRuns);
        deliveries::insert(&tx, &planned).await?;
        point!(DispatchDeliveries);
        memory::save_snapshots(&tx, workspace, connection, &snapshots).await?;
        point!(DispatchSnapshots);
        events::finish_all(&tx, workspace, &endings, now).await?;
        point!(DispatchFinished);
        for ending in quiet_endings.iter().filter(|ending| ending.n_matched > 0) {
            events::add_matches(&tx, workspace, ending.id, ending.n_matched).await?;
            point!(DispatchMatches);
        }
        for (event, due_at, reason) in waits {
            events::postpone(&tx, workspace, event, due_at, reason).await?;
            point!(DispatchPostponed);
        }
        for waiting in outcomes.iter().flat_map(|outcome| &outcome.quiet) {
            quiet::put(&tx, waiting).await?;
            point!(DispatchQuietOpened);
        }
        for waiting in outcomes.iter().flat_map(|outcome| &outcome.settled) {
            quiet::delete(&tx, waiting).await?;
            point!(DispatchQuietClosed);
        }
        alarm::raise(&tx, &self.context.settings, &new_runs, now).await?;
        tx.commit().await?;
        point!(DispatchCommitted);
        if !planned.is_empty() {
            self.signals.deliveries.notify_one();
        }
        Ok(n_done)
    }
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        self.decided.is_empty() && self.quiet.is_empty() && self.settled.is_empty()
    }
}

impl Decided {
    fn event(&self) -> EventId {
        match self {
            Self::Done {
                ending: Ending { id, .. },
                ..
            } => *id,
            Self::Waits { event, .. } => *event,
        }
    }
}
