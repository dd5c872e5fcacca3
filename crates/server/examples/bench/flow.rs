//! The whole way: webhook over HTTP → stored → rule → one call, answered at once → recorded.

use crate::hub::{self, Hub, N_CALLS};
use crate::load::{self, Pace, Target};
use crate::usage::Measured;
use crate::{Options, report};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Result;
use domain::connection::ConnectorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 64;
/// A run that is not done by then is told as it stands.
const PATIENCE: Duration = Duration::from_secs(180);

pub async fn run(options: &Options) -> Result<()> {
    for (name, url) in &options.databases {
        let place = hub::Place::new(name, url).await?;
        let server = Measured::myself(&["serve-flow", place.url()]).await?;
        let hub = Hub::open(place.url()).await?;
        report::head(&format!("Весь путь, {name}: нагрузка"));
        let (started, before) = (Instant::now(), server.used()?);
        let mut loads = Vec::new();
        for at in 0..hub::WORKSPACES {
            let target = Target {
                address: server.address.clone(),
                path: hub.hook(at),
                body: hub::moved,
            };
            loads.push(load::run(
                target,
                CONNECTIONS / hub::WORKSPACES,
                Pace::Closed,
                options.duration,
                u64::MAX / 2,
            ));
        }
        let mut n_sent = 0;
        for (at, outcome) in futures::future::join_all(loads).await.into_iter().enumerate() {
            let outcome = outcome?;
            n_sent += outcome.n_ok;
            report::line(
                &format!("рабочее пространство {}", at + 1),
                &outcome,
                before,
                server.used()?,
            );
        }
        let done = wait(&server, n_sent, started).await?;
        let (elapsed, used) = (started.elapsed(), server.used()?);
        println!(
            "\n**{name}: {:.0} событий/с** от вебхука до записанного результата ({done} из {n_sent} за {:.1} с, {:.2} ядра, пик памяти {:.0} МБ)",
            done as f64 / elapsed.as_secs_f64(),
            elapsed.as_secs_f64(),
            report::cores(before, used, elapsed),
            used.peak_mb
        );
    }
    Ok(())
}

/// Waits until everything sent was done, and gives how much was.
async fn wait(server: &Measured, n_sent: u64, started: Instant) -> Result<u64> {
    loop {
        let (n_calls, n_open) = ask(server).await?;
        if n_calls >= n_sent && n_open == 0 || started.elapsed() > PATIENCE {
            return Ok(n_calls.min(n_sent));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many calls the CRM of a measured process answered, and how many deliveries are open there.
pub async fn ask(server: &Measured) -> Result<(u64, u64)> {
    let text = reqwest::get(format!("http://{}/done", server.address))
        .await?
        .text()
        .await?;
    Ok(serde_json::from_str(&text)?)
}

/// The measured process: the engine with its loops behind one address.
pub async fn serve(database: &str) -> Result<()> {
    let hub = Arc::new(Hub::open(database).await?);
    let stop = CancellationToken::new();
    let data = web::Data::from(Arc::clone(&hub));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route("/hooks/amocrm/{secret}", web::post().to(receive))
            .route("/done", web::get().to(done))
    })
    .bind("127.0.0.1:0")?;
    let address = server.addrs()[0];
    hub.engine.spawn(&stop);
    println!("{}", serde_json::json!({ "url": format!("http://{address}") }));
    server.run().await?;
    stop.cancel();
    hub.engine.stopped().await;
    Ok(())
}

async fn receive(
    hub: web::Data<Hub>,
    request: HttpRequest,
    secret: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let kind = request
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let received = hub
        .engine
        .receive(ConnectorKind::Amocrm, &secret, kind.unwrap_or_default(), &body)
        .await;
    match received {
        Ok(_) => HttpResponse::Ok().finish(),
        Err(engine::EngineError::Busy) => HttpResponse::ServiceUnavailable().finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn done(hub: web::Data<Hub>) -> HttpResponse {
    match hub::n_open(&hub).await {
        Ok(n_open) => HttpResponse::Ok().json((N_CALLS.load(Ordering::Relaxed), n_open)),
        Err(error) => HttpResponse::InternalServerError().body(format!("{error:#}")),
    }
}
