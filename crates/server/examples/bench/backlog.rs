//! A long backlog in one workspace: how soon after a kill work goes on, what memory it takes, and how long another
//! workspace's single event waits.

use crate::Options;
use crate::flow::ask;
use crate::hub::{self, Hub};
use crate::load::{self, Pace, Target};
use crate::usage::Measured;
use anyhow::{Result, ensure};
use domain::connection::ConnectorKind;
use domain::event::{Event, Origin};
use domain::id::EventId;
use std::time::{Duration, Instant};
use storage::events::{self, EventFilter, NewEvent};
use storage::{Db, PageOf};

/// How long the backlog is worked on before it is looked at again.
const WORK: Duration = Duration::from_secs(20);

pub async fn run(options: &Options) -> Result<()> {
    println!(
        "\n### {} ждущих событий одного рабочего пространства\n",
        options.n_backlog
    );
    println!(
        "| | заполнено за, с | первая доставка после старта, с | чужое событие, мс (худшее из 10) | память в начале, МБ | пик, МБ | доставок/с |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, url) in &options.databases {
        let place = hub::Place::new(name, url).await?;
        let hub = Hub::open(place.url()).await?;
        let started = Instant::now();
        fill(&hub, options.n_backlog).await?;
        let filled = started.elapsed();
        // Killed in the middle of the work, so that what follows is a recovery.
        let server = Measured::myself(&["serve-flow", place.url()]).await?;
        while ask(&server).await?.0 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.kill().await?;
        let started = Instant::now();
        let server = Measured::myself(&["serve-flow", place.url()]).await?;
        while ask(&server).await?.0 == 0 {
            ensure!(
                started.elapsed() < Duration::from_secs(120),
                "после перезапуска ничего не доставлено"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let first = started.elapsed();
        let early = server.used()?;
        let mut worst = Duration::ZERO;
        let (began, n_before) = (Instant::now(), ask(&server).await?.0);
        for _ in 0..10 {
            worst = worst.max(another(&server, &hub).await?);
            tokio::time::sleep(WORK / 10).await;
        }
        let n_done = ask(&server).await?.0 - n_before;
        let used = server.used()?;
        println!(
            "| {name} | {:.0} | {:.1} | {} | {:.0} | {:.0} | {:.0} |",
            filled.as_secs_f64(),
            first.as_secs_f64(),
            worst.as_millis(),
            early.resident_mb,
            used.peak_mb,
            n_done as f64 / began.elapsed().as_secs_f64(),
        );
        server.kill().await?;
    }
    Ok(())
}

/// How long an event of another workspace takes until it was looked at and carried out.
async fn another(server: &Measured, hub: &Hub) -> Result<Duration> {
    let (workspace, _) = hub.workspaces[1];
    let db = hub.engine.db();
    let before = open_and_all(db, workspace).await?.1;
    let target = Target {
        address: server.address.clone(),
        path: hub.hook(1),
        body: hub::moved,
    };
    let started = Instant::now();
    load::run(target, 1, Pace::Closed, Duration::from_secs(30), 1).await?;
    loop {
        let (open, all) = open_and_all(db, workspace).await?;
        if all > before && open == 0 {
            return Ok(started.elapsed());
        }
        ensure!(
            started.elapsed() < Duration::from_secs(60),
            "чужое событие не дождалось"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn open_and_all(db: &Db, workspace: domain::id::WorkspaceId) -> Result<(u64, usize)> {
    let open = storage::counts::outbox(db, workspace)
        .await?
        .iter()
        .map(|(_, count)| count.n_waiting)
        .sum();
    let wanted = EventFilter {
        state: Some(events::EventState::Dispatched),
        ..EventFilter::default()
    };
    let page = PageOf {
        limit: 100,
        before: None,
    };
    Ok((open, events::list(db, workspace, &wanted, page).await?.len()))
}

/// Events as the intake would have stored them, a thousand deals to a transaction.
async fn fill(hub: &Hub, n_events: usize) -> Result<()> {
    let (workspace, connection) = hub.workspaces[0];
    let context = connector::IntakeContext::default();
    let intake = hub.engine.context().connectors.intake(ConnectorKind::Amocrm);
    let mut done = 0;
    while done < n_events {
        let now = hub.engine.clock().now();
        let mut batch = Vec::with_capacity(1_000);
        for number in done..(done + 1_000).min(n_events) {
            let body = hub::moved(1_000_000_000_000 + number as u64);
            for mut fact in intake.parse("", body.as_bytes(), context)? {
                fact.dedupe.clear();
                batch.push(NewEvent {
                    key: format!("backlog:{number}"),
                    inbound: None,
                    replay_of: None,
                    only_rule: None,
                    as_then: false,
                    due_at: now,
                    event: Event {
                        id: EventId(engine::new_id()),
                        workspace,
                        connection,
                        origin: Origin::Webhook,
                        received_at: now,
                        chain: 0,
                        fact,
                    },
                });
            }
        }
        let tx = hub.engine.db().begin().await?;
        events::insert(&tx, &batch).await?;
        tx.commit().await?;
        done += 1_000;
    }
    Ok(())
}
