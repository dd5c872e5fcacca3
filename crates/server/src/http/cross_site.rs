//! Requests that another site made a browser send are refused.
//!
//! A cookie session may change something only with a header that no form and no simple request can carry, and
//! only from our own origin. API keys are exempt: no browser sends them by itself.

use crate::http::app::App;
use crate::http::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use api::problem::ProblemType;

const MARK: (&str, &str) = ("x-requested-with", "integrator");

/// The middleware of everything under `/api`.
pub async fn same_site_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.method().is_safe() || request.headers().contains_key(header::AUTHORIZATION) {
        return next.call(request).await;
    }
    let marked = request.headers().get(MARK.0).is_some_and(|value| value == MARK.1);
    if !marked {
        let detail = "Добавьте заголовок X-Requested-With: integrator или используйте ключ API";
        return Err(Problem::new(ProblemType::CrossSite, detail).into());
    }
    if !is_ours(&request) {
        let detail = "Запрос пришёл со страницы другого сайта";
        return Err(Problem::new(ProblemType::CrossSite, detail).into());
    }
    next.call(request).await
}

/// Whether the origin, where the browser names one, is the address it asked for or the configured one.
fn is_ours(request: &ServiceRequest) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let public = request.app_data::<web::Data<App>>().map(|app| &*app.public_url);
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    public == Some(origin) || (origin_host.is_some() && origin_host == host)
}
