//! Configuration: defaults that are their own documentation, a file, the environment.
//!
//! Nothing outside this file reads the environment. Unknown keys stop the start, with the nearest known name;
//! every value is checked before anything binds, and all mistakes are told at once.

use self::layers::FILE_VARIABLE;
use crate::mail::{Mail, Mailer};
use engine::imports::FileLimits;
use engine::retention::{Kept, SHORTEST_BODIES_DAYS, SHORTEST_HISTORY_DAYS};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use toml::Table;
use url::Url;
use vault::{InstallationKey, Keyring};

mod layers;
mod metrics;
mod network;

pub use network::Network;

/// Every key with its meaning and default.
pub const DEFAULTS: &str = include_str!("config.default.toml");
/// Nothing is kept for longer than a hundred years.
const LONGEST_DAYS: i64 = 36_500;
/// The file that is read when it is there.
const FILE: &str = "integrator.toml";

/// The configuration as it is used: checked, typed.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses and limits of the HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// Installation keys.
    pub keyring: Arc<Keyring>,
    /// Sessions of people.
    pub session: Session,
    /// Letters.
    pub mail: Mail,
    /// Logging.
    pub log: Log,
    /// What `/metrics` asks for; `None` to answer only on this machine.
    pub metrics_token: Option<SecretString>,
    /// Process events and deliveries in this process.
    pub workers: bool,
    /// How long things are kept at most.
    pub retention: Kept,
    /// Uploaded files and recordings.
    pub files: Files,
    /// Hosts that may be called although they are inside or without TLS.
    pub allowed_hosts: Vec<String>,
    /// The sandbox, when this is a demo.
    pub demo: Option<Demo>,
}

/// Addresses and limits of the HTTP server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address to bind.
    pub host: IpAddr,
    /// Port to bind; 0 for any.
    pub port: u16,
    /// Address as others see it, without a slash at the end; `None` to make it from the bound port.
    pub public_url: Option<String>,
    /// Folder of the built interface.
    pub static_dir: Option<PathBuf>,
    /// How long a shutdown waits for what was begun, in seconds.
    pub shutdown_secs: u64,
    /// Threads that serve requests; `None` for one per processor.
    pub threads: Option<usize>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How long a client may be silent while it sends a request, in seconds.
    pub request_secs: u64,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its address.
    pub url: SecretString,
    /// Connections to keep.
    pub max_connections: u32,
}

/// Sessions of people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// A session that is not used for this long ends, in milliseconds.
    pub idle_ms: i64,
    /// A session ends after this long in any case, in milliseconds.
    pub absolute_ms: i64,
    /// Cookies only over HTTPS; `None` when the public address decides.
    pub secure: Option<bool>,
}

/// Logging.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// One JSON object a line instead of text.
    pub json: bool,
    /// What to write.
    pub filter: String,
}

/// Uploaded files and recordings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// Where uploaded files lie.
    pub folder: PathBuf,
    /// Which are accepted.
    pub limits: FileLimits,
    /// Hosts whose recordings are played; `*.` stands for any host inside a domain.
    pub recording_hosts: Vec<String>,
}

/// The sandbox behind a demo.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Fake amoCRM.
    pub amocrm_url: Url,
    /// Fake LPTracker.
    pub lptracker_url: Url,
    /// Long-lived token of the fake amoCRM.
    pub amocrm_token: SecretString,
    /// Login at the fake LPTracker.
    pub lptracker_login: String,
    /// Password there.
    pub lptracker_password: SecretString,
    /// Project there.
    pub lptracker_project: i64,
}

/// Why the configuration was refused: every mistake that was found, in Russian.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("настройки не приняты:\n  {}", .mistakes.join("\n  "))]
pub struct ConfigError {
    /// Mistakes, each with what to do.
    pub mistakes: Vec<String>,
}

impl ConfigError {
    fn one(text: impl Into<String>) -> Self {
        Self {
            mistakes: vec![text.into()],
        }
    }
}

