//! What handlers read from requests, each with a problem of ours when it is not there.

use crate::http::problem::Problem;
use crate::http::slow;
use actix_web::dev::Payload;
use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::header;
use actix_web::web::{JsonConfig, PathConfig, PayloadConfig, QueryConfig};
use actix_web::{FromRequest, HttpRequest};
use api::Page;
use api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use api::problem::ProblemType;
use domain::id::{
    ApiKeyId, CallResultId, ConnectionId, DeliveryId, EventId, ImportId, InvitationId, LinkId, RuleId,
    RuleVersionId, SessionId, SweepId, TestCaseId, UserId,
};
use std::future::{Ready, ready};
use storage::PageOf;
use uuid::Uuid;

/// The longest accepted body, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The longest accepted request key.
const MAX_KEY: usize = 200;

/// How JSON bodies are read.
pub fn json_config() -> JsonConfig {
    JsonConfig::default().limit(MAX_BODY).error_handler(|error, _| {
        let problem = match &error {
            JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
                Problem::new(ProblemType::TooLarge, "Тело запроса длиннее 1 МБ")
            }
            JsonPayloadError::ContentType => Problem::new(
                ProblemType::UnsupportedMediaType,
                "Нужен заголовок Content-Type: application/json",
            ),
            JsonPayloadError::Deserialize(error) if error.is_data() => Problem::new(
                ProblemType::BadRequest,
                format!("Тело запроса не подходит: {error}"),
            ),
            JsonPayloadError::Deserialize(error) => Problem::new(
                ProblemType::BadRequest,
                format!(
                    "Тело запроса — не JSON: строка {}, знак {}",
                    error.line(),
                    error.column()
                ),
            ),
            JsonPayloadError::Payload(error) if slow::is_late(error) => slow::late(),
            _ => Problem::new(ProblemType::BadRequest, "Тело запроса не прочитано"),
        };
        problem.into()
    })
}

/// How query strings are read.
pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _| {
        let detail = match &error {
            QueryPayloadError::Deserialize(error) => format!("Параметры запроса не подходят: {error}"),
            _ => "Параметры запроса не прочитаны".to_owned(),
        };
        Problem::new(ProblemType::BadRequest, detail).into()
    })
}

/// How parts of the path are read.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|_, _| Problem::not_found().into())
}

/// How raw bodies are read.
pub fn payload_config() -> PayloadConfig {
    PayloadConfig::new(MAX_BODY)
}

/// An id that stands in the path under a fixed name.
pub trait InPath: Sized {
    /// The name in the route.
    const NAME: &'static str;
    /// From its text.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! in_path {
    ($($id:ty = $name:literal;)*) => {$(
        impl InPath for $id {
            const NAME: &'static str = $name;

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

in_path! {
    ApiKeyId = "api_key";
    CallResultId = "call";
    InvitationId = "invitation";
    SessionId = "session";
    UserId = "user";
    ConnectionId = "connection";
    DeliveryId = "delivery";
    EventId = "event";
    ImportId = "import";
    LinkId = "link";
    RuleId = "rule";
    RuleVersionId = "version";
    TestCaseId = "case";
    SweepId = "sweep";
    String = "template";
    RowNumber = "row";
}

/// The id in the path. What is not an id names nothing: 404.
pub struct Of<T>(pub T);

impl<T: InPath> FromRequest for Of<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let found = request.match_info().get(T::NAME).and_then(T::parse);
        ready(found.map(Self).ok_or_else(Problem::not_found))
    }
}

/// The number of a row of a file, as the spreadsheet program shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowNumber(pub i64);

impl std::str::FromStr for RowNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The version that an edit starts from (`If-Match: "7"`).
pub struct IfMatch(pub i64);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(if_match(request))
    }
}

fn if_match(request: &HttpRequest) -> Result<IfMatch, Problem> {
    let value = request.headers().get(header::IF_MATCH).ok_or_else(|| {
        Problem::new(
            ProblemType::PreconditionRequired,
            "Передайте версию записи в заголовке If-Match, например \"7\"",
        )
    })?;
    let version = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().trim_matches('"').parse().ok());
    version.map(IfMatch).ok_or_else(|| {
        Problem::new(
            ProblemType::BadRequest,
            "Заголовок If-Match должен содержать версию, например \"7\"",
        )
    })
}

/// The caller's key for a creation (`Idempotency-Key`), if given.
pub struct RequestKey(pub Option<String>);

impl FromRequest for RequestKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else {
            return ready(Ok(Self(None)));
        };
        let key = value
            .to_str()
            .ok()
            .filter(|key| (1..=MAX_KEY).contains(&key.len()));
        ready(key.map(|key| Self(Some(key.to_owned()))).ok_or_else(|| {
            Problem::new(
                ProblemType::BadRequest,
                "Заголовок Idempotency-Key — от 1 до 200 латинских букв, цифр и знаков",
            )
        }))
    }
}

/// The page that is asked for, with one row more than wanted: it tells whether there is a next page.
pub fn page(cursor: Option<&str>, limit: Option<u32>) -> Result<PageOf, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("Параметр limit — от 1 до {MAX_LIMIT}");
        return Err(Problem::new(ProblemType::BadRequest, detail));
    }
    let before = cursor.map(str::parse::<Uuid>).transpose();
    let before = before.map_err(|_| {
        Problem::new(
            ProblemType::BadRequest,
            "Параметр cursor должен быть взят из поля next предыдущей страницы",
        )
    })?;
    Ok(PageOf {
        limit: u64::from(limit) + 1,
        before,
    })
}

/// Makes a page of rows that were read with [`page`].
pub fn paged<R, T>(
    mut rows: Vec<R>,
    page: PageOf,
    id: impl Fn(&R) -> Uuid,
    convert: impl FnMut(R) -> T,
) -> Page<T> {
    let wanted = usize::try_from(page.limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
    Page {
        items: rows.into_iter().map(convert).collect(),
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_too_many_becomes_a_cursor() {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let wanted = page(None, Some(2)).unwrap();
        let full = paged(ids.clone(), wanted, |id| *id, |id| id);
        assert_eq!(full.items.len(), 2);
        assert_eq!(full.next, Some(ids[1].to_string()));
        let last = paged(ids[..2].to_vec(), wanted, |id| *id, |id| id);
        assert_eq!(last.next, None);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        assert!(page(None, Some(0)).is_err());
        assert!(page(None, Some(201)).is_err());
        assert!(page(Some("x"), None).is_err());
        assert_eq!(page(None, None).unwrap().limit, 51);
    }
}
