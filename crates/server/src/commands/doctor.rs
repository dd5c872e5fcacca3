//! `integrator doctor`: looks at the installation and says what to do.

use crate::config::Config;
use domain::connection::ConnectionState;
use engine::keys;
use secrecy::ExposeSecret;
use std::io::Write;
use storage::{Db, connections};

/// Clocks further apart than this confuse schedules and leases, in milliseconds.
const CLOCK_SLACK_MS: u64 = 2_000;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weight {
    Good,
    Notice,
    Trouble,
}

struct Report<'a, W> {
    out: &'a mut W,
    n_troubles: usize,
}

impl<W: Write> Report<'_, W> {
    fn say(&mut self, weight: Weight, text: impl AsRef<str>) -> std::io::Result<()> {
        let mark = match weight {
            Weight::Good => '✓',
            Weight::Notice => '!',
            Weight::Trouble => '✗',
        };
        self.n_troubles += usize::from(weight == Weight::Trouble);
        writeln!(self.out, "{mark} {}", text.as_ref())
    }
}

/// Checks everything that can be checked without calling the CRMs; gives the number of troubles.
pub async fn examine(config: &Config, now_ms: i64, out: &mut impl Write) -> anyhow::Result<usize> {
    let mut report = Report { out, n_troubles: 0 };
    report.say(Weight::Good, "Настройки прочитаны, ключ установки годится")?;
    settings(config, &mut report)?;
    files(config, &mut report)?;
    match Db::connect(config.database.url.expose_secret(), 2).await {
        Ok(db) => {
            database(config, &db, now_ms, &mut report).await?;
            db.close().await?;
        }
        Err(error) => report.say(
            Weight::Trouble,
            format!(
                "База данных не открыта: {}. Проверьте database.url",
                crate::telemetry::chain(&error)
            ),
        )?,
    }
    let n_troubles = report.n_troubles;
    let end = if n_troubles == 0 {
        "Всё в порядке."
    } else {
        "Есть неисправности: они отмечены ✗."
    };
    writeln!(report.out, "{end}")?;
    Ok(n_troubles)
}

fn settings(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    match config.server.public_url.as_deref() {
        None => report.say(
            Weight::Notice,
            "server.public_url не задан: CRM не смогут присылать вебхуки на этот сервер",
        )?,
        Some(url) if !url.starts_with("https://") => report.say(
            Weight::Notice,
            format!("server.public_url = {url}: без HTTPS вебхуки и пароли идут открыто"),
        )?,
        Some(url) => report.say(Weight::Good, format!("Снаружи сервер виден как {url}"))?,
    }
    if config.mail.smtp_url.is_none() {
        report.say(
            Weight::Notice,
            "Почта не настроена (mail.smtp_url): письма со ссылками пишутся в журнал",
        )?;
    }
    if !config.workers {
        report.say(
            Weight::Notice,
            "engine.workers = false: события в этом процессе не обрабатываются",
        )?;
    }
    Ok(())
}

fn files(config: &Config, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let folder = &config.files.folder;
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let probe = folder.join(".doctor");
        std::fs::write(&probe, b"")?;
        std::fs::remove_file(probe)
    });
    match written {
        Ok(()) => report.say(
            Weight::Good,
            format!("Папка файлов {} доступна", folder.display()),
        )?,
        Err(error) => report.say(
            Weight::Trouble,
            format!("В папку файлов {} не записать: {error}", folder.display()),
        )?,
    }
    Ok(())
}

async fn database(
    config: &Config,
    db: &Db,
    now_ms: i64,
    report: &mut Report<'_, impl Write>,
) -> anyhow::Result<()> {
    let n_pending = db.n_pending_migrations().await?;
    if n_pending > 0 {
        report.say(
            Weight::Trouble,
            format!("База данных старее программы на {n_pending} шагов: выполните integrator migrate"),
        )?;
        return Ok(());
    }
    report.say(Weight::Good, "База данных открыта, её схема свежая")?;
    for text in db.damage().await? {
        report.say(
            Weight::Trouble,
            format!("База данных повреждена: {text}. Восстановите копию"),
        )?;
    }
    let apart = db.now_ms().await?.abs_diff(now_ms);
    if apart > CLOCK_SLACK_MS {
        report.say(
            Weight::Trouble,
            format!("Часы сервера и базы данных расходятся на {apart} мс: включите синхронизацию времени"),
        )?;
    }
    let found = keys::key_use(db, &config.keyring).await?;
    if found.n_unopened > 0 {
        report.say(
            Weight::Trouble,
            format!(
                "Секретов, которые не открываются ни одним ключом: {}. Верните прежний ключ в vault.previous_keys",
                found.n_unopened
            ),
        )?;
    }
    connected(db, report).await
}

async fn connected(db: &Db, report: &mut Report<'_, impl Write>) -> anyhow::Result<()> {
    let all = connections::list_all(db).await?;
    if all.is_empty() {
        report.say(Weight::Notice, "Подключений к CRM ещё нет")?;
    }
    for connection in all {
        let name = &connection.name;
        let reason = connection
            .state_reason
            .as_deref()
            .map_or(String::new(), |why| format!(": {why}"));
        let (weight, word) = match connection.state {
            ConnectionState::Active => (Weight::Good, "работает"),
            ConnectionState::New => (Weight::Notice, "ещё не авторизовано"),
            ConnectionState::Stopped => (Weight::Notice, "остановлено человеком"),
            ConnectionState::NeedsReauth => (Weight::Trouble, "нужно авторизовать заново"),
            ConnectionState::Blocked => (Weight::Trouble, "не принимается CRM"),
        };
        report.say(weight, format!("Подключение «{name}» {word}{reason}"))?;
    }
    Ok(())
}
