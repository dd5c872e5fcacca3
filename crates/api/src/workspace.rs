//! Workspaces and the people in them.

use domain::id::{UserId, WorkspaceId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person may do in a workspace; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything but secrets.
    Viewer,
    /// Also writes rules, retries, replays.
    Editor,
    /// Also connections, members, API keys.
    Owner,
}

impl Role {
    /// Russian name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Viewer => "Наблюдатель",
            Self::Editor => "Редактор",
            Self::Owner => "Владелец",
        }
    }
}

/// A workspace with the caller's role in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The workspace.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The caller's role.
    pub role: Role,
}

/// A workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workspace {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: WorkspaceId,
    /// Name.
    pub name: String,
    /// IANA zone in which rules read local times.
    #[cfg_attr(feature = "openapi", schema(example = "Europe/Moscow"))]
    pub zone: String,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
}

/// A person of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub user_id: UserId,
    /// E-mail.
    pub email: String,
    /// Name.
    pub name: String,
    /// Role here.
    pub role: Role,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub joined_at: Timestamp,
}
