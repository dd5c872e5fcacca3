//! How people come in and go: registration, invitations, roles, leaving.

use super::{Accounts, checked_email, checked_name, invalid, new_token};
use crate::context::new_id;
use crate::error::EngineError;
use domain::id::{UserId, WorkspaceId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use storage::accounts::{self, Role, User, Workspace};
use storage::audit::{Actor, ActorKind, NewEntry};
use storage::invitations::{self, Invitation};
use storage::{Tx, sessions, settings};
use uuid::Uuid;

const INVITED_FOR_MS: i64 = 7 * 86_400_000;
const REGISTER_FOR_MS: i64 = 86_400_000;
const SETTING: &str = "registration";

/// Who may register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Anybody with an e-mail.
    Open,
    /// Whom an owner or a superuser invites.
    Invited,
    /// Nobody.
    Closed,
}

impl Registration {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invited => "invited",
            Self::Closed => "closed",
        }
    }

    /// The one with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Invited, Self::Closed]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// A letter to be sent once what it tells of is stored.
#[derive(Clone)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text; may hold a link that works once.
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What an invitation leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// Who was invited.
    pub email: String,
    /// Into which workspace; `None` to make one.
    pub workspace: Option<String>,
    /// The person has an account already: they only join.
    pub is_known: bool,
}

/// Somebody who uses an invitation.
#[derive(Clone)]
pub struct Acceptance {
    /// Token of the letter.
    pub token: SecretString,
    /// Name; for a new person.
    pub name: String,
    /// Argon2id hash; for a new person.
    pub password_hash: Option<String>,
    /// Name of the workspace to make, when the invitation names none.
    pub workspace: String,
}

impl Accounts {
    /// Who may register, as the superuser has set it.
    pub async fn registration(&self) -> Result<Registration, EngineError> {
        let word = settings::find(&self.context.db, SETTING).await?;
        Ok(word
            .and_then(|word| Registration::parse(&word))
            .unwrap_or(Registration::Invited))
    }

    /// Sets who may register.
    pub async fn set_registration(&self, wanted: Registration) -> Result<(), EngineError> {
        let now = self.context.clock.now();
        settings::put(&self.context.db, SETTING, wanted.as_str(), now).await?;
        Ok(())
    }

    /// Somebody asks to register. Whatever is known of the address, a letter goes there, and only the letter
    /// tells.
    pub async fn register(&self, email: &str) -> Result<Letter, EngineError> {
        if self.registration().await? != Registration::Open {
            return Err(EngineError::Closed);
        }
        let email = checked_email(email)?;
        let public_url = &self.context.settings.public_url;
        if accounts::user_by_email(&self.context.db, &email).await?.is_some() {
            return Ok(Letter {
                to: email,
                subject: "Вы уже зарегистрированы".to_owned(),
                text: format!(
                    "Кто-то, вероятно вы, пытается зарегистрироваться с этим адресом, но учётная запись уже есть.\n\n\
                     Войти или восстановить пароль: {public_url}/sign-in\n\nЕсли это были не вы, ничего делать не нужно."
                ),
            });
        }
        let link = self
            .invitation(&self.context.db, &email, None, None, REGISTER_FOR_MS)
            .await?;
        Ok(Letter {
            to: email,
            subject: "Подтвердите адрес".to_owned(),
            text: format!(
                "Чтобы закончить регистрацию в CRM Интеграторе, откройте ссылку (она действует сутки и один раз):\n\n\
                 {link}\n\nЕсли вы не регистрировались, ничего делать не нужно."
            ),
        })
    }

    async fn invitation(
        &self,
        conn: &impl storage::Conn,
        email: &str,
        into: Option<(WorkspaceId, Role)>,
        invited_by: Option<UserId>,
        for_ms: i64,
    ) -> Result<String, EngineError> {
        let now = self.context.clock.now();
        let (token, hash) = new_token()?;
        let invitation = Invitation {
            id: new_id(),
            into,
            email: email.to_owned(),
            invited_by,
            created_at: now,
            expires_at: now.plus_ms(for_ms),
        };
        invitations::insert(conn, &invitation, &hash).await?;
        let public_url = &self.context.settings.public_url;
        Ok(format!("{public_url}/join#{}", token.expose_secret()))
    }

