//! Passwords: Argon2id with the parameters that OWASP names (19 MiB, two passes).
//!
//! Both functions take tens of milliseconds of a core: call them off the request threads.

use crate::http::problem::Problem;
use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use secrecy::{ExposeSecret, SecretString};
use std::sync::OnceLock;
use thiserror::Error;

/// A password was not hashed.
#[derive(Debug, Error)]
#[error("пароль не захеширован")]
pub struct HashError(argon2::password_hash::Error);

/// Hashes a password for keeping.
pub fn hash(password: &SecretString) -> Result<String, HashError> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default()
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map_err(HashError)?;
    Ok(hash.to_string())
}

/// Hashes a password off the request threads.
pub async fn hash_aside(password: SecretString) -> Result<String, Problem> {
    let hash = actix_web::web::block(move || hash(&password)).await;
    hash.map_err(|_| Problem::internal())?
        .map_err(|_| Problem::internal())
}

/// Checks a password off the request threads.
pub async fn verify_aside(hash: Option<String>, password: SecretString) -> Result<bool, Problem> {
    let fits = actix_web::web::block(move || verify(hash.as_deref(), &password)).await;
    fits.map_err(|_| Problem::internal())
}

/// Whether a password is the one that was hashed. Without a hash (nobody with that e-mail, or somebody who signs
/// in by link only) as much time is spent, so that the time does not tell who exists.
pub fn verify(hash: Option<&str>, password: &SecretString) -> bool {
    static NOBODY: OnceLock<Option<String>> = OnceLock::new();
    let known = hash.is_some();
    let nobody = || {
        NOBODY
            .get_or_init(|| self::hash(&SecretString::from("nobody's password")).ok())
            .as_deref()
    };
    let Some(Ok(parsed)) = hash.or_else(nobody).map(PasswordHash::new) else {
        return false;
    };
    let matches = Argon2::default()
        .verify_password(password.expose_secret().as_bytes(), &parsed)
        .is_ok();
    matches && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let password = SecretString::from("верный пароль");
        let hashed = hash(&password).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(Some(&hashed), &password));
        assert!(!verify(Some(&hashed), &SecretString::from("верный парол")));
        assert!(!verify(Some("not a hash"), &password));
        assert!(!verify(None, &SecretString::from("nobody's password")));
    }
}
