//! Emergency stops: what a person has told us not to send. Every outgoing request of the pipeline looks at the
//! board at the last moment before it leaves; other processes see a change within 400 ms.

use crate::breaker::{Breakers, Circuit};
use crate::clock::Clock;
use crate::context::Context;
use crate::error::EngineError;
use crate::worker::Signals;
use connector::http::Gate;
use connector::{ConnectorError, Verdict};
use domain::connection::ConnectionState;
use domain::id::{ConnectionId, RuleId, WorkspaceId};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use storage::audit::{Actor, NewEntry};
use storage::stops::{self, Standstill, Stop, StopScope};
use storage::{Tx, accounts, connections, deliveries, rules};
use tokio_util::sync::CancellationToken;

/// How often a process looks what was stopped elsewhere: well within the second that is promised.
const EVERY: Duration = Duration::from_millis(400);

#[derive(Debug, Default)]
struct Standing {
    everything: bool,
    workspaces: HashSet<WorkspaceId>,
    rules: HashSet<RuleId>,
    connections: HashSet<ConnectionId>,
}

impl From<Standstill> for Standing {
    fn from(read: Standstill) -> Self {
        let mut standing = Self {
            connections: read.connections.into_iter().collect(),
            ..Self::default()
        };
        for scope in read.scopes {
            match scope {
                StopScope::Installation => standing.everything = true,
                StopScope::Workspace(id) => drop(standing.workspaces.insert(id)),
                StopScope::Rule(_, id) => drop(standing.rules.insert(id)),
            }
        }
        standing
    }
}

/// What may not send at this moment, in memory.
#[derive(Debug, Default)]
pub(crate) struct Board(RwLock<Standing>);

