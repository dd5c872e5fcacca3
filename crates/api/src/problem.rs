//! The one error body of the API: `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Media type of every error answer.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal, $title:literal;)*) => {
        /// What kind of problem it is: stable, to be decided by. `docs/API-DESIGN.md` lists them.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ProblemType { $($(#[$doc])* $name,)* }

        impl ProblemType {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The URI reference that names it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $word),)* }
            }

            /// HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Russian title.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

problem_types! {
    /// The request cannot be read: not JSON, a wrong parameter, a wrong cursor.
    BadRequest = "bad-request", 400, "Запрос не разобран";
    /// Nobody is signed in, or the API key is not known.
    Unauthorized = "unauthorized", 401, "Нужно войти";
    /// E-mail or password is wrong.
    WrongCredentials = "wrong-credentials", 401, "Неверный e-mail или пароль";
    /// The password is right; a code of the second factor is needed too.
    SecondFactor = "second-factor", 401, "Нужен код второго фактора";
    /// The role or the key's scopes do not suffice.
    Forbidden = "forbidden", 403, "Недостаточно прав";
    /// A cookie session without the header or from another origin.
    CrossSite = "cross-site", 403, "Запрос с чужого сайта отклонён";
    /// There is no such thing, or the caller may not know of it.
    NotFound = "not-found", 404, "Не найдено";
    /// The address knows no such method.
    MethodNotAllowed = "method-not-allowed", 405, "Метод не поддерживается";
    /// The request came too slowly.
    RequestTimeout = "request-timeout", 408, "Запрос приходит слишком медленно";
    /// Something of the same name or in the wrong state is in the way.
    Conflict = "conflict", 409, "Так сделать нельзя";
    /// The rule would close a cycle that never ends by itself: repeat with `accept_cycles=true` if it shall.
    CertainCycle = "certain-cycle", 409, "Правила запустят друг друга без конца";
    /// Another person changed it meanwhile.
    Stale = "stale", 412, "Данные изменились";
    /// The body is too long.
    TooLarge = "too-large", 413, "Слишком большой запрос";
    /// The media type is not the one expected.
    UnsupportedMediaType = "unsupported-media-type", 415, "Неподдерживаемый тип содержимого";
    /// Well-formed, but something in it cannot be accepted; `errors` says what.
    Invalid = "invalid", 422, "Проверьте введённые данные";
    /// The rule does not meet its test cases; `errors` names each of them.
    CasesFailed = "cases-failed", 422, "Проверки правила не прошли";
    /// A request key was used with another body.
    RequestKeyReused = "request-key-reused", 422, "Ключ запроса уже использован";
    /// An edit without `If-Match`.
    PreconditionRequired = "precondition-required", 428, "Нужна версия данных";
    /// Too many tries.
    TooManyRequests = "too-many-requests", 429, "Слишком много попыток";
    /// Our mistake.
    Internal = "internal", 500, "Внутренняя ошибка";
    /// The CRM refused or did not answer.
    CrmFailed = "crm-failed", 502, "CRM не ответила или отказала";
    /// The database or the server is not ready.
    Unavailable = "unavailable", 503, "Сервис временно недоступен";
}

impl ProblemType {
    /// The kind with this name; `None` when it is newer than this code.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// An error as the API answers it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable name of the kind of problem: `/problems/not-found`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(example = "/problems/not-found"))]
    pub kind: String,
    /// The kind in words, in Russian.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time and what to do, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Id of the request, for finding it in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What exactly is wrong, field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong with one place of the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldProblem {
    /// JSON pointer into the request body: `/actions/0/mapping/2/from`.
    pub pointer: String,
    /// Stable word.
    pub code: String,
    /// What is wrong and what to do, in Russian.
    pub detail: String,
}

impl Problem {
    /// A problem of a kind, with what happened this time.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: Some(detail.into()),
            instance: None,
            trace_id: None,
            errors: Vec::new(),
        }
    }

    /// The same with what is wrong field by field.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// Which kind it is; `None` when it is newer than this code.
    pub fn problem_type(&self) -> Option<ProblemType> {
        ProblemType::parse(&self.kind)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(&self.title))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_unique_names_and_survive_the_wire() {
        for kind in ProblemType::ALL {
            assert_eq!(ProblemType::parse(kind.as_str()), Some(*kind));
            let text = serde_json::to_string(&Problem::new(*kind, "почему")).unwrap();
            let back: Problem = serde_json::from_str(&text).unwrap();
            assert_eq!(back.problem_type(), Some(*kind));
        }
    }
}
