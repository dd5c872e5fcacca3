//! The HTTP side: requests into [`State`], recordings out, and the loop that ends calls.

use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rand::Rng as _;
use serde_json::{Value, json};

use super::router::Incoming;
use super::state::State;
use crate::world::World;

/// Where recordings are served, on both ports and outside the journal: the real media host is not the API.
pub(super) const RECORDS_PATH: &str = "/_sandbox/lptracker/records";

/// Routes of the service, from the root of its port.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.default_service(web::to(serve));
}

/// Routes below `/_sandbox/lptracker`.
pub fn control(cfg: &mut ServiceConfig) {
    cfg.route("/records/{name}", web::get().to(record))
        .default_service(web::to(serve_control));
}

/// Whether a request asks for a change of CRM data (sign-in does not).
pub fn is_write(method: &str, path: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS") && !matches!(path.trim_matches('/'), "login" | "logout")
}

/// Ends the calls that are due, then does something with the fake. Webhooks go out when it is done.
pub fn with<R>(world: &World, action: impl FnOnce(&mut State) -> R) -> R {
    let mut state = world.lptracker();
    state.tick();
    action(&mut state)
}

async fn serve(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let ip = request
        .peer_addr()
        .map(|address| address.ip().to_string())
        .unwrap_or_default();
    let incoming = Incoming {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        token: request
            .headers()
            .get("token")
            .and_then(|value| value.to_str().ok()),
        ip: &ip,
        body: &body,
    };
    let base = base_of(&request);
    let (reply, latency) = with(&world, |state| {
        state.public_base = base;
        (
            state.handle(&incoming),
            state.settings.latency_min_ms..=state.settings.latency_max_ms,
        )
    });
    if *latency.end() > 0 && !latency.is_empty() {
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(latency))).await;
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status).json(reply.body)
}

async fn serve_control(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let body: Value = if body.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&body) {
            Ok(body) => body,
            Err(error) => return crate::control::bad(&error.to_string()),
        }
    };
    let path = request
        .path()
        .trim_start_matches("/_sandbox/lptracker")
        .trim_matches('/')
        .to_owned();
    let base = base_of(&request);
    let answer = with(&world, |state| {
        // Both ports serve recordings, so any address this sandbox was reached at will do.
        if state.public_base.is_empty() {
            state.public_base = base;
        }
        state.control(request.method().as_str(), &path, request.query_string(), &body)
    });
    match answer {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) if error.code == 404 => HttpResponse::NotFound().json(json!({"error": error.message})),
        Err(error) => crate::control::bad(&error.message),
    }
}

fn base_of(request: &HttpRequest) -> String {
    let info = request.connection_info();
    format!("{}://{}", info.scheme(), info.host())
}

/// A recording, whole or a part of it.
async fn record(world: Data<World>, request: HttpRequest, name: Path<String>) -> HttpResponse {
    let wav = name
        .strip_suffix(".wav")
        .and_then(|linkedid| world.lptracker().recording(linkedid));
    let Some(wav) = wav else {
        return HttpResponse::NotFound().finish();
    };
    let range = request
        .headers()
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let mut response = match range.map(|range| parse_range(range, wav.len())) {
        None => HttpResponse::Ok(),
        Some(Some(_)) => HttpResponse::PartialContent(),
        Some(None) => {
            let all = format!("bytes */{}", wav.len());
            return HttpResponse::RangeNotSatisfiable()
                .insert_header((header::CONTENT_RANGE, all))
                .finish();
        }
    };
    response.insert_header((header::ACCEPT_RANGES, "bytes"));
    // The real host says octet-stream; what it is shows in the first bytes.
    response.insert_header((
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    ));
    match range.and_then(|range| parse_range(range, wav.len())) {
        None => response.body(wav),
        Some((first, last)) => {
            response.insert_header((
                header::CONTENT_RANGE,
                format!("bytes {first}-{last}/{}", wav.len()),
            ));
            response.body(wav[first..=last].to_vec())
        }
    }
}

/// First and last byte of a single `bytes=` range; `None` when it cannot be satisfied.
fn parse_range(text: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let last = length.checked_sub(1)?;
    let (first, end) = match (from.trim(), to.trim()) {
        ("", suffix) => (
            length.saturating_sub(suffix.parse().ok().filter(|count| *count > 0)?),
            last,
        ),
        (from, "") => (from.parse().ok()?, last),
        (from, to) => (from.parse().ok()?, to.parse::<usize>().ok()?.min(last)),
    };
    (first <= end).then_some((first, end))
}

/// Ends calls when their time has come and hands over webhooks caused without a request.
pub(crate) async fn run(world: Weak<World>) {
    loop {
        let Some(strong) = world.upgrade() else { return };
        let (due, wake) = with(&strong, |state| (state.next_due_ms(), Arc::clone(&state.wake)));
        let clock = strong.clock.clone();
        drop(strong);
        tokio::select! {
            () = wake.notified() => {}
            () = clock.sleep_until(due.unwrap_or(i64::MAX)), if due.is_some() => {}
            // The short wait lets the loop see that the world is gone.
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-3", Some((0, 3))),
            ("bytes=4-", Some((4, 9))),
            ("bytes=-2", Some((8, 9))),
            ("bytes=5-99", Some((5, 9))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("items=0-1", None),
            ("bytes=3-1", None),
        ] {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }
}
