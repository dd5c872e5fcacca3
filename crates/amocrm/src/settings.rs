//! Which account, and how the client treats it.

use connector::ConnectorError;
use domain::time::Zone;
use secrecy::SecretString;
use std::time::Duration;
use url::Url;

/// An OAuth integration that the hub is registered as.
#[derive(Clone, Debug)]
pub struct OauthApp {
    /// Integration id (a UUID).
    pub client_id: String,
    /// Its secret key.
    pub client_secret: SecretString,
    /// The registered address; must be equal in both grants.
    pub redirect_uri: String,
}

/// Settings of one connection.
#[derive(Clone, Debug)]
pub struct AmocrmSettings {
    /// Where the API is, with no slash at the end: `https://example.amocrm.ru`, or the sandbox.
    pub base_url: Url,
    /// The integration, for connections authorised by OAuth; `None` with a long-lived token.
    pub oauth: Option<OauthApp>,
    /// Zone of the account: amoCRM keeps calendar days as midnights there.
    pub zone: Zone,
    /// How long before its expiry a token is renewed.
    pub refresh_ahead: Duration,
    /// By how much the CRM's clock may lag behind ours when an uncertain write is looked for.
    pub look_slack: Duration,
    /// How long after an uncertain write «not there» is not yet believed: the request may still be under way.
    pub look_settle: Duration,
}

impl AmocrmSettings {
    /// Settings of an account by its host (`example.amocrm.ru`).
    ///
    /// # Errors
    /// `AddressRefused` when the host is not one of amoCRM's or Kommo's.
    pub fn account(host: &str) -> Result<Self, ConnectorError> {
        let host = account_host(host)?;
        let refused = |_| ConnectorError::AddressRefused { host: host.clone() };
        Ok(Self::at(Url::parse(&format!("https://{host}")).map_err(refused)?))
    }

    /// Settings of a server at any address: the sandbox. The HTTP client still refuses hosts that are not
    /// allowed.
    pub fn at(base_url: Url) -> Self {
        Self {
            base_url,
            oauth: None,
            zone: Zone::moscow(),
            refresh_ahead: Duration::from_secs(15 * 60),
            look_slack: Duration::from_secs(10),
            look_settle: Duration::from_secs(5),
        }
    }

    /// The same with an OAuth integration.
    #[must_use]
    pub fn with_oauth(mut self, app: OauthApp) -> Self {
        self.oauth = Some(app);
        self
    }

    /// An address below the base.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        url
    }
}

/// Checks that a host is an account's before any request is sent to it: `^[a-z0-9-]+\.(amocrm\.(ru|com)|kommo\.com)$`.
/// The consent page's answer carries it as `referer`.
///
/// # Errors
/// `AddressRefused` otherwise.
pub fn account_host(text: &str) -> Result<String, ConnectorError> {
    let host = text.trim().to_ascii_lowercase();
    let label = [".amocrm.ru", ".amocrm.com", ".kommo.com"]
        .iter()
        .find_map(|end| host.strip_suffix(end));
    let plain = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    match label {
        // The common host serves nobody's account.
        Some(label) if plain(label) && label != "www" => Ok(host),
        _ => Err(ConnectorError::AddressRefused { host }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, good: bool) {
        assert_eq!(account_host(host).is_ok(), good, "{host}");
    }

    #[test]
    fn hosts() {
        check("example.amocrm.ru", true);
        check("Example-2.AMOCRM.RU", true);
        check("example.kommo.com", true);
        check("example.amocrm.com", true);
        check("www.amocrm.ru", false);
        check("amocrm.ru", false);
        check(".amocrm.ru", false);
        check("a.b.amocrm.ru", false);
        check("example.amocrm.ru.evil.com", false);
        check("evil.com/example.amocrm.ru", false);
        check("user@example.amocrm.ru", false);
        check("example.amocrm.ru:8080", false);
        check("127.0.0.1", false);
        check("", false);
    }

    #[test]
    fn paths_join_below_a_prefix() {
        let settings = AmocrmSettings::at(Url::parse("http://127.0.0.1:9/demo/").unwrap());
        assert_eq!(
            settings.join("/api/v4/leads").as_str(),
            "http://127.0.0.1:9/demo/api/v4/leads"
        );
        let settings = AmocrmSettings::account("example.amocrm.ru").unwrap();
        assert_eq!(
            settings.join("/api/v4/leads").as_str(),
            "https://example.amocrm.ru/api/v4/leads"
        );
    }
}
