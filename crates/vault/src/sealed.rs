//! The text form of a sealed secret: `v1.<key id>.<nonce>.<ciphertext with tag>`, base64 without padding.

use crate::error::VaultError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::NONCE_LEN;
use std::fmt;
use std::str::FromStr;

/// Version word of the only form so far: AES-256-GCM with a random 96-bit nonce.
const VERSION: &str = "v1";

/// A sealed secret. Useless without the key, so it may be stored and shown in a debug print.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sealed {
    key_id: String,
    nonce: [u8; NONCE_LEN],
    ciphertext: Vec<u8>,
}

impl Sealed {
    pub(crate) fn new(key_id: String, nonce: [u8; NONCE_LEN], ciphertext: Vec<u8>) -> Self {
        Self {
            key_id,
            nonce,
            ciphertext,
        }
    }

    /// Id of the key that opens it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn nonce(&self) -> [u8; NONCE_LEN] {
        self.nonce
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nonce = URL_SAFE_NO_PAD.encode(self.nonce);
        let ciphertext = URL_SAFE_NO_PAD.encode(&self.ciphertext);
        write!(f, "{VERSION}.{}.{nonce}.{ciphertext}", self.key_id)
    }
}

impl FromStr for Sealed {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |part| VaultError::Malformed { part };
        let mut parts = text.split('.');
        if parts.next() != Some(VERSION) {
            return Err(malformed("версия"));
        }
        let key_id = parts
            .next()
            .filter(|id| is_key_id(id))
            .ok_or(malformed("имя ключа"))?;
        let decode = |part: Option<&str>| part.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let nonce = decode(parts.next())
            .and_then(|bytes| <[u8; NONCE_LEN]>::try_from(bytes).ok())
            .ok_or(malformed("одноразовое число"))?;
        let ciphertext = decode(parts.next()).ok_or(malformed("шифротекст"))?;
        match parts.next() {
            None => Ok(Self {
                key_id: key_id.to_owned(),
                nonce,
                ciphertext,
            }),
            Some(_) => Err(malformed("лишние части")),
        }
    }
}

/// What may name a key: it stands between dots in the text form.
pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
