//! Signing in, tokens with a sliding life, and the request rate.

use std::collections::{HashMap, VecDeque};

use rand::Rng as _;
use rand::distr::Alphanumeric;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::model::Session;
use super::settings::RateScope;
use super::state::State;
use super::text::text_of;

const WINDOW_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600_000;

/// Counts requests per key over a sliding second.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    /// Times of the requests that were let through.
    passed: HashMap<String, VecDeque<i64>>,
    /// Times of all requests.
    seen: HashMap<String, VecDeque<i64>>,
    /// Most requests of one key inside a second.
    pub(super) highest: usize,
    /// Requests refused with 503.
    pub(super) refused: u64,
}

impl Meter {
    /// Counts a request; `false` when it is over the limit (0 means no limit).
    fn admit(&mut self, key: &str, limit: usize, now_ms: i64) -> bool {
        let seen = recent(&mut self.seen, key, now_ms);
        seen.push_back(now_ms);
        self.highest = self.highest.max(seen.len());
        let passed = recent(&mut self.passed, key, now_ms);
        if limit > 0 && passed.len() >= limit {
            self.refused += 1;
            return false;
        }
        passed.push_back(now_ms);
        true
    }
}

fn recent<'m>(map: &'m mut HashMap<String, VecDeque<i64>>, key: &str, now_ms: i64) -> &'m mut VecDeque<i64> {
    let times = map.entry(key.to_owned()).or_default();
    while times.front().is_some_and(|time| now_ms - time >= WINDOW_MS) {
        times.pop_front();
    }
    times
}

impl State {
    /// `POST /login`.
    pub(super) fn login(
        &mut self,
        body: &Map<String, Value>,
        ip: &str,
        now_ms: i64,
    ) -> Result<Value, ApiError> {
        let [login, password, service, version] =
            ["login", "password", "service", "version"].map(|key| text_of(body, key));
        self.admit(&format!("login {login}"), now_ms)?;
        if [&login, &password, &service, &version]
            .iter()
            .any(|text| text.is_empty())
        {
            return Err(ApiError::bad_request());
        }
        if version != "1.0" {
            return Err(ApiError::invalid("version"));
        }
        if !self
            .accounts
            .iter()
            .any(|account| account.login == login && account.password == password)
        {
            return Err(ApiError::wrong_password());
        }
        if self.settings.one_login_per_ip {
            self.sessions
                .retain(|_, session| session.ip != ip || session.login == login);
        }
        let token: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(32)
            .map(char::from)
            .collect();
        let session = Session {
            login,
            service,
            ip: ip.to_owned(),
            used_ms: now_ms,
        };
        self.sessions.insert(token.clone(), session);
        Ok(json!({"token": token}))
    }

    /// The session behind a token; using it restarts its life.
    pub(super) fn authorize(&mut self, token: Option<&str>, now_ms: i64) -> Result<Session, ApiError> {
        let life_ms = self.settings.token_hours.saturating_mul(HOUR_MS);
        let token = token.ok_or_else(ApiError::unauthorized)?;
        let session = self.sessions.get_mut(token).ok_or_else(ApiError::unauthorized)?;
        if now_ms - session.used_ms >= life_ms {
            self.sessions.remove(token);
            return Err(ApiError::unauthorized());
        }
        session.used_ms = now_ms;
        let session = session.clone();
        let key = match self.settings.rate_scope {
            RateScope::Login => &session.login,
            RateScope::Token => token,
        };
        self.admit(&format!("token {key}"), now_ms)?;
        Ok(session)
    }

    /// `POST /logout`.
    pub(super) fn logout(&mut self, token: Option<&str>) -> Value {
        if let Some(token) = token {
            self.sessions.remove(token);
        }
        Value::Bool(true)
    }

    /// Ends every session, as if all tokens had died.
    pub fn expire_tokens(&mut self) {
        self.sessions.clear();
    }

    fn admit(&mut self, key: &str, now_ms: i64) -> Result<(), ApiError> {
        if self.meter.admit(key, self.settings.rate_limit_per_second, now_ms) {
            Ok(())
        } else {
            Err(ApiError::too_many())
        }
    }

    /// Rate and session figures for tests and the control page.
    pub fn stats(&self) -> Value {
        json!({
            "highest_rate": self.meter.highest,
            "refused_503": self.meter.refused,
            "tokens": self.sessions.len(),
            "services": self.sessions.values().map(|session| session.service.clone()).collect::<Vec<_>>(),
        })
    }

    /// Most requests of one key inside a second, refused ones included.
    pub fn highest_rate(&self) -> usize {
        self.meter.highest
    }

    /// Requests refused with code 503.
    pub fn refused(&self) -> u64 {
        self.meter.refused
    }
}
