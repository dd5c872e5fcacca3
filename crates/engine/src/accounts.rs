//! People: the first set-up, signing in by link, API keys. Passwords arrive here hashed; how they are hashed is
//! the server's affair.

mod joining;
mod own;
mod passwords;
mod throttle;

pub(crate) use own::factor_place;

pub use joining::{Acceptance, Invited, Letter, Registration};
pub use own::{Factor, NewFactor};
pub use passwords::{MAX_PASSWORD, MIN_PASSWORD, check_password};
pub use throttle::{TRUSTED_FOR_MS, Tried, Try};

use crate::context::{Context, new_id};
use crate::error::EngineError;
use domain::id::{ApiKeyId, UserId, WorkspaceId};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use storage::accounts::{self, User, Workspace};
use storage::api_keys::{self, ApiKey};
use storage::audit::{Actor, NewEntry};
use storage::sign_in_links;

const SET_UP: &str = "set_up";
const SIGN_IN: &str = "sign_in";
const SET_UP_FOR_MS: i64 = 24 * 3_600_000;
const SIGN_IN_FOR_MS: i64 = 3_600_000;

/// What every API key begins with, so that one that leaks is recognised.
pub const KEY_PREFIX: &str = "int_";

/// The first superuser with the first workspace.
#[derive(Clone)]
pub struct FirstSetUp {
    /// Token of the set-up link.
    pub token: SecretString,
    /// E-mail.
    pub email: String,
    /// Name.
    pub name: String,
    /// Argon2id hash; `None` for an account that signs in by link only (the demo).
    pub password_hash: Option<String>,
    /// Name of the workspace.
    pub workspace: String,
}

/// An API key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// Words of what it may be used for.
    pub scopes: Vec<String>,
    /// Days until it stops working.
    pub expires_in_days: Option<u32>,
}

/// Works on accounts.
#[derive(Clone)]
pub struct Accounts {
    context: Arc<Context>,
}

impl Accounts {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Nobody has set the installation up yet.
    pub async fn setup_needed(&self) -> Result<bool, EngineError> {
        Ok(accounts::n_users(&self.context.db).await? == 0)
    }

    /// Makes the one-time token of the first set-up; earlier ones stop working. `None` when it is done already.
    pub async fn set_up_token(&self) -> Result<Option<SecretString>, EngineError> {
        if !self.setup_needed().await? {
            return Ok(None);
        }
        let now = self.context.clock.now();
        let (token, hash) = new_token()?;
        let tx = self.context.db.begin().await?;
        sign_in_links::revoke(&tx, SET_UP).await?;
        sign_in_links::insert(&tx, &hash, None, SET_UP, now.plus_ms(SET_UP_FOR_MS)).await?;
        tx.commit().await?;
        Ok(Some(token))
    }

    /// Makes the superuser with the first workspace. Works once.
    pub async fn set_up(&self, wanted: FirstSetUp) -> Result<(User, Workspace), EngineError> {
        let now = self.context.clock.now();
        let user = User {
            id: UserId(new_id()),
            email: checked_email(&wanted.email)?,
            name: checked_name("/name", &wanted.name)?,
            password_hash: wanted.password_hash,
            is_superuser: true,
            disabled_at: None,
            created_at: now,
        };
        let name = checked_name("/workspace", &wanted.workspace)?;
        let hash = vault::hash_token(wanted.token.expose_secret());
        let tx = self.context.db.begin().await?;
        let taken = sign_in_links::take(&tx, &hash, SET_UP, now).await?;
        if taken.is_none() || accounts::n_users(&tx).await? > 0 {
            return Err(EngineError::Invalid {
                pointer: "/token",
                text: "ссылка первой настройки недействительна или уже использована; перезапустите сервер, \
                       чтобы получить новую"
                    .to_owned(),
            });
        }
        accounts::insert_user(&tx, &user).await?;
        let workspace = self.found(&tx, &user, name).await?;
        tx.commit().await?;
        Ok((user, workspace))
    }

    /// Makes a one-time token that signs a person in; works for an hour.
    pub async fn sign_in_token(&self, user: UserId) -> Result<SecretString, EngineError> {
        let (token, hash) = new_token()?;
        let until = self.context.clock.now().plus_ms(SIGN_IN_FOR_MS);
        sign_in_links::insert(&self.context.db, &hash, Some(user), SIGN_IN, until).await?;
        Ok(token)
    }

