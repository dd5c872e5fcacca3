//! What changes, as it changes: one stream of server-sent events per tab of a browser.

use crate::http::access::Viewer;
use crate::http::problem::Problem;
use crate::http::pulses::topics;
use crate::http::session::Sessions;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, get, web};
use futures::stream::{self, Stream};
use std::convert::Infallible;
use std::time::Duration;
use storage::pulse::{self, Pulse};
use tokio::sync::watch;

/// How often it is looked whether the caller may still listen, and something is sent to keep the line open.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Follow changes
///
/// Server-sent events. `changed` names in its data, with commas, what has changed since the last one: `events`,
/// `deliveries`, `connections`, `rules`, `stops`; read them again. `ended` is the last one: the session or the key is no
/// longer valid. Lines that begin with a colon only keep the connection open.
#[utoipa::path(
    tag = "Кабинет",
    params(("workspace" = Option<uuid::Uuid>, Query, description = "Кабинет, как в X-Workspace-Id: браузер не передаёт в потоке заголовков")),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
#[get("/stream")]
pub async fn follow_changes(
    access: Viewer,
    request: HttpRequest,
    sessions: web::Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    let seen = pulse::pulse(access.db(), access.workspace()).await?;
    let changes = access.listen(seen.clone());
    let listener = Listener {
        access,
        request,
        sessions,
        changes,
        seen,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(messages(listener)))
}

struct Listener {
    access: Viewer,
    request: HttpRequest,
    sessions: web::Data<Sessions>,
    changes: watch::Receiver<Pulse>,
    seen: Pulse,
}

enum Next {
    First(Listener),
    Then(Listener),
    Over,
}

fn messages(listener: Listener) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(Next::First(listener), |next| async move {
        let mut listener = match next {
            Next::First(listener) => return Some((text("retry: 2000\n\n"), Next::Then(listener))),
            Next::Then(listener) => listener,
            Next::Over => return None,
        };
        let heard = tokio::time::timeout(LOOK_EVERY, listener.changes.changed()).await;
        if !listener.access.is_ready() {
            // The server stops: the browser comes back by itself.
            return None;
        }
        if !listener.may_listen().await {
            return Some((text("event: ended\ndata: \n\n"), Next::Over));
        }
        let message = match heard {
            Err(_nothing_yet) => text(": \n\n"),
            Ok(Err(_nobody_reads)) => return None,
            Ok(Ok(())) => {
                let now = listener.changes.borrow_and_update().clone();
                let words = topics(&listener.seen, &now).join(",");
                listener.seen = now;
                text(&format!("event: changed\ndata: {words}\n\n"))
            }
        };
        Some((message, Next::Then(listener)))
    })
}

fn text(message: &str) -> Result<Bytes, Infallible> {
    Ok(Bytes::copy_from_slice(message.as_bytes()))
}

impl Listener {
    /// The key still stands, or the session has not ended and the person is still in the workspace.
    async fn may_listen(&self) -> bool {
        if self.request.headers().contains_key(header::AUTHORIZATION) {
            return Viewer::extract(&self.request).await.is_ok();
        }
        // The session itself is asked, since the request knows it only as it was when the stream began.
        let Some(hash) = self.sessions.key_hash(&self.request) else {
            return false;
        };
        self.sessions.is_alive(&hash).await && self.access.is_member().await
    }
}
