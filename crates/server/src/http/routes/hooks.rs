//! Webhooks of the CRMs.

use crate::http::access::Anyone;
use crate::http::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::connection::ConnectorKind;

/// Receive a webhook
///
/// The secret in the address says whose it is. When this is answered, everything in the body is stored.
#[utoipa::path(
    tag = "Вебхуки",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200)),
    security(())
)]
#[post("/hooks/{kind}/{secret}")]
pub async fn receive_hook(
    anyone: Anyone,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let (kind, secret) = path.into_inner();
    let kind = ConnectorKind::parse(&kind).ok_or_else(Problem::not_found)?;
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let engine = &anyone.app().engine;
    let accepted = engine
        .receive(kind, &secret, content_type.unwrap_or_default(), &body)
        .await?;
    tracing::debug!(
        kind = kind.as_str(),
        n_facts = accepted.n_facts,
        n_new = accepted.n_new,
        "вебхук принят"
    );
    Ok(HttpResponse::Ok().finish())
}
