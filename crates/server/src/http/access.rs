//! Permission as a type: a handler gets at the business only through the handle it extracts, and the handle
//! gives no more than its permission.
//!
//! A person's workspace stands in the header `X-Workspace-Id`; who is in one workspace only may leave it out. An
//! API key belongs to one workspace. A workspace that the caller is not in does not exist for them (404).

use crate::http::app::App;
use crate::http::edge::RequestId;
use crate::http::problem::Problem;
use crate::http::session;
use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use api::api_key::Scope;
use api::problem::ProblemType;
use connector::Connector;
use domain::id::{AuditEntryId, WorkspaceId};
use domain::time::Timestamp;
use engine::accounts::Accounts;
use engine::connections::Connections;
use engine::replay::Replays;
use engine::rules::Rules;
use futures::future::LocalBoxFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use storage::accounts::{self, Role, User};
use storage::api_keys::{self, ApiKey};
use storage::audit::{self, Actor, ActorKind, NewEntry};
use storage::connections::Connection;
use storage::{Db, StorageError};

/// Names the workspace of a person's request.
pub const WORKSPACE_HEADER: &str = "x-workspace-id";
/// A use of a key is noted at most this often, in milliseconds.
const NOTE_EVERY_MS: i64 = 60_000;

/// What a role or a scope allows.
pub trait Permission: 'static {
    /// The least role of a person.
    const ROLE: Role;
    /// The scope of an API key.
    const SCOPE: Scope;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $role:ident, $scope:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Permission for $name {
            const ROLE: Role = Role::$role;
            const SCOPE: Scope = Scope::$scope;
        }
    )*};
}

permissions! {
    /// To read everything but secrets.
    Read: Viewer, Read;
    /// To write rules.
    WriteRules: Editor, Rules;
    /// To replay, cancel and link.
    WriteEvents: Editor, Events;
    /// To manage connections and keys.
    Manage: Owner, Admin;
}

/// A caller with a permission in a workspace.
pub struct Access<P> {
    app: web::Data<App>,
    workspace: WorkspaceId,
    actor: Actor,
    permission: PhantomData<P>,
}

/// Sees everything but secrets.
pub type Viewer = Access<Read>;
/// Writes rules.
pub type RuleEditor = Access<WriteRules>;
/// Replays, cancels, links.
pub type EventEditor = Access<WriteEvents>;
/// Manages connections and keys.
pub type Owner = Access<Manage>;

impl<P> Access<P> {
    /// The workspace.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Who asks, for the audit log.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// For finders.
    pub fn db(&self) -> &Db {
        self.app.engine.db()
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.app.clock().now()
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// The connector of a connection, for addresses of cards only; none when it cannot be opened.
    pub async fn cards(&self, connection: &Connection) -> Option<Arc<dyn Connector>> {
        self.app.engine.context().connector(connection).await.ok()
    }

    /// Trying rules, which acts on nothing.
    pub async fn dry_run(
        &self,
        rule: &domain::rule::Rule,
        event: domain::id::EventId,
    ) -> Result<engine::replay::DryRun, Problem> {
        Ok(self
            .app
            .engine
            .replays()
            .dry_run(self.workspace, rule, event)
            .await?)
    }

    /// What the compiler says of a rule.
    pub async fn validate(
        &self,
        rule: &domain::rule::Rule,
    ) -> Result<Vec<domain::compile::Diagnostic>, Problem> {
        Ok(self.app.engine.rules().validate(self.workspace, rule).await?)
    }
}

impl RuleEditor {
    /// Work on rules.
    pub fn rules(&self) -> Rules {
        self.app.engine.rules()
    }
}

impl EventEditor {
    /// Replays.
    pub fn replays(&self) -> Replays {
        self.app.engine.replays()
    }
}

impl Owner {
    /// Work on connections.
    pub fn connections(&self) -> Connections {
        self.app.engine.connections()
    }

    /// Work on keys.
    pub fn accounts(&self) -> Accounts {
        self.app.engine.accounts()
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = Caller::of(&request).await?;
            let workspace = caller.workspace(&request).await?;
            caller.permit(workspace, P::ROLE, P::SCOPE).await?;
            let actor = caller.actor(&request);
            Ok(Self {
                app: caller.app,
                workspace,
                actor,
                permission: PhantomData,
            })
        })
    }
}

/// Somebody known: a person signed in, or a script with a key.
pub struct Caller {
    app: web::Data<App>,
    who: Who,
}

enum Who {
    Person(User),
    Key(ApiKey),
}

