//! Authorisation: the consent page, the exchange of a code, and the renewal of token pairs.
//!
//! A refresh token is used once. Two renewals at the same time would revoke each other, so they are made one
//! at a time, after reading the store again, and the new pair is stored before anything else is done with it. A
//! renewal that has begun goes on to the stored pair even when nobody waits for it any more, and a pair that could not
//! be stored is kept until it can: it may be the only one that amoCRM accepts.

use crate::error::{Failure, read_failure};
use crate::settings::{AmocrmSettings, OauthApp};
use crate::wire::token::TokenAnswer;
use base64::Engine;
use connector::ConnectorError;
use connector::credential::{TokenStore, Tokens};
use connector::http::{HttpClient, Request};
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// How the consent window gives its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentMode {
    /// The window closes and its opener is redirected.
    Popup,
    /// The redirect happens inside the opened window.
    PostMessage,
}

/// Address of the consent page.
///
/// `site` is `https://www.amocrm.ru` (or `https://www.kommo.com`, or the sandbox). The redirect address is
/// not passed: amoCRM uses the registered one.
pub fn consent_url(site: &Url, client_id: &str, state: &str, mode: ConsentMode) -> Url {
    let mut url = site.clone();
    let path = format!("{}/oauth", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.query_pairs_mut()
        .clear()
        .append_pair("client_id", client_id)
        .append_pair("state", state)
        .append_pair(
            "mode",
            match mode {
                ConsentMode::Popup => "popup",
                ConsentMode::PostMessage => "post_message",
            },
        );
    url
}

/// Exchanges an authorization code for the first pair of tokens. The code lives 20 minutes and works once.
///
/// # Errors
/// `Rejected` with amoCRM's hint when the code, the integration or the redirect address is wrong;
/// `Unsupported` when the settings name no OAuth integration; otherwise as any call.
pub async fn exchange_code(
    http: &HttpClient,
    settings: &AmocrmSettings,
    code: &str,
) -> Result<Tokens, ConnectorError> {
    let app = settings.oauth.as_ref().ok_or(ConnectorError::Unsupported {
        what: "вход по OAuth",
    })?;
    let grant = Grant::Code(SecretString::from(code.to_owned()));
    let pair = ask(http.clone(), settings.clone(), app.clone(), grant)
        .await
        .map_err(|failure| {
            // Here 401 is about the code or the keys, not about a connection that once worked.
            match failure.error {
                ConnectorError::Unauthorized => ConnectorError::Rejected {
                    code: "401".to_owned(),
                    field: None,
                    message: "Авторизация клиента не прошла".to_owned(),
                },
                error => error,
            }
        })?;
    Ok(pair.into_tokens(0))
}

/// When a token stops working, by its own claim `exp`; `None` when it has none that can be read. A hint only:
/// the signature is not checked, amoCRM does not publish the key.
pub fn token_expiry(token: &SecretString) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<i64>,
    }
    let payload = token.expose_secret().split('.').nth(1)?;
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .ok()?;
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    claims.exp.map(Timestamp::from_secs)
}

enum Grant {
    Code(SecretString),
    Refresh(SecretString),
}

struct Pair {
    access: SecretString,
    refresh: Option<SecretString>,
    lifetime: Duration,
    at: Timestamp,
}

impl Pair {
    fn into_tokens(self, version: i64) -> Tokens {
        Tokens {
            expires_at: Some(self.at.plus_ms(self.lifetime.as_millis() as i64)),
            access: self.access,
            refresh: self.refresh,
            version,
        }
    }
}

/// Asks the token endpoint. Runs as a task of its own: the account of exchanges, which is bound to the caller's task,
/// must not see these bodies. They are secrets from end to end.
async fn ask(
    http: HttpClient,
    settings: AmocrmSettings,
    app: OauthApp,
    grant: Grant,
) -> Result<Pair, Failure> {
    let task = tokio::spawn(async move { ask_here(&http, &settings, &app, &grant).await });
    task.await.unwrap_or_else(|error| Err(broke_off(&error).into()))
}

fn broke_off(error: &tokio::task::JoinError) -> ConnectorError {
    ConnectorError::NoAnswer {
        uncertain: true,
        cause: error.to_string(),
    }
}

