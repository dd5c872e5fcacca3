//! Clients that send a byte now and then to keep a connection busy. A body must keep coming: each piece within
//! the patience, and the whole no slower than a bad telephone line. Heads are timed by the HTTP server itself.

use crate::http::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use api::problem::ProblemType;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The slowest accepted body, in bytes a second.
const SLOWEST: u64 = 1024;

/// How long a client may be silent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience(pub Duration);

/// Times the body of every request.
pub async fn patient(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(Patience(patience)) = request.app_data::<Patience>().copied() {
        let body = match request.take_payload() {
            Payload::None => Payload::None,
            body => Payload::Stream {
                payload: timed(body, patience).boxed_local(),
            },
        };
        request.set_payload(body);
    }
    next.call(request).await
}

fn timed(body: Payload, patience: Duration) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    let started = Instant::now();
    stream::unfold(Some((body, 0_u64)), move |state| async move {
        let (mut body, n_bytes) = state?;
        let silent = Instant::now() + patience;
        let slow = started + patience + Duration::from_secs(n_bytes / SLOWEST);
        match timeout_at(silent.min(slow), body.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(piece))) => {
                let n_bytes = n_bytes + piece.len() as u64;
                Some((Ok(piece), Some((body, n_bytes))))
            }
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Err(_late) => {
                let late = io::Error::new(io::ErrorKind::TimedOut, "тело запроса приходит слишком медленно");
                Some((Err(PayloadError::Io(late)), None))
            }
        }
    })
    // Readers of forms ask once more after the end.
    .fuse()
}

/// Whether reading a body ended because the client was too slow.
pub fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

/// What the client is told then.
pub fn late() -> Problem {
    Problem::new(
        ProblemType::RequestTimeout,
        "Запрос приходит слишком медленно: проверьте связь и повторите",
    )
}
