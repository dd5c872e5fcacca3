//! Sessions of people: a table behind actix-session, so that a session can be ended from here.
//!
//! The cookie holds a random key; the table holds its hash. A session ends when it is not used for the idle
//! time, and in any case after the absolute time.

use crate::http::client_address;
use actix_session::SessionExt;
use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{CookieJar, Key, SameSite};
use domain::id::UserId;
use domain::time::Timestamp;
use engine::clock::Clock;
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::sync::Arc;
use storage::sessions::{self, Session as Row};
use storage::settings::COOKIE_KEY;
use storage::{Db, StorageError};
use uuid::Uuid;

const USER: &str = "user";
const ID: &str = "id";
const ADDRESS: &str = "address";
const AGENT: &str = "agent";
/// The longest kept name of a browser.
const MAX_AGENT: usize = 300;
/// A use is noted at most this often, in milliseconds.
const NOTE_EVERY_MS: i64 = 60_000;

/// How sessions are kept.
#[derive(Clone)]
pub struct Sessions {
    /// The table.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Ends a session that is not used, in milliseconds.
    pub idle_ms: i64,
    /// Ends a session in any case, in milliseconds.
    pub absolute_ms: i64,
    /// Cookies only over HTTPS.
    pub secure: bool,
    /// Signs cookies, so that guessing keys does not reach the table.
    pub cookie_key: Key,
}

impl Sessions {
    /// The middleware of one worker.
    pub fn middleware(&self) -> SessionMiddleware<Self> {
        let lifecycle = PersistentSession::default()
            .session_ttl(Duration::milliseconds(self.absolute_ms))
            .session_ttl_extension_policy(TtlExtensionPolicy::OnStateChanges);
        SessionMiddleware::builder(self.clone(), self.cookie_key.clone())
            .cookie_name(self.cookie_name().to_owned())
            .cookie_secure(self.secure)
            .cookie_http_only(true)
            .cookie_same_site(SameSite::Lax)
            .cookie_path("/".to_owned())
            .cookie_content_security(CookieContentSecurity::Signed)
            .session_lifecycle(lifecycle)
            .build()
    }

    /// `__Host-` makes browsers refuse the cookie from anybody but this very host, over HTTPS.
    const fn cookie_name(&self) -> &'static str {
        if self.secure {
            "__Host-integrator"
        } else {
            "integrator"
        }
    }

    /// Hash of the session's key in the cookie of a request; none without a cookie that we signed.
    pub fn key_hash(&self, request: &HttpRequest) -> Option<String> {
        let mut jar = CookieJar::new();
        jar.add_original(request.cookie(self.cookie_name())?);
        let key = jar.signed(&self.cookie_key).get(self.cookie_name())?;
        Some(vault::hash_token(key.value()))
    }

    /// Whether a session has not ended. Looking does not prolong it.
    pub async fn is_alive(&self, key_hash: &str) -> bool {
        matches!(
            sessions::find(&self.db, key_hash, self.clock.now()).await,
            Ok(Some(_))
        )
    }

    fn expiry(&self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        now.plus_ms(self.idle_ms)
            .min(created_at.plus_ms(self.absolute_ms))
    }

    async fn insert(&self, state: &HashMap<String, String>) -> Result<SessionKey, anyhow::Error> {
        let token = vault::random_token(32)?;
        let now = self.clock.now();
        let row = Row {
            key_hash: vault::hash_token(token.expose_secret()),
            id: text_of(state, ID).and_then(|text| text.parse().ok()),
            user: user_of(state),
            state: serde_json::to_string(state)?,
            address: text_of(state, ADDRESS),
            user_agent: text_of(state, AGENT),
            created_at: now,
            last_seen_at: now,
            expires_at: self.expiry(now, now),
        };
        sessions::insert(&self.db, &row).await?;
        Ok(SessionKey::try_from(token.expose_secret().to_owned())?)
    }

    async fn read(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, anyhow::Error> {
        let hash = vault::hash_token(key.as_ref());
        let now = self.clock.now();
        let Some(row) = sessions::find(&self.db, &hash, now).await? else {
            return Ok(None);
        };
        if now.0 - row.last_seen_at.0 > NOTE_EVERY_MS {
            sessions::touch(&self.db, &hash, now, self.expiry(row.created_at, now)).await?;
        }
        Ok(Some(serde_json::from_str(&row.state)?))
    }
}

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        self.read(key).await.map_err(LoadError::Other)
    }

    async fn save(&self, state: HashMap<String, String>, _ttl: &Duration) -> Result<SessionKey, SaveError> {
        self.insert(&state).await.map_err(SaveError::Other)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: HashMap<String, String>,
        _ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        let text = serde_json::to_string(&state).map_err(|error| UpdateError::Serialization(error.into()))?;
        let hash = vault::hash_token(key.as_ref());
        let known = sessions::update(&self.db, &hash, user_of(&state), &text)
            .await
            .map_err(|error| UpdateError::Other(error.into()))?;
        if known {
            return Ok(key);
        }
        // It was ended from elsewhere meanwhile, and stays so: only a sign-in begins one, under a new key.
        self.insert(&HashMap::new()).await.map_err(UpdateError::Other)
    }

    async fn update_ttl(&self, _key: &SessionKey, _ttl: &Duration) -> Result<(), anyhow::Error> {
        // Loading a session moves its end; the library's own period is the absolute one.
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(sessions::delete(&self.db, &vault::hash_token(key.as_ref())).await?)
    }
}

