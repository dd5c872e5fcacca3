//! Where a connector keeps the secrets it renews by itself.

use crate::error::ConnectorError;
use async_trait::async_trait;
use domain::time::Timestamp;
use secrecy::SecretString;

/// A pair of tokens that the CRM rotates, or a single one that it does not.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Sent with every request.
    pub access: SecretString,
    /// Exchanged for a new pair; `None` for tokens without refresh.
    pub refresh: Option<SecretString>,
    /// When `access` stops working, when known.
    pub expires_at: Option<Timestamp>,
    /// Version of the stored pair, for compare-and-set.
    pub version: i64,
}

/// The store of one connection's tokens. The engine gives one backed by the database.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The stored pair as it is now.
    async fn load(&self) -> Result<Tokens, ConnectorError>;

    /// Stores a new pair if the stored version is still `tokens.version`; the pair before it is kept until
    /// the next save, so that a crash between answer and save can be survived. Returns the pair that is
    /// stored afterwards (another's, if it was quicker).
    async fn save(&self, tokens: Tokens) -> Result<Tokens, ConnectorError>;
}

/// A store in memory, for credentials that nothing else shares.
#[derive(Debug)]
pub struct MemoryTokens(tokio::sync::Mutex<Tokens>);

impl MemoryTokens {
    /// Starts with these tokens.
    pub fn new(tokens: Tokens) -> Self {
        Self(tokio::sync::Mutex::new(tokens))
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn load(&self) -> Result<Tokens, ConnectorError> {
        Ok(self.0.lock().await.clone())
    }

    async fn save(&self, mut tokens: Tokens) -> Result<Tokens, ConnectorError> {
        let mut stored = self.0.lock().await;
        if stored.version == tokens.version {
            tokens.version += 1;
            *stored = tokens;
        }
        Ok(stored.clone())
    }
}
