//! What every request passes first and every answer last: its id, its log line, problem bodies, panics, headers.

use crate::http::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use api::problem::MEDIA_TYPE;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// Id of the request, for finding it in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId(pub Uuid);

/// The address is served over HTTPS, so browsers may be told to insist on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OverTls(pub bool);

/// The outermost middleware.
pub async fn edge(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId(Uuid::now_v7());
    request.extensions_mut().insert(id);
    let started = Instant::now();
    let method = request.method().clone();
    let instance = shown_path(request.path());
    let over_tls = request.app_data::<OverTls>() == Some(&OverTls(true));
    let span = tracing::info_span!("request", id = %id.0);
    let answered = async {
        let called = AssertUnwindSafe(next.call(request)).catch_unwind().await;
        let answer = match called {
            Ok(Ok(answer)) => finish(answer.map_into_boxed_body(), &instance, id),
            Ok(Err(error)) => Err(located(&error, &instance, id).into()),
            Err(_panic) => {
                // The panic hook has already written where and why.
                tracing::error!("обработчик аварийно прервался");
                Err(Problem::internal().located(instance.clone(), id.0.to_string()).into())
            }
        };
        let (status, pattern) = match &answer {
            Ok(answer) => (answer.status(), answer.request().match_pattern()),
            Err(error) => {
                let error: &Error = error;
                (error.as_response_error().status_code(), None)
            }
        };
        let route = pattern.unwrap_or_else(|| instance.clone());
        let duration_ms = started.elapsed().as_millis() as u64;
        let status = status.as_u16();
        // A webhook that was stored is an event that can be read; a line for each would cost more than reading it.
        if route.starts_with("/api") || route.starts_with("/oauth") || status >= 400 {
            tracing::info!(%method, route, status, duration_ms, "{method} {route} → {status} за {duration_ms} мс");
        } else {
            tracing::debug!(%method, route, status, duration_ms, "{method} {route} → {status} за {duration_ms} мс");
        }
        answer
    }
    .instrument(span)
    .await;
    answered.map(|mut answer| {
        protect(&mut answer, over_tls, id);
        answer
    })
}

/// Turns whatever refusal came into a problem that says where.
fn finish(
    answer: ServiceResponse<BoxBody>,
    instance: &str,
    id: RequestId,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(answer);
    }
    let body = match answer.response().error() {
        Some(error) => located(error, instance, id),
        None if is_problem(&answer) => return Ok(answer),
        None => Problem::for_status(status).located(instance.to_owned(), id.0.to_string()),
    };
    let allow = answer.headers().get(header::ALLOW).cloned();
    let (request, _) = answer.into_parts();
    let mut answer = ServiceResponse::from_err(body, request);
    if let Some(allow) = allow {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(answer)
}

fn located(error: &Error, instance: &str, id: RequestId) -> Problem {
    let response = error.as_response_error();
    let problem = match error.as_error::<Problem>() {
        Some(problem) => Problem::from(problem.body().clone()).as_late_as(problem),
        None => {
            if response.status_code().is_server_error() {
                tracing::error!(%error, "запрос не выполнен");
            }
            Problem::for_status(response.status_code())
        }
    };
    problem.located(instance.to_owned(), id.0.to_string())
}

fn is_problem(answer: &ServiceResponse<BoxBody>) -> bool {
    answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == MEDIA_TYPE)
}

/// The path without what must stay secret: the last part of a hook address.
fn shown_path(path: &str) -> String {
    let mut parts = path.splitn(4, '/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(""), Some("hooks"), Some(kind), Some(_)) => format!("/hooks/{kind}/…"),
        _ => path.to_owned(),
    }
}

fn protect(answer: &mut ServiceResponse<BoxBody>, over_tls: bool, id: RequestId) {
    const ALWAYS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ];
    let headers = answer.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    // What the API answers is about somebody; whatever may be kept says so itself.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if over_tls {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(id) = HeaderValue::from_str(&id.0.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::test as web_test;
    use actix_web::{App, HttpResponse, get};

    #[get("/panics")]
    async fn panics() -> HttpResponse {
        panic!("on purpose")
    }

    #[actix_web::test]
    async fn a_panic_becomes_a_problem() {
        let app = web_test::init_service(App::new().wrap(from_fn(edge)).service(panics)).await;
        let request = web_test::TestRequest::get().uri("/panics").to_request();
        let error = web_test::try_call_service(&app, request)
            .await
            .expect_err("an error");
        let answer = error.error_response();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers().get(header::CONTENT_TYPE).unwrap(), MEDIA_TYPE);
        let problem = error
            .as_error::<Problem>()
            .expect("a problem of ours")
            .body()
            .clone();
        assert_eq!(problem.instance.as_deref(), Some("/panics"));
        assert!(problem.trace_id.is_some() && !problem.detail.unwrap_or_default().contains("purpose"));
    }

    fn check(path: &str, expected: &str) {
        assert_eq!(shown_path(path), expected);
    }

    #[test]
    fn hook_secrets_are_not_shown() {
        check("/hooks/amocrm/abc", "/hooks/amocrm/…");
        check("/hooks/amocrm/abc/def", "/hooks/amocrm/…");
        check("/hooks/amocrm", "/hooks/amocrm");
        check("/api/v1/session", "/api/v1/session");
    }
}