    /// Uses a sign-in token up. `None` when it is unknown, used, expired, or its person may not sign in.
    pub async fn use_token(&self, token: &SecretString) -> Result<Option<User>, EngineError> {
        let hash = vault::hash_token(token.expose_secret());
        let taken = sign_in_links::take(&self.context.db, &hash, SIGN_IN, self.context.clock.now()).await?;
        let Some(id) = taken.and_then(|link| link.user) else {
            return Ok(None);
        };
        let user = accounts::user(&self.context.db, id).await?;
        Ok(Some(user).filter(|user| user.disabled_at.is_none()))
    }

    /// The person with an e-mail, if they may sign in.
    pub async fn by_email(&self, email: &str) -> Result<Option<User>, EngineError> {
        let email = email.trim().to_lowercase();
        let user = accounts::user_by_email(&self.context.db, &email).await?;
        Ok(user.filter(|user| user.disabled_at.is_none()))
    }

    /// Makes an API key; its secret is given once and only its hash is kept.
    pub async fn create_api_key(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        wanted: NewApiKey,
    ) -> Result<(ApiKey, SecretString), EngineError> {
        let now = self.context.clock.now();
        if wanted.scopes.is_empty() {
            return Err(invalid("/scopes", "выберите хотя бы одно право"));
        }
        if wanted
            .expires_in_days
            .is_some_and(|days| !(1..=3650).contains(&days))
        {
            return Err(invalid("/expires_in_days", "срок — от 1 до 3650 дней"));
        }
        let random = vault::random_token(32).map_err(EngineError::Secret)?;
        let secret = SecretString::from(format!("{KEY_PREFIX}{}", random.expose_secret()));
        let key = ApiKey {
            workspace,
            id: ApiKeyId(new_id()),
            name: checked_name("/name", &wanted.name)?,
            prefix: secret
                .expose_secret()
                .chars()
                .take(KEY_PREFIX.len() + 4)
                .collect(),
            scopes: wanted.scopes,
            created_by: actor.user(),
            created_at: now,
            expires_at: wanted
                .expires_in_days
                .map(|days| now.plus_ms(i64::from(days) * 86_400_000)),
            last_used_at: None,
        };
        let tx = self.context.db.begin().await?;
        api_keys::insert(&tx, &key, &vault::hash_token(secret.expose_secret())).await?;
        let entry = NewEntry {
            action: "api_key.created",
            subject_kind: "api_key",
            subject_id: key.id.to_string(),
            before: None,
            after: Some(serde_json::json!({ "name": key.name, "scopes": key.scopes })),
        };
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok((key, secret))
    }

    /// Stops an API key for good.
    pub async fn revoke_api_key(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: ApiKeyId,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let key = api_keys::revoke(&tx, workspace, id, self.context.clock.now()).await?;
        let entry = NewEntry {
            action: "api_key.revoked",
            subject_kind: "api_key",
            subject_id: id.to_string(),
            before: Some(serde_json::json!({ "name": key.name, "scopes": key.scopes })),
            after: None,
        };
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A token for a link, and the hash that is kept of it.
fn new_token() -> Result<(SecretString, String), EngineError> {
    let token = vault::random_token(32).map_err(EngineError::Secret)?;
    let hash = vault::hash_token(token.expose_secret());
    Ok((token, hash))
}

fn invalid(pointer: &'static str, text: &str) -> EngineError {
    EngineError::Invalid {
        pointer,
        text: text.to_owned(),
    }
}

/// An e-mail in the form it is kept in. Only gross mistakes are refused: whether it exists, a letter shows.
fn checked_email(text: &str) -> Result<String, EngineError> {
    let email = text.trim().to_lowercase();
    let good = email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && host.contains('.') && !host.contains('@'));
    if good {
        Ok(email)
    } else {
        Err(invalid("/email", "укажите e-mail, например anna@example.ru"))
    }
}

fn checked_name(pointer: &'static str, text: &str) -> Result<String, EngineError> {
    let name = text.trim();
    match name.chars().count() {
        1..=200 if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(invalid(pointer, "укажите название длиной от 1 до 200 символов")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_email(text: &str, expected: Option<&str>) {
        assert_eq!(checked_email(text).ok().as_deref(), expected, "{text:?}");
    }

    #[test]
    fn emails_are_kept_in_one_form() {
        check_email(" Anna@Example.RU ", Some("anna@example.ru"));
        check_email("anna", None);
        check_email("anna@example", None);
        check_email("@example.ru", None);
        check_email("anna @example.ru", None);
        check_email("a@b@example.ru", None);
        check_email(&format!("{}@example.ru", "a".repeat(250)), None);
    }
}
