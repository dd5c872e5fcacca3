//! Workspaces, the people who sign in, and who may do what where.

use crate::db::{Conn, Tx};
use crate::error::StorageError;
use crate::sql::{self, document, json};
use domain::evaluate::Calendar;
use domain::id::{UserId, WorkspaceId};
use domain::time::Timestamp;
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// What a person may do in a workspace; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Sees everything but secrets.
    Viewer,
    /// Also writes rules, replays, cancels.
    Editor,
    /// Also connections, members, API keys.
    Owner,
}

impl Role {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// IANA zone in which its rules read local times.
    pub zone: String,
    /// Its working hours and holidays; `None` for the usual ones.
    pub calendar: Option<Calendar>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// E-mail, lower case, unique.
    pub email: String,
    /// Name as shown.
    pub name: String,
    /// Argon2id hash in PHC form; `None` when they sign in by link only.
    pub password_hash: Option<String>,
    /// Runs the installation.
    pub is_superuser: bool,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A person of a workspace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The person.
    pub user: User,
    /// Their role here.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

#[derive(FromQueryResult)]
struct WorkspaceRow {
    id: Uuid,
    name: String,
    zone: String,
    calendar: Option<String>,
    created_at: i64,
}

impl TryFrom<WorkspaceRow> for Workspace {
    type Error = StorageError;

    fn try_from(row: WorkspaceRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: WorkspaceId(row.id),
            calendar: row
                .calendar
                .as_deref()
                .map(|text| document("workspace", row.id, text))
                .transpose()?,
            name: row.name,
            zone: row.zone,
            created_at: Timestamp(row.created_at),
        })
    }
}

#[derive(FromQueryResult)]
struct UserRow {
    id: Uuid,
    email: String,
    name: String,
    password_hash: Option<String>,
    is_superuser: bool,
    disabled_at: Option<i64>,
    created_at: i64,
}

const USER_COLUMNS: &str =
    "u.id, u.email, u.name, u.password_hash, u.is_superuser, u.disabled_at, u.created_at";

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email,
            name: row.name,
            password_hash: row.password_hash,
            is_superuser: row.is_superuser,
            disabled_at: row.disabled_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
        }
    }
}

#[derive(FromQueryResult)]
struct CountRow {
    n: i64,
}

/// How many people there are: none means that the installation was never set up.
pub async fn n_users(conn: &impl Conn) -> Result<u64, StorageError> {
    let row = sql::one::<CountRow, _>(conn, "SELECT COUNT(*) AS n FROM \"user\"", []).await?;
    Ok(row.map_or(0, |row| row.n.unsigned_abs()))
}

/// Makes a workspace.
pub async fn insert_workspace(conn: &impl Conn, workspace: &Workspace) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO workspace (id, name, zone, calendar, created_at) VALUES ($1, $2, $3, $4, $5)",
        [
            workspace.id.0.into(),
            workspace.name.as_str().into(),
            workspace.zone.as_str().into(),
            workspace.calendar.as_ref().map(json).into(),
            workspace.created_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// One workspace.
pub async fn workspace(conn: &impl Conn, id: WorkspaceId) -> Result<Workspace, StorageError> {
    sql::one::<WorkspaceRow, _>(
        conn,
        "SELECT id, name, zone, calendar, created_at FROM workspace WHERE id = $1",
        [id.0.into()],
    )
    .await?
    .ok_or(StorageError::NotFound { table: "workspace" })?
    .try_into()
}

/// Every workspace of the installation, oldest first.
pub async fn workspaces(conn: &impl Conn) -> Result<Vec<Workspace>, StorageError> {
    let rows = sql::all::<WorkspaceRow, _>(
        conn,
        "SELECT id, name, zone, calendar, created_at FROM workspace ORDER BY id",
        [],
    )
    .await?;
    rows.into_iter().map(Workspace::try_from).collect()
}

/// Adds a person. [`StorageError::Conflict`] when the e-mail is taken.
pub async fn insert_user(conn: &impl Conn, user: &User) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO \"user\" (id, email, name, password_hash, is_superuser, disabled_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            user.id.0.into(),
            user.email.as_str().into(),
            user.name.as_str().into(),
            user.password_hash.clone().into(),
            user.is_superuser.into(),
            user.disabled_at.map(|at| at.0).into(),
            user.created_at.0.into(),
        ],
    )
    .await?;
    Ok(())
}

