//! Wiring of the CRMs: the only place that knows them by name.

use amocrm::{AmocrmConnector, AmocrmIntake, AmocrmSettings, OauthApp};
use connector::credential::TokenStore;
use connector::http::{AddressRules, HttpClient, Limits, Streamed};
use connector::throttle::Throttle;
use connector::{Connector, ConnectorError, Intake};
use domain::connection::ConnectorKind;
use engine::{ConnectorFactory, Secret};
use lptracker::{LptrackerConnector, LptrackerIntake, LptrackerSettings};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage::connections::Connection;
use url::Url;

/// Makes connectors that share one HTTP client, and one request budget per account.
pub struct Connectors {
    http: HttpClient,
    allowed_hosts: Vec<String>,
    recording_hosts: Vec<String>,
    budgets: Mutex<HashMap<String, Throttle>>,
    amocrm_intake: AmocrmIntake,
    lptracker_intake: LptrackerIntake,
}

/// Settings of a connection as they are stored: no secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Secretless {
    /// amoCRM.
    Amocrm {
        /// Address of the account.
        base_url: String,
        /// Id of the OAuth integration.
        client_id: Option<String>,
    },
    /// LPTracker.
    Lptracker {
        /// Address of the API; `None` for the usual one.
        base_url: Option<String>,
        /// Login.
        login: String,
        /// Project.
        project: i64,
    },
}

impl Secretless {
    /// As it is stored.
    pub fn document(&self) -> Value {
        match self {
            Self::Amocrm { base_url, client_id } => json!({ "base_url": base_url, "client_id": client_id }),
            Self::Lptracker {
                base_url,
                login,
                project,
            } => {
                json!({ "base_url": base_url, "login": login, "project": project })
            }
        }
    }
}

