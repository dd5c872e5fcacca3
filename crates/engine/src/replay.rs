//! Letting things run again by a person's wish, and trying rules without acting.

use crate::context::{Context, new_id};
use crate::dispatcher::Trial;
use crate::error::EngineError;
use crate::worker::Signals;
use domain::compile::Diagnostic;
use domain::delivery::DeliveryState;
use domain::evaluate::{Evaluation, Facts};
use domain::event::{Event, Origin};
use domain::id::{DeliveryId, EventId, RuleId, WorkspaceId};
use domain::rule::Rule;
use std::sync::Arc;
use storage::audit::{Actor, NewEntry};
use storage::deliveries::{self, Delivery, DeliveryFilter};
use storage::events::{self, NewEvent};
use storage::{PageOf, StorageError, published};

/// What a rule would make of an event. Nothing was sent.
#[derive(Clone, PartialEq, Debug)]
pub struct DryRun {
    /// Outcome, reasons, commands.
    pub evaluation: Evaluation,
    /// What was known.
    pub facts: Facts,
    /// What the compiler says of the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// How rules look at an event again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Again {
    /// Only this rule; all when absent.
    pub only_rule: Option<RuleId>,
    /// In the versions that looked at it the first time, not in those in force now.
    pub as_then: bool,
}

/// Replays and dry runs.
#[derive(Clone)]
pub struct Replays {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

impl Replays {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// Lets rules look at an event again, as a new event.
    pub async fn event(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: EventId,
        Again { only_rule, as_then }: Again,
    ) -> Result<EventId, EngineError> {
        let original = events::find(&self.context.db, workspace, id).await?;
        if as_then
            && published::of_event(&self.context.db, workspace, id)
                .await?
                .is_empty()
        {
            return Err(EngineError::WrongMoment {
                text: "на это событие правила не смотрели, или они удалены: запустите его по действующим правилам".to_owned(),
            });
        }
        let now = self.context.clock.now();
        let replayed = EventId(new_id());
        let new = NewEvent {
            key: format!("replay:{replayed}"),
            inbound: original.inbound,
            replay_of: Some(id),
            only_rule,
            as_then,
            due_at: now,
            event: Event {
                id: replayed,
                origin: Origin::Replay,
                received_at: now,
                chain: 0,
                ..original.event
            },
        };
        let tx = self.context.db.begin().await?;
        events::insert(&tx, &[new]).await?;
        let after = serde_json::json!({ "event": replayed, "rule": only_rule, "as_then": as_then });
        let entry = NewEntry::of("event", "event.replayed", id, None, Some(after));
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        self.signals.events.notify_one();
        Ok(replayed)
    }

    /// Tries a dead delivery again, as a new delivery that goes on where the dead one stopped.
    pub async fn delivery(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: DeliveryId,
    ) -> Result<DeliveryId, EngineError> {
        let tx = self.context.db.begin().await?;
        let dead = deliveries::find(&tx, workspace, id).await?;
        if dead.state != DeliveryState::Dead {
            return Err(StorageError::Stale { table: "delivery" }.into());
        }
        let now = self.context.clock.now();
        let replayed = DeliveryId(new_id());
        let mut progress = dead.progress.clone();
        if let Some(members) = progress.as_object_mut() {
            // A person looked and decided that the write is missing: it is not looked for again.
            members.remove("sent");
        }
        let again = Delivery {
            id: replayed,
            state: DeliveryState::Pending,
            progress,
            error_code: None,
            error: None,
            replay_of: Some(id),
            n_attempts: 0,
            created_at: now,
            first_at: None,
            due_at: now,
            finished_at: None,
            ..dead
        };
        deliveries::cancel(&tx, workspace, id, now).await?;
        deliveries::insert(&tx, &[again]).await?;
        let after = serde_json::json!({ "delivery": replayed });
        let entry = NewEntry::of("delivery", "delivery.replayed", id, None, Some(after));
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        self.signals.deliveries.notify_one();
        Ok(replayed)
    }

    /// Tries every dead delivery that fits again; returns how many.
    pub async fn all(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        wanted: &DeliveryFilter,
    ) -> Result<usize, EngineError> {
        let wanted = DeliveryFilter {
            states: vec![DeliveryState::Dead],
            ..wanted.clone()
        };
        let mut n_replayed = 0;
        loop {
            let dead = deliveries::list(&self.context.db, workspace, &wanted, PageOf::default()).await?;
            if dead.is_empty() {
                return Ok(n_replayed);
            }
            // Oldest first, so that order within a lane is kept.
            for delivery in dead.iter().rev() {
                match self.delivery(workspace, actor, delivery.id).await {
                    Ok(_) => n_replayed += 1,
                    Err(EngineError::Storage(StorageError::Stale { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Takes a waiting or dead delivery back.
    pub async fn cancel(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: DeliveryId,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        deliveries::cancel(&tx, workspace, id, self.context.clock.now()).await?;
        let entry = NewEntry::of("delivery", "delivery.cancelled", id, None, None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        self.signals.deliveries.notify_one();
        Ok(())
    }

    /// What a rule would make of a received event. Reads from the CRMs where the rule asks for it, writes
    /// nothing anywhere.
    pub async fn dry_run(
        &self,
        workspace: WorkspaceId,
        rule: &Rule,
        event: EventId,
    ) -> Result<DryRun, EngineError> {
        let stored = events::find(&self.context.db, workspace, event).await?;
        let Trial {
            evaluation,
            facts,
            diagnostics,
        } = crate::dispatcher::try_rule(&self.context, stored, rule).await?;
        Ok(DryRun {
            evaluation,
            facts,
            diagnostics,
        })
    }
}
