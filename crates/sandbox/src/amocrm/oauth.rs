//! Integrations, authorization codes, access, refresh and long-lived tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, Reply};
use super::state::{RefreshMode, Settings, State};
use crate::journal::Side;

/// An integration registered with amoCRM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Integration {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
    /// The registered redirect address.
    pub redirect_uri: String,
    /// Where the revocation hook goes.
    #[serde(default)]
    pub revoke_uri: Option<String>,
    /// Name on the consent page.
    #[serde(default)]
    pub name: String,
    /// Scopes of new grants.
    #[serde(default = "all_scopes")]
    pub scopes: Vec<String>,
}

pub(crate) fn all_scopes() -> Vec<String> {
    [
        "push_notifications",
        "files",
        "crm",
        "files_delete",
        "notifications",
    ]
    .map(str::to_owned)
    .into()
}

/// A bearer token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Integration.
    pub client_id: String,
    /// Account.
    pub account_id: i64,
    /// User in whose name it acts.
    pub user_id: i64,
    /// Unix seconds.
    pub expires_at: i64,
    /// Scopes.
    pub scopes: Vec<String>,
    /// The refresh token issued with it, none for a long-lived one.
    pub pair: Option<String>,
}

#[derive(Clone, Debug)]
struct Code {
    client_id: String,
    account_id: i64,
    user_id: i64,
    expires_at: i64,
    used: bool,
}

#[derive(Clone, Debug)]
struct Refresh {
    client_id: String,
    account_id: i64,
    user_id: i64,
    expires_at: i64,
    life: Life,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Life {
    Live,
    /// Used; works until this newer refresh token or its access token is used.
    Superseded(String),
    Dead,
}

/// Grants of all integrations.
#[derive(Debug, Default)]
pub struct OAuth {
    /// Integrations by `client_id`.
    pub integrations: BTreeMap<String, Integration>,
    /// Access and long-lived tokens by their text.
    pub tokens: BTreeMap<String, Token>,
    codes: BTreeMap<String, Code>,
    refreshes: BTreeMap<String, Refresh>,
}

impl OAuth {
    /// A token whose text is given (long-lived ones of the seed).
    pub fn put_token(&mut self, text: &str, token: Token) {
        self.tokens.insert(text.to_owned(), token);
    }

    /// The first use of a new pair ends the grace of the old refresh token.
    fn used(&mut self, refresh: &str) {
        for old in self.refreshes.values_mut() {
            if old.life == Life::Superseded(refresh.to_owned()) {
                old.life = Life::Dead;
            }
        }
    }
}

impl State {
    /// The live token with this text.
    pub(crate) fn token(&mut self, text: &str) -> Option<Token> {
        let now = self.clock.now();
        let token = self
            .oauth
            .tokens
            .get(text)
            .filter(|t| t.expires_at > now)?
            .clone();
        if let Some(pair) = &token.pair {
            self.oauth.used(pair);
        }
        Some(token)
    }

    /// A fresh authorization code.
    pub fn issue_code(&mut self, client_id: &str, account_id: i64, user_id: i64) -> String {
        let code = format!("def50200{}", random_hex(320));
        let expires_at = self.clock.now() + self.settings.code_ttl_s;
        let client_id = client_id.to_owned();
        self.oauth.codes.insert(
            code.clone(),
            Code {
                client_id,
                account_id,
                user_id,
                expires_at,
                used: false,
            },
        );
        code
    }

    /// A long-lived token.
    pub fn issue_long_lived(&mut self, client_id: &str, account_id: i64, user_id: i64, ttl_s: i64) -> String {
        let now = self.clock.now();
        let scopes = all_scopes();
        let text = jwt(client_id, account_id, user_id, now, now + ttl_s, &scopes);
        let client_id = client_id.to_owned();
        let token = Token {
            client_id,
            account_id,
            user_id,
            expires_at: now + ttl_s,
            scopes,
            pair: None,
        };
        self.oauth.tokens.insert(text.clone(), token);
        text
    }

    /// Kills every grant and token of an integration in an account and calls its revocation address.
    pub fn uninstall(&mut self, client_id: &str, account_id: i64) {
        let mine = |c: &str, a: i64| c == client_id && a == account_id;
        self.oauth.tokens.retain(|_, t| !mine(&t.client_id, t.account_id));
        for refresh in self
            .oauth
            .refreshes
            .values_mut()
            .filter(|r| mine(&r.client_id, r.account_id))
        {
            refresh.life = Life::Dead;
        }
        let Some(integration) = self.oauth.integrations.get(client_id) else {
            return;
        };
        let Some(uri) = &integration.revoke_uri else {
            return;
        };
        let signature = signature(&integration.client_secret, client_id, account_id);
        let glue = if uri.contains('?') { '&' } else { '?' };
        let url = format!("{uri}{glue}client_uuid={client_id}&account_id={account_id}&signature={signature}");
        self.send(call_integration(url));
    }

