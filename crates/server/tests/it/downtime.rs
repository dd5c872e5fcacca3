//! The hub is away for ten hours while people work in both CRMs and every webhook is lost: afterwards everything they
//! did is found by reading, and acted on once.

use crate::crms::Crms;
use amocrm::{AmocrmConnector, AmocrmIntake, AmocrmSettings};
use connector::credential::TokenStore;
use connector::http::{AddressRules, HttpClient, Limits};
use connector::throttle::Throttle;
use connector::{Connector, ConnectorError, Intake};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::Origin;
use domain::id::{ConnectionId, WorkspaceId};
use domain::rule::Rule;
use domain::time::Timestamp;
use engine::clock::{Clock, ManualClock};
use engine::connections::NewConnection;
use engine::context::Context;
use engine::rules::Consent;
use engine::{ConnectorFactory, Engine, Secret, Settings};
use lptracker::{LptrackerConnector, LptrackerIntake, LptrackerSettings};
use sandbox::lptracker::{
    DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD, DEMO_LPTRACKER_PROJECT, DEMO_LPTRACKER_STEP_INTEREST,
    DEMO_LPTRACKER_STEP_NEW,
};
use sandbox::{DEMO_AMOCRM_TOKEN, Modes, Options, PIPELINE_SALES, STATUS_NEW, STATUS_TO_CALL, Sandbox, Side};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::connectors::{Secretless, secretless};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::accounts::{self, Workspace};
use storage::audit::Actor;
use storage::connections::Connection;
use storage::deliveries::{self, DeliveryFilter};
use storage::events::{self, EventFilter, StoredEvent};
use storage::{Db, PageOf};
use test_db::TestDb;
use url::Url;
use uuid::Uuid;
use vault::{InstallationKey, Keyring};

const START: Timestamp = Timestamp(1_780_000_000_000);
/// Changes of each of the four kinds.
const OF_EACH: usize = 125;
/// Ten hours, shared evenly by all changes.
const AWAY_MS: u64 = 10 * 3_600_000;
const KEY: &str = "AaBRuMgk8VY7K1uCdRLhOHjx3QV+BgVXH9GSyVwDzd8=";

/// The real connectors with a budget that nobody waits for: the clocks of this test stand still.
struct Unhurried {
    http: HttpClient,
    amocrm: AmocrmIntake,
    lptracker: LptrackerIntake,
}

impl ConnectorFactory for Unhurried {
    fn open(
        &self,
        connection: &Connection,
        secret: &Secret,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        let budget = Throttle::new(1_000, Duration::from_millis(1));
        let url = |base: &str| Url::parse(base).expect("an address of the sandbox");
        Ok(match (secretless(connection), secret) {
            (Secretless::Amocrm { base_url, .. }, _) => {
                let settings = AmocrmSettings::at(url(&base_url));
                Arc::new(AmocrmConnector::new(self.http.clone(), budget, settings, tokens))
            }
            (
                Secretless::Lptracker {
                    base_url, project, ..
                },
                Secret::Login { login, password, .. },
            ) => {
                let mut settings = LptrackerSettings::new(login.clone().into(), password.clone().into());
                settings.base_url = url(&base_url.expect("an address"));
                settings.allowed_hosts = vec!["127.0.0.1".to_owned()];
                settings.projects = vec![project];
                Arc::new(LptrackerConnector::new(
                    self.http.clone(),
                    budget,
                    settings,
                    tokens,
                ))
            }
            _ => panic!("секрет не от этой CRM"),
        })
    }

    fn intake(&self, kind: ConnectorKind) -> &dyn Intake {
        match kind {
            ConnectorKind::Amocrm => &self.amocrm,
            ConnectorKind::Lptracker => &self.lptracker,
        }
    }
}

/// One process of the hub.
async fn process(url: &str, clock: &Arc<ManualClock>) -> Engine {
    let rules = AddressRules {
        allowed_hosts: vec!["127.0.0.1".to_owned()],
    };
    let factory = Unhurried {
        http: HttpClient::new(rules, Limits::default()).unwrap(),
        amocrm: AmocrmIntake,
        lptracker: LptrackerIntake,
    };
    let key = InstallationKey::parse("test", &SecretString::from(KEY)).unwrap();
    Engine::new(Context::new(
        Db::connect(url, 4).await.unwrap(),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(factory),
        Arc::new(Keyring::new(vec![key]).unwrap()),
        Settings::default(),
    ))
}

/// Both clocks go on together.
fn pass(sandbox: &Sandbox, clock: &ManualClock, ms: u64) {
    sandbox.world.clock.advance(Duration::from_millis(ms));
    clock.advance(ms as i64);
}