/// Settings of a stored connection. What is missing is empty: the CRM will say so when it is asked.
pub fn secretless(connection: &Connection) -> Secretless {
    let text = |name: &str| {
        connection
            .settings
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    match connection.kind {
        ConnectorKind::Amocrm => Secretless::Amocrm {
            base_url: text("base_url").unwrap_or_default(),
            client_id: text("client_id"),
        },
        ConnectorKind::Lptracker => Secretless::Lptracker {
            base_url: text("base_url"),
            login: text("login").unwrap_or_default(),
            project: connection
                .settings
                .get("project")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        },
    }
}

impl Connectors {
    /// With hosts that may be called although they are inside or without TLS, and hosts of recordings.
    pub fn new(allowed_hosts: Vec<String>, recording_hosts: Vec<String>) -> Result<Self, ConnectorError> {
        let rules = AddressRules {
            allowed_hosts: allowed_hosts.clone(),
        };
        Ok(Self {
            http: HttpClient::new(rules, Limits::default())?,
            allowed_hosts,
            recording_hosts,
            budgets: Mutex::default(),
            amocrm_intake: AmocrmIntake,
            lptracker_intake: LptrackerIntake,
        })
    }

    /// The address of an amoCRM account from what a person typed: a domain of amoCRM's or Kommo's, or an
    /// address that the operator allows.
    pub fn amocrm_base(&self, typed: &str) -> Result<Url, ConnectorError> {
        let typed = typed.trim().trim_end_matches('/');
        let host = typed.strip_prefix("https://").unwrap_or(typed);
        match AmocrmSettings::account(host) {
            Ok(settings) => Ok(settings.base_url),
            Err(refused) => self.allowed(typed).ok_or(refused),
        }
    }

    /// Asks for a recording, or a range of it, at one of the hosts whose recordings are played.
    pub async fn recording(&self, address: &str, range: Option<&str>) -> Result<Streamed, ConnectorError> {
        let refused = |host: &str| ConnectorError::AddressRefused {
            host: host.to_owned(),
        };
        let url = Url::parse(address).map_err(|_| refused(""))?;
        let host = url.host_str().unwrap_or_default();
        let fits = |allowed: &String| match allowed.strip_prefix("*.") {
            Some(domain) => host
                .strip_suffix(domain)
                .is_some_and(|inside| inside.ends_with('.')),
            None => allowed == host,
        };
        if !self.recording_hosts.iter().chain(&self.allowed_hosts).any(fits) {
            return Err(refused(host));
        }
        self.http.stream(url, range).await
    }

    /// An address that the operator allows by its host.
    pub fn allowed(&self, typed: &str) -> Option<Url> {
        let url = Url::parse(typed).ok()?;
        let host = url.host_str()?;
        self.allowed_hosts
            .iter()
            .any(|allowed| allowed == host)
            .then_some(url)
    }

    /// Where a person allows access to an account: amoCRM's common page, or the account's own address when it
    /// is not amoCRM's (the sandbox).
    pub fn consent_site(&self, base_url: &str) -> Option<Url> {
        let base = Url::parse(base_url).ok()?;
        let site = match base.host_str()? {
            host if host.ends_with(".amocrm.ru") => "https://www.amocrm.ru",
            host if host.ends_with(".amocrm.com") => "https://www.amocrm.com",
            host if host.ends_with(".kommo.com") => "https://www.kommo.com",
            _ => return Some(base),
        };
        Url::parse(site).ok()
    }

    /// Exchanges the code of a consent for the first pair of tokens.
    pub async fn exchange_code(
        &self,
        base_url: &str,
        app: OauthApp,
        code: &str,
    ) -> Result<connector::credential::Tokens, ConnectorError> {
        let base = Url::parse(base_url).map_err(|_| unfit("адрес аккаунта"))?;
        amocrm::exchange_code(&self.http, &AmocrmSettings::at(base).with_oauth(app), code).await
    }

    /// A connector whose tokens nothing else shares: to try a credential before it is kept.
    pub fn try_out(
        &self,
        settings: &Secretless,
        secret: &Secret,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        let access = match secret {
            Secret::Token { access } | Secret::Oauth { access, .. } => access.clone(),
            Secret::Login { .. } => String::new(),
        };
        let tokens = connector::credential::MemoryTokens::new(connector::credential::Tokens {
            access: access.into(),
            refresh: None,
            expires_at: None,
            version: 0,
        });
        self.make(settings, secret, Arc::new(tokens))
    }

    fn make(
        &self,
        settings: &Secretless,
        secret: &Secret,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        let budget = budget_of(settings);
        match (settings, secret) {
            (Secretless::Amocrm { base_url, client_id }, Secret::Token { .. } | Secret::Oauth { .. }) => {
                let base = Url::parse(base_url).map_err(|_| unfit("адрес аккаунта"))?;
                let mut settings = AmocrmSettings::at(base);
                if let (
                    Secret::Oauth {
                        client_secret,
                        redirect_uri,
                        ..
                    },
                    Some(client_id),
                ) = (secret, client_id)
                {
                    settings = settings.with_oauth(OauthApp {
                        client_id: client_id.clone(),
                        client_secret: SecretString::from(client_secret.clone()),
                        redirect_uri: redirect_uri.clone(),
                    });
                }
                let budget = self.throttle(budget, amocrm::default_throttle);
                Ok(Arc::new(AmocrmConnector::new(
                    self.http.clone(),
                    budget,
                    settings,
                    tokens,
                )))
            }
            (
                Secretless::Lptracker {
                    base_url, project, ..
                },
                Secret::Login { login, password, .. },
            ) => {
                let budget = self.throttle(budget, lptracker::settings::throttle);
                let mut settings = LptrackerSettings::new(login.clone().into(), password.clone().into());
                if let Some(base_url) = base_url {
                    settings.base_url = Url::parse(base_url).map_err(|_| unfit("адрес LPTracker"))?;
                }
                settings.allowed_hosts.clone_from(&self.allowed_hosts);
                settings.projects = vec![*project];
                Ok(Arc::new(LptrackerConnector::new(
                    self.http.clone(),
                    budget,
                    settings,
                    tokens,
                )))
            }
            _ => Err(unfit("секрет подключения")),
        }
    }

    /// The request budget of an account, shared by all its connections.
    fn throttle(&self, account: String, new: impl FnOnce() -> Throttle) -> Throttle {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry(account).or_insert_with(new).clone()
    }
}

impl ConnectorFactory for Connectors {
    fn open(
        &self,
        connection: &Connection,
        secret: &Secret,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>, ConnectorError> {
        self.make(&secretless(connection), secret, tokens)
    }

    fn budget(&self, connection: &Connection) -> Option<String> {
        Some(budget_of(&secretless(connection)))
    }

    fn intake(&self, kind: ConnectorKind) -> &dyn Intake {
        match kind {
            ConnectorKind::Amocrm => &self.amocrm_intake,
            ConnectorKind::Lptracker => &self.lptracker_intake,
        }
    }
}

/// Whose budget the requests of a connection use: an amoCRM account's, or an LPTracker login's.
fn budget_of(settings: &Secretless) -> String {
    match settings {
        Secretless::Amocrm { base_url, .. } => format!("amocrm {}", base_url.trim_end_matches('/')),
        Secretless::Lptracker { login, .. } => format!("lptracker {}", login.trim().to_lowercase()),
    }
}

fn unfit(what: &str) -> ConnectorError {
    ConnectorError::Protocol {
        message: format!("{what} не подходит"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Option<&str>) {
        let connectors = Connectors::new(vec!["127.0.0.1".to_owned()], Vec::new()).unwrap();
        let base = connectors.amocrm_base(typed).ok().map(String::from);
        assert_eq!(base.as_deref(), expected, "{typed}");
    }

    #[test]
    fn only_accounts_and_allowed_hosts_are_called() {
        check("example.amocrm.ru", Some("https://example.amocrm.ru/"));
        check(" https://example.kommo.com/ ", Some("https://example.kommo.com/"));
        check("http://127.0.0.1:7081", Some("http://127.0.0.1:7081/"));
        check("https://evil.example", None);
        check("http://10.0.0.1", None);
        check("", None);
    }

    #[tokio::test]
    async fn recordings_come_from_named_hosts_only() {
        let hosts = ["lptracker.ru", "*.lptracker.ru"].map(str::to_owned).to_vec();
        let connectors = Connectors::new(Vec::new(), hosts).unwrap();
        for address in [
            "https://evil.example/1.mp3",
            "https://evillptracker.ru/1.mp3",
            "https://lptracker.ru.evil.example/1.mp3",
            "http://lptracker.ru/1.mp3",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
            "no address",
        ] {
            let refused = connectors.recording(address, None).await;
            assert!(
                matches!(refused, Err(ConnectorError::AddressRefused { .. })),
                "{address}"
            );
        }
    }
}
