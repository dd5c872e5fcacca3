//! `integrator`: the hub's server.

use server::config::Config;
use server::{openapi, startup, telemetry};
use std::io::Write;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "CRM Интегратор

  integrator serve     запустить сервер (по умолчанию)
  integrator migrate   обновить базу данных и выйти
  integrator openapi   напечатать описание API
  integrator config    напечатать все настройки с пояснениями

Настройки: файл integrator.toml и переменные INTEGRATOR_РАЗДЕЛ__КЛЮЧ.";

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    let outcome = match command.as_deref() {
        None | Some("serve") => actix_web::rt::System::new().block_on(serve()),
        Some("migrate") => actix_web::rt::System::new().block_on(migrate()),
        Some("openapi") => print(openapi::text()),
        Some("config") => print(server::config::DEFAULTS),
        Some("help" | "--help" | "-h") => print(&format!("{HELP}\n")),
        Some(other) => Err(anyhow::anyhow!("неизвестная команда «{other}»\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let config = Config::load()?;
    telemetry::start(&config.log);
    // Before anything is begun, so that no signal finds nobody listening.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut running = startup::start(config).await?;
    tracing::info!("слушаю {}", running.url);
    print(&format!("{}\n", running.announcement()))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = running.ended() => return Ok(ended?),
    }
    running.stop().await;
    Ok(())
}

async fn migrate() -> anyhow::Result<()> {
    let config = Config::load()?;
    telemetry::start(&config.log);
    startup::migrate(&config).await?;
    tracing::info!("база данных обновлена");
    Ok(())
}

/// To standard output, at once: another program may be reading.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