impl Config {
    /// Reads the file and the environment of this process.
    pub fn load() -> Result<Self, ConfigError> {
        let named = std::env::var(FILE_VARIABLE).ok();
        let path = named.as_deref().unwrap_or(FILE);
        let file = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::one(format!("файл {path} не прочитан: {error}"))),
        };
        // A variable that is not text cannot be one of ours by accident: say so instead of passing it over.
        let environment: Vec<(String, String)> = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        Self::from_parts(&file, environment)
    }

    /// Joins the defaults, the text of a file and variables, and checks the result.
    pub fn from_parts(
        file: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = layers::defaults();
        let mut mistakes = Vec::new();
        match file.parse::<Table>() {
            Ok(wanted) => layers::merge_file(&mut table, &wanted, &mut mistakes),
            Err(error) => mistakes.push(format!("файл настроек не разобран: {}", error.message())),
        }
        layers::merge_environment(&mut table, environment, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(ConfigError { mistakes });
        }
        let raw: Raw = table
            .try_into()
            .map_err(|error| ConfigError::one(error.to_string()))?;
        check(raw)
    }
}

#[derive(Deserialize)]
struct Raw {
    server: RawServer,
    database: RawDatabase,
    vault: RawVault,
    session: RawSession,
    mail: RawMail,
    log: RawLog,
    metrics: metrics::Raw,
    engine: RawEngine,
    retention: RawRetention,
    files: RawFiles,
    outgoing: RawOutgoing,
    demo: RawDemo,
}

#[derive(Deserialize)]
struct RawServer {
    host: String,
    port: i64,
    public_url: String,
    static_dir: String,
    shutdown_secs: i64,
    threads: i64,
    trusted_proxies: String,
    request_secs: i64,
}

#[derive(Deserialize)]
struct RawDatabase {
    url: String,
    max_connections: i64,
}

#[derive(Deserialize)]
struct RawVault {
    key: SecretString,
    key_id: String,
    previous_keys: SecretString,
}

#[derive(Deserialize)]
struct RawSession {
    idle_minutes: i64,
    absolute_hours: i64,
    secure: String,
}

#[derive(Deserialize)]
struct RawMail {
    smtp_url: SecretString,
    from: String,
}

#[derive(Deserialize)]
struct RawLog {
    format: String,
    filter: String,
}

#[derive(Deserialize)]
struct RawEngine {
    workers: bool,
}

#[derive(Deserialize)]
struct RawRetention {
    bodies_days: i64,
    history_days: i64,
}

#[derive(Deserialize)]
struct RawFiles {
    folder: String,
    max_file_mb: i64,
    max_unpacked_mb: i64,
    max_rows: i64,
    max_columns: i64,
    recording_hosts: String,
}

#[derive(Deserialize)]
struct RawOutgoing {
    allowed_hosts: String,
}

#[derive(Deserialize)]
struct RawDemo {
    amocrm_url: String,
    lptracker_url: String,
    amocrm_token: SecretString,
    lptracker_login: String,
    lptracker_password: SecretString,
    lptracker_project: i64,
}

/// Collects mistakes, so that all are told at once.
struct Checks(Vec<String>);

impl Checks {
    fn number<T: TryFrom<i64>>(&mut self, key: &str, value: i64, from: i64, to: i64) -> Option<T> {
        if (from..=to).contains(&value) {
            return T::try_from(value).ok();
        }
        self.0.push(format!(
            "ключ {key}: нужно число от {from} до {to}, а задано {value}"
        ));
        None
    }

    fn expect<T>(&mut self, value: Option<T>, mistake: impl FnOnce() -> String) -> Option<T> {
        if value.is_none() {
            self.0.push(mistake());
        }
        value
    }
}

fn check(raw: Raw) -> Result<Config, ConfigError> {
    let mut checks = Checks(Vec::new());
    let server = check_server(&mut checks, raw.server);
    let database = check_database(&mut checks, raw.database);
    let keyring = check_vault(&mut checks, &raw.vault);
    let session = check_session(&mut checks, &raw.session);
    let mail = check_mail(&mut checks, raw.mail);
    let log = check_log(&mut checks, raw.log);
    let metrics_token = metrics::check(&mut checks, raw.metrics);
    let retention = check_retention(&mut checks, &raw.retention);
    let files = check_files(&mut checks, &raw.files);
    let demo = check_demo(&mut checks, raw.demo);
    match (server, database, keyring, session, log, retention, files) {
        (
            Some(server),
            Some(database),
            Some(keyring),
            Some(session),
            Some(log),
            Some(retention),
            Some(files),
        ) if checks.0.is_empty() => Ok(Config {
            server,
            database,
            keyring: Arc::new(keyring),
            session,
            mail,
            log,
            metrics_token,
            workers: raw.engine.workers,
            retention,
            files,
            allowed_hosts: list(&raw.outgoing.allowed_hosts),
            demo,
        }),
        _ => Err(ConfigError { mistakes: checks.0 }),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|part| part.trim().to_lowercase())
        .filter(|part| !part.is_empty())
        .collect()
}

