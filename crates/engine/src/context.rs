//! What every part of the engine works with.

use crate::clock::Clock;
use crate::secrets::{DbTokens, Secret};
use connector::credential::TokenStore;
use connector::{Connector, ConnectorError, Intake};
use domain::connection::ConnectorKind;
use domain::delivery::RetryPolicy;
use domain::id::{AuditEntryId, ConnectionId, RuleId, WorkspaceId};
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::audit::{self, Actor, NewEntry};
use storage::connections::{self, Connection};
use storage::{Db, StorageError, Tx};
use uuid::Uuid;
use vault::Keyring;

use crate::breaker::Breakers;
use crate::error::EngineError;
use crate::gated::Gated;
use crate::lease::{Circle, Leases};
use crate::meter::Meter;
use crate::retention::Kept;
use crate::stops::{Board, Passage};
use crate::turns::Turns;

/// Makes connectors: the server's wiring, since the engine knows no CRM by name.
pub trait ConnectorFactory: Send + Sync {
    /// A connector for a connection and its secret. Requests of connections that share a login or an
    /// account must share a budget.
    fn open(
        &self,
        connection: &Connection,
        secret: &Secret,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError>;

    /// Name of the request budget that a connection shares with others (an account, a login); `None` when it has
    /// one of its own.
    fn budget(&self, connection: &Connection) -> Option<String> {
        let _unused = connection;
        None
    }

    /// The webhook reader of a CRM.
    fn intake(&self, kind: ConnectorKind) -> &dyn Intake;
}

/// Figures of the engine that an operator may change.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base of our own addresses, without a slash at the end: `https://hub.example.ru`.
    pub public_url: String,
    /// When failed deliveries are tried again.
    pub retry: RetryPolicy,
    /// How long a mark of our own write explains echoes, in milliseconds.
    pub echo_window_ms: i64,
    /// How long an announced creation waits for one of ours that is on its way, in milliseconds.
    pub creation_wait_ms: i64,
    /// How long an uncertain write may stay undecided before a person must decide, in milliseconds.
    pub undecided_ms: i64,
    /// Events that our own deliveries caused, one after the other, before the loop guard stops them.
    pub max_chain: u16,
    /// How long a lease of a connection lasts without renewal, in milliseconds.
    pub lease_ms: i64,
    /// Events looked at in one step.
    pub dispatch_batch: u64,
    /// How long things are kept at most; a workspace may want less.
    pub retention: Kept,
    /// Deliveries under way at once on one connection.
    pub deliveries_at_once: u64,
    /// Where uploaded files lie.
    pub files: std::path::PathBuf,
    /// Which files are accepted.
    pub import_limits: importer::Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            retry: RetryPolicy::DEFAULT,
            echo_window_ms: 120_000,
            creation_wait_ms: 15_000,
            undecided_ms: 600_000,
            max_chain: 8,
            lease_ms: 4_000,
            dispatch_batch: 256,
            retention: Kept::default(),
            deliveries_at_once: 8,
            files: std::env::temp_dir().join("crm-integrator-files"),
            import_limits: importer::Limits::default(),
        }
    }
}

/// Opened connectors with the version of the connection they were opened from.
type Opened = HashMap<ConnectionId, (i64, Arc<dyn Connector>)>;

/// Everything the parts of the engine share.
pub struct Context {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes connectors.
    pub connectors: Arc<dyn ConnectorFactory>,
    /// Installation keys.
    pub keyring: Arc<Keyring>,
    /// Figures.
    pub settings: Settings,
    /// Name of this process among others.
    pub owner: String,
    /// What this process counts of its work.
    pub meter: Meter,
    pub(crate) turns: Turns,
    pub(crate) leases: Leases,
    pub(crate) stops: Arc<Board>,
    pub(crate) breakers: Arc<Breakers>,
    open: Mutex<Opened>,
    /// By connection, until when it is believed.
    circles: Mutex<HashMap<ConnectionId, (Timestamp, Arc<Circle>)>>,
}

