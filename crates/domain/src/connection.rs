//! Connections: authorised links to CRM accounts.

use serde::{Deserialize, Serialize};

/// Which CRM a connection speaks to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// amoCRM, sold abroad as Kommo.
    Amocrm,
    /// LPTracker.
    Lptracker,
}

impl ConnectorKind {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amocrm => "amocrm",
            Self::Lptracker => "lptracker",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Amocrm, Self::Lptracker]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }

    /// Name as people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Amocrm => "amoCRM",
            Self::Lptracker => "LPTracker",
        }
    }
}

/// Whether a connection may be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Works.
    Active,
    /// Never authorised yet.
    New,
    /// The credential no longer works: a person must authorise again.
    NeedsReauth,
    /// The CRM has banned us or the account is unpaid: waiting for a person.
    Blocked,
    /// Stopped by a person (emergency stop); waiting work is kept.
    Stopped,
}

impl ConnectionState {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::New => "new",
            Self::NeedsReauth => "needs_reauth",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Active,
            Self::New,
            Self::NeedsReauth,
            Self::Blocked,
            Self::Stopped,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}
