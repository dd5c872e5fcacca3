//! Whether the server lives and whether it can serve.

use crate::http::access::Anyone;
use crate::http::problem::Problem;
use actix_web::{HttpResponse, get};
use api::problem::ProblemType;

/// Whether the process lives
///
/// Asks nothing of anybody else.
#[utoipa::path(tag = "Состояние", responses((status = 204)), security(()))]
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Whether the server can serve
///
/// The database answers and the server is neither starting nor stopping.
#[utoipa::path(tag = "Состояние", responses((status = 204)), security(()))]
#[get("/health/ready")]
pub async fn ready(anyone: Anyone) -> Result<HttpResponse, Problem> {
    let app = anyone.app();
    if !app.is_ready() {
        return Err(Problem::new(
            ProblemType::Unavailable,
            "Сервер запускается или останавливается",
        ));
    }
    app.engine.db().ping().await?;
    Ok(HttpResponse::NoContent().finish())
}