fn text_of(state: &HashMap<String, String>, name: &str) -> Option<String> {
    state.get(name).and_then(|json| serde_json::from_str(json).ok())
}

fn user_of(state: &HashMap<String, String>) -> Option<UserId> {
    text_of(state, USER)
        .and_then(|text| text.parse().ok())
        .map(UserId)
}

/// Who is signed in in this session.
pub fn signed_in(session: &Session) -> Option<UserId> {
    session.get::<Uuid>(USER).ok().flatten().map(UserId)
}

/// Signs a person in: under a new key, so that a key planted before is worth nothing.
pub fn sign_in(request: &HttpRequest, user: UserId) -> Result<(), actix_session::SessionInsertError> {
    let session = request.get_session();
    session.clear();
    session.renew();
    session.insert(USER, user.0)?;
    session.insert(ID, engine::new_id())?;
    if let Some(address) = client_address::of(request) {
        session.insert(ADDRESS, address)?;
    }
    let agent = request
        .headers()
        .get(actix_web::http::header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    if let Some(agent) = agent {
        session.insert(AGENT, agent.chars().take(MAX_AGENT).collect::<String>())?;
    }
    Ok(())
}

/// The public name of this session.
pub fn id(session: &Session) -> Option<Uuid> {
    session.get::<Uuid>(ID).ok().flatten()
}

/// The key that signs cookies: made once per installation and kept sealed, so that several processes share it.
pub async fn cookie_key(db: &Db, keyring: &vault::Keyring, now: Timestamp) -> Result<Key, CookieKeyError> {
    let made = vault::random_token(64)?;
    let sealed = keyring.seal(&made, COOKIE_KEY)?.to_string();
    let kept = storage::settings::put_if_absent(db, COOKIE_KEY, &sealed, now).await?;
    match kept.parse().and_then(|sealed| keyring.open(&sealed, COOKIE_KEY)) {
        Ok(text) => Ok(Key::from(text.expose_secret().as_bytes())),
        Err(_) => {
            // Sealed by a key that is gone. Cookies signed by it end; nothing else is lost.
            tracing::warn!("ключ подписи cookie запечатан прежним ключом: все сеансы завершены");
            storage::settings::put(db, COOKIE_KEY, &sealed, now).await?;
            Ok(Key::from(made.expose_secret().as_bytes()))
        }
    }
}

/// The cookie key was neither found nor made.
#[derive(Debug, thiserror::Error)]
pub enum CookieKeyError {
    /// Sealing failed.
    #[error("ключ подписи cookie не создан")]
    Vault(#[from] vault::VaultError),
    /// The database failed.
    #[error("ключ подписи cookie не сохранён")]
    Storage(#[from] StorageError),
}
