//! How many deals change in a minute under amoCRM's limit: the real connector over HTTP against the fake that counts
//! every request, once with one call per effect and once by the engine, which lets writes travel in arrays.

use crate::{Options, hub};
use anyhow::{Context as _, Result};
use domain::command::{Command, Operation, Target, Write};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::{Event, EventKind, Fact, Origin};
use domain::id::{DeliveryId, EventId, RuleId, RunId, WorkspaceId};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::Stage;
use engine::Engine;
use sandbox::{Modes, Sandbox, Side};
use serde_json::{Value, json};
use server::config::Config;
use server::startup;
use std::sync::Arc;
use std::time::Instant;
use storage::connections::{self, Connection};
use storage::deliveries::{self, Delivery};
use storage::events::{self, NewEvent};
use tokio_util::sync::CancellationToken;

const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QESIzRFVmd4iZqrs=";
/// Deals that are changed in turn.
const N_DEALS: usize = 500;
/// Changes that wait for each of them: more than can be done.
const PER_DEAL: usize = 100;

pub async fn run(options: &Options) -> Result<()> {
    println!("\n### Изменённые сделки за минуту при 7 запросах amoCRM в секунду\n");
    println!("| | по вызову на изменение | ядро | во сколько раз | запросов в секунду, пик | ответов 429 |");
    println!("|---|---|---|---|---|---|");
    for (name, url) in &options.databases {
        let place = hub::Place::new(name, url).await?;
        let sandbox = Sandbox::start(sandbox::Options::demo());
        let running = startup::start_with(
            config(place.url(), &sandbox)?,
            Arc::new(engine::clock::SystemClock),
        )
        .await?;
        let lost = Modes {
            drop: true,
            ..Modes::default()
        };
        sandbox.world.emitter.set_modes(Side::Amocrm, lost, 0);
        let engine = &running.engine;
        let workspace = storage::accounts::workspaces(engine.db()).await?.remove(0).id;
        let amocrm = connections::list(engine.db(), workspace)
            .await?
            .into_iter()
            .find(|it| it.kind == ConnectorKind::Amocrm)
            .context("демо без amoCRM")?;
        let deals = make_deals(&sandbox).await?;
        let stages = stages(engine, &amocrm).await?;

        let single = one_by_one(engine, &amocrm, &deals, &stages, options).await?;
        plant(engine, &amocrm, &deals, &stages).await?;
        sandbox.world.journal.clear();
        let stop = CancellationToken::new();
        let began = Instant::now();
        engine.spawn(&stop);
        tokio::time::sleep(options.duration).await;
        let n_done = n_delivered(engine, workspace).await?;
        let took = began.elapsed();
        stop.cancel();
        engine.stopped().await;
        let together = n_done as f64 * 60.0 / took.as_secs_f64();
        println!(
            "| {name} | {single:.0} | {together:.0} | {:.1} | {} | {} |",
            together / single,
            sandbox.world.journal.peak_rate(Side::Amocrm),
            sandbox.world.journal.count_status(Side::Amocrm, 429)
        );
    }
    Ok(())
}

