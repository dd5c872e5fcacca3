//! Durable intake: every webhook is answered after its commit.

use crate::hub::{self, Hub};
use crate::load::{self, Pace, Target};
use crate::usage::Measured;
use crate::{Options, report};
use anyhow::Result;

const CONNECTIONS: usize = 128;

pub async fn run(options: &Options) -> Result<()> {
    report::head("Приём вебхуков");
    let bare = Measured::myself(&["serve-bare"]).await?;
    let before = bare.used()?;
    let outcome = load::run(
        target(&bare, "/".to_owned()),
        CONNECTIONS,
        Pace::Closed,
        options.duration / 2,
        u64::MAX / 2,
    )
    .await?;
    report::line("пустой обработчик actix", &outcome, before, bare.used()?);
    drop(bare);
    for (name, url) in &options.databases {
        let place = hub::Place::new(name, url).await?;
        let hub = Hub::open(place.url()).await?;
        let hook = hub.hook(0);
        drop(hub);
        let variables = [
            ("INTEGRATOR_SERVER__PORT", "0".to_owned()),
            ("INTEGRATOR_DATABASE__URL", place.url().to_owned()),
            ("INTEGRATOR_VAULT__KEY", hub::KEY.to_owned()),
            ("INTEGRATOR_ENGINE__WORKERS", "false".to_owned()),
        ];
        let server = Measured::start(&options.integrator, &["serve"], &variables).await?;
        let idle = server.used()?;
        let most = load::run(
            target(&server, hook.clone()),
            CONNECTIONS,
            Pace::Closed,
            options.duration,
            u64::MAX / 2,
        )
        .await?;
        report::line(&format!("{name}, сколько успевает"), &most, idle, server.used()?);
        let before = server.used()?;
        let half = Pace::Open(most.per_second() / 2.0);
        let outcome = load::run(
            target(&server, hook.clone()),
            CONNECTIONS,
            half,
            options.duration,
            u64::MAX / 2,
        )
        .await?;
        report::line(
            &format!("{name}, половина этого"),
            &outcome,
            before,
            server.used()?,
        );
        let before = server.used()?;
        let outcome = load::run(
            target(&server, hook),
            CONNECTIONS,
            Pace::Open(10_000.0),
            options.duration,
            u64::MAX / 2,
        )
        .await?;
        report::line(
            &format!("{name}, 10 000 в секунду"),
            &outcome,
            before,
            server.used()?,
        );
        println!(
            "| {name}, в покое перед этим | | | | | | | | {:.0} | |",
            idle.resident_mb
        );
    }
    Ok(())
}

fn target(server: &Measured, path: String) -> Target {
    Target {
        address: server.address.clone(),
        path,
        body: hub::moved,
    }
}
