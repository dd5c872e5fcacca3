//! What a person does with their own account: name, password, second factor, leaving for good.

use super::joining::{Letter, themselves};
use super::{Accounts, checked_email, checked_name, invalid, new_token};
use crate::error::EngineError;
use domain::id::{UserId, WorkspaceId};
use secrecy::{ExposeSecret, SecretString};
use storage::accounts::{self, Role, User};
use storage::audit::NewEntry;
use storage::{Tx, second_factors, sessions, sign_in_links, workspaces};
use uuid::Uuid;
use vault::{Sealed, totp};

const RESET: &str = "password_reset";
const RESET_FOR_MS: i64 = 3_600_000;
/// Recovery codes given with a second factor.
const N_CODES: usize = 10;

/// Whether a second factor was asked for and given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Factor {
    /// There is none, or its code was right.
    Passed,
    /// A code is needed.
    Missing,
    /// The code is wrong or was used before.
    Wrong,
}

/// A second factor that is being set up.
#[derive(Clone)]
pub struct NewFactor {
    /// Secret in base32, to be typed into an authenticator.
    pub secret: SecretString,
    /// The same as an address that authenticators open.
    pub uri: SecretString,
}

impl Accounts {
    /// One person.
    pub async fn user(&self, id: UserId) -> Result<User, EngineError> {
        Ok(accounts::user(&self.context.db, id).await?)
    }

    /// Changes the name.
    pub async fn rename(&self, user: UserId, name: &str) -> Result<(), EngineError> {
        let name = checked_name("/name", name)?;
        Ok(accounts::rename_user(&self.context.db, user, &name).await?)
    }

    /// Changes the password; every other session ends.
    pub async fn change_password(
        &self,
        user: &User,
        hash: &str,
        keep: Option<Uuid>,
    ) -> Result<Letter, EngineError> {
        let tx = self.context.db.begin().await?;
        let letter = self.new_password(&tx, user, hash, keep).await?;
        tx.commit().await?;
        Ok(letter)
    }

    async fn new_password(
        &self,
        tx: &Tx,
        user: &User,
        hash: &str,
        keep: Option<Uuid>,
    ) -> Result<Letter, EngineError> {
        accounts::set_password(tx, user.id, hash).await?;
        sessions::end_others(tx, user.id, keep).await?;
        self.tell_workspaces(tx, user, "user.password_changed").await?;
        Ok(Letter {
            to: user.email.clone(),
            subject: "Пароль изменён".to_owned(),
            text: "Пароль вашей учётной записи CRM Интегратора изменён, остальные сеансы завершены.\n\nЕсли это были не \
                   вы, восстановите пароль по ссылке на странице входа и сообщите администратору."
                .to_owned(),
        })
    }

    /// Somebody forgot a password. `None` when there is nobody to write to: the caller must not tell.
    pub async fn forgotten(&self, email: &str) -> Result<Option<Letter>, EngineError> {
        let email = checked_email(email)?;
        let Some(user) = self.by_email(&email).await? else {
            return Ok(None);
        };
        let (token, hash) = new_token()?;
        let until = self.context.clock.now().plus_ms(RESET_FOR_MS);
        sign_in_links::insert(&self.context.db, &hash, Some(user.id), RESET, until).await?;
        let public_url = &self.context.settings.public_url;
        Ok(Some(Letter {
            to: email,
            subject: "Восстановление пароля".to_owned(),
            text: format!(
                "Чтобы задать новый пароль, откройте ссылку (она действует час и один раз):\n\n{public_url}/reset#{}\n\n\
                 Если вы не просили об этом, ничего делать не нужно: прежний пароль действует.",
                token.expose_secret()
            ),
        }))
    }

    /// Sets a new password by the token of a letter. Every session ends; a second factor is still asked for.
    pub async fn reset_password(&self, token: &SecretString, hash: &str) -> Result<Letter, EngineError> {
        let now = self.context.clock.now();
        let tx = self.context.db.begin().await?;
        let taken = sign_in_links::take(&tx, &vault::hash_token(token.expose_secret()), RESET, now).await?;
        let Some(id) = taken.and_then(|link| link.user) else {
            return Err(invalid(
                "/token",
                "ссылка недействительна или уже использована: запросите новую",
            ));
        };
        let user = accounts::user(&tx, id).await?;
        let letter = self.new_password(&tx, &user, hash, None).await?;
        tx.commit().await?;
        Ok(letter)
    }

