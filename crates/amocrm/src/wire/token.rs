//! The answer of the token endpoint.

use crate::wire::tolerant::Int;
use secrecy::SecretString;
use serde::Deserialize;

/// A new pair of tokens.
#[derive(Debug, Deserialize)]
pub struct TokenAnswer {
    /// Sent with every request; a JWT.
    pub access_token: SecretString,
    /// For the next renewal; works once.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
    /// Life of the access token, seconds.
    #[serde(default)]
    pub expires_in: Option<Int>,
}
