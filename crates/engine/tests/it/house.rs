//! One workspace with both CRMs, scripted, on a database of its own and a clock that moves when told.

use connector::credential::TokenStore;
use connector::scripted::ScriptedConnector;
use connector::{Connector, ConnectorError, Intake, IntakeContext, IntakeError};
use domain::catalogue::{Catalogue, Pipeline, StageInfo, StageKind};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::id::{ConnectionId, WorkspaceId};
use domain::record::{Record, RecordKind};
use domain::rule::Rule;
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use engine::clock::{Clock, ManualClock};
use engine::connections::NewConnection;
use engine::context::Context;
use engine::failpoint::{self, Point};
use engine::intake::Accepted;
use engine::rules::Consent;
use engine::{ConnectorFactory, Engine, EngineError, Secret, Settings};
use secrecy::SecretString;
use std::sync::Arc;
use storage::Db;
use storage::accounts::{self, Workspace};
use storage::audit::Actor;
use storage::connections::Connection;
use storage::deliveries::{self, Delivery, DeliveryFilter};
use storage::events::{self, EventFilter, StoredEvent};
use storage::{PageOf, Tx, links};
use test_db::TestDb;
use vault::{InstallationKey, Keyring};

pub(crate) const NEW: Stage = Stage {
    pipeline: 10,
    status: 101,
};
pub(crate) const CALLING: Stage = Stage {
    pipeline: 10,
    status: 102,
};
pub(crate) const CONFIRMED: Stage = Stage {
    pipeline: 10,
    status: 103,
};
pub(crate) const LEAD_ROBOT: Stage = Stage {
    pipeline: 20,
    status: 202,
};
pub(crate) const LEAD_YES: Stage = Stage {
    pipeline: 20,
    status: 203,
};

/// Every process of a test opens the same secrets.
const KEY: &str = "AaBRuMgk8VY7K1uCdRLhOHjx3QV+BgVXH9GSyVwDzd8=";

/// Bodies are facts as JSON: what real bodies look like is tested with the real readers.
struct FactsIntake;

impl Intake for FactsIntake {
    fn parse(&self, _: &str, body: &[u8], _: IntakeContext<'_>) -> Result<Vec<Fact>, IntakeError> {
        serde_json::from_slice(body).map_err(|error| IntakeError::Malformed {
            position: error.column(),
            message: "не JSON",
        })
    }
}

struct Factory {
    amocrm: ScriptedConnector,
    lptracker: ScriptedConnector,
}

impl ConnectorFactory for Factory {
    fn open(
        &self,
        connection: &Connection,
        secret: &Secret,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        Ok(match connection.kind {
            ConnectorKind::Amocrm if matches!(secret, Secret::Oauth { .. }) => {
                Arc::new(self.amocrm.with_tokens(tokens))
            }
            ConnectorKind::Amocrm => Arc::new(self.amocrm.clone()),
            ConnectorKind::Lptracker => Arc::new(self.lptracker.clone()),
        })
    }

    fn intake(&self, _: ConnectorKind) -> &dyn Intake {
        &FactsIntake
    }
}

/// Everything a test needs.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) amo: ConnectionId,
    pub(crate) lpt: ConnectionId,
    pub(crate) amocrm: ScriptedConnector,
    pub(crate) lptracker: ScriptedConnector,
    hooks: [(ConnectorKind, String); 2],
    /// Where the database is.
    url: String,
    n_facts: std::cell::Cell<u64>,
}

fn catalogue(pipeline: i64, name: &str, stages: &[(i64, &str)]) -> Catalogue {
    let stages = stages.iter().map(|(id, name)| StageInfo {
        id: *id,
        name: (*name).to_owned(),
        color: None,
        kind: StageKind::Open,
    });
    Catalogue {
        pipelines: vec![Pipeline {
            id: pipeline,
            name: name.to_owned(),
            stages: stages.collect(),
        }],
        ..Catalogue::default()
    }
}

impl House {
    /// Facts arrive by the webhook of a connection.
    pub(crate) async fn tell(&self, connection: ConnectionId, facts: Vec<Fact>) {
        let (kind, secret) = &self.hooks[usize::from(connection == self.lpt)];
        let body = serde_json::to_vec(&facts).unwrap();
        let accepted = self
            .engine
            .receive(*kind, secret, "application/json", &body)
            .await
            .unwrap();
        assert_eq!(accepted.n_new, facts.len());
    }

