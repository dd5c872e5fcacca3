//! The data key of a workspace: seals its secrets, and is itself sealed by the installation key.

use crate::cipher::{Cipher, KEY_LEN};
use crate::error::VaultError;
use crate::keyring;
use crate::sealed::Sealed;
use crate::signature;
use crate::token;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// A workspace's key. Forgetting its sealed form makes every secret of the workspace unreadable.
pub struct DataKey {
    bytes: Zeroizing<[u8; KEY_LEN]>,
    cipher: Cipher,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.cipher.id())
    }
}

impl DataKey {
    /// A new random key.
    pub fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        token::fill(&mut *bytes)?;
        Ok(Self::new(bytes))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let bytes = bytes.try_into().map_err(|_| VaultError::Malformed {
            part: "ключ данных"
        })?;
        Ok(Self::new(Zeroizing::new(bytes)))
    }

    /// The id is a fingerprint, so that a secret sealed by another workspace's key says so at once.
    fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let print = signature::hmac_sha256_hex(&*bytes, b"data key id");
        let cipher = Cipher::new(format!("dk-{}", &print[..16]), &bytes);
        Self { bytes, cipher }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &*self.bytes
    }

    /// Seals a text for the owner that `associated_data` names, for example `connection:<id>`.
    pub fn seal(&self, plaintext: &SecretString, associated_data: &str) -> Result<Sealed, VaultError> {
        self.cipher
            .seal(plaintext.expose_secret().as_bytes(), associated_data)
    }

    /// Opens a text for the same owner.
    pub fn open(&self, sealed: &Sealed, associated_data: &str) -> Result<SecretString, VaultError> {
        if sealed.key_id() != self.cipher.id() {
            return Err(VaultError::UnknownKey {
                id: sealed.key_id().to_owned(),
            });
        }
        keyring::text(self.cipher.open(sealed, associated_data)?)
    }
}