async fn ask_here(
    http: &HttpClient,
    settings: &AmocrmSettings,
    app: &OauthApp,
    grant: &Grant,
) -> Result<Pair, Failure> {
    let (kind, key, secret) = match grant {
        Grant::Code(code) => ("authorization_code", "code", code),
        Grant::Refresh(token) => ("refresh_token", "refresh_token", token),
    };
    let body = serde_json::json!({
        "client_id": app.client_id,
        "client_secret": app.client_secret.expose_secret(),
        "grant_type": kind,
        key: secret.expose_secret(),
        "redirect_uri": app.redirect_uri,
    });
    let at = crate::client::now();
    let response = http
        .send(Request {
            method: "POST",
            url: settings.join("/oauth2/access_token"),
            headers: vec![("accept", "application/json".to_owned())],
            body: Some(("application/json", body.to_string().into_bytes())),
        })
        .await?;
    if response.status != 200 {
        return Err(read_failure(&response, true));
    }
    let answer: TokenAnswer =
        serde_json::from_slice(&response.body).map_err(|_| ConnectorError::Protocol {
            message: "ответ на запрос токена без токена".to_owned(),
        })?;
    let lifetime = answer
        .expires_in
        .and_then(|secs| u64::try_from(secs.0).ok())
        .unwrap_or(24 * 3600);
    let lifetime = Duration::from_secs(lifetime);
    Ok(Pair {
        access: answer.access_token,
        refresh: answer.refresh_token,
        lifetime,
        at,
    })
}

/// Authorisation of one connection's requests.
pub(crate) struct Auth {
    store: Arc<dyn TokenStore>,
    /// Held while a pair is renewed: at most one renewal at a time.
    renewing: Arc<Mutex<Renewing>>,
}

/// What is known of renewals.
#[derive(Default)]
struct Renewing {
    latest: Option<Renewed>,
    /// A pair that was given and could not be stored.
    unsaved: Option<(Tokens, Duration)>,
}

/// The latest renewal of ours, so that short-lived tokens are not renewed again at once.
struct Renewed {
    version: i64,
    lifetime: Duration,
}

impl Auth {
    pub(crate) fn new(store: Arc<dyn TokenStore>) -> Self {
        Self {
            store,
            renewing: Arc::default(),
        }
    }

    /// The stored tokens as they are.
    pub(crate) async fn stored(&self) -> Result<Tokens, ConnectorError> {
        self.store.load().await
    }

    /// Tokens to send a request with: the stored ones, renewed when they expire soon.
    pub(crate) async fn current(
        &self,
        http: &HttpClient,
        settings: &AmocrmSettings,
    ) -> Result<Tokens, ConnectorError> {
        let tokens = self.store.load().await?;
        if !self.expires_soon(&tokens, settings).await {
            return Ok(tokens);
        }
        match self.renew(http, settings, &tokens).await {
            Ok(renewed) => Ok(renewed),
            // The token at hand may well have minutes left: only a renewal that was refused is final.
            Err(error @ (ConnectorError::Unauthorized | ConnectorError::Banned)) => Err(error),
            Err(_) if tokens.expires_at.is_some_and(|at| at > crate::client::now()) => Ok(tokens),
            Err(error) => Err(error),
        }
    }

    async fn expires_soon(&self, tokens: &Tokens, settings: &AmocrmSettings) -> bool {
        let (Some(at), Some(_), Some(_)) = (tokens.expires_at, &tokens.refresh, &settings.oauth) else {
            return false;
        };
        let mut ahead = settings.refresh_ahead;
        if at.0 - crate::client::now().0 > ahead.as_millis() as i64 {
            return false;
        }
        if let Some(renewed) = &self.renewing.lock().await.latest
            && renewed.version == tokens.version
        {
            ahead = ahead.min(renewed.lifetime / 10);
        }
        at.0 - crate::client::now().0 <= ahead.as_millis() as i64
    }