/// A workspace with both connections.
async fn set_up(engine: &Engine, sandbox: &Sandbox) -> (WorkspaceId, ConnectionId, ConnectionId) {
    let workspace = WorkspaceId(engine::new_id());
    let row = Workspace {
        id: workspace,
        name: "Проверка".to_owned(),
        zone: "Europe/Moscow".to_owned(),
        calendar: None,
        created_at: START,
    };
    accounts::insert_workspace(engine.db(), &row).await.unwrap();
    let amocrm = Secretless::Amocrm {
        base_url: sandbox.amocrm_url.clone(),
        client_id: None,
    };
    let lptracker = Secretless::Lptracker {
        base_url: Some(sandbox.lptracker_url.clone()),
        login: DEMO_LPTRACKER_LOGIN.to_owned(),
        project: DEMO_LPTRACKER_PROJECT,
    };
    let login = Secret::Login {
        login: DEMO_LPTRACKER_LOGIN.to_owned(),
        password: DEMO_LPTRACKER_PASSWORD.to_owned(),
        access: None,
    };
    let token = Secret::Token {
        access: DEMO_AMOCRM_TOKEN.to_owned(),
    };
    let mut made = Vec::new();
    for (kind, settings, secret) in [
        (ConnectorKind::Amocrm, amocrm, token),
        (ConnectorKind::Lptracker, lptracker, login),
    ] {
        let new = NewConnection {
            kind,
            name: kind.title().to_owned(),
            settings: settings.document(),
            secret: Some(secret),
            expires_at: None,
        };
        let connections = engine.connections();
        let id = connections
            .create(workspace, &storage::audit::Actor::system(), new)
            .await
            .unwrap()
            .id;
        connections.check(workspace, id).await.unwrap();
        connections.refresh_catalogue(workspace, id).await.unwrap();
        connections.subscribe(workspace, id).await.unwrap();
        made.push(id);
    }
    (workspace, made[0], made[1])
}

