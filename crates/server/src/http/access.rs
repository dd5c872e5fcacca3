//! Permission as a type: a handler gets at the business only through the handle it extracts, and the handle
//! gives no more than its permission.
//!
//! A person's workspace stands in the header `X-Workspace-Id`; who is in one workspace only may leave it out. An
//! API key belongs to one workspace. A workspace that the caller is not in does not exist for them (404).

use crate::http::app::App;
use crate::http::client_address;
use crate::http::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use api::api_key::Scope;
use api::problem::ProblemType;
use connector::Connector;
use domain::id::WorkspaceId;
use domain::time::Timestamp;
use engine::accounts::{Accounts, Letter};
use engine::connections::Connections;
use engine::reconcile::Reconciler;
use engine::replay::Replays;
use engine::retention::{Kept, Retention};
use engine::rules::Rules;
use engine::stops::Stops;
use futures::future::LocalBoxFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use storage::accounts::{self, Role, User};
use storage::audit::{Actor, NewEntry};
use storage::connections::Connection;
use storage::pulse::Pulse;
use storage::{Db, Tx};

mod caller;
mod files;

pub use caller::{Caller, actor_of, current};

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
    /// To upload files and to write down results of calls.
    WriteFiles: Editor, Imports;
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
/// Uploads files, writes results of calls down.
pub type FileEditor = Access<WriteFiles>;
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

    /// Listens to what changes in the workspace, from where it stands.
    pub fn listen(&self, now: Pulse) -> tokio::sync::watch::Receiver<Pulse> {
        self.app.pulses.listen(self.db(), self.workspace, now)
    }

    /// Whether the person is still in the workspace and not shut out.
    pub async fn is_member(&self) -> bool {
        let Some(id) = self.actor.id.map(domain::id::UserId) else {
            return false;
        };
        let role = accounts::role(self.db(), self.workspace, id).await;
        let user = accounts::user(self.db(), id).await;
        matches!(role, Ok(Some(_))) && user.is_ok_and(|user| user.disabled_at.is_none())
    }

    /// Whether the server goes on serving.
    pub fn is_ready(&self) -> bool {
        self.app.is_ready()
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

    /// What rules are tried on.
    pub fn trials(&self) -> engine::trials::Trials {
        self.app.engine.trials()
    }

    /// What changes between two states of a rule.
    pub async fn compare(
        &self,
        before: &domain::rule::Rule,
        after: &domain::rule::Rule,
    ) -> Result<Vec<domain::diff::Change>, Problem> {
        Ok(self
            .app
            .engine
            .rules()
            .compare(self.workspace, before, after)
            .await?)
    }

    /// What the compiler says of a rule, and the cycles it would close.
    pub async fn validate(
        &self,
        id: Option<domain::id::RuleId>,
        rule: &domain::rule::Rule,
    ) -> Result<Vec<domain::compile::Diagnostic>, Problem> {
        Ok(self.app.engine.rules().validate(self.workspace, id, rule).await?)
    }

    /// How long the workspace keeps things, and the most that the installation allows.
    pub async fn kept(&self) -> Result<(Kept, Kept), Problem> {
        let retention = self.app.engine.retention();
        Ok((retention.kept(self.workspace).await?, retention.most()))
    }

    /// A rule with the names of everything it refers to.
    pub async fn export(&self, id: domain::id::RuleId) -> Result<domain::portable::Portable, Problem> {
        Ok(self.app.engine.rules().export(self.workspace, id).await?)
    }

    /// What a portable rule would be in this workspace.
    pub async fn bind(
        &self,
        portable: &domain::portable::Portable,
    ) -> Result<domain::portable::Bound, Problem> {
        Ok(self.app.engine.rules().bind(self.workspace, portable).await?)
    }

    /// The cycles among the published rules.
    pub async fn rule_cycles(&self) -> Result<domain::cycles::Analysis, Problem> {
        Ok(self.app.engine.rules().cycles(self.workspace).await?)
    }
}

impl RuleEditor {
    /// Work on rules.
    pub fn rules(&self) -> Rules {
        self.app.engine.rules()
    }

