//! A hub with a rule, over CRMs that answer at once.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use connector::credential::TokenStore;
use connector::{
    AccountCard, Changes, Connector, ConnectorError, ContactQuery, Effect, Intake, Listing, Look, Snapshot,
    Subscription,
};
use domain::catalogue::{Catalogue, Pipeline, StageInfo, StageKind};
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::{Record, RecordId, RecordKey};
use domain::rule::Rule;
use domain::time::Timestamp;
use domain::value::Stage;
use engine::clock::SystemClock;
use engine::connections::NewConnection;
use engine::context::Context;
use engine::{ConnectorFactory, Engine, Secret, Settings};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::Db;
use storage::accounts::{self, Workspace};
use storage::audit::Actor;
use storage::connections::Connection;
use test_db::TestDb;
use vault::{InstallationKey, Keyring};

/// A key for what is thrown away afterwards.
pub const KEY: &str = "AaBRuMgk8VY7K1uCdRLhOHjx3QV+BgVXH9GSyVwDzd8=";
/// Workspaces, each with a connection and a rule.
pub const WORKSPACES: usize = 8;
/// Pool of the measured engine.
pub const POOL: u32 = 10;

/// A database of its own, gone with the value.
pub struct Place(TestDb);

impl Place {
    pub async fn new(kind: &str, server: &str) -> Result<Self> {
        if kind == "SQLite" {
            return Ok(Self(test_db::sqlite().await));
        }
        anyhow::ensure!(
            std::env::var(test_db::POSTGRES_VARIABLE).is_ok_and(|url| url == server),
            "{} должна называть сервер замера",
            test_db::POSTGRES_VARIABLE
        );
        Ok(Self(test_db::postgres().await))
    }

    pub fn url(&self) -> &str {
        self.0.url()
    }
}

/// An engine over a database that has [`WORKSPACES`] set up.
pub struct Hub {
    pub engine: Engine,
    pub workspaces: Vec<(WorkspaceId, ConnectionId)>,
    hooks: Vec<String>,
}

/// An engine over a database, with CRMs that answer at once.
pub fn engine(db: Db, settings: Settings) -> Result<Engine> {
    let key = InstallationKey::parse("main", &SecretString::from(KEY))?;
    let keyring = Arc::new(Keyring::new(vec![key])?);
    let context = Context::new(db, Arc::new(SystemClock), Arc::new(AtOnce), keyring, settings);
    Ok(Engine::new(context))
}

impl Hub {
    /// Opens a database and sets up what is missing in it.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Db::connect(url, POOL).await?;
        db.migrate().await?;
        let mut hub = Self {
            engine: engine(db, Settings::default())?,
            workspaces: Vec::new(),
            hooks: Vec::new(),
        };
        let mut known = storage::connections::list_all(hub.engine.db()).await?;
        known.sort_by_key(|connection| connection.created_at);
        for connection in known {
            hub.take(connection.workspace, connection.id).await?;
        }
        while hub.workspaces.len() < WORKSPACES {
            hub.add().await?;
        }
        Ok(hub)
    }

    async fn take(&mut self, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
        let url = self.engine.connections().hook_url(workspace, connection).await?;
        let secret = url.rsplit('/').next().context("адрес вебхука")?.to_owned();
        self.workspaces.push((workspace, connection));
        self.hooks.push(secret);
        Ok(())
    }

    async fn add(&mut self) -> Result<()> {
        let engine = self.engine.clone();
        let workspace = WorkspaceId(engine::new_id());
        let row = Workspace {
            id: workspace,
            name: "Замер".to_owned(),
            zone: "Europe/Moscow".to_owned(),
            calendar: None,
            created_at: engine.clock().now(),
        };
        accounts::insert_workspace(engine.db(), &row).await?;
        let new = NewConnection {
            kind: ConnectorKind::Amocrm,
            name: "amoCRM".to_owned(),
            settings: serde_json::json!({"domain": "bench.amocrm.ru"}),
            secret: Some(Secret::Token {
                access: "токен".to_owned(),
            }),
            expires_at: None,
        };
        let connection = engine
            .connections()
            .create(workspace, &Actor::system(), new)
            .await?;
        engine
            .connections()
            .refresh_catalogue(workspace, connection.id)
            .await?;
        let rule: Rule = serde_json::from_value(rule(connection.id))?;
        let rules = engine.rules();
        let stored = rules.create(workspace, &Actor::system(), &rule).await?;
        rules
            .publish(
                workspace,
                &Actor::system(),
                stored.id,
                stored.version,
                engine::rules::Consent::Withheld,
            )
            .await?;
        self.take(workspace, connection.id).await
    }

    /// The path that the CRM of a workspace calls.
    pub fn hook(&self, at: usize) -> String {
        format!("/hooks/amocrm/{}", self.hooks[at])
    }
}

/// «Сделка на этапе 1002 дороже 100 000 → примечание»: decided from the webhook alone, one call.
fn rule(connection: ConnectionId) -> serde_json::Value {
    let compare = |field: &str, operator: &str, kind: &str, value: serde_json::Value| serde_json::json!({"compare": {"field": field, "operator": operator, "with": {"value": {"type": kind, "value": value}}}});
    serde_json::json!({
        "name": "Замер", "source": connection,
        "triggers": [{"kind": "deal_stage_changed"}],
        "condition": {"all": [
            compare("deal.stage", "equals", "stage", serde_json::json!({"pipeline": 10, "status": 1002})),
            compare("deal.price", "greater", "number", serde_json::json!("100000")),
        ]},
        "actions": [{"connection": connection, "do": "add_note", "target": "trigger",
            "text": {"template": "Сделка {{deal.name}} на {{deal.price}}"}}]
    })
}

