//! `integrator`: the hub's server.

use engine::clock::{Clock, SystemClock};
use server::commands::{Operation, keys};
use server::config::Config;
use server::{openapi, startup, telemetry};
use std::io::{self, Write};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "CRM Интегратор

  integrator serve                  запустить сервер (по умолчанию)
  integrator migrate                обновить базу данных и выйти
  integrator doctor                 проверить установку и сказать, что исправить
  integrator keys new               создать ключ установки
  integrator keys status            какими ключами запечатаны секреты
  integrator keys rotate            перезапечатать секреты новым ключом, не останавливая сервер
  integrator users list             кто может входить
  integrator users link АДРЕС       одноразовая ссылка для входа
  integrator users disable АДРЕС    отключить человека и завершить его сеансы
  integrator users enable АДРЕС     снова впустить
  integrator backup ФАЙЛ            копия базы SQLite на ходу
  integrator restore ФАЙЛ           вернуть копию на место базы
  integrator openapi                напечатать описание API
  integrator config                 напечатать все настройки с пояснениями

Настройки: файл integrator.toml и переменные INTEGRATOR_РАЗДЕЛ__КЛЮЧ.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["serve"] => within(serve()),
        ["migrate"] => within(migrate()),
        ["keys", "new"] => keys::new(&mut io::stdout()),
        ["openapi"] => print(openapi::text()),
        ["config"] => print(server::config::DEFAULTS),
        ["help" | "--help" | "-h"] => print(&format!("{HELP}\n")),
        words => match Operation::parse(words) {
            Some(operation) => within(operate(operation)),
            None => Err(anyhow::anyhow!(
                "неизвестная команда «{}»\n\n{HELP}",
                words.join(" ")
            )),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn within(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(work)
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

async fn operate(operation: Operation<'_>) -> anyhow::Result<()> {
    operation
        .run(&Config::load()?, SystemClock.now(), &mut io::stdout())
        .await
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
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
