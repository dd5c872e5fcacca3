//! What a connection to LPTracker is made of.

use ::connector::throttle::Throttle;
use domain::time::Zone;
use secrecy::SecretString;
use std::time::Duration;
use url::Url;

/// Address of the real service.
pub const BASE_URL: &str = "https://direct.lptracker.ru";

/// Host of the real service, the only one that gets credentials without being allowed by name.
const HOST: &str = "direct.lptracker.ru";

/// Signature of everything the hub does, shown to people in LPTracker, and the name of our webhook entries.
pub const SERVICE: &str = "CRM Интегратор";

/// Settings of one connection.
#[derive(Clone, Debug)]
pub struct LptrackerSettings {
    /// Address of the API, [`BASE_URL`] or a sandbox. Only `direct.lptracker.ru` over HTTPS and
    /// [`Self::allowed_hosts`] are called.
    pub base_url: Url,
    /// Hosts the operator allows besides the real one, for example `127.0.0.1` for the sandbox.
    pub allowed_hosts: Vec<String>,
    /// Login of the main account.
    pub login: SecretString,
    /// Its password.
    pub password: SecretString,
    /// Label of the session, shown as the author's signature; [`SERVICE`] by default.
    pub service: String,
    /// Projects of this connection; empty means every project of the login. Records of other projects are
    /// treated as absent, because one login may serve several workspaces.
    pub projects: Vec<i64>,
    /// Zone in which the account writes its dates; its texts carry none.
    pub zone: Zone,
}

impl LptrackerSettings {
    /// Settings for the real service: every project of the login, Moscow time.
    pub fn new(login: SecretString, password: SecretString) -> Self {
        Self {
            base_url: Url::parse(BASE_URL).expect("the constant address is valid"),
            allowed_hosts: Vec::new(),
            login,
            password,
            service: SERVICE.to_owned(),
            projects: Vec::new(),
            zone: Zone::moscow(),
        }
    }

    /// Whether the credential may be sent to [`Self::base_url`].
    pub(crate) fn is_base_allowed(&self) -> bool {
        let host = self.base_url.host_str().unwrap_or_default();
        let real = host == HOST && self.base_url.scheme() == "https" && self.base_url.port().is_none();
        real || self.allowed_hosts.iter().any(|allowed| allowed == host)
    }
}

/// The budget of one login: 3 requests in a second, and a little for clocks that differ. Share it between
/// the connections of a login.
pub fn throttle() -> Throttle {
    Throttle::new(3, Duration::from_millis(1_020))
}
