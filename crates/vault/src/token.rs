//! Random tokens (sessions, API keys, webhook addresses) and what is stored of them.

use crate::error::VaultError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| VaultError::NoRandomness)
}

/// A token of `n` random bytes in URL-safe base64 without padding; 32 is the usual choice.
pub fn random_token(n: usize) -> Result<SecretString, VaultError> {
    let mut bytes = Zeroizing::new(vec![0; n]);
    fill(&mut bytes)?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(&*bytes)))
}

/// SHA-256 of a token in lower-case hexadecimal: what is stored instead of it.
///
/// Enough for tokens from [`random_token`], which nobody can guess; **not** for passwords.
pub fn hash_token(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn tokens_are_url_safe_and_differ() {
        let one = random_token(32).unwrap();
        let two = random_token(32).unwrap();
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_eq!(one.expose_secret().len(), 43);
        assert!(
            one.expose_secret()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    #[test]
    fn hash_is_sha256_in_hexadecimal() {
        assert_eq!(
            hash_token("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