fn check_retention(checks: &mut Checks, raw: &RawRetention) -> Option<Kept> {
    let (bodies, history) = (SHORTEST_BODIES_DAYS.into(), SHORTEST_HISTORY_DAYS.into());
    Some(Kept {
        bodies_days: checks.number("retention.bodies_days", raw.bodies_days, bodies, LONGEST_DAYS)?,
        history_days: checks.number("retention.history_days", raw.history_days, history, LONGEST_DAYS)?,
    })
}

fn check_server(checks: &mut Checks, raw: RawServer) -> Option<Server> {
    let host = raw.host.parse().ok();
    let host = checks.expect(host, || format!("ключ server.host: «{}» — не IP-адрес", raw.host));
    let port = checks.number("server.port", raw.port, 0, 65_535);
    let shutdown_secs = checks.number("server.shutdown_secs", raw.shutdown_secs, 0, 3_600);
    let threads = checks.number("server.threads", raw.threads, 0, 1_024);
    let request_secs = checks.number("server.request_secs", raw.request_secs, 1, 600);
    let proxies: Option<Vec<Network>> = list(&raw.trusted_proxies)
        .iter()
        .map(|text| Network::parse(text))
        .collect();
    let trusted_proxies = checks.expect(proxies, || {
        "ключ server.trusted_proxies: нужны IP-адреса или подсети через запятую, например 10.0.0.0/8"
            .to_owned()
    });
    let public_url = if raw.public_url.is_empty() {
        Some(None)
    } else {
        checks
            .expect(origin(&raw.public_url), || {
                "ключ server.public_url: нужен адрес вида https://hub.example.ru без пути".to_owned()
            })
            .map(Some)
    };
    let static_dir = Some(PathBuf::from(raw.static_dir)).filter(|dir| !dir.as_os_str().is_empty());
    if let Some(dir) = &static_dir
        && !dir.join("index.html").is_file()
    {
        checks.0.push(format!(
            "ключ server.static_dir: в папке {} нет index.html; соберите интерфейс: cargo xtask wasm",
            dir.display()
        ));
    }
    Some(Server {
        host: host?,
        port: port?,
        public_url: public_url?,
        static_dir,
        shutdown_secs: shutdown_secs?,
        threads: threads.map(|n: usize| (n > 0).then_some(n))?,
        trusted_proxies: trusted_proxies?,
        request_secs: request_secs?,
    })
}

/// Scheme, host and port of an address that has nothing else.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    bare.then(|| url.origin().ascii_serialization())
}

fn check_database(checks: &mut Checks, raw: RawDatabase) -> Option<Database> {
    let known = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|start| raw.url.starts_with(start));
    if !known {
        checks
            .0
            .push("ключ database.url: нужен адрес sqlite://… или postgres://…".to_owned());
    }
    let max_connections = checks.number("database.max_connections", raw.max_connections, 2, 1_000)?;
    Some(Database {
        url: SecretString::from(raw.url),
        max_connections,
    })
}

fn check_vault(checks: &mut Checks, raw: &RawVault) -> Option<Keyring> {
    if raw.key.expose_secret().trim().is_empty() {
        checks.0.push(
            "ключ vault.key не задан; создайте его командой «openssl rand -base64 32» и передайте в переменной \
             INTEGRATOR_VAULT__KEY"
                .to_owned(),
        );
        return None;
    }
    let mut keys = vec![InstallationKey::parse(&raw.key_id, &raw.key)];
    for pair in raw
        .previous_keys
        .expose_secret()
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (id, key) = pair.split_once(':').unwrap_or((pair, ""));
        keys.push(InstallationKey::parse(id, &SecretString::from(key.to_owned())));
    }
    let ring = keys
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .and_then(Keyring::new);
    match ring {
        Ok(ring) => Some(ring),
        Err(error) => {
            checks.0.push(format!("раздел vault: {error}"));
            None
        }
    }
}

