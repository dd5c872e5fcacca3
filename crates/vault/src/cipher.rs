//! AES-256-GCM under one key.

use crate::error::VaultError;
use crate::sealed::Sealed;
use crate::token;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::zeroize::Zeroizing;

/// Length of a key in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// One key with its name.
pub(crate) struct Cipher {
    id: String,
    key: LessSafeKey,
}

impl Cipher {
    pub(crate) fn new(id: String, bytes: &[u8; KEY_LEN]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, bytes).expect("AES-256-GCM takes keys of 32 bytes");
        Self {
            id,
            key: LessSafeKey::new(unbound),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Random nonces: at 2³² texts per key a repeat is still improbable (2⁻³³), and no key of ours sees so many.
    pub(crate) fn seal(&self, plain: &[u8], associated: &str) -> Result<Sealed, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        token::fill(&mut nonce)?;
        let mut bytes = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                aad(&self.id, associated),
                &mut bytes,
            )
            .map_err(|_| VaultError::NotOpened)?;
        Ok(Sealed::new(self.id.clone(), nonce, bytes))
    }

    pub(crate) fn open(&self, sealed: &Sealed, associated: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let mut bytes = Zeroizing::new(sealed.ciphertext().to_vec());
        let nonce = Nonce::assume_unique_for_key(sealed.nonce());
        let plain_len = self
            .key
            .open_in_place(nonce, aad(&self.id, associated), &mut bytes)
            .map_err(|_| VaultError::NotOpened)?
            .len();
        bytes.truncate(plain_len);
        Ok(bytes)
    }
}

/// The key's name is bound too. It cannot hold a NUL, so no pair of texts gives the bytes of another pair.
fn aad(id: &str, associated: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("v1\0{id}\0{associated}").into_bytes())
}
