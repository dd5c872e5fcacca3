//! API keys of a workspace.

use domain::id::ApiKeyId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a key may be used for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read everything but secrets.
    Read,
    /// Write and publish rules.
    Rules,
    /// Replay events, retry and cancel deliveries, edit links.
    Events,
    /// Upload files, add call results.
    Imports,
    /// Connections, members, keys.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Read, Self::Rules, Self::Events, Self::Imports, Self::Admin];

    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Rules => "rules",
            Self::Events => "events",
            Self::Imports => "imports",
            Self::Admin => "admin",
        }
    }

    /// Russian name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Read => "Чтение",
            Self::Rules => "Правила",
            Self::Events => "События",
            Self::Imports => "Загрузка",
            Self::Admin => "Управление",
        }
    }

    /// The scope with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A key without its secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: ApiKeyId,
    /// Name as its maker gave it.
    pub name: String,
    /// First letters of the secret, to recognise it by.
    #[cfg_attr(feature = "openapi", schema(example = "int_4fQz"))]
    pub prefix: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it stops working; absent when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub last_used_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateApiKey {
    /// What it is for.
    pub name: String,
    /// What it may be used for; at least one.
    pub scopes: Vec<Scope>,
    /// Days until it stops working, 1–3650; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
}

/// A key just made: the only time that its secret is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// The key.
    pub key: ApiKey,
    /// The secret, for `Authorization: Bearer …`.
    pub secret: String,
}

crate::session::no_secrets_in_debug!(CreatedApiKey);