    /// Installation from the account's own pages: the code goes server to server, once, within 3 s.
    pub fn install(&mut self, client_id: &str, account_id: i64, user_id: i64) -> bool {
        let Some(domain) = self.account_by_id(account_id).map(|a| a.domain()) else {
            return false;
        };
        let Some(uri) = self
            .oauth
            .integrations
            .get(client_id)
            .map(|i| i.redirect_uri.clone())
        else {
            return false;
        };
        let code = self.issue_code(client_id, account_id, user_id);
        let glue = if uri.contains('?') { '&' } else { '?' };
        let url =
            format!("{uri}{glue}code={code}&referer={domain}&platform=1&client_id={client_id}&from_widget=1");
        self.send(call_integration(url));
        true
    }

    /// `POST /oauth2/access_token` at the host of `account_id`.
    pub(crate) fn access_token(&mut self, account_id: i64, body: &[u8]) -> Reply {
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else {
            return Err(refused(400, Some("Check the `grant_type` parameter")));
        };
        let text = |key: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let client_id = text("client_id");
        let Some(integration) = self.oauth.integrations.get(&client_id).cloned() else {
            return Err(refused(400, Some("Check the `client_id` parameter")));
        };
        let secret = text("client_secret");
        if secret != integration.client_secret {
            // A secret of another integration is a wrong pair; any other text is a bad parameter.
            let known = self
                .oauth
                .integrations
                .values()
                .any(|i| i.client_secret == secret);
            let hint = (!known).then_some("Check the `client_secret` parameter");
            return Err(refused(if known { 401 } else { 400 }, hint));
        }
        if text("redirect_uri") != integration.redirect_uri {
            return Err(refused(400, Some("Redirect URI is not associated with client")));
        }
        match text("grant_type").as_str() {
            "authorization_code" => self.by_code(&integration, account_id, &text("code")),
            "refresh_token" => self.by_refresh(&integration, account_id, &text("refresh_token")),
            _ => Err(refused(400, Some("Check the `grant_type` parameter"))),
        }
    }

    fn by_code(&mut self, integration: &Integration, account_id: i64, code: &str) -> Reply {
        let now = self.clock.now();
        let Some(grant) = self
            .oauth
            .codes
            .get_mut(code)
            .filter(|c| c.client_id == integration.client_id)
        else {
            return Err(refused(400, Some("Cannot decrypt the authorization code")));
        };
        if grant.account_id != account_id {
            return Err(refused(400, Some("Invalid account")));
        }
        if grant.used {
            return Err(refused(400, Some("Authorization code has been revoked")));
        }
        if grant.expires_at <= now {
            return Err(refused(400, Some("Authorization code has expired")));
        }
        grant.used = true;
        let user_id = grant.user_id;
        Ok(self.new_pair(integration, account_id, user_id).0)
    }

    fn by_refresh(&mut self, integration: &Integration, account_id: i64, text: &str) -> Reply {
        let now = self.clock.now();
        let Some(grant) = self
            .oauth
            .refreshes
            .get(text)
            .filter(|r| r.client_id == integration.client_id)
            .cloned()
        else {
            return Err(refused(400, Some("Invalid refresh token")));
        };
        if grant.account_id != account_id {
            return Err(refused(400, Some("Invalid account")));
        }
        if grant.life == Life::Dead || grant.expires_at <= now {
            return Err(refused(401, Some("Token has been revoked")));
        }
        self.oauth.used(text);
        if let Life::Superseded(unused) = &grant.life {
            // The answer with that pair was lost: nobody knows it.
            self.oauth.refreshes.remove(unused);
            self.oauth.tokens.retain(|_, t| t.pair.as_ref() != Some(unused));
        }
        let (answer, new) = self.new_pair(integration, account_id, grant.user_id);
        if let Some(old) = self.oauth.refreshes.get_mut(text) {
            old.life = match self.settings.refresh_mode {
                RefreshMode::Strict => Life::Dead,
                RefreshMode::Grace => Life::Superseded(new),
            };
        }
        Ok(answer)
    }

