//! Signing in and out, and the first set-up.

use crate::workspace::Membership;
use domain::id::UserId;
use serde::{Deserialize, Serialize};

/// Who is signed in and what is there to choose. Answered to everybody, signed in or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionState {
    /// Nobody has set the installation up yet: only the set-up page is of use.
    pub setup_needed: bool,
    /// Anybody may register.
    #[serde(default)]
    pub registration_open: bool,
    /// Sandbox CRMs and a ready workspace are behind this installation.
    pub demo: bool,
    /// Addresses of the sandbox CRMs' own pages, in the demo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sandbox_urls: Vec<SandboxUrl>,
    /// Who is signed in; absent when nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<CurrentUser>,
    /// Workspaces of that person, with the role in each.
    pub workspaces: Vec<Membership>,
}

/// The page of a sandbox CRM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SandboxUrl {
    /// Name of the CRM.
    pub title: String,
    /// Address.
    pub url: String,
}

/// The person signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentUser {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    /// E-mail, lower case.
    pub email: String,
    /// Name as shown.
    pub name: String,
    /// Runs the installation.
    pub is_superuser: bool,
}

/// Sign-in by e-mail and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// E-mail.
    #[cfg_attr(feature = "openapi", schema(example = "anna@example.ru"))]
    pub email: String,
    /// Password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
    /// Code of the second factor, or a recovery code, when the first answer asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Sign-in by a one-time link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UseLink {
    /// What stands after `#` in the link.
    pub token: String,
}

/// The first set-up: makes the superuser and the first workspace.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetUp {
    /// What stands after `#` in the set-up link.
    pub token: String,
    /// E-mail of the superuser.
    pub email: String,
    /// Name of the superuser.
    pub name: String,
    /// Password, at least 12 characters.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
    /// Name of the first workspace.
    pub workspace: String,
}

macro_rules! no_secrets_in_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use no_secrets_in_debug;

no_secrets_in_debug!(SignIn, UseLink, SetUp);
