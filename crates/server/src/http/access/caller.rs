//! Who calls: a person by session, or a script by key.

use super::app;
use crate::http::app::App;
use crate::http::client_address;
use crate::http::edge::RequestId;
use crate::http::problem::Problem;
use crate::http::session;
use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use api::api_key::Scope;
use api::problem::ProblemType;
use domain::id::WorkspaceId;
use futures::future::LocalBoxFuture;
use storage::accounts::{self, Role, User};
use storage::api_keys::{self, ApiKey};
use storage::audit::{Actor, ActorKind};
use storage::{Db, StorageError};

/// Names the workspace of a person's request.
const WORKSPACE_HEADER: &str = "x-workspace-id";
/// Ends of addresses that a browser fetches without headers.
const BARE: [&str; 4] = ["stream", "export", "failed-rows", "recording"];
/// A use of a key is noted at most this often, in milliseconds.
const NOTE_EVERY_MS: i64 = 60_000;

/// Somebody known: a person signed in, or a script with a key.
pub struct Caller {
    pub(super) app: web::Data<App>,
    pub(super) who: Who,
}

pub(super) enum Who {
    Person(User),
    Key(ApiKey),
}

impl Caller {
    pub(super) async fn of(request: &HttpRequest) -> Result<Self, Problem> {
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

    pub(super) async fn workspace(&self, request: &HttpRequest) -> Result<WorkspaceId, Problem> {
        let named = match request.headers().get(WORKSPACE_HEADER) {
            None => in_address(request),
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

    pub(super) async fn permit(
        &self,
        workspace: WorkspaceId,
        role: Role,
        scope: Scope,
    ) -> Result<(), Problem> {
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

    pub(super) fn actor(&self, request: &HttpRequest) -> Actor {
        match &self.who {
            Who::Person(user) => actor_of(user, request),
            Who::Key(key) => Actor {
                kind: ActorKind::ApiKey,
                id: Some(key.id.0),
                name: key.name.clone(),
                request_id: request_id(request),
                address: client_address::of(request),
            },
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

/// A person as the audit log tells of them.
pub fn actor_of(user: &User, request: &HttpRequest) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(user.id.0),
        name: user.name.clone(),
        request_id: request_id(request),
        address: client_address::of(request),
    }
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

/// The workspace of what a browser fetches by a plain address, without headers: streams, files, recordings.
fn in_address(request: &HttpRequest) -> Option<WorkspaceId> {
    let query = request.query_string();
    let named = query.split('&').find_map(|pair| pair.strip_prefix("workspace="));
    let last = request.path().rsplit('/').next().unwrap_or_default();
    named
        .filter(|_| request.method() == Method::GET && BARE.contains(&last))
        .and_then(|id| id.parse().ok())
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
