//! Connections: make, check, subscribe, catalogue.

use crate::connecting::{self, Wanted, blame, named};
use crate::connectors::{Secretless, secretless};
use crate::http::access::{Access, Owner, Viewer};
use crate::http::convert;
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use crate::http::routes::oauth;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use api::Page;
use api::connection::{
    AmocrmAuth, AuthorizeUrl, CatalogueChange, CatalogueView, Connection, CreateConnection,
    RefreshedCatalogue, Subscription, UpdateConnection,
};
use domain::id::ConnectionId;
use engine::{EngineError, Secret};
use std::collections::HashMap;
use storage::connections::{self, Connection as Row};
use storage::counts;

/// Refreshes of a catalogue that are told.
const N_CHANGES: u64 = 50;

/// List connections
///
/// With their status cards.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Page<Connection>)))]
#[get("/connections")]
pub async fn list_connections(access: Viewer) -> Result<web::Json<Page<Connection>>, Problem> {
    let outbox: HashMap<_, _> = counts::outbox(access.db(), access.workspace())
        .await?
        .into_iter()
        .collect();
    let rows = connections::list(access.db(), access.workspace()).await?;
    let views = rows.into_iter().map(|row| {
        let count = outbox.get(&row.id).copied().unwrap_or_default();
        convert::connection(row, count)
    });
    Ok(web::Json(Page::whole(views.collect())))
}

/// Get a connection
///
/// With its status card.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[get("/connections/{connection}")]
pub async fn get_connection(
    access: Viewer,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Connection>, Problem> {
    Ok(web::Json(view(&access, id).await?))
}

/// Create a connection
///
/// The credential is tried before it is kept. Then the catalogue is read and the webhooks are installed; what
/// fails of that is told on the connection's card. An amoCRM connection by OAuth waits for consent:
/// see `authorize_connection`.
#[utoipa::path(tag = "Подключения", responses((status = 201, body = Connection)))]
#[post("/connections")]
pub async fn create_connection(
    access: Owner,
    key: RequestKey,
    form: web::Json<CreateConnection>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let (wanted, pointer) = wanted(&access, &form)?;
        let app = access.app();
        let made = if wanted.secret.needs_consent() {
            connecting::connect_later(&app.engine, (access.workspace(), access.actor()), wanted).await
        } else {
            connecting::connect(
                &app.engine,
                &app.connectors,
                (access.workspace(), access.actor()),
                wanted,
            )
            .await
        };
        let made = made.map_err(|error| blame(error, pointer))?;
        view(&access, made.id).await
    };
    access.once("create_connection", key, &*form, work).await
}

/// Change a connection
///
/// Name, credential or project; what is absent stays. A new credential is tried before it is kept.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[patch("/connections/{connection}")]
pub async fn update_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
    form: web::Json<UpdateConnection>,
) -> Result<web::Json<Connection>, Problem> {
    let row = connections::find(access.db(), access.workspace(), id).await?;
    let name = named(form.name.as_deref().unwrap_or(&row.name), &row.name)?;
    let (settings, secret, pointer) = changed(&access, &row, form.into_inner()).await?;
    let works = access.connections();
    works
        .update(
            (access.workspace(), id),
            access.actor(),
            &name,
            &settings.document(),
        )
        .await?;
    match secret {
        Some(secret) if secret.needs_consent() => {
            works.await_consent(access.workspace(), id, &secret).await?;
        }
        Some(secret) => {
            let connector = access.app().connectors.try_out(&settings, &secret);
            let connector = connector.map_err(|error| blame(error.into(), pointer))?;
            let card = connector
                .check()
                .await
                .map_err(|error| blame(error.into(), pointer))?;
            works
                .authorise((access.workspace(), id), access.actor(), &secret, card.expires_at)
                .await?;
            works.check(access.workspace(), id).await?;
        }
        None => {}
    }
    Ok(web::Json(view(&access, id).await?))
}