impl Caller {
    async fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let app = app(request)?;
        let who = match bearer(request)? {
            Some(token) => Who::Key(find_key(&app, token).await?),
            None => Who::Person(find_person(&app, request).await?),
        };
        Ok(Self { app, who })
    }

    /// The person, when it is one.
    pub fn person(&self) -> Option<&User> {
        match &self.who {
            Who::Person(user) => Some(user),
            Who::Key(_) => None,
        }
    }

    /// For finders.
    pub fn db(&self) -> &Db {
        self.app.engine.db()
    }

    /// Workspaces that the caller is in; a key is in its own.
    pub async fn workspaces(&self) -> Result<Vec<(accounts::Workspace, Role)>, Problem> {
        Ok(match &self.who {
            Who::Person(user) => accounts::memberships(self.db(), user.id).await?,
            Who::Key(key) => vec![(accounts::workspace(self.db(), key.workspace).await?, Role::Viewer)],
        })
    }

    async fn workspace(&self, request: &HttpRequest) -> Result<WorkspaceId, Problem> {
        let named = match request.headers().get(WORKSPACE_HEADER) {
            None => None,
            Some(value) => {
                let id = value.to_str().ok().and_then(|text| text.parse().ok());
                Some(id.ok_or_else(|| {
                    Problem::new(
                        ProblemType::BadRequest,
                        "Заголовок X-Workspace-Id должен содержать номер кабинета",
                    )
                })?)
            }
        };
        match (&self.who, named) {
            (Who::Key(key), None) => Ok(key.workspace),
            (_, Some(id)) => Ok(id),
            (Who::Person(user), None) => match accounts::memberships(self.db(), user.id).await?.as_slice() {
                [(only, _)] => Ok(only.id),
                _ => Err(Problem::new(
                    ProblemType::BadRequest,
                    "Назовите кабинет в заголовке X-Workspace-Id",
                )),
            },
        }
    }

    async fn permit(&self, workspace: WorkspaceId, role: Role, scope: Scope) -> Result<(), Problem> {
        match &self.who {
            Who::Key(key) if key.workspace != workspace => Err(Problem::not_found()),
            Who::Key(key) if key.scopes.iter().any(|word| word == scope.as_str()) => Ok(()),
            Who::Key(_) => Err(Problem::new(
                ProblemType::Forbidden,
                format!("Ключу не хватает права «{}»", scope.title()),
            )),
            Who::Person(user) => match accounts::role(self.db(), workspace, user.id).await? {
                None => Err(Problem::not_found()),
                Some(given) if given >= role => Ok(()),
                Some(_) => Err(Problem::new(
                    ProblemType::Forbidden,
                    "Вашей роли в кабинете для этого недостаточно: обратитесь к владельцу",
                )),
            },
        }
    }

    fn actor(&self, request: &HttpRequest) -> Actor {
        let (kind, id, name) = match &self.who {
            Who::Person(user) => (ActorKind::User, user.id.0, user.name.clone()),
            Who::Key(key) => (ActorKind::ApiKey, key.id.0, key.name.clone()),
        };
        Actor {
            kind,
            id: Some(id),
            name,
            request_id: request_id(request),
            address: session::peer(request),
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await })
    }
}

/// Somebody who runs the installation. Keys never do.
pub struct Superuser(pub User);

impl FromRequest for Superuser {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match Caller::of(&request).await?.who {
                Who::Person(user) if user.is_superuser => Ok(Self(user)),
                // Who is not one may not know that the address exists.
                Who::Person(_) | Who::Key(_) => Err(Problem::not_found()),
            }
        })
    }
}

/// Anybody, known or not: sign-in, set-up, hooks, health.
pub struct Anyone(web::Data<App>);

impl Anyone {
    /// Sign-in and set-up.
    pub fn accounts(&self) -> Accounts {
        self.0.engine.accounts()
    }

    pub(super) fn app(&self) -> &App {
        &self.0
    }
}

impl FromRequest for Anyone {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(app(request).map(Self))
    }
}

fn app(request: &HttpRequest) -> Result<web::Data<App>, Problem> {
    request.app_data::<web::Data<App>>().cloned().ok_or_else(|| {
        tracing::error!("приложение собрано без общих данных");
        Problem::internal()
    })
}

fn request_id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.0.to_string())
}

fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(unauthorized(
            "Заголовок Authorization должен иметь вид «Bearer ключ»",
        )),
    }
}

async fn find_key(app: &App, token: &str) -> Result<ApiKey, Problem> {
    let now = app.clock().now();
    let db = app.engine.db();
    let found = api_keys::find_by_token(db, &vault::hash_token(token), now).await?;
    let key = found.ok_or_else(|| unauthorized("Ключ неизвестен, отозван или его срок истёк"))?;
    if key.last_used_at.is_none_or(|at| now.0 - at.0 > NOTE_EVERY_MS) {
        api_keys::note_used(db, key.workspace, key.id, now).await?;
    }
    Ok(key)
}

async fn find_person(app: &App, request: &HttpRequest) -> Result<User, Problem> {
    let nobody = || unauthorized("Войдите или передайте ключ в заголовке Authorization");
    let id = session::signed_in(&request.get_session()).ok_or_else(nobody)?;
    match accounts::user(app.engine.db(), id).await {
        Ok(user) if user.disabled_at.is_none() => Ok(user),
        Ok(_) | Err(StorageError::NotFound { .. }) => Err(nobody()),
        Err(error) => Err(error.into()),
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(ProblemType::Unauthorized, detail)
}

/// The person of this session, if one is signed in.
pub async fn current(request: &HttpRequest) -> Result<Option<User>, Problem> {
    let app = app(request)?;
    match find_person(&app, request).await {
        Ok(user) => Ok(Some(user)),
        Err(problem) if problem.body().problem_type() == Some(ProblemType::Unauthorized) => Ok(None),
        Err(problem) => Err(problem),
    }
}

impl<P> Access<P> {
    /// Writes an entry of the audit log about something that has just been done.
    pub async fn record(
        &self,
        action: &str,
        kind: &str,
        id: impl std::fmt::Display,
        after: Option<serde_json::Value>,
    ) -> Result<(), Problem> {
        let entry = NewEntry {
            action,
            subject_kind: kind,
            subject_id: id.to_string(),
            before: None,
            after,
        };
        let entry_id = AuditEntryId(engine::new_id());
        audit::insert(
            self.db(),
            self.workspace,
            entry_id,
            &self.actor,
            entry,
            self.now(),
        )
        .await?;
        Ok(())
    }
}
