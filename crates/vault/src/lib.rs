//! Sealing and opening secrets, key rotation, random tokens, constant-time checks.
//!
//! **Invariant.** Nothing here stores or logs anything, and no error carries a secret. Everything sealed is
//! bound to *associated data* (whose secret it is, for example `connection:<id>`): a sealed text moved to
//! another row does not open there.
//!
//! Installation keys ([`Keyring`]) come from the configuration and seal only the [`DataKey`] of each
//! workspace; the data key seals that workspace's secrets. Rotating an installation key therefore means
//! resealing one row per workspace ([`Keyring::reseal_key`]), not every secret.

mod cipher;
pub mod data_key;
pub mod error;
pub mod keyring;
pub mod sealed;
pub mod signature;
pub mod token;
pub mod totp;

pub use data_key::DataKey;
pub use error::{KeyError, VaultError};
pub use keyring::{InstallationKey, Keyring};
pub use sealed::Sealed;
pub use token::{hash_token, random_token};
