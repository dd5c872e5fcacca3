//! A person's own account: registration, password, second factor, sessions.

use crate::session::no_secrets_in_debug;
use crate::workspace::Role;
use domain::id::{InvitationId, SessionId, UserId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An e-mail that a letter is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskLetter {
    /// E-mail.
    #[cfg_attr(feature = "openapi", schema(example = "anna@example.ru"))]
    pub email: String,
}

/// What an invitation leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invited {
    /// Who was invited.
    pub email: String,
    /// Name of the workspace; absent when one is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The person has an account: nothing but the token is needed to join.
    pub is_known: bool,
}

/// Uses an invitation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accept {
    /// What stands after `#` in the link.
    pub token: String,
    /// Name; for a new person.
    #[serde(default)]
    pub name: String,
    /// Password; for a new person.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
    /// Name of the workspace, when one is to be made.
    #[serde(default)]
    pub workspace: String,
}

/// A new password by the token of a letter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetPassword {
    /// What stands after `#` in the link.
    pub token: String,
    /// The new password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
}

/// A new password in place of the present one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The present one.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub current: String,
    /// The new one.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
}

/// The present password, where something cannot be undone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WithPassword {
    /// The present password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
}

/// What a person may change of themselves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeProfile {
    /// Name.
    pub name: String,
}

/// The person's own account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: UserId,
    /// E-mail.
    pub email: String,
    /// Name.
    pub name: String,
    /// A password is set; otherwise the person signs in by links only.
    pub has_password: bool,
    /// A second factor is asked for at sign-in.
    pub has_second_factor: bool,
    /// Since when they are here.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
}

/// A session of the person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSession {
    /// Its name, for ending it.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: SessionId,
    /// It is the one that asks.
    pub is_current: bool,
    /// Network address at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Browser at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it was last used, to a minute.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub last_seen_at: Timestamp,
    /// When it ends unless it is used before.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
}

/// A second factor being set up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewFactor {
    /// Secret in base32, to be typed into an authenticator.
    pub secret: String,
    /// The same as an address that authenticators open.
    pub uri: String,
}

/// A code of an authenticator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FactorCode {
    /// Six digits.
    #[cfg_attr(feature = "openapi", schema(example = "287082"))]
    pub code: String,
}

/// Recovery codes: shown this once, each works once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<String>,
}

/// An invitation to be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// To whom.
    pub email: String,
    /// With which role.
    pub role: Role,
}

/// An invitation that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: InvitationId,
    /// To whom.
    pub email: String,
    /// With which role.
    pub role: Role,
    /// When it was sent.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// Until when it works.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Timestamp,
}

/// Another role for a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeRole {
    /// The role.
    pub role: Role,
}

/// Everything that is kept of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountExport {
    /// The account.
    pub profile: Profile,
    /// Workspaces with the role in each.
    pub workspaces: Vec<crate::workspace::Membership>,
    /// Sessions that have not ended.
    pub sessions: Vec<OwnSession>,
    /// What the audit logs of those workspaces tell of the person, newest first.
    pub audit_entries: Vec<crate::audit::AuditEntry>,
}

no_secrets_in_debug!(
    Accept,
    ResetPassword,
    ChangePassword,
    WithPassword,
    NewFactor,
    FactorCode,
    RecoveryCodes
);
