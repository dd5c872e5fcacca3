//! Recordings of calls, passed on to people without showing where they lie.

use crate::http::access::Viewer;
use crate::http::extract::Of;
use crate::http::problem::Problem;
use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get};
use api::problem::ProblemType;
use bytes::Bytes;
use connector::ConnectorError;
use connector::http::Streamed;
use domain::id::CallResultId;
use futures::stream::{self, BoxStream, StreamExt};

type Pieces = BoxStream<'static, Result<Bytes, ConnectorError>>;

/// Listen to a call
///
/// The recording, or the byte range that `Range` names. For people who are signed in, not for keys; only from the
/// hosts that the operator allows.
#[utoipa::path(tag = "Результаты прозвонов",
    responses((status = 200, content_type = "audio/mpeg", body = Vec<u8>), (status = 206, content_type = "audio/mpeg", body = Vec<u8>)))]
#[get("/call-results/{call}/recording")]
pub async fn get_call_recording(
    access: Viewer,
    Of(id): Of<CallResultId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let range = request
        .headers()
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let range = range.filter(|range| is_range(range));
    let (address, answer) = access.recording(id, range).await?;
    pass_on(&address, answer, range).await
}

/// One range of bytes; what is more than that is answered with the whole.
fn is_range(text: &str) -> bool {
    let Some(parts) = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return false;
    };
    let digits = |part: &str| part.len() <= 18 && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(parts.0) && digits(parts.1) && !(parts.0.is_empty() && parts.1.is_empty())
}

async fn pass_on(address: &str, answer: Streamed, range: Option<&str>) -> Result<HttpResponse, Problem> {
    let status = status(answer.status, range)?;
    let from_start = status == StatusCode::OK || range.is_some_and(|range| range.starts_with("bytes=0-"));
    let (first, body) = split(answer.body).await?;
    let named = named_type(&answer.content_type).or_else(|| extension_type(address));
    let kind = named
        .or_else(|| from_start.then(|| sniffed_type(&first)).flatten())
        .unwrap_or("audio/mpeg");
    let mut response = HttpResponseBuilder::new(status);
    response
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_DISPOSITION, "inline"));
    if let Some(part) = answer
        .content_range
        .filter(|_| status == StatusCode::PARTIAL_CONTENT)
    {
        response.insert_header((header::CONTENT_RANGE, part));
    }
    let body = body.map(|piece| piece.map_err(|error| actix_web::Error::from(Problem::recording(&error))));
    Ok(match answer.content_length {
        Some(length) => response.body(BoxBody::new(SizedStream::new(length, body))),
        None => response.streaming(body),
    })
}

/// What the answer of the other side means for ours.
fn status(status: u16, range: Option<&str>) -> Result<StatusCode, Problem> {
    match (status, range) {
        (200, _) => Ok(StatusCode::OK),
        (206, Some(_)) => Ok(StatusCode::PARTIAL_CONTENT),
        (416, Some(_)) => Err(Problem::new(
            ProblemType::BadRequest,
            "Запись короче: такой её части нет",
        )),
        (404 | 410, _) => Err(Problem::new(
            ProblemType::NotFound,
            "LPTracker больше не хранит эту запись",
        )),
        (status, _) => {
            tracing::info!(status, "запись разговора не отдана");
            Err(Problem::new(
                ProblemType::CrmFailed,
                "Запись сейчас недоступна: сервер записей ответил отказом. Попробуйте позже",
            ))
        }
    }
}

/// The first piece, and everything with it.
async fn split(mut body: Pieces) -> Result<(Bytes, Pieces), Problem> {
    match body.next().await {
        None => Ok((Bytes::new(), body)),
        Some(Err(error)) => Err(Problem::recording(&error)),
        Some(Ok(first)) => {
            let whole = stream::once(futures::future::ready(Ok(first.clone()))).chain(body);
            Ok((first, whole.boxed()))
        }
    }
}

/// Only sound is passed on as what it says it is.
fn named_type(given: &str) -> Option<&'static str> {
    let given = given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    Some(match given.as_str() {
        "audio/mpeg" | "audio/mp3" | "audio/mpeg3" | "audio/x-mpeg" => "audio/mpeg",
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/ogg" | "application/ogg" => "audio/ogg",
        "audio/mp4" | "audio/x-m4a" | "audio/aac" => "audio/mp4",
        "audio/webm" => "audio/webm",
        _ => return None,
    })
}

fn extension_type(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "m4a" | "mp4" | "aac" => "audio/mp4",
        "webm" => "audio/webm",
        _ => return None,
    })
}

fn sniffed_type(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(b"RIFF") {
        Some("audio/wav")
    } else if first.starts_with(b"OggS") {
        Some("audio/ogg")
    } else if first.get(4..8) == Some(b"ftyp") {
        Some("audio/mp4")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_passed_on() {
        for good in ["bytes=0-", "bytes=0-99", "bytes=-500"] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["bytes=-", "bytes=0-1,5-9", "items=0-1", "bytes=a-b", "bytes=0"] {
            assert!(!is_range(bad), "{bad}");
        }
    }

    #[test]
    fn only_sound_is_called_sound() {
        assert_eq!(named_type("audio/x-wav; rate=8000"), Some("audio/wav"));
        assert_eq!(named_type("text/html"), None);
        assert_eq!(
            extension_type("https://a/b/1.MP3?token=x.exe"),
            Some("audio/mpeg")
        );
        assert_eq!(extension_type("https://a/b/1.html"), None);
        assert_eq!(sniffed_type(b"RIFF....WAVE"), Some("audio/wav"));
    }
}
