//! Fixed ids, tokens and secrets of the seeded account.

/// Account id.
pub const DEMO_AMOCRM_ACCOUNT: i64 = 30_000_001;