    /// Whether the second factor of a person is satisfied by a code, which is used up.
    pub async fn check_factor(&self, user: UserId, code: Option<&str>) -> Result<Factor, EngineError> {
        let db = &self.context.db;
        let factor = second_factors::find(db, user).await?;
        let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
            return Ok(Factor::Passed);
        };
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            return Ok(Factor::Missing);
        };
        let now = self.context.clock.now();
        let secret = self.open_factor(user, &factor.sealed)?;
        if let Some(step) = totp::verify(&secret, code, now.0.div_euclid(1_000)) {
            let fresh = second_factors::use_step(db, user, step).await?;
            return Ok(if fresh { Factor::Passed } else { Factor::Wrong });
        }
        let hash = vault::hash_token(&recovery_form(code));
        let known = second_factors::use_code(db, user, &hash, now).await?;
        Ok(if known { Factor::Passed } else { Factor::Wrong })
    }

    /// Whether a second factor is asked for.
    pub async fn has_factor(&self, user: UserId) -> Result<bool, EngineError> {
        let factor = second_factors::find(&self.context.db, user).await?;
        Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
    }

    /// Begins to set a second factor up.
    pub async fn begin_factor(&self, user: &User) -> Result<NewFactor, EngineError> {
        let secret = totp::new_secret().map_err(EngineError::Secret)?;
        let sealed = self
            .context
            .keyring
            .seal(&secret, &factor_place(user.id))
            .map_err(EngineError::Secret)?;
        second_factors::begin(&self.context.db, user.id, &sealed.to_string()).await?;
        Ok(NewFactor {
            uri: totp::uri("CRM Интегратор", &user.email, &secret),
            secret,
        })
    }

    /// Confirms the second factor by a first code; gives recovery codes, shown this once.
    pub async fn confirm_factor(&self, user: &User, code: &str) -> Result<Vec<SecretString>, EngineError> {
        let factor = second_factors::find(&self.context.db, user.id).await?;
        let factor = factor
            .filter(|factor| factor.confirmed_at.is_none())
            .ok_or_else(|| invalid("/code", "начните подключение второго фактора заново"))?;
        let now = self.context.clock.now();
        let secret = self.open_factor(user.id, &factor.sealed)?;
        let step = totp::verify(&secret, code.trim(), now.0.div_euclid(1_000)).ok_or_else(|| {
            invalid(
                "/code",
                "код не подошёл: проверьте часы телефона и введите новый код",
            )
        })?;
        let codes = (0..N_CODES)
            .map(|_| vault::random_token(9))
            .collect::<Result<Vec<_>, _>>()
            .map_err(EngineError::Secret)?;
        let hashes: Vec<String> = codes
            .iter()
            .map(|code| vault::hash_token(&recovery_form(code.expose_secret())))
            .collect();
        let tx = self.context.db.begin().await?;
        second_factors::confirm(&tx, user.id, &hashes, now).await?;
        second_factors::use_step(&tx, user.id, step).await?;
        self.tell_workspaces(&tx, user, "user.second_factor_added")
            .await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Takes the second factor away.
    pub async fn remove_factor(&self, user: &User) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        second_factors::delete(&tx, user.id).await?;
        self.tell_workspaces(&tx, user, "user.second_factor_removed")
            .await?;
        tx.commit().await?;
        Ok(())
    }

    fn open_factor(&self, user: UserId, sealed: &str) -> Result<SecretString, EngineError> {
        let sealed: Sealed = sealed.parse().map_err(EngineError::Secret)?;
        self.context
            .keyring
            .open(&sealed, &factor_place(user))
            .map_err(EngineError::Secret)
    }

    /// Forgets a person. Workspaces where they are alone go with everything in them; where others are left, an
    /// owner must stay. The last superuser cannot go.
    pub async fn delete_account(&self, user: &User) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        if user.is_superuser && accounts::n_superusers(&tx).await? < 2 {
            return Err(invalid(
                "",
                "единственный администратор установки не может удалить себя",
            ));
        }
        for (workspace, role) in accounts::memberships(&tx, user.id).await? {
            let n_owners = accounts::n_owners(&tx, workspace.id).await?;
            let is_alone = accounts::members(&tx, workspace.id).await?.len() == 1;
            if is_alone {
                workspaces::erase(&tx, workspace.id).await?;
            } else if role == Role::Owner && n_owners < 2 {
                let text = format!("сначала передайте кабинет «{}» другому владельцу", workspace.name);
                return Err(invalid("", &text));
            } else {
                self.tell(&tx, workspace.id, user, "user.deleted").await?;
            }
        }
        accounts::delete_user(&tx, user.id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn tell_workspaces(&self, tx: &Tx, user: &User, action: &str) -> Result<(), EngineError> {
        for (workspace, _) in accounts::memberships(tx, user.id).await? {
            self.tell(tx, workspace.id, user, action).await?;
        }
        Ok(())
    }

    async fn tell(
        &self,
        tx: &Tx,
        workspace: WorkspaceId,
        user: &User,
        action: &str,
    ) -> Result<(), EngineError> {
        let entry = NewEntry {
            action,
            subject_kind: "user",
            subject_id: user.id.to_string(),
            before: None,
            after: None,
        };
        self.context
            .audit(tx, workspace, &themselves(user), entry)
            .await?;
        Ok(())
    }
}

/// Recovery codes are typed from paper: case counts, blanks do not.
fn recovery_form(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

pub(crate) fn factor_place(user: UserId) -> String {
    format!("second-factor:{user}")
}