    /// Runs one case on a fresh house on each database.
    pub(crate) async fn each<F: AsyncFn(House)>(case: F) {
        let case = &case;
        test_db::each_database(move |db: TestDb| async move {
            case(House::new(&db).await).await;
        })
        .await;
    }

    pub(crate) async fn new(test_db: &TestDb) -> Self {
        let db = Db::connect(test_db.url(), 4).await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_780_000_000)));
        let amocrm = ScriptedConnector::new(ConnectorKind::Amocrm, 1_000);
        let lptracker = ScriptedConnector::new(ConnectorKind::Lptracker, 5_000);
        let amo_stages = [
            (101, "Новая заявка"),
            (102, "Передано в обзвон"),
            (103, "Подтверждён"),
        ];
        let lead_stages = [
            (201, "Новый лид"),
            (202, "Обзвон роботом"),
            (203, "Интерес подтвержден"),
        ];
        amocrm.set_catalogue(catalogue(10, "Продажи", &amo_stages));
        lptracker.set_catalogue(catalogue(20, "Обзвон", &lead_stages));
        let engine = engine_over(db.clone(), &clock, &amocrm, &lptracker);
        let workspace = WorkspaceId(engine::new_id());
        let row = Workspace {
            id: workspace,
            name: "Проверка".to_owned(),
            zone: "Europe/Moscow".to_owned(),
            calendar: None,
            created_at: clock.now(),
        };
        accounts::insert_workspace(&db, &row).await.unwrap();
        let mut made = Vec::new();
        for kind in [ConnectorKind::Amocrm, ConnectorKind::Lptracker] {
            let new = NewConnection {
                kind,
                name: kind.title().to_owned(),
                settings: serde_json::json!({}),
                secret: Some(Secret::Token {
                    access: "токен".to_owned(),
                }),
                expires_at: None,
            };
            let connections = engine.connections();
            let connection = connections
                .create(workspace, &Actor::system(), new)
                .await
                .unwrap();
            connections
                .refresh_catalogue(workspace, connection.id)
                .await
                .unwrap();
            let url = connections.hook_url(workspace, connection.id).await.unwrap();
            made.push((connection.id, (kind, url.rsplit('/').next().unwrap().to_owned())));
        }
        let (lpt, lpt_hook) = made.pop().unwrap();
        let (amo, amo_hook) = made.pop().unwrap();
        amocrm.take_calls();
        lptracker.take_calls();
        Self {
            engine,
            clock,
            workspace,
            amo,
            lpt,
            amocrm,
            lptracker,
            hooks: [amo_hook, lpt_hook],
            url: test_db.url().to_owned(),
            n_facts: std::cell::Cell::new(0),
        }
    }

    /// A second process on the same database, as after a crash of the first.
    pub(crate) fn another_process(&self) -> Engine {
        engine_over(
            self.engine.db().clone(),
            &self.clock,
            &self.amocrm,
            &self.lptracker,
        )
    }

    /// A process with a runtime and database connections of its own. Everything in it ends at once when it reaches the
    /// point where it is to die (`None`), or when its work is done.
    pub(crate) fn process<T: Send>(
        &self,
        dies_at: Option<Point>,
        work: impl AsyncFnOnce(Engine) -> T + Send,
    ) -> Option<T> {
        let (url, clock) = (self.url.as_str(), &self.clock);
        let (amocrm, lptracker) = (&self.amocrm, &self.lptracker);
        let life = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let db = Db::connect(url, 2).await.unwrap();
                let engine = engine_over(db, clock, amocrm, lptracker);
                let is_reached = dies_at.map(failpoint::arm);
                let death = async {
                    match is_reached {
                        Some(is_reached) => is_reached.notified().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = death => None,
                    done = work(engine) => Some(done),
                }
            })
        };
        std::thread::scope(|scope| scope.spawn(life).join().unwrap())
    }

    /// The secret of a connection's inbound address.
    pub(crate) fn hook_of(&self, kind: ConnectorKind) -> String {
        let found = self.hooks.iter().find(|(of, _)| *of == kind);
        found.unwrap().1.clone()
    }

    /// A process over the same database, reached in another way.
    pub(crate) fn process_over(&self, db: Db) -> Engine {
        engine_over(db, &self.clock, &self.amocrm, &self.lptracker)
    }

    /// Publishes a rule written as JSON; `AMO` and `LPT` stand for the connections.
    pub(crate) async fn publish(&self, rule: serde_json::Value) {
        let text = rule
            .to_string()
            .replace("\"AMO\"", &format!("\"{}\"", self.amo))
            .replace("\"LPT\"", &format!("\"{}\"", self.lpt));
        let rule: Rule = serde_json::from_str(&text).unwrap();
        let rules = self.engine.rules();
        self.clock.advance(1);
        let stored = rules
            .create(self.workspace, &Actor::system(), &rule)
            .await
            .unwrap();
        rules
            .publish(
                self.workspace,
                &Actor::system(),
                stored.id,
                stored.version,
                Consent::Given,
            )
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// The CRM calls the hook with facts.
    pub(crate) async fn hook(&self, kind: ConnectorKind, facts: &[Fact]) {
        self.receive(kind, facts).await.unwrap();
    }

    /// The same with its answer.
    pub(crate) async fn receive(&self, kind: ConnectorKind, facts: &[Fact]) -> Result<Accepted, EngineError> {
        let secret = self.hook_of(kind);
        let body = serde_json::to_vec(facts).unwrap();
        self.engine
            .receive(kind, &secret, "application/json", &body)
            .await
    }

    /// Nobody can store events until the value is dropped.
    pub(crate) async fn block_writers(&self) -> Tx {
        let tx = self.engine.db().begin().await.unwrap();
        // On SQLite the transaction is enough; elsewhere a row that every commit of the intake needs is held.
        let later = self.clock.now().plus_ms(5_000);
        storage::connections::note_event(&tx, self.workspace, self.amo, later)
            .await
            .unwrap();
        self.clock.advance(2_000);
        tx
    }

    /// A person changes a record in a CRM: the record as it then is, and the hook that says so.
    pub(crate) async fn changed(&self, kind: EventKind, record: Record) {
        let connector = self.crm(record.key.kind);
        connector.1.set_now(self.clock.now());
        connector.1.put(record.clone());
        self.hook(connector.0, &[self.fact(kind, record)]).await;
    }

    /// A fact of its own: no two have the same key.
    pub(crate) fn fact(&self, kind: EventKind, record: Record) -> Fact {
        self.n_facts.set(self.n_facts.get() + 1);
        Fact {
            kind,
            key: record.key.clone(),
            occurred_at: None,
            record,
            related: Vec::new(),
            before: Vec::new(),
            changed: None,
            author: None,
            dedupe: self.n_facts.get().to_string(),
        }
    }

    fn crm(&self, kind: RecordKind) -> (ConnectorKind, &ScriptedConnector) {
        match kind {
            RecordKind::Lead | RecordKind::LeadContact => (ConnectorKind::Lptracker, &self.lptracker),
            _ => (ConnectorKind::Amocrm, &self.amocrm),
        }
    }

    /// Time passes, here and in both CRMs.
    pub(crate) fn pass(&self, ms: i64) {
        self.clock.advance(ms);
        self.amocrm.set_now(self.clock.now());
        self.lptracker.set_now(self.clock.now());
    }

    /// Works until nothing is due, moving the clock over waits up to ten minutes.
    pub(crate) async fn settle(&self) {
        self.settle_with(&self.engine).await;
    }

    /// The same with another process.
    pub(crate) async fn settle_with(&self, engine: &Engine) {
        for _ in 0..200 {
            if engine.step().await.unwrap() > 0 {
                continue;
            }
            let due = [
                events::next_due(engine.db()).await.unwrap(),
                storage::quiet::next_due(engine.db()).await.unwrap(),
                deliveries::next_due(engine.db(), &[], &[]).await.unwrap(),
            ];
            let Some(next) = due.into_iter().flatten().min() else {
                return;
            };
            // What is due and not done waits for something else: a breaker, another process's lease.
            let wait = next.0 - self.clock.now().0;
            self.pass(if wait > 0 { wait } else { 1_000 });
        }
        panic!("работа не кончается");
    }

    pub(crate) async fn events(&self) -> Vec<StoredEvent> {
        let page = PageOf {
            limit: 200,
            before: None,
        };
        let mut all = events::list(self.engine.db(), self.workspace, &EventFilter::default(), page)
            .await
            .unwrap();
        all.reverse();
        all
    }

    pub(crate) async fn deliveries(&self) -> Vec<Delivery> {
        let page = PageOf {
            limit: 200,
            before: None,
        };
        let mut all = deliveries::list(self.engine.db(), self.workspace, &DeliveryFilter::default(), page)
            .await
            .unwrap();
        all.reverse();
        all
    }

    pub(crate) async fn states(&self) -> Vec<DeliveryState> {
        self.deliveries()
            .await
            .into_iter()
            .map(|delivery| delivery.state)
            .collect()
    }

    pub(crate) async fn n_links(&self) -> usize {
        links::list(self.engine.db(), self.workspace, None, PageOf::default())
            .await
            .unwrap()
            .len()
    }

    /// A deal with a contact in amoCRM, put there without a hook.
    pub(crate) fn deal(&self, id: i64, contact: i64, phone: &str) -> Record {
        let person = Record::new(RecordKind::Contact, contact)
            .with(SystemField::Name, Value::text("Пётр Ёлкин"))
            .with(SystemField::Phone, Value::Texts(vec![phone.to_owned()]));
        self.amocrm.put(person);
        let deal = Record::new(RecordKind::Deal, id)
            .with(SystemField::Name, Value::text("Заявка с сайта"))
            .with(SystemField::Stage, Value::Stage(NEW))
            .with(SystemField::Price, Value::Number(90_000.into()))
            .with(SystemField::Contact, Value::Id(contact));
        self.amocrm.put(deal.clone());
        deal
    }

    /// The only lead in LPTracker.
    pub(crate) fn only_lead(&self) -> Record {
        let leads = self.lptracker.records(RecordKind::Lead);
        assert_eq!(leads.len(), 1, "лидов должно быть ровно столько");
        leads.into_iter().next().unwrap()
    }
}