/// One person.
pub async fn user(conn: &impl Conn, id: UserId) -> Result<User, StorageError> {
    let sql = format!("SELECT {USER_COLUMNS} FROM \"user\" u WHERE u.id = $1");
    sql::one::<UserRow, _>(conn, &sql, [id.0.into()])
        .await?
        .map(User::from)
        .ok_or(StorageError::NotFound { table: "user" })
}

/// The person with an e-mail (lower case), if any.
pub async fn user_by_email(conn: &impl Conn, email: &str) -> Result<Option<User>, StorageError> {
    let sql = format!("SELECT {USER_COLUMNS} FROM \"user\" u WHERE u.email = $1");
    Ok(sql::one::<UserRow, _>(conn, &sql, [email.into()])
        .await?
        .map(User::from))
}

/// Lets a person into a workspace. [`StorageError::Conflict`] when they are in it already.
pub async fn insert_membership(
    conn: &impl Conn,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<(), StorageError> {
    sql::execute(
        conn,
        "INSERT INTO membership (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
        [
            workspace.0.into(),
            user.0.into(),
            role.as_str().into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct RoleRow {
    role: String,
}

/// The role of a person in a workspace; `None` when they are not in it.
pub async fn role(
    conn: &impl Conn,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<Role>, StorageError> {
    sql::one::<RoleRow, _>(
        conn,
        "SELECT role FROM membership WHERE workspace_id = $1 AND user_id = $2",
        [workspace.0.into(), user.0.into()],
    )
    .await?
    .map(|row| parse_role(&row.role, workspace))
    .transpose()
}

fn parse_role(word: &str, workspace: WorkspaceId) -> Result<Role, StorageError> {
    Role::parse(word).ok_or_else(|| StorageError::Corrupt {
        table: "membership",
        id: workspace.to_string(),
    })
}

#[derive(FromQueryResult)]
struct MembershipRow {
    id: Uuid,
    name: String,
    zone: String,
    calendar: Option<String>,
    created_at: i64,
    role: String,
}

/// Workspaces of a person with the role in each, oldest first.
pub async fn memberships(conn: &impl Conn, user: UserId) -> Result<Vec<(Workspace, Role)>, StorageError> {
    sql::all::<MembershipRow, _>(
        conn,
        "SELECT w.id, w.name, w.zone, w.calendar, w.created_at, m.role FROM membership m \
         JOIN workspace w ON w.id = m.workspace_id WHERE m.user_id = $1 ORDER BY w.id",
        [user.0.into()],
    )
    .await?
    .into_iter()
    .map(|row| {
        let role = parse_role(&row.role, WorkspaceId(row.id))?;
        let workspace = WorkspaceRow {
            id: row.id,
            name: row.name,
            zone: row.zone,
            calendar: row.calendar,
            created_at: row.created_at,
        };
        Ok((workspace.try_into()?, role))
    })
    .collect()
}

#[derive(FromQueryResult)]
struct MemberRow {
    id: Uuid,
    email: String,
    name: String,
    password_hash: Option<String>,
    is_superuser: bool,
    disabled_at: Option<i64>,
    created_at: i64,
    role: String,
    joined_at: i64,
}

/// People of a workspace, the one who came first first.
pub async fn members(conn: &impl Conn, workspace: WorkspaceId) -> Result<Vec<Member>, StorageError> {
    let sql = format!(
        "SELECT {USER_COLUMNS}, m.role, m.created_at AS joined_at FROM membership m \
         JOIN \"user\" u ON u.id = m.user_id WHERE m.workspace_id = $1 ORDER BY m.created_at, u.id"
    );
    sql::all::<MemberRow, _>(conn, &sql, [workspace.0.into()])
        .await?
        .into_iter()
        .map(|row| {
            Ok(Member {
                role: parse_role(&row.role, workspace)?,
                joined_at: Timestamp(row.joined_at),
                user: UserRow {
                    id: row.id,
                    email: row.email,
                    name: row.name,
                    password_hash: row.password_hash,
                    is_superuser: row.is_superuser,
                    disabled_at: row.disabled_at,
                    created_at: row.created_at,
                }
                .into(),
            })
        })
        .collect()
}

/// Changes the name of a person.
pub async fn rename_user(conn: &impl Conn, id: UserId, name: &str) -> Result<(), StorageError> {
    touched_user(
        sql::execute(
            conn,
            "UPDATE \"user\" SET name = $2 WHERE id = $1",
            [id.0.into(), name.into()],
        )
        .await?,
    )
}

/// Changes the password hash of a person.
pub async fn set_password(conn: &impl Conn, id: UserId, hash: &str) -> Result<(), StorageError> {
    let sql = "UPDATE \"user\" SET password_hash = $2 WHERE id = $1";
    touched_user(sql::execute(conn, sql, [id.0.into(), hash.into()]).await?)
}

/// Forbids a person to sign in since a moment, or lets them in again.
pub async fn set_disabled(conn: &impl Conn, id: UserId, at: Option<Timestamp>) -> Result<(), StorageError> {
    let sql = "UPDATE \"user\" SET disabled_at = $2 WHERE id = $1";
    touched_user(sql::execute(conn, sql, [id.0.into(), at.map(|at| at.0).into()]).await?)
}

fn touched_user(n_rows: u64) -> Result<(), StorageError> {
    if n_rows == 0 {
        return Err(StorageError::NotFound { table: "user" });
    }
    Ok(())
}

/// Every person of the installation, newest first.
pub async fn users(conn: &impl Conn, page: crate::PageOf) -> Result<Vec<User>, StorageError> {
    let mut filter = sql::Filter::default();
    if let Some(before) = page.before {
        filter.and("u.id < {}", [before.into()]);
    }
    let (clause, mut values) = filter.finish();
    values.push((page.limit as i64).into());
    let sql = format!(
        "SELECT {USER_COLUMNS} FROM \"user\" u{clause} ORDER BY u.id DESC LIMIT ${}",
        values.len()
    );
    let rows = sql::all::<UserRow, _>(conn, &sql, values).await?;
    Ok(rows.into_iter().map(User::from).collect())
}

/// Gives a member another role.
pub async fn set_role(
    conn: &impl Conn,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "UPDATE membership SET role = $3 WHERE workspace_id = $1 AND user_id = $2",
        [workspace.0.into(), user.0.into(), role.as_str().into()],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::NotFound { table: "membership" });
    }
    Ok(())
}

/// Takes a person out of a workspace.
pub async fn delete_membership(
    conn: &impl Conn,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<(), StorageError> {
    let n_rows = sql::execute(
        conn,
        "DELETE FROM membership WHERE workspace_id = $1 AND user_id = $2",
        [workspace.0.into(), user.0.into()],
    )
    .await?;
    if n_rows == 0 {
        return Err(StorageError::NotFound { table: "membership" });
    }
    Ok(())
}

/// How many owners a workspace has. Takes the workspace's row first, so that of two owners who leave at once
/// one stays.
pub async fn n_owners(tx: &Tx, workspace: WorkspaceId) -> Result<u64, StorageError> {
    sql::execute(
        tx,
        "UPDATE workspace SET name = name WHERE id = $1",
        [workspace.0.into()],
    )
    .await?;
    let row = sql::one::<CountRow, _>(
        tx,
        "SELECT COUNT(*) AS n FROM membership WHERE workspace_id = $1 AND role = 'owner'",
        [workspace.0.into()],
    )
    .await?;
    Ok(row.map_or(0, |row| row.n.unsigned_abs()))
}

/// How many superusers may sign in.
pub async fn n_superusers(conn: &impl Conn) -> Result<u64, StorageError> {
    let sql = "SELECT COUNT(*) AS n FROM \"user\" WHERE is_superuser AND disabled_at IS NULL";
    let row = sql::one::<CountRow, _>(conn, sql, []).await?;
    Ok(row.map_or(0, |row| row.n.unsigned_abs()))
}

/// Forgets a person with their memberships, sessions, links and factors. What they did stays in the audit logs.
pub async fn delete_user(tx: &Tx, id: UserId) -> Result<(), StorageError> {
    for table in [
        "membership",
        "session",
        "sign_in_link",
        "second_factor",
        "recovery_code",
    ] {
        let sql = format!("DELETE FROM {table} WHERE user_id = $1");
        sql::execute(tx, &sql, [id.0.into()]).await?;
    }
    touched_user(sql::execute(tx, "DELETE FROM \"user\" WHERE id = $1", [id.0.into()]).await?)
}