    /// Stopping and starting rules.
    pub fn stops(&self) -> Stops {
        self.app.engine.stops()
    }
}

impl EventEditor {
    /// Starts by hand and great replays.
    pub fn sweeps(&self) -> engine::sweeps::Sweeps {
        self.app.engine.sweeps()
    }

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

    /// Reading what changed in the CRMs.
    pub fn reconciler(&self) -> &Reconciler {
        self.app.engine.reconciler()
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        self.app.engine.retention()
    }

    /// Work on keys.
    pub fn accounts(&self) -> Accounts {
        self.app.engine.accounts()
    }

    /// Stopping and starting the workspace and its connections.
    pub fn stops(&self) -> Stops {
        self.app.engine.stops()
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

/// The person who is signed in, for their own account. Keys have none.
pub struct Person {
    app: web::Data<App>,
    /// Who.
    pub user: User,
    /// From where.
    pub address: Option<String>,
}

impl Person {
    /// Work on the own account.
    pub fn accounts(&self) -> Accounts {
        self.app.engine.accounts()
    }

    /// For finders.
    pub fn db(&self) -> &Db {
        self.app.engine.db()
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.app.clock().now()
    }

    /// Sends a letter.
    pub fn post(&self, letter: Letter) {
        self.app.mailer.post(letter);
    }
}

impl FromRequest for Person {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = Caller::of(&request).await?;
            match caller.who {
                caller::Who::Person(user) => Ok(Self {
                    app: caller.app,
                    user,
                    address: client_address::of(&request),
                }),
                caller::Who::Key(_) => Err(Problem::new(
                    ProblemType::Forbidden,
                    "Это делает человек в своём сеансе, а не ключ API",
                )),
            }
        })
    }
}

/// A person as a member of a workspace.
pub struct Member {
    /// What they may see there.
    pub access: Viewer,
    /// Who.
    pub person: Person,
}

impl FromRequest for Member {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        // One after the other: two arguments of a handler are looked at side by side, and a key of another workspace
        // would learn now and then that ours exists.
        Box::pin(async move {
            let access = Viewer::extract(&request).await?;
            let person = Person::extract(&request).await?;
            Ok(Self { access, person })
        })
    }
}

/// Somebody who runs the installation. Keys never do.
pub struct Superuser {
    app: web::Data<App>,
    user: User,
    actor: Actor,
}

impl Superuser {
    /// Who asks.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Who asks, for the audit log.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Stopping and starting everything.
    pub fn stops(&self) -> Stops {
        self.app.engine.stops()
    }
}

impl FromRequest for Superuser {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = Caller::of(&request).await?;
            let actor = caller.actor(&request);
            match caller.who {
                caller::Who::Person(user) if user.is_superuser => Ok(Self {
                    app: caller.app,
                    user,
                    actor,
                }),
                // Who is not one may not know that the address exists.
                caller::Who::Person(_) | caller::Who::Key(_) => Err(Problem::not_found()),
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

    /// Sends a letter.
    pub fn post(&self, letter: Letter) {
        self.0.mailer.post(letter);
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

impl<P> Access<P> {
    /// Writes an entry of the audit log in the transaction of the change: what was done, to which thing, with
    /// its state before and after.
    pub async fn record_in(
        &self,
        tx: &Tx,
        action: &str,
        (kind, id): (&str, impl std::fmt::Display),
        (before, after): (Option<serde_json::Value>, Option<serde_json::Value>),
    ) -> Result<(), Problem> {
        let entry = NewEntry {
            action,
            subject_kind: kind,
            subject_id: id.to_string(),
            before,
            after,
        };
        let context = self.app.engine.context();
        Ok(context.audit(tx, self.workspace, &self.actor, entry).await?)
    }

    /// Writes an entry of the audit log about something that has just been done.
    pub async fn record(
        &self,
        action: &str,
        kind: &str,
        id: impl std::fmt::Display,
        after: Option<serde_json::Value>,
    ) -> Result<(), Problem> {
        let tx = self.db().begin().await?;
        self.record_in(&tx, action, (kind, id), (None, after)).await?;
        tx.commit().await?;
        Ok(())
    }
}
