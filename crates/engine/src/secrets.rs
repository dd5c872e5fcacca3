//! Secrets of connections: sealed in the database, opened only to make a connector.

use crate::clock::Clock;
use crate::context::Context;
use crate::error::EngineError;
use crate::failpoint::point;
use async_trait::async_trait;
use connector::ConnectorError;
use connector::credential::{TokenStore, Tokens};
use domain::id::{ConnectionId, WorkspaceId};
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::connections::Connection;
use storage::credentials::{self, Credential};
use storage::{Conn, Db};
use vault::{DataKey, Keyring, Sealed};

/// What a connection authorises itself with. Serialised only to be sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Secret {
    /// A long-lived token, without refresh.
    Token {
        /// The token.
        access: String,
    },
    /// OAuth: application secret with the rotated pair.
    Oauth {
        /// Secret of the integration.
        client_secret: String,
        /// Address registered in the integration.
        redirect_uri: String,
        /// Access token.
        access: String,
        /// Refresh token.
        refresh: String,
    },
    /// Login with password; the session token is renewed by signing in.
    Login {
        /// Login.
        login: String,
        /// Password.
        password: String,
        /// Session token, once signed in.
        #[serde(default)]
        access: Option<String>,
    },
}

impl Secret {
    /// OAuth that no person has consented to yet.
    pub fn needs_consent(&self) -> bool {
        matches!(self, Self::Oauth { refresh, .. } if refresh.is_empty())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Makes a data key for a connection, sealed by the installation key.
pub(crate) fn new_data_key(keyring: &Keyring, connection: ConnectionId) -> Result<String, EngineError> {
    let key = DataKey::generate().map_err(EngineError::Secret)?;
    let sealed = keyring
        .seal_key(&key, &key_place(connection))
        .map_err(EngineError::Secret)?;
    Ok(sealed.to_string())
}

/// Opens the data key of a connection.
pub(crate) fn data_key(keyring: &Keyring, connection: &Connection) -> Result<DataKey, EngineError> {
    let sealed: Sealed = connection
        .data_key
        .as_deref()
        .ok_or(EngineError::SecretShape)?
        .parse()
        .map_err(EngineError::Secret)?;
    keyring
        .open_key(&sealed, &key_place(connection.id))
        .map_err(EngineError::Secret)
}

pub(crate) fn key_place(connection: ConnectionId) -> String {
    format!("data-key:{connection}")
}

fn credential_place(connection: ConnectionId) -> String {
    format!("credential:{connection}")
}

/// Seals a hook secret to its connection.
pub(crate) fn seal_hook(
    key: &DataKey,
    connection: ConnectionId,
    secret: &SecretString,
) -> Result<String, EngineError> {
    Ok(key
        .seal(secret, &format!("hook:{connection}"))
        .map_err(EngineError::Secret)?
        .to_string())
}

/// Opens a hook secret of a connection.
pub(crate) fn open_hook(
    key: &DataKey,
    connection: ConnectionId,
    sealed: &str,
) -> Result<SecretString, EngineError> {
    let sealed: Sealed = sealed.parse().map_err(EngineError::Secret)?;
    key.open(&sealed, &format!("hook:{connection}"))
        .map_err(EngineError::Secret)
}

/// Stores a secret that a person gave.
pub(crate) async fn put(
    conn: &impl Conn,
    key: &DataKey,
    workspace: WorkspaceId,
    connection: ConnectionId,
    secret: &Secret,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), EngineError> {
    let sealed = seal(key, connection, secret)?;
    credentials::put(conn, workspace, connection, &sealed, expires_at, now).await?;
    Ok(())
}

fn seal(key: &DataKey, connection: ConnectionId, secret: &Secret) -> Result<String, EngineError> {
    let plain = serde_json::to_string(secret).map_err(|_| EngineError::SecretShape)?;
    let sealed = key
        .seal(&SecretString::from(plain), &credential_place(connection))
        .map_err(EngineError::Secret)?;
    Ok(sealed.to_string())
}

/// The tokens of one connection, kept in the database.
pub(crate) struct DbTokens {
    db: Db,
    clock: Arc<dyn Clock>,
    key: DataKey,
    workspace: WorkspaceId,
    connection: ConnectionId,
}

impl DbTokens {
    pub(crate) fn new(context: &Context, connection: &Connection) -> Result<Self, EngineError> {
        Ok(Self {
            db: context.db.clone(),
            clock: Arc::clone(&context.clock),
            key: data_key(&context.keyring, connection)?,
            workspace: connection.workspace,
            connection: connection.id,
        })
    }

    /// The whole secret as it is stored now.
    pub(crate) async fn secret(&self) -> Result<Secret, EngineError> {
        Ok(self.stored().await?.0)
    }

    async fn stored(&self) -> Result<(Secret, Credential), EngineError> {
        let credential = credentials::find(&self.db, self.workspace, self.connection).await?;
        let sealed: Sealed = credential.sealed.parse().map_err(EngineError::Secret)?;
        let plain = self
            .key
            .open(&sealed, &credential_place(self.connection))
            .map_err(EngineError::Secret)?;
        let secret = serde_json::from_str(plain.expose_secret()).map_err(|_| EngineError::SecretShape)?;
        Ok((secret, credential))
    }
}

#[async_trait]
impl TokenStore for DbTokens {
    async fn load(&self) -> Result<Tokens, ConnectorError> {
        let (secret, credential) = self.stored().await.map_err(|error| unreadable(&error))?;
        let (access, refresh) = match secret {
            Secret::Token { access } => (access, None),
            Secret::Oauth { access, refresh, .. } => (access, Some(refresh)),
            Secret::Login { access, .. } => (access.unwrap_or_default(), None),
        };
        Ok(Tokens {
            access: access.into(),
            refresh: refresh.map(SecretString::from),
            expires_at: credential.expires_at,
            version: credential.version,
        })
    }

    async fn save(&self, tokens: Tokens) -> Result<Tokens, ConnectorError> {
        point!(TokensGiven);
        let (mut secret, _) = self.stored().await.map_err(|error| unreadable(&error))?;
        match &mut secret {
            Secret::Token { access } => tokens.access.expose_secret().clone_into(access),
            Secret::Oauth { access, refresh, .. } => {
                tokens.access.expose_secret().clone_into(access);
                if let Some(new) = &tokens.refresh {
                    new.expose_secret().clone_into(refresh);
                }
            }
            Secret::Login { access, .. } => *access = Some(tokens.access.expose_secret().to_owned()),
        }
        let sealed = seal(&self.key, self.connection, &secret).map_err(|error| unreadable(&error))?;
        let credential = Credential {
            sealed,
            previous: None,
            expires_at: tokens.expires_at,
            version: tokens.version,
        };
        credentials::rotate(
            &self.db,
            self.workspace,
            self.connection,
            &credential,
            self.clock.now(),
        )
        .await
        .map_err(|error| unreadable(&error.into()))?;
        point!(TokensStored);
        self.load().await
    }
}

/// The store is ours, not the CRM's: the call may be tried again.
fn unreadable(error: &EngineError) -> ConnectorError {
    tracing::error!(error = %error, "токены подключения не прочитаны или не сохранены");
    ConnectorError::NoAnswer {
        uncertain: false,
        cause: error.to_string(),
    }
}
