//! The one way out: every remote request of the hub passes this client, which guards the address, limits
//! time and size, and keeps an account of what was sent and answered.

use crate::error::ConnectorError;
use bytes::Bytes;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

/// Bodies kept in the account of an exchange are cut at this many bytes.
pub const KEPT_BODY: usize = 8 * 1024;

/// A request in our own words.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: &'static str,
    /// Whole address.
    pub url: Url,
    /// Headers, secrets among them: never logged, never kept.
    pub headers: Vec<(&'static str, String)>,
    /// Body with its content type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

/// An answer in our own words.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Content type without parameters, lower case; empty when absent.
    pub content_type: String,
    /// `Retry-After` in seconds, when given so.
    pub retry_after: Option<Duration>,
    /// `X-Request-Id`, for support.
    pub request_id: Option<String>,
    /// Body, capped.
    pub body: Bytes,
}

/// One exchange as it is shown on the page of an event: no headers, so no secrets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// Address without user information.
    pub url: String,
    /// Body sent, cut, with secrets removed by the client that made it.
    pub sent: Option<String>,
    /// Status answered; `None` when no answer came.
    pub status: Option<u16>,
    /// Body answered, cut.
    pub answered: Option<String>,
    /// What went wrong on the way, when no answer came.
    pub failure: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// Collects the exchanges of one attempt. Cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Trace(Arc<Mutex<Vec<Exchange>>>);

impl Trace {
    /// Takes what was collected so far.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Notes an exchange, or this piece of work's part in one that it shares with others.
    pub fn push(&self, exchange: Exchange) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(exchange);
    }
}

tokio::task_local! {
    static TRACE: Trace;
}

/// Runs remote calls so that their exchanges are collected in `trace`.
pub async fn traced<F: Future>(trace: Trace, calls: F) -> F::Output {
    TRACE.scope(trace, calls).await
}

/// Says at the last moment before a request leaves whether it still may.
pub trait Gate: Send + Sync {
    /// False when nothing may leave.
    fn is_open(&self) -> bool;
}

tokio::task_local! {
    static GATE: Arc<dyn Gate>;
}

/// Runs remote calls behind a gate: while it is shut they fail with [`ConnectorError::Stopped`], also those that
/// were waiting for the budget when it was shut.
pub async fn gated<F: Future>(gate: Arc<dyn Gate>, calls: F) -> F::Output {
    GATE.scope(gate, calls).await
}

/// Whether the gate in force, if any, lets a request through.
pub fn is_gate_open() -> bool {
    GATE.try_with(|gate| gate.is_open()).unwrap_or(true)
}

/// Which addresses may be called.
#[derive(Clone, Debug, Default)]
pub struct AddressRules {
    /// Hosts (exact, lower case) that may be called although they resolve to private or loopback
    /// addresses, or over plain HTTP: the sandbox, an operator's own relay.
    pub allowed_hosts: Vec<String>,
}

/// Limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To establish the connection.
    pub connect: Duration,
    /// For the whole exchange.
    pub total: Duration,
    /// Longest accepted answer in bytes.
    pub max_body: usize,
}

impl Default for Limits {
    /// Connect 5 s, total 20 s (amoCRM's own SDK), 8 MiB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(20),
            max_body: 8 << 20,
        }
    }
}

/// The client. Cheap to clone; connections are pooled.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: reqwest::Client,
    rules: Arc<AddressRules>,
    limits: Limits,
}

impl HttpClient {
    /// Makes a client with its own pool. Redirects are never followed.
    pub fn new(rules: AddressRules, limits: Limits) -> Result<Self, ConnectorError> {
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| ConnectorError::Protocol {
                    message: error.to_string(),
                })?
                .with_root_certificates(rustls::RootCertStore {
                    roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
                })
                .with_no_client_auth();
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .user_agent(concat!("crm-integrator/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(guard::PublicOnly::new(rules.allowed_hosts.clone()))
            .build()
            .map_err(|error| ConnectorError::Protocol {
                message: error.to_string(),
            })?;
        Ok(Self {
            inner,
            rules: Arc::new(rules),
            limits,
        })
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request) -> Result<Response, ConnectorError> {
        guard::check(&request.url, &self.rules.allowed_hosts)?;
        if !is_gate_open() {
            return Err(ConnectorError::Stopped);
        }
        let started = tokio::time::Instant::now();
        let mut exchange = Exchange {
            method: request.method.to_owned(),
            url: shown(&request.url),
            sent: request.body.as_ref().map(|(_, body)| cut(body)),
            status: None,
            answered: None,
            failure: None,
            at: now(),
            duration_ms: 0,
        };
        let result = self.exchange(request).await;
        exchange.duration_ms = started.elapsed().as_millis() as i64;
        match &result {
            Ok(response) => {
                exchange.status = Some(response.status);
                exchange.answered = Some(cut(&response.body));
            }
            Err(error) => exchange.failure = Some(describe(error)),
        }
        let _untraced = TRACE.try_with(|trace| trace.push(exchange));
        result
    }

    async fn exchange(&self, request: Request) -> Result<Response, ConnectorError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).map_err(|error| {
            ConnectorError::Protocol {
                message: error.to_string(),
            }
        })?;
        let mut builder = self.inner.request(method, request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some((content_type, body)) = request.body {
            builder = builder.header("content-type", content_type).body(body);
        }
        let mut response = builder.send().await.map_err(|error| no_answer(&error))?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let content_type = header("content-type")
            .map(|full| {
                full.split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase()
            })
            .unwrap_or_default();
        let retry_after = header("retry-after")
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        let request_id = header("x-request-id");
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
            if body.len() + chunk.len() > self.limits.max_body {
                return Err(ConnectorError::Protocol {
                    message: format!("ответ длиннее {} байт", self.limits.max_body),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status,
            content_type,
            retry_after,
            request_id,
            body: body.into(),
        })
    }
}

/// A failure before the connection stood cannot have applied anything.
fn no_answer(error: &reqwest::Error) -> ConnectorError {
    let mut cause = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    ConnectorError::NoAnswer {
        uncertain: !error.is_connect() && !error.is_builder(),
        cause,
    }
}

fn describe(error: &ConnectorError) -> String {
    match error {
        ConnectorError::NoAnswer { cause, .. } => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}

fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _no_user = url.set_username("");
    let _no_password = url.set_password(None);
    url.into()
}

fn cut(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(KEPT_BODY)]);
    if body.len() > KEPT_BODY {
        format!("{text}… (всего {} байт)", body.len())
    } else {
        text.into_owned()
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}

mod guard;
mod stream;

pub use stream::Streamed;
