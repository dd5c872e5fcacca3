//! Pairs of tokens whose refresh token is good for one renewal.

use super::State;
use crate::credential::{self, TokenStore};
use crate::error::ConnectorError;
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, PoisonError};

/// What the CRM knows of its pairs. A refresh token that was traded works again until the pair given for it is used,
/// and never afterwards: the CRM cannot know whether its answer arrived.
#[derive(Debug, Default)]
pub struct Pairs {
    n_given: usize,
    /// Refresh tokens that may be traded; before the first trade any.
    good: Vec<String>,
}

impl Pairs {
    /// How many pairs were given.
    pub(super) const fn n_given(&self) -> usize {
        self.n_given
    }

    fn trade(&mut self, refresh: &str) -> Result<(SecretString, SecretString), ConnectorError> {
        if self.n_given > 0 && !self.good.iter().any(|good| good == refresh) {
            return Err(ConnectorError::Unauthorized);
        }
        self.n_given += 1;
        let new = format!("refresh-{}", self.n_given);
        self.good = vec![refresh.to_owned(), new.clone()];
        Ok((format!("access-{}", self.n_given).into(), new.into()))
    }

    fn used(&mut self, refresh: &str) {
        self.good.retain(|good| good == refresh);
    }
}

/// The store of a connector's tokens.
#[derive(Clone)]
pub(super) struct Tokens(pub(super) Arc<dyn TokenStore>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Trades the stored refresh token, stores the pair that was given, and uses it.
    pub(super) async fn renew(&self, crm: &Mutex<State>) -> Result<(), ConnectorError> {
        let stored = self.0.load().await?;
        let Some(refresh) = &stored.refresh else {
            return Ok(());
        };
        let crm = || crm.lock().unwrap_or_else(PoisonError::into_inner);
        let (access, new) = crm().pairs.trade(refresh.expose_secret())?;
        let pair = credential::Tokens {
            access,
            refresh: Some(new),
            expires_at: None,
            version: stored.version,
        };
        if let Some(refresh) = self.0.save(pair).await?.refresh {
            crm().pairs.used(refresh.expose_secret());
        }
        Ok(())
    }
}
