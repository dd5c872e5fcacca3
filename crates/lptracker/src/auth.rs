//! The session token: kept in memory and in the store, renewed once at a time.
//!
//! A token dies after 24 h without use. Logging out or logging in needlessly would hurt others who use the same
//! login, and a refused password is never tried again: what locks an account is not known (contract §1.1).

use crate::convert::write as body;
use crate::envelope;
use crate::settings::LptrackerSettings;
use ::connector::ConnectorError;
use ::connector::credential::{TokenStore, Tokens};
use ::connector::http::{HttpClient, Request, Trace, traced};
use ::connector::throttle::Throttle;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What is needed to sign in.
pub(crate) struct Auth {
    store: Arc<dyn TokenStore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: Option<Tokens>,
    /// The service refused the credentials themselves.
    refused: bool,
}

/// How a sign-in is sent.
pub(crate) struct Door<'a> {
    pub(crate) http: &'a HttpClient,
    pub(crate) throttle: &'a Throttle,
    pub(crate) settings: &'a LptrackerSettings,
}

impl Auth {
    pub(crate) fn new(store: Arc<dyn TokenStore>) -> Self {
        Self {
            store,
            state: Mutex::new(State::default()),
        }
    }

    /// The token to send: from memory, from the store, or by signing in.
    pub(crate) async fn token(&self, door: Door<'_>) -> Result<SecretString, ConnectorError> {
        let mut state = self.state.lock().await;
        if let Some(tokens) = &state.tokens {
            return Ok(tokens.access.clone());
        }
        let stored = self.store.load().await?;
        self.adopt_or_sign_in(&mut state, stored, None, door).await
    }

    /// A token other than the refused one. Whoever comes second finds what the first one got.
    pub(crate) async fn renew(
        &self,
        old: &SecretString,
        door: Door<'_>,
    ) -> Result<SecretString, ConnectorError> {
        let mut state = self.state.lock().await;
        if let Some(tokens) = &state.tokens
            && tokens.access.expose_secret() != old.expose_secret()
        {
            return Ok(tokens.access.clone());
        }
        let stored = self.store.load().await?;
        self.adopt_or_sign_in(&mut state, stored, Some(old), door).await
    }

    async fn adopt_or_sign_in(
        &self,
        state: &mut State,
        stored: Tokens,
        refused: Option<&SecretString>,
        door: Door<'_>,
    ) -> Result<SecretString, ConnectorError> {
        let known = stored.access.expose_secret();
        if !known.is_empty() && refused.is_none_or(|old| old.expose_secret() != known) {
            let access = stored.access.clone();
            state.tokens = Some(stored);
            return Ok(access);
        }
        if state.refused {
            return Err(ConnectorError::Unauthorized);
        }
        let access = match sign_in(door).await {
            Err(ConnectorError::Unauthorized) => {
                state.refused = true;
                return Err(ConnectorError::Unauthorized);
            }
            other => other?,
        };
        let fresh = Tokens {
            access: access.clone(),
            refresh: None,
            expires_at: None,
            version: stored.version,
        };
        let kept = match self.store.save(fresh.clone()).await {
            Ok(kept) => kept,
            Err(error) => {
                // The session works; only the next start will have to sign in again.
                tracing::warn!(error = %error, "the session token was not stored");
                fresh
            }
        };
        let access = kept.access.clone();
        state.tokens = Some(kept);
        Ok(access)
    }
}

/// `POST /login`, sent once. Any refusal of it is a matter of the credentials, so a person must look.
async fn sign_in(door: Door<'_>) -> Result<SecretString, ConnectorError> {
    let url = super::client::address(&door.settings.base_url, &["login"], &[])?;
    let settings = door.settings;
    let body = body::login(
        settings.login.expose_secret(),
        settings.password.expose_secret(),
        &settings.service,
    );
    let request = Request {
        method: "POST",
        url,
        headers: vec![("accept", "application/json".to_owned())],
        body: Some(("application/json", body.to_string().into_bytes())),
    };
    let under_way = door.throttle.acquire().await;
    // A trace of its own that nobody reads: the exchange holds the password and the token.
    let answer = traced(Trace::default(), door.http.send(request)).await;
    under_way.answered();
    let response = answer?;
    let result = envelope::open(response.status, &response.body).map_err(|error| match error {
        ConnectorError::Rejected { .. } | ConnectorError::Forbidden { .. } => ConnectorError::Unauthorized,
        other => other,
    })?;
    match result.get("token").and_then(Value::as_str) {
        Some(token) if !token.trim().is_empty() => Ok(SecretString::from(token)),
        _ => Err(ConnectorError::Protocol {
            message: "ответ на вход без ключа сеанса".to_owned(),
        }),
    }
}