    /// Renews a pair that no longer works, or takes over the pair that somebody else renewed meanwhile. Runs as a task
    /// of its own: a caller that gives up must not lose a pair that is on its way or not yet stored.
    pub(crate) async fn renew(
        &self,
        http: &HttpClient,
        settings: &AmocrmSettings,
        used: &Tokens,
    ) -> Result<Tokens, ConnectorError> {
        let mut renewing = Arc::clone(&self.renewing).lock_owned().await;
        let renewal = Renewal {
            http: http.clone(),
            settings: settings.clone(),
            store: Arc::clone(&self.store),
            used: used.clone(),
        };
        let task = tokio::spawn(async move { renewal.run(&mut renewing).await });
        task.await.unwrap_or_else(|error| Err(certain(broke_off(&error))))
    }
}

/// One renewal.
struct Renewal {
    http: HttpClient,
    settings: AmocrmSettings,
    store: Arc<dyn TokenStore>,
    used: Tokens,
}

impl Renewal {
    async fn run(&self, renewing: &mut Renewing) -> Result<Tokens, ConnectorError> {
        let stored = self.store.load().await?;
        if !same_pair(&stored, &self.used) {
            return Ok(stored);
        }
        if let Some((tokens, lifetime)) = renewing.unsaved.take()
            && tokens.version == stored.version
        {
            return self.keep(renewing, tokens, lifetime).await;
        }
        let (Some(app), Some(refresh)) = (&self.settings.oauth, &stored.refresh) else {
            return Err(ConnectorError::Unauthorized);
        };
        let grant = Grant::Refresh(refresh.clone());
        let mut answer = ask_here(&self.http, &self.settings, app, &grant).await;
        if let Err(Failure {
            error: ConnectorError::NoAnswer { .. },
            ..
        }) = answer
        {
            // Kommo promises that the old token works until the new one is used, just for this case.
            answer = ask_here(&self.http, &self.settings, app, &grant).await;
        }
        match answer {
            Ok(pair) => {
                let lifetime = pair.lifetime;
                self.keep(renewing, pair.into_tokens(stored.version), lifetime)
                    .await
            }
            Err(failure) if matches!(failure.status, 400 | 401) => {
                let again = self.store.load().await?;
                if same_pair(&again, &self.used) {
                    Err(ConnectorError::Unauthorized)
                } else {
                    Ok(again)
                }
            }
            Err(failure) => Err(certain(failure.error)),
        }
    }

    /// Stores a pair, or remembers that it is not stored.
    async fn keep(
        &self,
        renewing: &mut Renewing,
        tokens: Tokens,
        lifetime: Duration,
    ) -> Result<Tokens, ConnectorError> {
        match self.store.save(tokens.clone()).await {
            Ok(saved) => {
                renewing.latest = Some(Renewed {
                    version: saved.version,
                    lifetime,
                });
                Ok(saved)
            }
            Err(error) => {
                renewing.unsaved = Some((tokens, lifetime));
                Err(certain(error))
            }
        }
    }
}

/// A renewal that failed says nothing of the request it was for, which was not sent or was refused.
fn certain(error: ConnectorError) -> ConnectorError {
    match error {
        ConnectorError::NoAnswer { cause, .. } => ConnectorError::NoAnswer {
            uncertain: false,
            cause,
        },
        ConnectorError::Unavailable { status, .. } => ConnectorError::Unavailable {
            status,
            uncertain: false,
        },
        other => other,
    }
}

fn same_pair(a: &Tokens, b: &Tokens) -> bool {
    a.version == b.version && a.access.expose_secret() == b.access.expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_page_carries_state() {
        let site = Url::parse("https://www.amocrm.ru").unwrap();
        let url = consent_url(&site, "id-1", "a b&c", ConsentMode::Popup);
        assert_eq!(
            url.as_str(),
            "https://www.amocrm.ru/oauth?client_id=id-1&state=a+b%26c&mode=popup"
        );
    }

    #[test]
    fn expiry_is_read_from_the_claim() {
        let token = |payload: &str| {
            let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
            SecretString::from(format!("e30.{payload}.c2ln"))
        };
        assert_eq!(
            token_expiry(&token(r#"{"exp":1759336400}"#)),
            Some(Timestamp::from_secs(1_759_336_400))
        );
        assert_eq!(token_expiry(&token("{}")), None);
        assert_eq!(token_expiry(&SecretString::from("no jwt")), None);
        assert_eq!(token_expiry(&SecretString::from("a.%%%.c")), None);
    }
}
