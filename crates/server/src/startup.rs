//! Putting the program together and taking it apart.

use crate::config::Config;
use crate::connectors::Connectors;
use crate::http;
use crate::http::app::App;
use crate::http::edge::{OverTls, edge};
use crate::http::session::{self, CookieKeyError, Sessions};
use crate::http::slow;
use crate::http::spa::Interface;
use crate::mail::{MailError, Mailer};
use crate::{demo, http::docs, http::extract};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use api::session::SandboxUrl;
use connector::ConnectorError;
use engine::clock::{Clock, SystemClock};
use engine::context::Context;
use engine::{ConnectorFactory, Engine, EngineError, Settings};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use storage::{Db, StorageError};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt;

/// How often ended sessions, links and request keys are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// Request keys are kept for a day.
const KEYS_FOR_MS: i64 = 86_400_000;

/// Why the program did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The database cannot be opened or brought up to date.
    #[error("база данных не открыта")]
    Storage(#[from] StorageError),
    /// The address is taken or not ours.
    #[error("адрес {address} не занят: {cause}")]
    Bind {
        /// Which address.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The interface cannot be read.
    #[error("папка интерфейса не прочитана")]
    Interface(#[source] io::Error),
    /// The HTTP client cannot be made.
    #[error("исходящие соединения не настроены")]
    Outgoing(#[from] ConnectorError),
    /// The key of cookies cannot be made.
    #[error("сеансы не настроены")]
    Sessions(#[from] CookieKeyError),
    /// Letters cannot be sent.
    #[error("почта не настроена")]
    Mail(#[from] MailError),
    /// The demo or the set-up link cannot be made.
    #[error("первая настройка не подготовлена")]
    Engine(#[from] EngineError),
}

/// A running program.
pub struct Running {
    /// Where it listens: `http://127.0.0.1:8080`.
    pub url: String,
    /// One-time link to sign in, in the demo.
    pub sign_in_url: Option<SecretString>,
    /// One-time link to set up, when nobody has yet.
    pub setup_url: Option<SecretString>,
    /// The business inside, for tests.
    pub engine: Engine,
    ready: Arc<AtomicBool>,
    http: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    stop: CancellationToken,
    shutdown: Duration,
}

impl Running {
    /// The line that says on standard output that the program listens.
    pub fn announcement(&self) -> String {
        let link = |link: &Option<SecretString>| link.as_ref().map(|link| link.expose_secret().to_owned());
        json!({
            "event": "listening",
            "url": self.url,
            "sign_in_url": link(&self.sign_in_url),
            "setup_url": link(&self.setup_url),
        })
        .to_string()
    }

    /// Stops the intake, lets what was begun end, and gives everything back.
    pub async fn stop(self) {
        tracing::info!("останавливаюсь: новые запросы не принимаются");
        self.ready.store(false, Ordering::SeqCst);
        self.http.stop(true).await;
        if let Ok(Err(error)) = self.serving.await {
            tracing::error!(%error, "сервер HTTP завершился с ошибкой");
        }
        self.stop.cancel();
        if tokio::time::timeout(self.shutdown, self.engine.stopped())
            .await
            .is_err()
        {
            tracing::warn!("начатые доставки не успели закончиться: их продолжит следующий запуск");
        }
        if let Err(error) = self.engine.db().clone().close().await {
            tracing::warn!(%error, "база данных закрыта с ошибкой");
        }
        tracing::info!("остановлено");
    }

    /// Waits until the HTTP server ends by itself, which it does not do while all is well.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.serving)
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Opens the database, brings it up to date, starts the loops and the HTTP server.
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_with(config, Arc::new(SystemClock)).await
}

/// The same with another clock.
pub async fn start_with(config: Config, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let db = Db::connect(
        config.database.url.expose_secret(),
        config.database.max_connections,
    )
    .await?;
    db.migrate().await?;
    let listener = bind(&config)?;
    let url = format!("http://{}", listener_address(&listener)?);
    let public_url = config.server.public_url.clone().unwrap_or_else(|| url.clone());
    let interface = match &config.server.static_dir {
        Some(folder) => Interface::read(folder).map_err(StartError::Interface)?,
        None => Interface::default(),
    };
    let (engine, connectors) = assemble(&config, db.clone(), Arc::clone(&clock), public_url.clone())?;
    let keyring = Arc::clone(&config.keyring);
    let secure = config
        .session
        .secure
        .unwrap_or_else(|| public_url.starts_with("https://"));
    let sessions = Sessions {
        cookie_key: session::cookie_key(&db, &keyring, clock.now()).await?,
        db: db.clone(),
        clock: Arc::clone(&clock),
        idle_ms: config.session.idle_ms,
        absolute_ms: config.session.absolute_ms,
        secure,
    };
    let app = App {
        engine: engine.clone(),
        keyring,
        metrics_token: config.metrics_token,
        mailer: Mailer::new(&config.mail)?,
        connectors,
        public_url: public_url.as_str().into(),
        trusted_proxies: config.server.trusted_proxies.into(),
        sandbox: config.demo.as_ref().map(sandbox_urls).unwrap_or_default().into(),
        pulses: http::pulses::Pulses::default(),
        ready: Arc::new(AtomicBool::new(false)),
    };
    let shutdown = Duration::from_secs(config.server.shutdown_secs);
    let server = serve(
        listener,
        app.clone(),
        sessions,
        interface,
        config.server.threads,
        config.server.shutdown_secs,
        Duration::from_secs(config.server.request_secs),
    )?;
    let http = server.handle();
    let serving = tokio::spawn(server);
    let stop = CancellationToken::new();
    if config.workers {
        engine.spawn(&stop);
    }
    tokio::spawn(sweep(engine.clone(), stop.clone()));
    // The sandbox calls back while the demo is made, so the server must be up by now.
    let (sign_in_url, setup_url) = links(&app, config.demo.as_ref()).await?;
    app.ready.store(true, Ordering::SeqCst);
    Ok(Running {
        url,
        sign_in_url,
        setup_url,
        engine,
        ready: app.ready,
        http,
        serving,
        stop,
        shutdown,
    })
}

/// The business over a database, with no loop running: for commands that do one thing and end.
pub async fn at_rest(config: &Config) -> Result<Engine, StartError> {
    let db = Db::connect(config.database.url.expose_secret(), 2).await?;
    let public_url = config.server.public_url.clone().unwrap_or_default();
    Ok(assemble(config, db, Arc::new(SystemClock), public_url)?.0)
}

fn assemble(
    config: &Config,
    db: Db,
    clock: Arc<dyn Clock>,
    public_url: String,
) -> Result<(Engine, Arc<Connectors>), StartError> {
    let connectors = Arc::new(Connectors::new(
        allowed_hosts(&config.allowed_hosts, config.demo.as_ref()),
        config.files.recording_hosts.clone(),
    )?);
    let settings = Settings {
        public_url,
        retention: config.retention,
        files: config.files.folder.clone(),
        import_limits: config.files.limits,
        ..Settings::default()
    };
    let factory: Arc<dyn ConnectorFactory> = Arc::clone(&connectors) as _;
    let context = Context::new(db, clock, factory, Arc::clone(&config.keyring), settings);
    Ok((Engine::new(context), connectors))
}

fn bind(config: &Config) -> Result<TcpListener, StartError> {
    let address = (config.server.host, config.server.port);
    let fail = |cause| StartError::Bind {
        address: format!("{}:{}", address.0, address.1),
        cause,
    };
    let listener = TcpListener::bind(address).map_err(fail)?;
    Ok(listener)
}

/// Where to reach it from this machine: who listens everywhere is found on the loopback address.
fn listener_address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    let mut address = listener.local_addr().map_err(|cause| StartError::Bind {
        address: String::new(),
        cause,
    })?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

fn allowed_hosts(configured: &[String], demo: Option<&crate::config::Demo>) -> Vec<String> {
    let urls = demo
        .into_iter()
        .flat_map(|demo| [&demo.amocrm_url, &demo.lptracker_url]);
    let mut hosts: Vec<String> = urls
        .filter_map(|url| url.host_str().map(str::to_lowercase))
        .collect();
    hosts.extend_from_slice(configured);
    hosts.sort();
    hosts.dedup();
    hosts
}

fn sandbox_urls(demo: &crate::config::Demo) -> Vec<SandboxUrl> {
    let page = |title: &str, url: &url::Url| SandboxUrl {
        title: title.to_owned(),
        url: url.to_string(),
    };
    vec![
        page("Песочница amoCRM", &demo.amocrm_url),
        page("Песочница LPTracker", &demo.lptracker_url),
    ]
}

fn serve(
    listener: TcpListener,
    app: App,
    sessions: Sessions,
    interface: Interface,
    threads: Option<usize>,
    shutdown_secs: u64,
    patience: Duration,
) -> Result<actix_web::dev::Server, StartError> {
    let interface = web::Data::new(interface);
    let listened = web::Data::new(sessions.clone());
    let shared = web::Data::new(app.clone());
    let over_tls = OverTls(app.public_url.starts_with("https://"));
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .wrap(from_fn(slow::patient))
            .wrap(from_fn(edge))
            .into_utoipa_app()
            .app_data(shared.clone())
            .app_data(listened.clone())
            .app_data(interface.clone())
            .app_data(over_tls)
            .app_data(slow::Patience(patience))
            .app_data(extract::json_config())
            .app_data(extract::query_config())
            .app_data(extract::path_config())
            .app_data(extract::payload_config())
            .map(|app| app.configure(docs::pages))
            .configure(|config| http::everything(config, Some(&sessions)))
            .into_app()
            .default_service(web::to(http::fallback))
    })
    .client_request_timeout(patience)
    .disable_signals()
    .shutdown_timeout(shutdown_secs);
    if let Some(threads) = threads {
        server = server.workers(threads);
    }
    let server = server.listen(listener).map_err(|cause| StartError::Bind {
        address: String::new(),
        cause,
    })?;
    Ok(server.run())
}

/// Makes the demo when it is wanted and the database is empty, and the one-time links.
async fn links(
    app: &App,
    wanted: Option<&crate::config::Demo>,
) -> Result<(Option<SecretString>, Option<SecretString>), EngineError> {
    let accounts = app.engine.accounts();
    let link = |page: &str, token: &SecretString| {
        SecretString::from(format!("{}/{page}#{}", app.public_url, token.expose_secret()))
    };
    if let Some(wanted) = wanted {
        let user = demo::ensure(&app.engine, wanted).await?;
        let Some(user) = user else {
            return Ok((None, None));
        };
        let token = accounts.sign_in_token(user).await?;
        return Ok((Some(link("welcome", &token)), None));
    }
    let token = accounts.set_up_token().await?;
    if token.is_some() {
        tracing::info!("база пуста: откройте ссылку первой настройки, она действует сутки и один раз");
    }
    Ok((None, token.map(|token| link("welcome", &token))))
}

/// Sweeps what has ended, from time to time.
async fn sweep(engine: Engine, stop: CancellationToken) {
    loop {
        let now = engine.clock().now();
        let db = engine.db();
        let swept = async {
            storage::sessions::sweep(db, now).await?;
            storage::sign_in_links::sweep(db, now).await?;
            storage::invitations::sweep(db, now).await?;
            storage::sign_in_throttle::sweep(db, now.plus_ms(-engine::accounts::TRUSTED_FOR_MS)).await?;
            storage::request_keys::sweep(db, now.plus_ms(-KEYS_FOR_MS)).await
        };
        if let Err(error) = swept.await {
            tracing::warn!(%error, "устаревшие сеансы и ссылки не удалены");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// Brings the database up to date without starting anything.
pub async fn migrate(config: &Config) -> Result<(), StartError> {
    let db = Db::connect(config.database.url.expose_secret(), 2).await?;
    db.migrate().await?;
    Ok(db.close().await?)
}