fn config(database: &str, sandbox: &Sandbox) -> Result<Config> {
    let environment = [
        ("INTEGRATOR_SERVER__PORT", "0"),
        ("INTEGRATOR_DATABASE__URL", database),
        ("INTEGRATOR_VAULT__KEY", KEY),
        ("INTEGRATOR_ENGINE__WORKERS", "false"),
        ("INTEGRATOR_DEMO__AMOCRM_URL", sandbox.amocrm_url.as_str()),
        ("INTEGRATOR_DEMO__LPTRACKER_URL", sandbox.lptracker_url.as_str()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::from_parts("", environment).map_err(|error| anyhow::anyhow!("{error}"))
}

async fn make_deals(sandbox: &Sandbox) -> Result<Vec<i64>> {
    let client = reqwest::Client::new();
    let url = format!("{}/_sandbox/amocrm/ui/create", sandbox.amocrm_url);
    let mut deals = Vec::with_capacity(N_DEALS);
    for n in 0..N_DEALS {
        let form = json!({ "name": "Проба", "phone": format!("+7999{n:07}"), "deal": format!("Сделка {n}") });
        let made: Value = client.post(&url).json(&form).send().await?.json().await?;
        deals.push(made[0]["id"].as_i64().context("сделка не создана")?);
    }
    Ok(deals)
}

async fn stages(engine: &Engine, amocrm: &Connection) -> Result<[Stage; 2]> {
    let catalogue = connections::catalogue(engine.db(), amocrm.workspace, amocrm.id)
        .await?
        .context("каталог не прочитан")?;
    let pipeline = catalogue.pipelines.first().context("нет воронки")?;
    let stage = |at: usize| {
        pipeline.stages.get(at).map(|it| Stage {
            pipeline: pipeline.id,
            status: it.id,
        })
    };
    Ok([stage(1).context("нет этапа")?, stage(2).context("нет этапа")?])
}

/// What one call per effect gives in the same time: the target of a minute.
async fn one_by_one(
    engine: &Engine,
    amocrm: &Connection,
    deals: &[i64],
    stages: &[Stage; 2],
    options: &Options,
) -> Result<f64> {
    let connector = engine.context().connector(amocrm).await?;
    let (began, mut n_done) = (Instant::now(), 0_usize);
    while began.elapsed() < options.duration {
        // As many side by side as the budget lets through.
        let writes = (0..14).map(|at| {
            let place = n_done + at;
            Write::Move {
                key: RecordKey::new(RecordKind::Deal, deals[place % deals.len()]),
                stage: stages[(place / deals.len()) % 2],
                loss_reason: None,
            }
        });
        let writes: Vec<Write> = writes.collect();
        let calls = writes.iter().map(|write| connector.write(write));
        for done in futures::future::join_all(calls).await {
            done?;
            n_done += 1;
        }
    }
    Ok(n_done as f64 * 60.0 / began.elapsed().as_secs_f64())
}

/// Moves there and back, as rules would have planned them: more than can be done.
async fn plant(engine: &Engine, amocrm: &Connection, deals: &[i64], stages: &[Stage; 2]) -> Result<()> {
    let (db, now) = (engine.db(), engine.clock().now());
    let mut planned = Vec::with_capacity(deals.len() * PER_DEAL);
    let mut planted = Vec::with_capacity(deals.len());
    for deal in deals {
        let event = event(amocrm, *deal, now);
        for n in 0..PER_DEAL {
            planned.push(Delivery {
                workspace: amocrm.workspace,
                id: DeliveryId(engine::new_id()),
                run: RunId(engine::new_id()),
                event: event.event.id,
                rule: RuleId(engine::new_id()),
                connection: Some(amocrm.id),
                lane: event.key.clone(),
                command: Command {
                    action: 0,
                    connection: Some(amocrm.id),
                    operation: Operation::Move {
                        target: Target::Trigger,
                        stage: stages[n % 2],
                        loss_reason: None,
                    },
                },
                state: DeliveryState::Pending,
                progress: json!({}),
                record: None,
                error_code: None,
                error: None,
                replay_of: None,
                chain: 0,
                n_attempts: 0,
                created_at: now,
                first_at: None,
                due_at: now,
                finished_at: None,
            });
        }
        planted.push(event);
    }
    let tx = db.begin().await?;
    events::insert(&tx, &planted).await?;
    deliveries::insert(&tx, &planned).await?;
    tx.commit().await?;
    Ok(())
}

fn event(amocrm: &Connection, deal: i64, now: Timestamp) -> NewEvent {
    let key = RecordKey::new(RecordKind::Deal, deal);
    NewEvent {
        key: format!("planted {deal}"),
        inbound: None,
        replay_of: None,
        only_rule: None,
        as_then: false,
        // No rule looks at it: what it leads to is planted.
        due_at: Timestamp(i64::MAX),
        event: Event {
            id: EventId(engine::new_id()),
            workspace: amocrm.workspace,
            connection: amocrm.id,
            origin: Origin::Webhook,
            received_at: now,
            chain: 0,
            fact: Fact {
                kind: EventKind::DealUpdated,
                record: Record::new(key.kind, key.id.clone()),
                key,
                occurred_at: Some(now),
                related: Vec::new(),
                before: Vec::new(),
                changed: None,
                author: None,
                dedupe: deal.to_string(),
            },
        },
    }
}

async fn n_delivered(engine: &Engine, workspace: WorkspaceId) -> Result<u64> {
    let events = events::list(
        engine.db(),
        workspace,
        &events::EventFilter::default(),
        storage::PageOf {
            limit: N_DEALS as u64 + 100,
            before: None,
        },
    )
    .await?;
    let ids: Vec<EventId> = events.iter().map(|it| it.event.id).collect();
    let mut n_done = 0;
    for ids in ids.chunks(200) {
        for (_, state, n) in deliveries::counts(engine.db(), workspace, ids).await? {
            if state == DeliveryState::Delivered {
                n_done += n.unsigned_abs();
            }
        }
    }
    Ok(n_done)
}
