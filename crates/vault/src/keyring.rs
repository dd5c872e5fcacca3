//! Installation keys: the newest seals, every one opens.

use crate::cipher::{Cipher, KEY_LEN};
use crate::data_key::DataKey;
use crate::error::{KeyError, VaultError};
use crate::sealed::{Sealed, is_key_id};
use crate::token;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// One key of the installation, checked.
pub struct InstallationKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LEN]>,
}

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstallationKey({})", self.id)
    }
}

impl InstallationKey {
    /// Reads a key as the configuration gives it: 32 random bytes in base64 (any alphabet) or hexadecimal.
    pub fn parse(id: &str, text: &SecretString) -> Result<Self, KeyError> {
        if !is_key_id(id) {
            return Err(KeyError::BadId);
        }
        let id = id.to_owned();
        let Some(decoded) = decode(text.expose_secret().trim()) else {
            return Err(KeyError::NotEncoded { id });
        };
        let Ok(bytes) = <[u8; KEY_LEN]>::try_from(decoded.as_slice()) else {
            return Err(KeyError::WrongLength {
                id,
                bytes: decoded.len(),
            });
        };
        let bytes = Zeroizing::new(bytes);
        if is_guessable(&bytes) {
            return Err(KeyError::Guessable { id });
        }
        Ok(Self { id, bytes })
    }

    /// A new random key in the form that [`Self::parse`] reads.
    pub fn generate() -> Result<SecretString, VaultError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        token::fill(&mut *bytes)?;
        Ok(SecretString::from(STANDARD.encode(*bytes)))
    }
}

/// Hexadecimal is tried first: 64 hexadecimal digits are base64 too, of 48 other bytes.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() == 2 * KEY_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs = (0..KEY_LEN).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16));
        return pairs.collect::<Result<_, _>>().ok().map(Zeroizing::new);
    }
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
        .map(Zeroizing::new)
}

/// Of 32 random bytes fewer than 16 are distinct, or all are printable ASCII, less often than once in 10¹³;
/// a phrase, an example or a repeated byte is always one of the two.
fn is_guessable(bytes: &[u8; KEY_LEN]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let printable = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    let counting = bytes.windows(2).all(|pair| pair[0].wrapping_add(1) == pair[1]);
    distinct < 16 || printable || counting
}

/// The keys of the installation.
pub struct Keyring {
    /// Newest first, never empty.
    keys: Vec<Cipher>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(Cipher::id)).finish()
    }
}

impl Keyring {
    /// Joins keys, **the newest first**: it seals, all of them open.
    pub fn new(keys: Vec<InstallationKey>) -> Result<Self, KeyError> {
        let mut ring: Vec<Cipher> = Vec::with_capacity(keys.len());
        for key in keys {
            if ring.iter().any(|known| known.id() == key.id) {
                return Err(KeyError::Repeated { id: key.id });
            }
            ring.push(Cipher::new(key.id, &key.bytes));
        }
        if ring.is_empty() {
            Err(KeyError::NoKeys)
        } else {
            Ok(Self { keys: ring })
        }
    }

    /// Id of the key that seals.
    pub fn current_id(&self) -> &str {
        self.newest().id()
    }

    /// Seals a text for the owner that `associated_data` names.
    pub fn seal(&self, plaintext: &SecretString, associated_data: &str) -> Result<Sealed, VaultError> {
        self.newest()
            .seal(plaintext.expose_secret().as_bytes(), associated_data)
    }

    /// Opens a text for the same owner.
    pub fn open(&self, sealed: &Sealed, associated_data: &str) -> Result<SecretString, VaultError> {
        text(self.key(sealed)?.open(sealed, associated_data)?)
    }

    /// Whether it was sealed by an older key and should be resealed.
    pub fn is_outdated(&self, sealed: &Sealed) -> bool {
        sealed.key_id() != self.current_id()
    }

    /// Opens and seals again under the newest key.
    pub fn reseal(&self, sealed: &Sealed, associated_data: &str) -> Result<Sealed, VaultError> {
        let plain = self.key(sealed)?.open(sealed, associated_data)?;
        self.newest().seal(&plain, associated_data)
    }

    /// Seals a workspace's data key; `associated_data` names the workspace.
    pub fn seal_key(&self, key: &DataKey, associated_data: &str) -> Result<Sealed, VaultError> {
        self.newest()
            .seal(key.bytes(), &data_key_purpose(associated_data))
    }

    /// Opens a workspace's data key.
    pub fn open_key(&self, sealed: &Sealed, associated_data: &str) -> Result<DataKey, VaultError> {
        let bytes = self
            .key(sealed)?
            .open(sealed, &data_key_purpose(associated_data))?;
        DataKey::from_bytes(&bytes)
    }

    /// Seals a workspace's data key again under the newest key: the whole of a rotation.
    pub fn reseal_key(&self, sealed: &Sealed, associated_data: &str) -> Result<Sealed, VaultError> {
        self.reseal(sealed, &data_key_purpose(associated_data))
    }

    fn newest(&self) -> &Cipher {
        &self.keys[0]
    }

    fn key(&self, sealed: &Sealed) -> Result<&Cipher, VaultError> {
        self.keys
            .iter()
            .find(|key| key.id() == sealed.key_id())
            .ok_or_else(|| VaultError::UnknownKey {
                id: sealed.key_id().to_owned(),
            })
    }
}

/// A data key must not open where a text is expected, or the other way round.
fn data_key_purpose(associated_data: &str) -> String {
    format!("data-key\0{associated_data}")
}

/// Moves opened bytes into a secret without leaving a copy behind.
pub(crate) fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<SecretString, VaultError> {
    if std::str::from_utf8(&bytes).is_err() {
        return Err(VaultError::NotText);
    }
    let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| VaultError::NotText)?;
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests;