    /// Invites somebody into a workspace.
    pub async fn invite(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        email: &str,
        role: Role,
    ) -> Result<Letter, EngineError> {
        if self.registration().await? == Registration::Closed {
            return Err(EngineError::Closed);
        }
        let email = checked_email(email)?;
        let tx = self.context.db.begin().await?;
        let name = accounts::workspace(&tx, workspace).await?.name;
        let link = self
            .invitation(&tx, &email, Some((workspace, role)), actor.user(), INVITED_FOR_MS)
            .await?;
        let after = json!({ "email": email, "role": role.as_str() });
        let entry = NewEntry::of("member", "member.invited", workspace, None, Some(after));
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(Letter {
            to: email,
            subject: format!("Приглашение в кабинет «{name}»"),
            text: format!(
                "{} приглашает вас в кабинет «{name}» CRM Интегратора.\n\nЧтобы войти, откройте ссылку (она действует \
                 неделю и один раз):\n\n{link}\n\nЕсли вы не ждали приглашения, ничего делать не нужно.",
                actor.name
            ),
        })
    }

    /// Invites somebody to make an account and a workspace of their own: the superuser's way to let people in.
    pub async fn invite_user(&self, by: UserId, email: &str) -> Result<Letter, EngineError> {
        let email = checked_email(email)?;
        if accounts::user_by_email(&self.context.db, &email).await?.is_some() {
            return Err(invalid("/email", "человек с таким e-mail уже есть"));
        }
        let link = self
            .invitation(&self.context.db, &email, None, Some(by), INVITED_FOR_MS)
            .await?;
        Ok(Letter {
            to: email,
            subject: "Приглашение в CRM Интегратор".to_owned(),
            text: format!(
                "Вас приглашают в CRM Интегратор. Чтобы создать учётную запись и кабинет, откройте ссылку (она действует \
                 неделю и один раз):\n\n{link}\n\nЕсли вы не ждали приглашения, ничего делать не нужно."
            ),
        })
    }

    /// What an invitation leads to. `None` when it cannot be used any more.
    pub async fn invited(&self, token: &SecretString) -> Result<Option<Invited>, EngineError> {
        let db = &self.context.db;
        let hash = vault::hash_token(token.expose_secret());
        let Some(found) = invitations::find(db, &hash, self.context.clock.now()).await? else {
            return Ok(None);
        };
        let workspace = match found.into {
            Some((id, _)) => Some(accounts::workspace(db, id).await?.name),
            None => None,
        };
        Ok(Some(Invited {
            is_known: accounts::user_by_email(db, &found.email).await?.is_some(),
            email: found.email,
            workspace,
        }))
    }

    /// Uses an invitation: makes the person if they are new, and lets them into the workspace or makes one. Gives
    /// the person when they are new; who was known signs in as ever.
    pub async fn accept(&self, wanted: Acceptance) -> Result<Option<User>, EngineError> {
        let now = self.context.clock.now();
        let hash = vault::hash_token(wanted.token.expose_secret());
        let tx = self.context.db.begin().await?;
        let Some(invitation) = invitations::take(&tx, &hash, now).await? else {
            return Err(invalid(
                "/token",
                "ссылка недействительна или уже использована: попросите новую",
            ));
        };
        let known = accounts::user_by_email(&tx, &invitation.email).await?;
        let is_new = known.is_none();
        let user = match known {
            Some(user) => user,
            None => self.new_user(&tx, &invitation.email, &wanted).await?,
        };
        match invitation.into {
            Some((workspace, role)) => self.join(&tx, workspace, &user, role).await?,
            None if is_new => {
                let name = checked_name("/workspace", &wanted.workspace)?;
                self.found(&tx, &user, name).await?;
            }
            None => {}
        }
        tx.commit().await?;
        Ok(Some(user).filter(|_| is_new))
    }

    async fn new_user(&self, tx: &Tx, email: &str, wanted: &Acceptance) -> Result<User, EngineError> {
        if self.registration().await? == Registration::Closed {
            return Err(EngineError::Closed);
        }
        let hash = wanted.password_hash.clone();
        let user = User {
            id: UserId(new_id()),
            email: email.to_owned(),
            name: checked_name("/name", &wanted.name)?,
            password_hash: Some(hash.ok_or_else(|| invalid("/password", "придумайте пароль"))?),
            is_superuser: false,
            disabled_at: None,
            created_at: self.context.clock.now(),
        };
        accounts::insert_user(tx, &user).await?;
        Ok(user)
    }

