//! Rotation of the installation key: what an older key sealed is sealed anew, while everything goes on.

use crate::accounts::factor_place;
use crate::error::EngineError;
use crate::secrets::key_place;
use std::collections::BTreeMap;
use storage::sealed::{self, Place};
use storage::settings::COOKIE_KEY;
use storage::{Db, StorageError};
use vault::{Keyring, Sealed, VaultError};

/// What a look at the sealed texts found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyUse {
    /// How many texts each key has sealed, by the key's name.
    pub by_key: BTreeMap<String, u64>,
    /// How many no configured key opens.
    pub n_unopened: u64,
}

/// Which keys the sealed texts need. Nothing is changed.
pub async fn key_use(db: &Db, keyring: &Keyring) -> Result<KeyUse, EngineError> {
    let mut found = KeyUse::default();
    for (place, text) in sealed::all(db).await? {
        let Ok(sealed) = text.parse::<Sealed>() else {
            found.n_unopened += 1;
            continue;
        };
        if opened(keyring, place, &sealed).is_err() {
            found.n_unopened += 1;
        }
        *found.by_key.entry(sealed.key_id().to_owned()).or_default() += 1;
    }
    Ok(found)
}

/// Seals anew, with the newest key, what an older one sealed; gives how many texts that were.
///
/// Safe beside running servers: they open with every key that they know, and a text that changes meanwhile is left to
/// who changed it.
pub async fn rotate(db: &Db, keyring: &Keyring) -> Result<u64, EngineError> {
    let mut n_sealed = 0;
    for (place, text) in sealed::all(db).await? {
        let old: Sealed = text.parse().map_err(EngineError::Secret)?;
        if !keyring.is_outdated(&old) {
            continue;
        }
        let new = resealed(keyring, place, &old).map_err(EngineError::Secret)?;
        if !sealed::replace(db, place, &text, &new.to_string()).await? {
            return Err(StorageError::Conflict.into());
        }
        n_sealed += 1;
    }
    Ok(n_sealed)
}

fn opened(keyring: &Keyring, place: Place, sealed: &Sealed) -> Result<(), VaultError> {
    match place {
        Place::DataKey(id) => keyring.open_key(sealed, &key_place(id)).map(drop),
        Place::SecondFactor(id) => keyring.open(sealed, &factor_place(id)).map(drop),
        Place::CookieKey => keyring.open(sealed, COOKIE_KEY).map(drop),
    }
}

fn resealed(keyring: &Keyring, place: Place, old: &Sealed) -> Result<Sealed, VaultError> {
    match place {
        Place::DataKey(id) => keyring.reseal_key(old, &key_place(id)),
        Place::SecondFactor(id) => keyring.reseal(old, &factor_place(id)),
        Place::CookieKey => keyring.reseal(old, COOKIE_KEY),
    }
}
