//! API keys of the workspace.

use crate::http::access::Owner;
use crate::http::convert;
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::{HttpResponse, delete, get, post, web};
use api::Page;
use api::api_key::{ApiKey, CreateApiKey, CreatedApiKey};
use domain::id::ApiKeyId;
use engine::accounts::NewApiKey;
use secrecy::ExposeSecret;
use storage::api_keys;

/// List API keys
///
/// Without their secrets; revoked keys are left out.
#[utoipa::path(tag = "API-ключи", responses((status = 200, body = Page<ApiKey>)))]
#[get("/api-keys")]
pub async fn list_api_keys(access: Owner) -> Result<web::Json<Page<ApiKey>>, Problem> {
    let keys = api_keys::list(access.db(), access.workspace()).await?;
    Ok(web::Json(Page::whole(
        keys.into_iter().map(convert::api_key).collect(),
    )))
}

/// Create an API key
///
/// The secret is in this answer and nowhere else.
#[utoipa::path(tag = "API-ключи", responses((status = 201, body = CreatedApiKey)))]
#[post("/api-keys")]
pub async fn create_api_key(
    access: Owner,
    key: RequestKey,
    form: web::Json<CreateApiKey>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let wanted = NewApiKey {
            name: form.name.clone(),
            scopes: form
                .scopes
                .iter()
                .map(|scope| scope.as_str().to_owned())
                .collect(),
            expires_in_days: form.expires_in_days,
        };
        let accounts = access.accounts();
        let (key, secret) = accounts
            .create_api_key(access.workspace(), access.actor(), wanted)
            .await?;
        Ok(CreatedApiKey {
            key: convert::api_key(key),
            secret: secret.expose_secret().to_owned(),
        })
    };
    access.once("create_api_key", key, &*form, work).await
}

/// Revoke an API key
///
/// It stops working at once and for good.
#[utoipa::path(tag = "API-ключи", responses((status = 204)))]
#[delete("/api-keys/{api_key}")]
pub async fn revoke_api_key(access: Owner, Of(id): Of<ApiKeyId>) -> Result<HttpResponse, Problem> {
    access
        .accounts()
        .revoke_api_key(access.workspace(), access.actor(), id)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