/// A webhook as amoCRM sends it: the deal of this number moved.
pub fn moved(number: u64) -> String {
    format!(
        "leads%5Bstatus%5D%5B0%5D%5Bid%5D={number}&leads%5Bstatus%5D%5B0%5D%5Bname%5D=%D0%9E%D0%BA%D0%BD%D0%B0+%D0%B2+%D0%BE%D1%84%D0%B8%D1%81&leads%5Bstatus%5D%5B0%5D%5Bstatus_id%5D=1002&leads%5Bstatus%5D%5B0%5D%5Bprice%5D=150000&leads%5Bstatus%5D%5B0%5D%5Bresponsible_user_id%5D=77&leads%5Bstatus%5D%5B0%5D%5Blast_modified%5D=1760000300&leads%5Bstatus%5D%5B0%5D%5Bmodified_user_id%5D=77&leads%5Bstatus%5D%5B0%5D%5Bcreated_user_id%5D=78&leads%5Bstatus%5D%5B0%5D%5Bdate_create%5D=1760000000&leads%5Bstatus%5D%5B0%5D%5Bpipeline_id%5D=10&leads%5Bstatus%5D%5B0%5D%5Baccount_id%5D=31000007&leads%5Bstatus%5D%5B0%5D%5Bold_status_id%5D=1001&leads%5Bstatus%5D%5B0%5D%5Bcreated_at%5D=1760000000&leads%5Bstatus%5D%5B0%5D%5Bupdated_at%5D=1760000300&account%5Bsubdomain%5D=romashka&account%5Bid%5D=31000007&account%5B_links%5D%5Bself%5D=https%3A%2F%2Fromashka.amocrm.ru"
    )
}

/// Calls that the CRM answered in this process.
pub static N_CALLS: AtomicU64 = AtomicU64::new(0);

/// Connectors that answer every call at once, with webhooks read as amoCRM's.
struct AtOnce;

impl ConnectorFactory for AtOnce {
    fn open(
        &self,
        _: &Connection,
        _: &Secret,
        _: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        Ok(Arc::new(Self))
    }

    fn intake(&self, _: ConnectorKind) -> &dyn Intake {
        &amocrm::AmocrmIntake
    }
}

#[async_trait]
impl Connector for AtOnce {
    fn kind(&self) -> ConnectorKind {
        ConnectorKind::Amocrm
    }

    async fn rest(&self, _: std::time::Duration) {}

    async fn check(&self) -> Result<AccountCard, ConnectorError> {
        Ok(AccountCard {
            id: Some(31_000_007),
            name: "Ромашка".to_owned(),
            url: None,
            user: Some(1),
            zone: None,
            expires_at: None,
            warnings: Vec::new(),
        })
    }

    async fn catalogue(&self) -> Result<Catalogue, ConnectorError> {
        let stage = |id| StageInfo {
            id,
            name: format!("Этап {id}"),
            color: None,
            kind: StageKind::Open,
        };
        Ok(Catalogue {
            pipelines: vec![Pipeline {
                id: 10,
                name: "Продажи".to_owned(),
                stages: vec![stage(1001), stage(1002)],
            }],
            ..Catalogue::default()
        })
    }

    async fn read(&self, _: &RecordKey, _: bool) -> Result<Option<Snapshot>, ConnectorError> {
        Ok(None)
    }

    async fn find_contacts(&self, _: &ContactQuery) -> Result<Vec<Record>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn records_of_contact(&self, _: &RecordId) -> Result<Vec<Record>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn write(&self, write: &Write) -> Result<Effect, ConnectorError> {
        N_CALLS.fetch_add(1, Ordering::Relaxed);
        let key = match write {
            Write::AddNote { key, .. } => Some(key.clone()),
            _ => None,
        };
        Ok(Effect {
            key,
            part: Some("1".to_owned()),
            updated_at: None,
        })
    }

    async fn sitting(&self, _: &[Stage], _: Option<&str>) -> Result<Listing, ConnectorError> {
        Ok(Listing {
            records: Vec::new(),
            next: None,
        })
    }

    async fn look(&self, _: &Write, _: Timestamp) -> Result<Look, ConnectorError> {
        Ok(Look::NotApplied)
    }

    async fn subscription(&self, _: &str) -> Result<Subscription, ConnectorError> {
        Ok(Subscription {
            installed: true,
            disabled: false,
            foreign: Vec::new(),
        })
    }

    async fn subscribe(&self, _: &str) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn unsubscribe(&self, _: &str) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn changes(&self, _: Timestamp, _: Option<&str>) -> Result<Changes, ConnectorError> {
        Ok(Changes {
            facts: Vec::new(),
            next: None,
        })
    }

    fn card_url(&self, _: &RecordKey) -> Option<String> {
        None
    }
}

/// Deliveries of all workspaces that are not at their end.
pub async fn n_open(hub: &Hub) -> Result<u64> {
    let mut n_open = 0;
    for (workspace, _) in &hub.workspaces {
        for count in storage::counts::outbox(hub.engine.db(), *workspace).await? {
            n_open += count.1.n_waiting;
        }
    }
    Ok(n_open)
}