    fn new_pair(&mut self, integration: &Integration, account_id: i64, user_id: i64) -> (Answer, String) {
        let now = self.clock.now();
        let Settings {
            access_ttl_s,
            refresh_ttl_s,
            ..
        } = self.settings;
        let (client_id, scopes) = (integration.client_id.clone(), integration.scopes.clone());
        let access = jwt(&client_id, account_id, user_id, now, now + access_ttl_s, &scopes);
        let refresh = format!("def50200{}", random_hex(320));
        let expires_at = now + refresh_ttl_s;
        let grant = Refresh {
            client_id: client_id.clone(),
            account_id,
            user_id,
            expires_at,
            life: Life::Live,
        };
        self.oauth.refreshes.insert(refresh.clone(), grant);
        let expires_at = now + access_ttl_s;
        let pair = Some(refresh.clone());
        self.oauth.tokens.insert(
            access.clone(),
            Token {
                client_id,
                account_id,
                user_id,
                expires_at,
                scopes,
                pair,
            },
        );
        let body = json!({
            "token_type": "Bearer", "expires_in": access_ttl_s, "access_token": access, "refresh_token": refresh,
        });
        let mut answer = Answer::ok(body);
        answer.content_type = "application/json";
        (answer, refresh)
    }

    /// `GET /oauth2/account/subdomain` by bearer, `GET /oauth2/account/current/subdomain` by refresh token.
    pub(crate) fn subdomain(&mut self, bearer: Option<&str>, refresh: Option<&str>) -> Reply {
        let by_token = bearer.and_then(|t| self.token(t)).map(|t| t.account_id);
        let live = |r: &&Refresh| r.life != Life::Dead;
        let by_refresh = refresh
            .and_then(|t| self.oauth.refreshes.get(t))
            .filter(live)
            .map(|r| r.account_id);
        match by_token.or(by_refresh).and_then(|id| self.account_by_id(id)) {
            Some(account) => {
                let mut answer = Answer::ok(account.subdomain_json());
                answer.content_type = "application/json";
                Ok(answer)
            }
            None => Err(Answer::problem(401, "Неверный логин или пароль")),
        }
    }
}

fn call_integration(url: String) -> crate::emitter::Webhook {
    crate::emitter::Webhook {
        side: Side::Amocrm,
        url,
        method: "GET",
        content_type: "",
        headers: vec![(
            "user-agent".to_owned(),
            "amoService-oAuth-Code-Sender/1.0".to_owned(),
        )],
        body: String::new(),
        max_attempts: 1,
        schedule: Vec::new(),
        timeout: std::time::Duration::from_secs(3),
        timeout_status: 0,
        tag: None,
    }
}

/// Signature of the revocation hook: hex(HMAC-SHA256(secret, "client_id|account_id")).
pub fn signature(client_secret: &str, client_id: &str, account_id: i64) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, client_secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("{client_id}|{account_id}").as_bytes());
    tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn refused(status: u16, hint: Option<&str>) -> Answer {
    let kind = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson";
    let body = match hint {
        Some(hint) => json!({
            "hint": hint, "title": "Некорректный запрос", "type": kind, "status": status,
            "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
        }),
        None => json!({
            "title": "Некорректный клиент", "type": kind, "status": status,
            "detail": "Авторизация клиента не прошла",
        }),
    };
    Answer::problem_body(status, &body)
}

fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    rand::rng().fill_bytes(&mut buffer);
    buffer.iter().map(|b| format!("{b:02x}")).collect()
}

/// A text with the look and the claims of a real token; its signature is noise, as nobody can check a real one.
fn jwt(client_id: &str, account_id: i64, user_id: i64, iat: i64, exp: i64, scopes: &[String]) -> String {
    let jti = random_hex(32);
    let header = json!({"typ": "JWT", "alg": "RS256", "jti": jti});
    let claims = json!({
        "aud": client_id, "jti": jti, "iat": iat, "nbf": iat, "exp": exp, "sub": user_id.to_string(),
        "grant_type": "", "account_id": account_id, "base_domain": "amocrm.ru", "version": 2,
        "scopes": scopes, "api_domain": "api-b.amocrm.ru",
    });
    let mut noise = vec![0u8; 256];
    rand::rng().fill_bytes(&mut noise);
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{}.{}.{}",
        part(header.to_string().as_bytes()),
        part(claims.to_string().as_bytes()),
        part(&noise)
    )
}