/// One rule for each kind of change.
async fn publish(engine: &Engine, workspace: WorkspaceId, amo: ConnectionId, lpt: ConnectionId) {
    let on = |field: &str, pipeline: i64, status: i64| {
        json!({"compare": {"field": field, "operator": "equals", "with": {"value": {"type": "stage",
            "value": {"pipeline": pipeline, "status": status}}}}})
    };
    let step = |step| on("lead.stage", DEMO_LPTRACKER_PROJECT, step);
    let note = |connection: ConnectionId| json!([{"connection": connection, "do": "add_note", "target": "trigger", "text": {"template": "замечено"}}]);
    let upsert = json!([{"connection": lpt, "do": "upsert", "kind": "lead",
        "stage": {"pipeline": DEMO_LPTRACKER_PROJECT, "status": DEMO_LPTRACKER_STEP_NEW}, "mapping": [
            {"record": "lead", "field": "name", "from": {"template": "{{deal.name}}"}},
            {"record": "lead_contact", "field": "name", "from": {"field": "contact.name"}},
            {"record": "lead_contact", "field": "phone", "from": {"field": "contact.phone"}, "convert": ["phone"]}
    ]}]);
    let moved = on("deal.stage", PIPELINE_SALES, STATUS_TO_CALL);
    for (name, source, kind, condition, actions) in [
        (
            "Сделка создана",
            amo,
            "deal_created",
            json!({"all": []}),
            note(amo),
        ),
        ("Сделка переведена", amo, "deal_stage_changed", moved, upsert),
        ("Лид создан", lpt, "lead_created", json!({"all": []}), note(lpt)),
        (
            "Лид переведён",
            lpt,
            "lead_stage_changed",
            step(DEMO_LPTRACKER_STEP_INTEREST),
            note(lpt),
        ),
    ] {
        let rule = json!({"name": name, "source": source, "triggers": [{"kind": kind}],
            "condition": condition, "actions": actions});
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let (rules, actor) = (engine.rules(), Actor::system());
        let made = rules.create(workspace, &actor, &rule).await.unwrap();
        rules
            .publish(workspace, &actor, made.id, made.version, Consent::Given)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

/// A deal as a person makes it.
async fn deal(crms: &Crms<'_>, n: usize) -> i64 {
    let form = json!({"name": format!("Покупатель {n}"), "phone": format!("+7999111{n:04}"),
        "deal": format!("Заявка {n}"), "pipeline_id": PIPELINE_SALES, "status_id": STATUS_NEW});
    crms.post("amocrm/ui/create", form).await[0]["id"]
        .as_i64()
        .unwrap()
}

/// A lead as an operator makes it.
async fn lead(crms: &Crms<'_>, n: usize) -> i64 {
    let form = json!({"name": format!("Лид {n}"), "contact_name": format!("Звонивший {n}"),
        "phone": format!("7999222{n:04}"), "step_id": DEMO_LPTRACKER_STEP_NEW});
    crms.post("lptracker/ui/create", form).await["id"]
        .as_i64()
        .unwrap()
}

/// All that is in a list, which comes in pages, newest first.
async fn all<T>(page: impl AsyncFn(PageOf) -> Vec<T>, id: impl Fn(&T) -> Uuid) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    loop {
        let before = found.last().map(&id);
        let more = page(PageOf { limit: 200, before }).await;
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Reads and works until a whole hour brings nothing new.
async fn catch_up(engine: &Engine, sandbox: &Sandbox, clock: &ManualClock) {
    let mut n_idle = 0;
    for _ in 0..600 {
        let n_done = engine.reconcile().await.unwrap() + engine.settle(200).await.unwrap();
        n_idle = if n_done == 0 { n_idle + 1 } else { 0 };
        if n_idle == 60 {
            return;
        }
        pass(sandbox, clock, 60_000);
    }
    panic!("работа не кончается");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_hours_of_lost_webhooks_are_made_good_once() {
    let _another_test_was_first = rustls::crypto::ring::default_provider().install_default();
    test_db::each_database(|test_db: TestDb| async move {
        let sandbox = Sandbox::start(Options::default());
        let world = &sandbox.world;
        world.clock.freeze_at(START.0);
        world.amocrm().set(|settings| {
            settings.rate_per_integration = None;
            settings.rate_per_account = None;
        });
        let lost = Modes {
            drop: true,
            ..Modes::default()
        };
        for side in [Side::Amocrm, Side::Lptracker] {
            world.emitter.set_modes(side, lost.clone(), START.0);
        }
        let crms = Crms::of(&sandbox);
        crms.post("lptracker/settings", json!({"rate_limit_per_second": 100_000}))
            .await;
        let (mut old_deals, mut old_leads) = (Vec::new(), Vec::new());
        for n in 0..OF_EACH {
            old_deals.push(deal(&crms, n).await);
            old_leads.push(lead(&crms, n).await);
        }
        let clock = Arc::new(ManualClock::new(START));
        pass(&sandbox, &clock, 600_000);
        let (workspace, first) = {
            let engine = process(test_db.url(), &clock).await;
            let (workspace, amo, lpt) = set_up(&engine, &sandbox).await;
            publish(&engine, workspace, amo, lpt).await;
            engine.reconcile().await.unwrap();
            engine.settle(200).await.unwrap();
            (workspace, events_of(&engine, workspace).await.len())
        };
        assert_eq!(first, 0, "что было до подключения, не новость");

        let (mut new_deals, mut new_leads) = (Vec::new(), Vec::new());
        for n in 0..OF_EACH {
            let quarter = AWAY_MS / (4 * OF_EACH as u64);
            new_deals.push(deal(&crms, 1_000 + n).await);
            pass(&sandbox, &clock, quarter);
            let to_call = json!({"id": old_deals[n], "status_id": STATUS_TO_CALL});
            crms.post("amocrm/ui/move", to_call).await;
            pass(&sandbox, &clock, quarter);
            new_leads.push(lead(&crms, 1_000 + n).await);
            pass(&sandbox, &clock, quarter);
            let interest = json!({"lead_id": old_leads[n], "step_id": DEMO_LPTRACKER_STEP_INTEREST});
            crms.post("lptracker/ui/move", interest).await;
            pass(&sandbox, &clock, quarter);
        }

        let engine = process(test_db.url(), &clock).await;
        engine.wake().await.unwrap();
        catch_up(&engine, &sandbox, &clock).await;

        let deliveries = all(
            async |page| {
                deliveries::list(engine.db(), workspace, &DeliveryFilter::default(), page)
                    .await
                    .unwrap()
            },
            |delivery| delivery.id.0,
        )
        .await;
        let undone: Vec<_> = deliveries
            .iter()
            .filter(|delivery| delivery.state != DeliveryState::Delivered)
            .map(|delivery| (delivery.state, delivery.error.clone()))
            .collect();
        assert!(undone.is_empty(), "{undone:?}");
        let events = events_of(&engine, workspace).await;
        let mut found: BTreeMap<&str, (usize, i32)> = BTreeMap::new();
        for stored in &events {
            let of = found.entry(stored.event.fact.kind.as_str()).or_default();
            of.0 += 1;
            of.1 += stored.n_matched;
        }
        let matched: i32 = events.iter().map(|stored| stored.n_matched).sum();
        assert_eq!(matched as usize, 4 * OF_EACH, "события и срабатывания: {found:?}");
        assert_eq!(deliveries.len(), 4 * OF_EACH);
        assert!(events.iter().all(|stored| stored.event.origin == Origin::Poll));

        let notes = async |id: i64| n_of(&crms.get(&format!("amocrm/card/{id}")).await["notes"]);
        let comments = async |id: i64| n_of(&crms.get(&format!("lptracker/lead?id={id}")).await["comments"]);
        for n in 0..OF_EACH {
            assert_eq!(notes(new_deals[n]).await, 1, "новая сделка {n}");
            assert_eq!(notes(old_deals[n]).await, 0, "переведённая сделка {n}");
            assert_eq!(comments(new_leads[n]).await, 1, "новый лид {n}");
            assert_eq!(comments(old_leads[n]).await, 1, "переведённый лид {n}");
        }
        let board = crms.get("lptracker/board").await;
        let steps = board["steps"].as_array().unwrap().iter();
        let n_leads: usize = steps.map(|step| n_of(&step["leads"])).sum();
        assert_eq!(n_leads, 3 * OF_EACH, "по лиду на каждую переведённую сделку");
    })
    .await;
}

fn n_of(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

async fn events_of(engine: &Engine, workspace: WorkspaceId) -> Vec<StoredEvent> {
    all(
        async |page| {
            events::list(engine.db(), workspace, &EventFilter::default(), page)
                .await
                .unwrap()
        },
        |stored| stored.event.id.0,
    )
    .await
}