fn engine_over(
    db: Db,
    clock: &Arc<ManualClock>,
    amocrm: &ScriptedConnector,
    lptracker: &ScriptedConnector,
) -> Engine {
    let factory = Factory {
        amocrm: amocrm.clone(),
        lptracker: lptracker.clone(),
    };
    let key = InstallationKey::parse("test", &SecretString::from(KEY)).unwrap();
    let keyring = Arc::new(Keyring::new(vec![key]).unwrap());
    Engine::new(Context::new(
        db,
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(factory),
        keyring,
        Settings::default(),
    ))
}

/// «Сделка на этапе обзвона → лид» as the demo has it.
pub(crate) fn to_lead() -> serde_json::Value {
    serde_json::json!({
        "name": "Передать в обзвон", "source": "AMO",
        "triggers": [{"kind": "deal_stage_changed"}],
        "condition": {"compare": {"field": "deal.stage", "operator": "equals",
            "with": {"value": {"type": "stage", "value": CALLING}}}},
        "actions": [{"connection": "LPT", "do": "upsert", "kind": "lead", "stage": LEAD_ROBOT, "mapping": [
            {"record": "lead", "field": "name", "from": {"template": "{{deal.name}}"}},
            {"record": "lead_contact", "field": "name", "from": {"field": "contact.name"}},
            {"record": "lead_contact", "field": "phone", "from": {"field": "contact.phone"}, "convert": ["phone"]}
        ]}]
    })
}

/// «Интерес подтвержден → сделка подтверждена, примечание».
pub(crate) fn back_to_deal() -> serde_json::Value {
    serde_json::json!({
        "name": "Интерес подтверждён", "source": "LPT",
        "triggers": [{"kind": "lead_stage_changed"}],
        "condition": {"compare": {"field": "lead.stage", "operator": "equals",
            "with": {"value": {"type": "stage", "value": LEAD_YES}}}},
        "actions": [
            {"connection": "AMO", "do": "move", "target": "linked", "stage": CONFIRMED},
            {"connection": "AMO", "do": "add_note", "target": "linked",
             "text": {"template": "Робот: интерес подтверждён ({{lead.name}})"}}
        ]
    })
}