impl Context {
    /// Gathers the parts.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        connectors: Arc<dyn ConnectorFactory>,
        keyring: Arc<Keyring>,
        settings: Settings,
    ) -> Self {
        let owner = new_id().to_string();
        Self {
            db,
            clock,
            connectors,
            keyring,
            settings,
            owner,
            meter: Meter::default(),
            turns: Turns::default(),
            leases: Leases::default(),
            stops: Arc::default(),
            breakers: Arc::default(),
            open: Mutex::new(HashMap::new()),
            circles: Mutex::default(),
        }
    }

    /// The connector of a connection, opened once per version of its settings and secret.
    pub async fn connector(&self, connection: &Connection) -> Result<Arc<dyn Connector>, EngineError> {
        if let Some((version, connector)) = self.opened().get(&connection.id)
            && *version == connection.version
        {
            return Ok(Arc::clone(connector));
        }
        let tokens = DbTokens::new(self, connection)?;
        let secret = tokens.secret().await?;
        let connector = self.connectors.open(connection, &secret, Arc::new(tokens))?;
        self.circles().remove(&connection.id);
        self.opened()
            .insert(connection.id, (connection.version, Arc::clone(&connector)));
        Ok(connector)
    }

    /// The connector for the pipeline's work on a connection: emergency stops hold it back.
    pub(crate) async fn working(&self, connection: &Connection) -> Result<Arc<dyn Connector>, EngineError> {
        let inner = self.connector(connection).await?;
        Ok(self.behind_stops(connection, inner, Vec::new()))
    }

    /// A connector that sends nothing while its connection, or one of the rules behind the work, is stopped.
    pub(crate) fn behind_stops(
        &self,
        connection: &Connection,
        inner: Arc<dyn Connector>,
        rules: Vec<RuleId>,
    ) -> Arc<dyn Connector> {
        let passage = Passage {
            board: Arc::clone(&self.stops),
            breakers: Arc::clone(&self.breakers),
            clock: Arc::clone(&self.clock),
            workspace: connection.workspace,
            connection: connection.id,
            rules,
        };
        Arc::new(Gated::new(inner, Arc::new(passage)))
    }

    /// What has to be held while a connection is worked on. Looked up anew after the length of a lease: connections
    /// come and go.
    pub(crate) async fn circle(&self, id: ConnectionId) -> Result<Arc<Circle>, EngineError> {
        let now = self.clock.now();
        if let Some((until, circle)) = self.circles().get(&id)
            && *until > now
        {
            return Ok(Arc::clone(circle));
        }
        let neighbours = match connections::find_any(&self.db, id).await? {
            Some(connection) => connections::list(&self.db, connection.workspace).await?,
            None => Vec::new(),
        };
        let budgets = neighbours.iter().filter_map(|connection| {
            let budget = self.connectors.budget(connection)?;
            Some(format!("budget/{budget}"))
        });
        let ids = neighbours.iter().map(|connection| connection.id).collect();
        let circle = Arc::new(Circle::new(Some(id), budgets, ids));
        let until = now.plus_ms(self.settings.lease_ms);
        self.circles().insert(id, (until, Arc::clone(&circle)));
        Ok(circle)
    }

    /// Sends nothing over a connection for so long: another process may have used its budget a moment ago.
    pub(crate) async fn rest(&self, id: ConnectionId, length: Duration) -> Result<(), EngineError> {
        let Some(connection) = connections::find_any(&self.db, id).await? else {
            return Ok(());
        };
        match self.connector(&connection).await {
            Ok(connector) => connector.rest(length).await,
            Err(EngineError::Storage(error)) => return Err(error.into()),
            // Whoever works on it will meet the same and tell.
            Err(error) => tracing::debug!(%error, connection.id = %id, "подключение не открыто"),
        }
        Ok(())
    }

    /// Forgets an opened connector: its secret or settings changed.
    pub fn forget(&self, connection: ConnectionId) {
        self.opened().remove(&connection);
        self.circles().remove(&connection);
    }

    fn circles(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, (Timestamp, Arc<Circle>)>> {
        self.circles
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes an audit entry in the transaction of the change it tells of.
    pub async fn audit(
        &self,
        tx: &Tx,
        workspace: WorkspaceId,
        actor: &Actor,
        entry: NewEntry<'_>,
    ) -> Result<(), StorageError> {
        let id = AuditEntryId(new_id());
        audit::insert(tx, workspace, id, actor, entry, self.clock.now()).await
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Opened> {
        self.open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A new id: ascending within the process, so that ids sort as things happened.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
