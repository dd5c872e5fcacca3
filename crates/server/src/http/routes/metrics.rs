//! What an operator's monitoring reads.

use crate::http::access::Anyone;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::metrics;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get};
use api::problem::ProblemType;
use secrecy::ExposeSecret;

/// OpenMetrics 1.0, which Prometheus asks for first and which carries exemplars.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What proxies add. Whoever comes through one is somewhere else, whatever the address of the connection.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Figures for Prometheus
///
/// In the format OpenMetrics. With `metrics.token` configured it is asked for as `Authorization: Bearer …`; without,
/// only this very machine is answered, and anybody else learns nothing of the address.
#[utoipa::path(
    tag = "Состояние",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")),
    security(())
)]
#[get("/metrics")]
pub async fn read_metrics(anyone: Anyone, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let app = anyone.app();
    permit(app, &request)?;
    let text = metrics::text(app).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, OPEN_METRICS))
        .body(text))
}

fn permit(app: &App, request: &HttpRequest) -> Result<(), Problem> {
    let Some(wanted) = &app.metrics_token else {
        let is_near = request
            .peer_addr()
            .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
        return if is_near && !is_forwarded {
            Ok(())
        } else {
            Err(Problem::not_found())
        };
    };
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if given.is_some_and(|given| vault::signature::same(given, wanted.expose_secret())) {
        return Ok(());
    }
    Err(Problem::new(
        ProblemType::Unauthorized,
        "Передайте токен из metrics.token в заголовке Authorization: Bearer",
    ))
}