/// Delete a connection
///
/// Takes our webhooks out of the CRM and forgets the credential. Events and deliveries stay as history.
#[utoipa::path(tag = "Подключения", responses((status = 204)))]
#[delete("/connections/{connection}")]
pub async fn delete_connection(access: Owner, Of(id): Of<ConnectionId>) -> Result<HttpResponse, Problem> {
    access
        .connections()
        .delete(access.workspace(), access.actor(), id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Check a connection
///
/// Asks the CRM now and answers the new status card.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[post("/connections/{connection}/check")]
pub async fn check_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Connection>, Problem> {
    match access.connections().check(access.workspace(), id).await {
        // A CRM that refuses is a result of the check: the card tells it.
        Ok(_) | Err(EngineError::Connector(_)) => Ok(web::Json(view(&access, id).await?)),
        Err(error) => Err(error.into()),
    }
}

/// Read what changed in the CRM
///
/// At once instead of at the next turn: what its webhooks did not tell becomes events. Answers before it is read.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[post("/connections/{connection}/reconcile")]
pub async fn reconcile_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Connection>, Problem> {
    access.reconciler().hasten(access.workspace(), id).await?;
    Ok(web::Json(view(&access, id).await?))
}

/// Stop a connection
///
/// Emergency stop: nothing more is sent to it, what waits is kept.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[post("/connections/{connection}/stop")]
pub async fn stop_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Connection>, Problem> {
    access
        .stops()
        .stop_connection(access.workspace(), id, access.actor())
        .await?;
    Ok(web::Json(view(&access, id).await?))
}

/// Start a stopped connection
///
/// What waited goes on.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Connection)))]
#[post("/connections/{connection}/start")]
pub async fn start_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Connection>, Problem> {
    access
        .stops()
        .start_connection(access.workspace(), id, access.actor())
        .await?;
    Ok(web::Json(view(&access, id).await?))
}

/// Install or repair our webhooks
///
/// Foreign entries are not touched.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Subscription)))]
#[post("/connections/{connection}/subscribe")]
pub async fn subscribe_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Subscription>, Problem> {
    let state = access.connections().subscribe(access.workspace(), id).await?;
    Ok(web::Json(convert::subscription(state, Some(access.now()))))
}

/// Begin the consent to a connection by OAuth
///
/// Answers the address at amoCRM to open in the browser; it works once, for ten minutes.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = AuthorizeUrl)))]
#[post("/connections/{connection}/authorize")]
pub async fn authorize_connection(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<AuthorizeUrl>, Problem> {
    Ok(web::Json(AuthorizeUrl {
        url: oauth::begin(&access, id).await?,
    }))
}

/// Get the catalogue of a connection
///
/// Pipelines, fields, users, tags, task types and loss reasons, as last read.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = CatalogueView)))]
#[get("/connections/{connection}/catalogue")]
pub async fn get_catalogue(
    access: Viewer,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<CatalogueView>, Problem> {
    let catalogue = connections::catalogue(access.db(), access.workspace(), id).await?;
    Ok(web::Json(CatalogueView {
        connection_id: id,
        catalogue: catalogue.unwrap_or_default(),
    }))
}

/// Read the catalogue anew
///
/// Answers it with what changed since it was last read.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = RefreshedCatalogue)))]
#[post("/connections/{connection}/catalogue/refresh")]
pub async fn refresh_catalogue(
    access: Owner,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<RefreshedCatalogue>, Problem> {
    let catalogue = access
        .connections()
        .refresh_catalogue(access.workspace(), id)
        .await?;
    let newest = connections::catalogue_changes(access.db(), access.workspace(), id, 1).await?;
    let now = newest.into_iter().find(|change| change.at == catalogue.read_at);
    let changes = now
        .map(|change| convert::change_lines(&change.changes))
        .unwrap_or_default();
    Ok(web::Json(RefreshedCatalogue { catalogue, changes }))
}

/// List changes of a catalogue
///
/// What earlier refreshes found changed, newest first.
#[utoipa::path(tag = "Подключения", responses((status = 200, body = Page<CatalogueChange>)))]
#[get("/connections/{connection}/catalogue/changes")]
pub async fn list_catalogue_changes(
    access: Viewer,
    Of(id): Of<ConnectionId>,
) -> Result<web::Json<Page<CatalogueChange>>, Problem> {
    connections::find(access.db(), access.workspace(), id).await?;
    let changes = connections::catalogue_changes(access.db(), access.workspace(), id, N_CHANGES).await?;
    Ok(web::Json(Page::whole(
        changes.into_iter().map(convert::catalogue_change).collect(),
    )))
}

async fn view<P>(access: &Access<P>, id: ConnectionId) -> Result<Connection, Problem> {
    let row = connections::find(access.db(), access.workspace(), id).await?;
    let outbox = counts::outbox(access.db(), access.workspace()).await?;
    let count = outbox
        .into_iter()
        .find(|(known, _)| *known == id)
        .map(|(_, count)| count);
    let engine = &access.app().engine;
    let standing = engine.reconciler().standing(access.workspace(), id).await?;
    // A secret that cannot be opened is told where it is used; the card is shown all the same.
    let ending = engine.refresher().ending(&row).await.unwrap_or_else(|error| {
        tracing::warn!(connection.id = %id, %error, "срок доступа не прочитан");
        None
    });
    Ok(Connection {
        reconciliation: Some(convert::reconciliation(standing)),
        expiry: ending.map(convert::expiry),
        ..convert::connection(row, count.unwrap_or_default())
    })
}

fn wanted(access: &Owner, form: &CreateConnection) -> Result<(Wanted, &'static str), Problem> {
    let connectors = &access.app().connectors;
    match form {
        CreateConnection::Amocrm { name, domain, auth } => {
            let base = connectors.amocrm_base(domain);
            let base = base.map_err(|error| blame(error.into(), "/domain"))?;
            let (client_id, secret) = amocrm_secret(access, auth);
            let settings = Secretless::Amocrm {
                base_url: base.into(),
                client_id,
            };
            Ok((
                Wanted {
                    name: name.clone(),
                    settings,
                    secret,
                },
                "/auth",
            ))
        }
        CreateConnection::Lptracker {
            name,
            login,
            password,
            project_id,
            base_url,
        } => {
            if let Some(url) = base_url
                && connectors.allowed(url).is_none()
            {
                let detail = "этот адрес не разрешён администратором; оставьте поле пустым";
                return Err(Problem::invalid("/base_url", "not_allowed", detail));
            }
            let settings = Secretless::Lptracker {
                base_url: base_url.clone(),
                login: login.clone(),
                project: *project_id,
            };
            let secret = login_secret(login.clone(), password.clone());
            Ok((
                Wanted {
                    name: name.clone(),
                    settings,
                    secret,
                },
                "/password",
            ))
        }
    }
}

fn amocrm_secret(access: &Owner, auth: &AmocrmAuth) -> (Option<String>, Secret) {
    match auth {
        AmocrmAuth::Token { token } => (
            None,
            Secret::Token {
                access: token.trim().to_owned(),
            },
        ),
        AmocrmAuth::Oauth {
            client_id,
            client_secret,
        } => {
            let secret = Secret::Oauth {
                client_secret: client_secret.trim().to_owned(),
                redirect_uri: oauth::redirect_uri(access.app()),
                access: String::new(),
                refresh: String::new(),
            };
            (Some(client_id.trim().to_owned()), secret)
        }
    }
}

fn login_secret(login: String, password: String) -> Secret {
    Secret::Login {
        login,
        password,
        access: None,
    }
}

/// Settings and, when it changes, the secret of a connection after an edit.
async fn changed(
    access: &Owner,
    row: &Row,
    form: UpdateConnection,
) -> Result<(Secretless, Option<Secret>, &'static str), Problem> {
    match secretless(row) {
        Secretless::Amocrm { base_url, client_id } => Ok(match form.amocrm_auth {
            None => (Secretless::Amocrm { base_url, client_id }, None, "/amocrm_auth"),
            Some(auth) => {
                let (client_id, secret) = amocrm_secret(access, &auth);
                (
                    Secretless::Amocrm { base_url, client_id },
                    Some(secret),
                    "/amocrm_auth",
                )
            }
        }),
        Secretless::Lptracker {
            base_url,
            login,
            project,
        } => {
            let new_login = form.lptracker_login.unwrap_or_else(|| login.clone());
            let settings = Secretless::Lptracker {
                base_url,
                login: new_login.clone(),
                project: form.lptracker_project_id.unwrap_or(project),
            };
            let secret = match form.lptracker_password {
                Some(password) => Some(login_secret(new_login, password)),
                None if new_login != login => {
                    let detail = "вместе с новым логином введите и его пароль";
                    return Err(Problem::invalid("/lptracker_password", "required", detail));
                }
                None => None,
            };
            Ok((settings, secret, "/lptracker_password"))
        }
    }
}
