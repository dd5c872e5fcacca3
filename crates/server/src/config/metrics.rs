//! Who may read `/metrics`.

use super::Checks;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A shorter token can be guessed.
const SHORTEST: usize = 16;

#[derive(Deserialize)]
pub(super) struct Raw {
    token: SecretString,
}

pub(super) fn check(checks: &mut Checks, raw: Raw) -> Option<SecretString> {
    let length = raw.token.expose_secret().len();
    if (1..SHORTEST).contains(&length) {
        checks.0.push(format!(
            "ключ metrics.token: нужно не меньше {SHORTEST} знаков; создайте его командой «openssl rand -hex 32»"
        ));
    }
    (length > 0).then_some(raw.token)
}