fn check_session(checks: &mut Checks, raw: &RawSession) -> Option<Session> {
    let idle: Option<i64> = checks.number("session.idle_minutes", raw.idle_minutes, 1, 60 * 24 * 30);
    let absolute: Option<i64> = checks.number("session.absolute_hours", raw.absolute_hours, 1, 24 * 90);
    let secure = match raw.secure.as_str() {
        "auto" => Some(None),
        "always" => Some(Some(true)),
        "never" => Some(Some(false)),
        _ => None,
    };
    let secure = checks.expect(secure, || {
        "ключ session.secure: нужно auto, always или never".to_owned()
    });
    Some(Session {
        idle_ms: idle? * 60_000,
        absolute_ms: absolute? * 3_600_000,
        secure: secure?,
    })
}

fn check_mail(checks: &mut Checks, raw: RawMail) -> Mail {
    let mail = Mail {
        smtp_url: Some(raw.smtp_url).filter(|url| !url.expose_secret().is_empty()),
        from: raw.from,
    };
    if let Err(error) = Mailer::new(&mail) {
        checks
            .0
            .push(format!("раздел mail: {}", crate::telemetry::chain(&error)));
    }
    if let Some(url) = mail
        .smtp_url
        .as_ref()
        .and_then(|url| Url::parse(url.expose_secret()).ok())
        && url.scheme() == "smtp"
        && !url
            .query_pairs()
            .any(|(name, value)| name == "tls" && value == "required")
        && !matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    {
        checks.0.push(
            "ключ mail.smtp_url: без шифрования письма уходят только на этот же узел; добавьте ?tls=required"
                .to_owned(),
        );
    }
    mail
}

fn check_log(checks: &mut Checks, raw: RawLog) -> Option<Log> {
    let json = match raw.format.as_str() {
        "text" => Some(false),
        "json" => Some(true),
        _ => None,
    };
    let json = checks.expect(json, || "ключ log.format: нужно text или json".to_owned());
    if let Err(error) = raw.filter.parse::<tracing_subscriber::filter::Targets>() {
        checks.0.push(format!("ключ log.filter: {error}"));
    }
    Some(Log {
        json: json?,
        filter: raw.filter,
    })
}

fn check_files(checks: &mut Checks, raw: &RawFiles) -> Option<Files> {
    const MB: u64 = 1 << 20;
    let folder = Some(PathBuf::from(&raw.folder)).filter(|folder| !folder.as_os_str().is_empty());
    let folder = checks.expect(folder, || {
        "ключ files.folder: назовите папку для загруженных файлов".to_owned()
    });
    let bytes: Option<u64> = checks.number("files.max_file_mb", raw.max_file_mb, 1, 1_024);
    let unpacked: Option<u64> = checks.number("files.max_unpacked_mb", raw.max_unpacked_mb, 1, 16_384);
    let rows = checks.number("files.max_rows", raw.max_rows, 1, 1_048_576);
    let columns = checks.number("files.max_columns", raw.max_columns, 1, 16_384);
    Some(Files {
        folder: folder?,
        limits: FileLimits {
            bytes: bytes? * MB,
            unpacked: unpacked? * MB,
            rows: rows?,
            columns: columns?,
        },
        recording_hosts: list(&raw.recording_hosts),
    })
}

fn check_demo(checks: &mut Checks, raw: RawDemo) -> Option<Demo> {
    if raw.amocrm_url.is_empty() && raw.lptracker_url.is_empty() {
        return None;
    }
    let mut url = |key: &str, text: &str| {
        let parsed = Url::parse(text).ok().filter(Url::has_host);
        checks.expect(parsed, || {
            format!("ключ demo.{key}: нужен адрес песочницы, например http://127.0.0.1:7081")
        })
    };
    let amocrm_url = url("amocrm_url", &raw.amocrm_url);
    let lptracker_url = url("lptracker_url", &raw.lptracker_url);
    Some(Demo {
        amocrm_url: amocrm_url?,
        lptracker_url: lptracker_url?,
        amocrm_token: raw.amocrm_token,
        lptracker_login: raw.lptracker_login,
        lptracker_password: raw.lptracker_password,
        lptracker_project: raw.lptracker_project,
    })
}

#[cfg(test)]
mod tests;
