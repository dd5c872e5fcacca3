//! Retention: what is too old goes, a few rows in a transaction, so that nobody waits for it. The installation says
//! how long things are kept at most; a workspace may want less.

use crate::context::Context;
use crate::error::EngineError;
use domain::id::{EventId, WorkspaceId};
use domain::time::Timestamp;
use std::sync::Arc;
use storage::accounts;
use storage::audit::{Actor, NewEntry};
use storage::retention::{self, Wish};

/// Bodies are of use while somebody may ask what exactly a CRM sent.
pub const SHORTEST_BODIES_DAYS: u16 = 1;
/// The history answers why something was done, and tells a late repeat of a webhook from news.
pub const SHORTEST_HISTORY_DAYS: u16 = 7;

const DAY_MS: i64 = 86_400_000;

/// How long things are kept, in days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Bodies as the CRMs sent them.
    pub bodies_days: u16,
    /// Events with their runs, deliveries and attempts.
    pub history_days: u16,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            bodies_days: 30,
            history_days: 365,
        }
    }
}

impl Kept {
    /// What holds for a workspace that wishes this: never more than the installation allows.
    fn wished(self, wish: Wish) -> Self {
        let least = |wish: Option<u16>, most: u16| wish.map_or(most, |days| days.min(most));
        Self {
            bodies_days: least(wish.bodies_days, self.bodies_days),
            history_days: least(wish.history_days, self.history_days),
        }
    }
}

/// A walk over everything that is too old.
#[derive(Debug)]
pub struct Walk {
    now: Timestamp,
    /// Workspaces that are still to be looked at, the present one last.
    workspaces: Vec<WorkspaceId>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Bodies,
    History(Option<EventId>),
}

/// How long things are kept, and taking away what is older.
#[derive(Clone)]
pub struct Retention {
    context: Arc<Context>,
}

impl Retention {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// How long the installation keeps things at most.
    pub fn most(&self) -> Kept {
        self.context.settings.retention
    }

    /// How long a workspace keeps things.
    pub async fn kept(&self, workspace: WorkspaceId) -> Result<Kept, EngineError> {
        let wish = retention::find(&self.context.db, workspace).await?;
        Ok(self.most().wished(wish))
    }

    /// Remembers how long a workspace wants to keep things; `None` for as long as the installation does.
    pub async fn wish(&self, workspace: WorkspaceId, wish: Wish, actor: &Actor) -> Result<Kept, EngineError> {
        let now = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        let before = retention::find(&tx, workspace).await?;
        if before != wish {
            retention::put(&tx, workspace, wish, now).await?;
            let said = |wish: Wish| serde_json::json!({ "bodies_days": wish.bodies_days, "history_days": wish.history_days });
            let entry = NewEntry {
                action: "retention.changed",
                subject_kind: "workspace",
                subject_id: workspace.to_string(),
                before: Some(said(before)),
                after: Some(said(wish)),
            };
            self.context.audit(&tx, workspace, actor, entry).await?;
        }
        tx.commit().await?;
        Ok(self.most().wished(wish))
    }

    /// A walk from the beginning.
    pub async fn walk(&self) -> Result<Walk, EngineError> {
        let workspaces = accounts::workspaces(&self.context.db).await?;
        Ok(Walk {
            now: self.context.clock.now(),
            workspaces: workspaces.into_iter().map(|workspace| workspace.id).collect(),
            place: Place::Bodies,
        })
    }

    /// Takes the next few rows away. False when nothing is left to look at.
    pub async fn step(&self, walk: &mut Walk) -> Result<bool, EngineError> {
        let Some(workspace) = walk.workspaces.last().copied() else {
            return Ok(false);
        };
        let kept = self.kept(workspace).await?;
        let before = |days: u16| walk.now.plus_ms(-DAY_MS * i64::from(days));
        match walk.place {
            Place::Bodies => {
                let before = before(kept.bodies_days);
                if retention::prune_bodies(&self.context.db, workspace, before).await? == 0 {
                    walk.place = Place::History(None);
                }
            }
            Place::History(after) => {
                let before = before(kept.history_days);
                let tx = self.context.db.begin().await?;
                let walked = retention::prune_history(&tx, workspace, before, after).await?;
                tx.commit().await?;
                match walked.next {
                    Some(next) => walk.place = Place::History(Some(next)),
                    None => {
                        walk.workspaces.pop();
                        walk.place = Place::Bodies;
                    }
                }
            }
        }
        Ok(true)
    }
}
