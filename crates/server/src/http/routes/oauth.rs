//! Consent at amoCRM: the way there and back.
//!
//! The state that travels names the connection; its hash is kept with the person who began, and works once.

use crate::connecting;
use crate::connectors::{Secretless, secretless};
use crate::http::access::{Anyone, Owner, actor_of, current};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::telemetry::chain;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use amocrm::ConsentMode;
use api::problem::ProblemType;
use domain::id::{ConnectionId, UserId, WorkspaceId};
use oauth2::CsrfToken;
use serde::Deserialize;
use storage::{connections, sign_in_links};

const PURPOSE: &str = "amocrm_consent";
const VALID_MS: i64 = 10 * 60_000;

/// The address that an amoCRM integration must be registered with.
pub fn redirect_uri(app: &App) -> String {
    format!("{}/oauth/amocrm/callback", app.public_url)
}

/// The address at amoCRM where a person consents.
pub async fn begin(access: &Owner, id: ConnectionId) -> Result<String, Problem> {
    let row = connections::find(access.db(), access.workspace(), id).await?;
    let not_oauth = || {
        Problem::new(
            ProblemType::Conflict,
            "Это подключение авторизуется не через OAuth",
        )
    };
    let Secretless::Amocrm {
        base_url,
        client_id: Some(client_id),
    } = secretless(&row)
    else {
        return Err(not_oauth());
    };
    let Some(user) = access.actor().user() else {
        return Err(Problem::new(
            ProblemType::Forbidden,
            "Доступ к amoCRM даёт человек: войдите в интерфейс",
        ));
    };
    let random = CsrfToken::new_random_len(32);
    let state = format!("{}.{id}.{}", access.workspace(), random.secret());
    let until = access.now().plus_ms(VALID_MS);
    sign_in_links::insert(
        access.db(),
        &vault::hash_token(&state),
        Some(user),
        PURPOSE,
        until,
    )
    .await?;
    let site = access
        .app()
        .connectors
        .consent_site(&base_url)
        .ok_or_else(not_oauth)?;
    Ok(amocrm::consent_url(&site, &client_id, &state, ConsentMode::PostMessage).into())
}

/// What amoCRM sends the browser back with.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// The state that we gave.
    state: String,
    /// The code to exchange; absent when the person refused.
    code: Option<String>,
    /// Host of the account that consented.
    referer: Option<String>,
    /// Why not, when the person refused.
    error: Option<String>,
}

/// Return from the consent at amoCRM
///
/// The browser comes here from amoCRM; it is sent on to the page of the connection.
#[utoipa::path(tag = "Подключения", params(Back), responses((status = 303)))]
#[get("/amocrm/callback")]
pub async fn amocrm_callback(
    anyone: Anyone,
    request: HttpRequest,
    back: web::Query<Back>,
) -> Result<HttpResponse, Problem> {
    let app = anyone.app();
    let user = current(&request).await?.ok_or_else(outdated)?;
    let (workspace, connection) = claim(app, user.id, &back.state).await?;
    let actor = actor_of(&user, &request);
    let outcome = match (&back.code, &back.error) {
        (Some(code), None) => match connecting::finish_consent(
            &app.engine,
            &app.connectors,
            (workspace, connection),
            &actor,
            code,
            back.referer.as_deref(),
        )
        .await
        {
            Ok(()) => "connected",
            Err(error) => {
                tracing::warn!(connection.id = %connection, error.chain = %chain(&error), "авторизация amoCRM не завершена");
                "failed"
            }
        },
        _ => "refused",
    };
    let page = format!("/connections/{connection}?oauth={outcome}");
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, page))
        .finish())
}

/// Uses a state up: what it was given for, if it was given to this person.
async fn claim(app: &App, user: UserId, state: &str) -> Result<(WorkspaceId, ConnectionId), Problem> {
    let hash = vault::hash_token(state);
    let taken = sign_in_links::take(app.engine.db(), &hash, PURPOSE, app.clock().now()).await?;
    let given = taken.ok_or_else(outdated)?.user;
    if given != Some(user) {
        return Err(outdated());
    }
    let mut parts = state.split('.');
    let workspace = parts.next().and_then(|text| text.parse().ok());
    let connection = parts.next().and_then(|text| text.parse().ok());
    workspace.zip(connection).ok_or_else(outdated)
}

fn outdated() -> Problem {
    let detail = "Ссылка авторизации устарела: начните подключение заново";
    Problem::new(ProblemType::BadRequest, detail)
}
