//! Events that a worker may have died over.
//!
//! In the normal flow nothing is counted, because it would cost a write for every event. A process that dies leaves
//! its lease behind; whoever takes it over looks at the first batch one event at a time and counts, committed before
//! the look, that it began. The count is forgotten when the look ends. So an event that brings the process down
//! again is known, and after three times it is set aside. A panic does not end the process and is counted at once.

use super::batch::{Group, Round};
use super::decide::{MAX_CRASHES, Reading};
use super::{Dispatcher, Rest};
use crate::error::EngineError;
use crate::failpoint::point;
use domain::id::{EventId, WorkspaceId};
use storage::events::{self, StoredEvent};

/// How long an event waits after a worker broke off over it, in milliseconds.
const AFTER_CRASH_MS: i64 = 1_000;

impl Dispatcher {
    /// Goes through a batch one event at a time, with a commit before and after each.
    pub(super) async fn carefully(&self, round: &Round, groups: Vec<Group>) -> Result<usize, EngineError> {
        tracing::warn!(
            connection.id = %round.connection.id,
            "прежний процесс прервался: первые события разбираются по одному"
        );
        let mut n_done = 0;
        for mut group in groups {
            let mut waiting = std::mem::take(&mut group.events);
            while let Some(stored) = waiting.pop_front() {
                if stored.n_crashes < MAX_CRASHES {
                    events::count_crash(&self.context.db, round.workspace, stored.event.id, None).await?;
                }
                point!(DispatchCounted);
                group.events.push_back(stored);
                let (outcome, rest) = self.go_through(round, &mut group, Reading::Allowed).await?;
                n_done += self.commit(round, vec![outcome]).await?;
                if rest != Rest::None {
                    break;
                }
            }
        }
        Ok(n_done)
    }

    /// The look at an event panicked: it is counted, and later events of its record wait with it.
    pub(super) async fn broke_off(&self, stored: &StoredEvent) -> Result<(), EngineError> {
        // The panic hook has already written where and why.
        tracing::error!(event.id = %stored.event.id, "разбор события аварийно прервался");
        self.count_crash(stored.event.workspace, stored.event.id).await
    }

    pub(super) async fn count_crash(
        &self,
        workspace: WorkspaceId,
        event: EventId,
    ) -> Result<(), EngineError> {
        let again_at = self.context.clock.now().plus_ms(AFTER_CRASH_MS);
        Ok(events::count_crash(&self.context.db, workspace, event, Some(again_at)).await?)
    }
}