impl Board {
    /// Reads anew what is stopped.
    pub(crate) async fn refresh(&self, db: &storage::Db) -> Result<(), EngineError> {
        let standing = Standing::from(stops::standstill(db).await?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = standing;
        Ok(())
    }

    /// Nothing at all is sent.
    pub(crate) fn is_everything_stopped(&self) -> bool {
        self.read(|standing| standing.everything)
    }

    /// Connections that may send nothing.
    pub(crate) fn connections(&self) -> Vec<ConnectionId> {
        self.read(|standing| standing.connections.iter().copied().collect())
    }

    /// Rules whose deliveries are kept back.
    pub(crate) fn rules(&self) -> Vec<RuleId> {
        self.read(|standing| standing.rules.iter().copied().collect())
    }

    /// A connection was found paused before the next look.
    pub(crate) fn pause(&self, connection: ConnectionId) {
        let mut standing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        standing.connections.insert(connection);
    }

    fn read<T>(&self, look: impl FnOnce(&Standing) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The gate before the requests of one piece of work.
pub(crate) struct Passage {
    pub(crate) board: Arc<Board>,
    pub(crate) breakers: Arc<Breakers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) connection: ConnectionId,
    /// The rules behind the work, where there are any.
    pub(crate) rules: Vec<RuleId>,
}

impl Passage {
    /// A call ended so: whoever comes next learns from it before anything is stored.
    pub(crate) fn note(&self, error: Option<&ConnectorError>) {
        if let Some(Verdict::Reauthorise | Verdict::Suspend) = error.map(ConnectorError::verdict) {
            self.board.pause(self.connection);
        }
        self.breakers.note(self.connection, error, self.clock.now());
    }
}

impl Gate for Passage {
    fn is_open(&self) -> bool {
        if self.breakers.circuit(self.connection, self.clock.now()) == Circuit::Open {
            return false;
        }
        self.board.read(|standing| {
            !standing.everything
                && !standing.workspaces.contains(&self.workspace)
                && !standing.connections.contains(&self.connection)
                && !self.rules.iter().any(|rule| standing.rules.contains(rule))
        })
    }
}

/// Keeps the board fresh until `stop` is cancelled.
pub(crate) async fn watch(context: Arc<Context>, stop: CancellationToken) {
    loop {
        if let Err(error) = context.stops.refresh(&context.db).await {
            // What was stopped stays stopped: the board is left as it was.
            tracing::warn!(%error, "аварийные остановки не прочитаны, повторим");
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Stopping and starting again, as a person does it.
#[derive(Clone)]
pub struct Stops {
    context: Arc<Context>,
    signals: Arc<Signals>,
}

impl Stops {
    pub(crate) fn new(context: Arc<Context>, signals: Arc<Signals>) -> Self {
        Self { context, signals }
    }

    /// Stops in force that concern a workspace.
    pub async fn list(&self, workspace: WorkspaceId) -> Result<Vec<Stop>, EngineError> {
        Ok(stops::list(&self.context.db, workspace).await?)
    }

    /// Nothing of the scope is sent from now on; what waits keeps its place. Stopping twice changes nothing.
    pub async fn stop(
        &self,
        scope: StopScope,
        actor: &Actor,
        reason: Option<String>,
    ) -> Result<(), EngineError> {
        let stop = Stop {
            scope,
            reason: reason.clone(),
            actor_name: actor.name.clone(),
            stopped_at: self.context.clock.now(),
        };
        let tx = self.context.db.begin().await?;
        check_subject(&tx, scope).await?;
        if stops::put(&tx, &stop).await? {
            let after = serde_json::json!({ "reason": reason });
            self.tell(&tx, scope, actor, "stopped", Some(after)).await?;
        }
        tx.commit().await?;
        self.context.stops.refresh(&self.context.db).await
    }

    /// What was kept back goes on.
    pub async fn start(&self, scope: StopScope, actor: &Actor) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        check_subject(&tx, scope).await?;
        if stops::lift(&tx, scope).await? {
            self.tell(&tx, scope, actor, "started", None).await?;
        }
        tx.commit().await?;
        self.resume().await
    }

    /// Nothing is sent to one connection.
    pub async fn stop_connection(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        let reason = Some("остановлено пользователем");
        let tx = self.context.db.begin().await?;
        connections::set_state(&tx, workspace, id, ConnectionState::Stopped, reason).await?;
        let entry = NewEntry::of("connection", "connection.stopped", id, None, None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        self.context.stops.refresh(&self.context.db).await
    }

    /// A stopped connection goes on.
    pub async fn start_connection(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        actor: &Actor,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        connections::set_state(&tx, workspace, id, ConnectionState::Active, None).await?;
        deliveries::wake(&tx, id, self.context.clock.now()).await?;
        let entry = NewEntry::of("connection", "connection.started", id, None, None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        self.resume().await
    }

    async fn resume(&self) -> Result<(), EngineError> {
        self.context.stops.refresh(&self.context.db).await?;
        self.signals.events.notify_one();
        self.signals.deliveries.notify_one();
        Ok(())
    }

    /// The audit entry of a stop or start; the installation's concerns every workspace and stands in each.
    async fn tell(
        &self,
        tx: &Tx,
        scope: StopScope,
        actor: &Actor,
        verb: &str,
        after: Option<serde_json::Value>,
    ) -> Result<(), EngineError> {
        let (kind, subject, told) = match scope {
            StopScope::Installation => {
                let all = accounts::workspaces(tx).await?;
                let ids = all.into_iter().map(|workspace| workspace.id).collect();
                ("installation", String::new(), ids)
            }
            StopScope::Workspace(id) => ("workspace", id.to_string(), vec![id]),
            StopScope::Rule(workspace, id) => ("rule", id.to_string(), vec![workspace]),
        };
        let action = format!("{kind}.{verb}");
        for workspace in told {
            let entry = NewEntry::of(kind, &action, subject.clone(), None, after.clone());
            self.context.audit(tx, workspace, actor, entry).await?;
        }
        Ok(())
    }
}

/// A rule of another workspace does not exist for this one.
async fn check_subject(tx: &Tx, scope: StopScope) -> Result<(), EngineError> {
    if let StopScope::Rule(workspace, id) = scope {
        rules::find(tx, workspace, id).await?;
    }
    Ok(())
}
