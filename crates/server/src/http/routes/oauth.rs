//! Consent at amoCRM: the way there and back.
//!
//! The state that travels names the connection; its hash is kept with the person who began, and works once.

use crate::connecting;
use crate::connectors::{Secretless, secretless};
use crate::http::access::{Anyone, Owner, current};
use crate::http::app::App;
use crate::http::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use amocrm::{ConsentMode, OauthApp};
use api::problem::ProblemType;
use domain::id::{ConnectionId, WorkspaceId};
use engine::Secret;
use oauth2::CsrfToken;
use secrecy::ExposeSecret;
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
    let refused = || {
        Problem::new(
            ProblemType::BadRequest,
            "Ссылка авторизации устарела: начните подключение заново",
        )
    };
    let user = current(&request).await?;
    let hash = vault::hash_token(&back.state);
    let now = app.clock().now();
    let taken = sign_in_links::take(app.engine.db(), &hash, PURPOSE, now)
        .await?
        .ok_or_else(refused)?;
    if taken.user.is_none() || taken.user != user.map(|user| user.id) {
        return Err(refused());
    }
    let mut parts = back.state.split('.');
    let workspace: Option<WorkspaceId> = parts.next().and_then(|text| text.parse().ok());
    let connection: Option<ConnectionId> = parts.next().and_then(|text| text.parse().ok());
    let (workspace, connection) = workspace.zip(connection).ok_or_else(refused)?;
    let outcome = match (&back.code, &back.error) {
        (Some(code), None) => match finish(app, workspace, connection, &back, code).await {
            Ok(()) => "connected",
            Err(problem) => {
                tracing::warn!(connection.id = %connection, %problem, "авторизация amoCRM не завершена");
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

async fn finish(
    app: &App,
    workspace: WorkspaceId,
    id: ConnectionId,
    back: &Back,
    code: &str,
) -> Result<(), Problem> {
    let row = connections::find(app.engine.db(), workspace, id).await?;
    let works = app.engine.connections();
    let (
        Secretless::Amocrm {
            base_url,
            client_id: Some(client_id),
        },
        Secret::Oauth {
            client_secret,
            redirect_uri,
            ..
        },
    ) = (secretless(&row), works.secret(workspace, id).await?)
    else {
        return Err(Problem::not_found());
    };
    check_account(&base_url, back.referer.as_deref())?;
    let oauth = OauthApp {
        client_id,
        client_secret: client_secret.clone().into(),
        redirect_uri: redirect_uri.clone(),
    };
    let tokens = app
        .connectors
        .exchange_code(&base_url, oauth, code)
        .await
        .map_err(engine::EngineError::from)?;
    let secret = Secret::Oauth {
        client_secret,
        redirect_uri,
        access: tokens.access.expose_secret().to_owned(),
        refresh: tokens
            .refresh
            .map(|token| token.expose_secret().to_owned())
            .unwrap_or_default(),
    };
    works.authorise(workspace, id, &secret, tokens.expires_at).await?;
    works.check(workspace, id).await?;
    connecting::prepare(&app.engine, workspace, &row).await;
    Ok(())
}

/// The account that consented must be the one that was meant.
fn check_account(base_url: &str, referer: Option<&str>) -> Result<(), Problem> {
    let base = url::Url::parse(base_url).ok();
    let host = base.as_ref().and_then(|url| url.host_str());
    let is_account = host.is_some_and(|host| amocrm::account_host(host).is_ok());
    match referer {
        Some(referer) if is_account && Some(referer.to_ascii_lowercase().as_str()) != host => {
            Err(Problem::new(
                ProblemType::Conflict,
                "Доступ дан из другого аккаунта amoCRM: выберите нужный и повторите",
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, referer: Option<&str>, good: bool) {
        assert_eq!(check_account(base, referer).is_ok(), good, "{base} {referer:?}");
    }

    #[test]
    fn another_account_is_refused() {
        check("https://one.amocrm.ru/", Some("one.amocrm.ru"), true);
        check("https://one.amocrm.ru/", Some("ONE.amocrm.ru"), true);
        check("https://one.amocrm.ru/", Some("two.amocrm.ru"), false);
        check("http://127.0.0.1:7081/", Some("demo.amocrm.ru"), true);
        check("https://one.amocrm.ru/", None, true);
    }
}
