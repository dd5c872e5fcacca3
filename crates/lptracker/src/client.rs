//! Sending: budget, session, envelope, and which failures are tried again.

use crate::auth::{Auth, Door};
use crate::envelope;
use crate::settings::LptrackerSettings;
use ::connector::ConnectorError;
use ::connector::credential::TokenStore;
use ::connector::http::{HttpClient, Request};
use ::connector::throttle::Throttle;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use url::Url;

/// A read is tried at most so many times more after a failure that may pass.
const REPEATS: u32 = 2;

/// Pause before a read is tried again after a lost or failed answer.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest back-off after «503» is 2³ = 8 s (contract §8.1).
const MAX_LEVEL: u32 = 3;

/// Longest pause that an answer may ask for.
const MAX_ASKED: Duration = Duration::from_secs(60);

/// The client of one login.
pub struct Client {
    http: HttpClient,
    throttle: Throttle,
    settings: LptrackerSettings,
    auth: Auth,
    /// How many «503» came in a row: the next pause is 2^level seconds.
    level: AtomicU32,
}

/// One call.
struct Call<'a> {
    method: &'static str,
    url: &'a Url,
    body: Option<&'a Value>,
}

impl Client {
    /// Joins its parts. Nothing is sent yet.
    pub fn new(
        http: HttpClient,
        throttle: Throttle,
        settings: LptrackerSettings,
        tokens: Arc<dyn TokenStore>,
    ) -> Self {
        Self {
            http,
            throttle,
            settings,
            auth: Auth::new(tokens),
            level: AtomicU32::new(0),
        }
    }

    /// What the connection is made of.
    pub fn settings(&self) -> &LptrackerSettings {
        &self.settings
    }

    /// Holds every request of the login back for so long.
    pub(crate) fn rest(&self, length: Duration) {
        self.throttle.pause(length);
    }

    /// Reads; lost and failed answers are tried again twice.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, ConnectorError> {
        let url = address(&self.settings.base_url, path, query)?;
        let call = Call {
            method: "GET",
            url: &url,
            body: None,
        };
        let mut repeats = 0;
        loop {
            let error = match self.authorised(&call).await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            if repeats == REPEATS {
                return Err(error);
            }
            match error {
                // The throttle is paused already.
                ConnectorError::RateLimited { .. } => {}
                ConnectorError::Unavailable { .. } | ConnectorError::NoAnswer { .. } => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return Err(other),
            }
            repeats += 1;
        }
    }

    /// Writes with `POST`; sent once.
    pub async fn post(&self, path: &[&str], body: Option<&Value>) -> Result<Value, ConnectorError> {
        let url = address(&self.settings.base_url, path, &[])?;
        self.authorised(&Call {
            method: "POST",
            url: &url,
            body,
        })
        .await
    }

    /// Writes with `PUT`; sent once.
    pub async fn put(&self, path: &[&str], body: &Value) -> Result<Value, ConnectorError> {
        let url = address(&self.settings.base_url, path, &[])?;
        self.authorised(&Call {
            method: "PUT",
            url: &url,
            body: Some(body),
        })
        .await
    }

    /// Sends with the session's token; a refused token is renewed once. The refused call was not carried out,
    /// so sending it with the new token is no repetition of a write.
    async fn authorised(&self, call: &Call<'_>) -> Result<Value, ConnectorError> {
        if !self.settings.is_base_allowed() {
            let host = self.settings.base_url.host_str().unwrap_or_default().to_owned();
            return Err(ConnectorError::AddressRefused { host });
        }
        let token = match self.auth.token(self.door()).await {
            Ok(token) => token,
            Err(error) => return Err(self.refused_entry(error).await),
        };
        match self.send(call, &token).await {
            Err(ConnectorError::Unauthorized) => {
                let token = match self.auth.renew(&token, self.door()).await {
                    Ok(token) => token,
                    Err(error) => return Err(self.refused_entry(error).await),
                };
                self.send(call, &token).await
            }
            other => other,
        }
    }

    async fn send(&self, call: &Call<'_>, token: &SecretString) -> Result<Value, ConnectorError> {
        let request = Request {
            method: call.method,
            url: call.url.clone(),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("token", token.expose_secret().to_owned()),
            ],
            body: call
                .body
                .map(|body| ("application/json", body.to_string().into_bytes())),
        };
        let under_way = self.throttle.acquire().await;
        let answer = self.http.send(request).await;
        under_way.answered();
        let response = answer?;
        match envelope::open(response.status, &response.body) {
            Err(ConnectorError::RateLimited { .. }) => Err(self.back_off(response.retry_after)),
            Err(error) => Err(error),
            Ok(result) => {
                self.level.store(0, Ordering::Relaxed);
                Ok(result)
            }
        }
    }

    /// Pauses everybody who shares the budget: 1, 2, 4, then 8 s.
    fn back_off(&self, asked: Option<Duration>) -> ConnectorError {
        let level = self.level.fetch_add(1, Ordering::Relaxed).min(MAX_LEVEL);
        let pause = Duration::from_secs(1 << level).max(asked.unwrap_or_default().min(MAX_ASKED));
        self.throttle.pause(pause);
        ConnectorError::RateLimited { after: Some(pause) }
    }

    fn door(&self) -> Door<'_> {
        Door {
            http: &self.http,
            throttle: &self.throttle,
            settings: &self.settings,
        }
    }

    /// A failed sign-in stops everything on this login; over the limit it counts like any request.
    async fn refused_entry(&self, error: ConnectorError) -> ConnectorError {
        tracing::warn!(error = %error, code = error.code(), "signing in to LPTracker failed");
        match error {
            ConnectorError::RateLimited { after } => self.back_off(after),
            other => other,
        }
    }
}

/// Joins the base, path segments and query; both are percent-encoded.
pub(crate) fn address(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Result<Url, ConnectorError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| ConnectorError::AddressRefused {
            host: base.to_string(),
        })?
        .pop_if_empty()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded_and_keep_the_base_path() {
        let check = |base: &str, path: &[&str], query: &[(&str, &str)], expected: &str| {
            let url = address(&Url::parse(base).unwrap(), path, query).unwrap();
            assert_eq!(url.as_str(), expected);
        };
        let base = "https://direct.lptracker.ru";
        check(base, &["lead", "12"], &[], "https://direct.lptracker.ru/lead/12");
        check(
            "http://127.0.0.1:1/x/",
            &["lead"],
            &[],
            "http://127.0.0.1:1/x/lead",
        );
        check(
            base,
            &["lead", "../staff"],
            &[],
            "https://direct.lptracker.ru/lead/..%2Fstaff",
        );
        check(
            base,
            &["contact", "search"],
            &[("email", "a+b@x.ru"), ("sort[updated_at]", "3")],
            "https://direct.lptracker.ru/contact/search?email=a%2Bb%40x.ru&sort%5Bupdated_at%5D=3",
        );
    }
}
