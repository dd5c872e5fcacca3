//! One call of the API: authorised, within the budget, with its answer sorted.

use crate::auth::Auth;
use crate::error::{Failure, read_failure};
use crate::settings::AmocrmSettings;
use crate::wire::page::{self, PER_PAGE};
use connector::ConnectorError;
use connector::credential::{TokenStore, Tokens};
use connector::http::{HttpClient, Request, Response};
use connector::throttle::Throttle;
use domain::time::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A long walk over a list stops here, so that a huge account cannot hold a connection for hours.
const MAX_PAGES: u32 = 200;
/// A pause asked for is never kept longer than this; the engine asks again anyway.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Pairs of a query string; keys may repeat and hold brackets.
pub type Query<'a> = &'a [(&'a str, &'a str)];

/// A client of one account. Methods of the API are in the modules that need them.
pub struct Client {
    http: HttpClient,
    throttle: Throttle,
    settings: AmocrmSettings,
    auth: Auth,
    /// Refusals for the rate in a row.
    n_refusals: AtomicU32,
}

impl Client {
    /// Joins the parts; nothing is sent.
    pub fn new(
        http: HttpClient,
        throttle: Throttle,
        settings: AmocrmSettings,
        tokens: Arc<dyn TokenStore>,
    ) -> Self {
        Self {
            http,
            throttle,
            settings,
            auth: Auth::new(tokens),
            n_refusals: AtomicU32::new(0),
        }
    }

    /// Settings it was made with.
    pub fn settings(&self) -> &AmocrmSettings {
        &self.settings
    }

    /// Tokens as they are stored now.
    pub(crate) async fn tokens(&self) -> Result<Tokens, ConnectorError> {
        self.auth.stored().await
    }

    /// Reads one object; `None` when the API answers 204.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<Option<T>, ConnectorError> {
        match self.call("GET", path, query, None).await? {
            Some(json) => page::object(json).map(Some),
            None => Ok(None),
        }
    }

    /// Reads one page of a list and whether another follows.
    pub async fn get_page<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
        key: &str,
        number: u32,
    ) -> Result<(Vec<T>, bool), ConnectorError> {
        let (limit, number) = (PER_PAGE.to_string(), number.to_string());
        let mut whole = query.to_vec();
        whole.extend([("limit", limit.as_str()), ("page", number.as_str())]);
        match self.call("GET", path, &whole, None).await? {
            Some(json) => Ok((page::list(&json, key)?, page::has_next(&json))),
            None => Ok((Vec::new(), false)),
        }
    }

    /// Reads a whole list, page by page.
    pub async fn get_all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
        key: &str,
    ) -> Result<Vec<T>, ConnectorError> {
        self.get_some(path, query, key, MAX_PAGES).await
    }

    /// Reads a list, but no more than so many pages of it.
    pub async fn get_some<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
        key: &str,
        max_pages: u32,
    ) -> Result<Vec<T>, ConnectorError> {
        let mut all = Vec::new();
        for number in 1..=max_pages {
            let (mut some, more) = self.get_page(path, query, key, number).await?;
            // A server that repeats pages for ever must not keep us here.
            let empty = some.is_empty();
            all.append(&mut some);
            if !more || empty {
                return Ok(all);
            }
        }
        tracing::warn!(path, pages = max_pages, "amoCRM: a list was cut");
        Ok(all)
    }

    /// Sends a body and returns the answer as it is, or `None` for 204.
    pub async fn send(
        &self,
        method: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<Json>, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| ConnectorError::Protocol {
            message: error.to_string(),
        })?;
        self.call(method, path, &[], Some(body)).await
    }

    /// Holds every request of the account back for so long.
    pub(crate) fn rest(&self, length: Duration) {
        self.throttle.pause(length);
    }

    async fn call(
        &self,
        method: &'static str,
        path: &str,
        query: Query<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<Option<Json>, Failure> {
        let tokens = self.auth.current(&self.http, &self.settings).await?;
        let mut response = self.exchange(method, path, query, body.clone(), &tokens).await?;
        if response.status == 401 {
            let renewed = self.auth.renew(&self.http, &self.settings, &tokens).await?;
            response = self.exchange(method, path, query, body, &renewed).await?;
        }
        let writes = method != "GET";
        match response.status {
            204 => Ok(None),
            200..=202 if response.body.is_empty() => Ok(None),
            200..=202 => match serde_json::from_slice(&response.body) {
                Ok(json) => Ok(Some(json)),
                Err(_) => {
                    let message = format!("вместо JSON получено «{}»", response.content_type);
                    Err(ConnectorError::Protocol { message }.into())
                }
            },
            _ => {
                let failure = read_failure(&response, writes);
                if let ConnectorError::RateLimited { after } = failure.error {
                    self.slow_down(after).await;
                }
                tracing::debug!(
                    method,
                    path,
                    status = response.status,
                    request_id = response.request_id.as_deref().unwrap_or_default(),
                    "amoCRM refused"
                );
                Err(failure)
            }
        }
    }

    async fn exchange(
        &self,
        method: &'static str,
        path: &str,
        query: Query<'_>,
        body: Option<Vec<u8>>,
        tokens: &Tokens,
    ) -> Result<Response, ConnectorError> {
        let mut url = self.settings.join(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let under_way = self.throttle.acquire().await;
        let answer = self
            .http
            .send(Request {
                method,
                url,
                headers: vec![
                    (
                        "authorization",
                        format!("Bearer {}", tokens.access.expose_secret()),
                    ),
                    ("accept", "application/json".to_owned()),
                ],
                body: body.map(|bytes| ("application/json", bytes)),
            })
            .await;
        under_way.answered();
        let response = answer?;
        if response.status != 429 {
            self.n_refusals.store(0, Ordering::Relaxed);
        }
        Ok(response)
    }

    /// Holds every request of the account back: as long as amoCRM asked, else 1 s doubling with each refusal
    /// in a row, spread by up to a quarter so that neighbours do not return together.
    async fn slow_down(&self, asked: Option<Duration>) {
        let n = self.n_refusals.fetch_add(1, Ordering::Relaxed).min(6);
        let pause = asked.unwrap_or_else(|| {
            let base = 1_000_u64 << n;
            let spread = now().0.unsigned_abs().wrapping_mul(2_654_435_761) % (base / 4);
            Duration::from_millis(base + spread)
        });
        self.throttle.pause(pause.min(LONGEST_PAUSE));
    }
}

/// The clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}