    /// Lets a person into a workspace. Who is in it already stays what they are.
    async fn join(
        &self,
        tx: &Tx,
        workspace: WorkspaceId,
        user: &User,
        role: Role,
    ) -> Result<(), EngineError> {
        if accounts::role(tx, workspace, user.id).await?.is_some() {
            return Ok(());
        }
        accounts::insert_membership(tx, workspace, user.id, role, self.context.clock.now()).await?;
        let after = json!({ "email": user.email, "role": role.as_str() });
        let entry = NewEntry::of("member", "member.joined", user.id, None, Some(after));
        self.context
            .audit(tx, workspace, &themselves(user), entry)
            .await?;
        Ok(())
    }

    /// Makes a workspace with its first owner.
    pub(super) async fn found(&self, tx: &Tx, user: &User, name: String) -> Result<Workspace, EngineError> {
        let now = self.context.clock.now();
        let workspace = Workspace {
            id: WorkspaceId(new_id()),
            name,
            zone: "Europe/Moscow".to_owned(),
            calendar: None,
            created_at: now,
        };
        accounts::insert_workspace(tx, &workspace).await?;
        accounts::insert_membership(tx, workspace.id, user.id, Role::Owner, now).await?;
        let entry = NewEntry {
            action: "workspace.created",
            subject_kind: "workspace",
            subject_id: workspace.id.to_string(),
            before: None,
            after: Some(json!({ "name": workspace.name })),
        };
        self.context
            .audit(tx, workspace.id, &themselves(user), entry)
            .await?;
        Ok(workspace)
    }

    /// Takes an invitation back.
    pub async fn withdraw(&self, workspace: WorkspaceId, actor: &Actor, id: Uuid) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let gone = invitations::withdraw(&tx, workspace, id).await?;
        let before = json!({ "email": gone.email });
        let entry = NewEntry::of("member", "member.invitation_withdrawn", id, Some(before), None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a member another role. Their sessions end: what they may do changed. A workspace keeps an owner.
    pub async fn set_role(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        user: UserId,
        role: Role,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let before = self.leaving(&tx, workspace, user, role != Role::Owner).await?;
        if before == role {
            return Ok(());
        }
        accounts::set_role(&tx, workspace, user, role).await?;
        sessions::delete_of_user(&tx, user).await?;
        let (before, after) = (
            json!({ "role": before.as_str() }),
            json!({ "role": role.as_str() }),
        );
        let entry = NewEntry::of("member", "member.role_changed", user, Some(before), Some(after));
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a person out of a workspace: an owner's decision or their own. A workspace keeps an owner.
    pub async fn remove_member(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        user: UserId,
    ) -> Result<(), EngineError> {
        let tx = self.context.db.begin().await?;
        let role = self.leaving(&tx, workspace, user, true).await?;
        accounts::delete_membership(&tx, workspace, user).await?;
        if actor.user() != Some(user) {
            sessions::delete_of_user(&tx, user).await?;
        }
        let email = accounts::user(&tx, user).await?.email;
        let before = json!({ "email": email, "role": role.as_str() });
        let entry = NewEntry::of("member", "member.removed", user, Some(before), None);
        self.context.audit(&tx, workspace, actor, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The role of a member; refuses when they stop being an owner and nobody else is one.
    async fn leaving(
        &self,
        tx: &Tx,
        workspace: WorkspaceId,
        user: UserId,
        stops_owning: bool,
    ) -> Result<Role, EngineError> {
        let n_owners = accounts::n_owners(tx, workspace).await?;
        let role = accounts::role(tx, workspace, user).await?;
        let role = role.ok_or(storage::StorageError::NotFound { table: "membership" })?;
        if stops_owning && role == Role::Owner && n_owners < 2 {
            return Err(invalid(
                "",
                "в кабинете должен остаться владелец: сначала сделайте владельцем другого участника",
            ));
        }
        Ok(role)
    }
}

/// A person as the actor of what they do before they have a session.
pub(super) fn themselves(user: &User) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(user.id.0),
        name: user.name.clone(),
        request_id: None,
        address: None,
    }
}
