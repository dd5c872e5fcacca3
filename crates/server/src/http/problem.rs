//! The one error answer of the server: `application/problem+json`.

use crate::telemetry::chain;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use api::problem::{FieldProblem, MEDIA_TYPE, ProblemType};
use connector::IntakeError;
use domain::compile::{Diagnostic, Severity};
use engine::{EngineError, FailedCase};
use std::fmt;
use storage::StorageError;

/// When whoever is told that we cannot serve now may ask again, in seconds.
const RETRY_AFTER_SECS: &str = "1";

/// An error on its way to the caller, with the seconds to wait before the next try. The only `ResponseError` of
/// the server.
#[derive(Debug)]
pub struct Problem(Box<api::Problem>, Option<i64>);

impl Problem {
    /// A problem of a kind, with what happened and what to do, in Russian.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self(Box::new(api::Problem::new(kind, detail)), None)
    }

    /// Something in the body cannot be accepted.
    pub fn invalid(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldProblem {
            pointer: pointer.into(),
            code: code.to_owned(),
            detail: detail.clone(),
        };
        let body = api::Problem::new(ProblemType::Invalid, detail).with_errors(vec![error]);
        Self(Box::new(body), None)
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found() -> Self {
        Self::new(
            ProblemType::NotFound,
            "Такой записи нет, или у вас нет к ней доступа",
        )
    }

    /// Our mistake. Nothing internal is told.
    pub fn internal() -> Self {
        Self::new(
            ProblemType::Internal,
            "Мы уже записали подробности; повторите позже или сообщите номер запроса",
        )
    }

    /// A recording cannot be passed on. Its address is told to nobody.
    pub fn recording(error: &connector::ConnectorError) -> Self {
        tracing::info!(code = error.code(), "запись разговора не получена");
        match error {
            connector::ConnectorError::AddressRefused { .. } => Self::new(
                ProblemType::Conflict,
                "Запись лежит на сервере, с которого записи не проигрываются: попросите администратора добавить его \
                 в настройку files.recording_hosts",
            ),
            _ => Self::new(
                ProblemType::CrmFailed,
                "Сервер записей не отвечает, попробуйте позже",
            ),
        }
    }

    /// The same with where it happened.
    #[must_use]
    pub fn located(mut self, instance: String, trace_id: String) -> Self {
        self.0.instance = Some(instance);
        self.0.trace_id = Some(trace_id);
        self
    }

    /// A problem for a status that something else chose (an extractor, the router).
    pub fn for_status(status: StatusCode) -> Self {
        let kind = ProblemType::ALL
            .iter()
            .copied()
            .find(|kind| kind.status() == status.as_u16())
            .unwrap_or(if status.is_server_error() {
                ProblemType::Internal
            } else {
                ProblemType::BadRequest
            });
        match kind {
            ProblemType::NotFound => Self::not_found(),
            ProblemType::Internal => Self::internal(),
            ProblemType::TooLarge => Self::new(kind, "Тело запроса длиннее допустимого"),
            _ => Self::new(kind, "Запрос не удалось выполнить в таком виде"),
        }
    }

    /// A problem with the findings in a rule.
    fn findings(kind: ProblemType, text: &str, found: Vec<Diagnostic>) -> Self {
        let errors = found
            .into_iter()
            .map(|found| FieldProblem {
                pointer: found.pointer,
                code: found.code,
                detail: found.text,
            })
            .collect();
        Self(Box::new(api::Problem::new(kind, text).with_errors(errors)), None)
    }

    /// The same with the seconds to wait of another.
    #[must_use]
    pub fn as_late_as(mut self, other: &Self) -> Self {
        self.1 = other.1;
        self
    }

    /// A problem with the test cases that a rule does not meet.
    fn cases(failed: Vec<FailedCase>) -> Self {
        let errors = failed
            .into_iter()
            .map(|case| FieldProblem {
                pointer: format!("/cases/{}", case.id),
                code: "case_failed".to_owned(),
                detail: case.text,
            })
            .collect();
        let text = "Правило не проходит свои проверки: исправьте правило или сами проверки";
        Self(
            Box::new(api::Problem::new(ProblemType::CasesFailed, text).with_errors(errors)),
            None,
        )
    }

    /// What it says.
    pub fn body(&self) -> &api::Problem {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer
            .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if self.0.kind == ProblemType::Unavailable.as_str() {
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECS));
        }
        if self.0.kind == ProblemType::Unauthorized.as_str() {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(secs) = self.1 {
            answer.insert_header((header::RETRY_AFTER, secs.to_string()));
        }
        answer.body(serde_json::to_vec(&self.0).unwrap_or_default())
    }
}

impl From<api::Problem> for Problem {
    fn from(body: api::Problem) -> Self {
        Self(Box::new(body), None)
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match &error {
            StorageError::NotFound { .. } => Self::not_found(),
            StorageError::Conflict => Self::new(ProblemType::Conflict, "Такая запись уже есть"),
            StorageError::Stale { .. } => Self::new(
                ProblemType::Stale,
                "Запись уже изменил кто-то другой: обновите страницу и повторите",
            ),
            StorageError::Unavailable(_) => {
                tracing::error!(error.chain = %chain(&error), "база данных недоступна");
                Self::new(
                    ProblemType::Unavailable,
                    "База данных не отвечает, повторите через минуту",
                )
            }
            StorageError::Corrupt { .. } | StorageError::Database(_) => {
                tracing::error!(error.chain = %chain(&error), "ошибка базы данных");
                Self::internal()
            }
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Storage(error) => error.into(),
            EngineError::Connector(error) => {
                tracing::info!(code = error.code(), "CRM не выполнила запрос");
                Self::new(ProblemType::CrmFailed, error.to_string())
            }
            EngineError::UnknownHook => Self::not_found(),
            EngineError::Intake(IntakeError::TooLarge { limit }) => Self::new(
                ProblemType::TooLarge,
                format!("Тело вебхука длиннее {limit} байт"),
            ),
            EngineError::Intake(error) => Self::new(ProblemType::BadRequest, error.to_string()),
            EngineError::Busy => Self::new(
                ProblemType::Unavailable,
                "Слишком много запросов сразу, повторите через секунду",
            ),
            EngineError::File(error) => Self::invalid("/file", "unreadable", error.to_string()),
            EngineError::TooSoon { wait_ms } => {
                let secs = (wait_ms + 999) / 1_000;
                let mut problem = Self::new(
                    ProblemType::TooManyRequests,
                    format!(
                        "Слишком много попыток: подождите {secs} с и повторите или восстановите пароль по почте"
                    ),
                );
                problem.1 = Some(secs);
                problem
            }
            EngineError::Closed => Self::new(
                ProblemType::Forbidden,
                "Регистрация закрыта: попросите приглашение у администратора",
            ),
            EngineError::Invalid { pointer, text } => Self::invalid(pointer, "invalid", text),
            EngineError::RuleErrors(mut found) => {
                found.retain(|one| one.severity == Severity::Error);
                Self::findings(
                    ProblemType::Invalid,
                    "Правило содержит ошибки: исправьте отмеченные места",
                    found,
                )
            }
            EngineError::CasesFailed(failed) => Self::cases(failed),
            EngineError::CertainCycle(found) => Self::findings(
                ProblemType::CertainCycle,
                "Правило замкнёт круг, который сам не закончится: измените его или подтвердите, что так и задумано",
                found,
            ),
            EngineError::Inactive { .. } | EngineError::WrongMoment { .. } => {
                Self::new(ProblemType::Conflict, error.to_string())
            }
            error @ (EngineError::Secret(_) | EngineError::SecretShape) => {
                tracing::error!(error.chain = %chain(&error), "секрет подключения не открыт");
                Self::new(
                    ProblemType::Conflict,
                    "Сохранённый секрет не открывается: введите его заново",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_keeps_its_number() {
        for kind in ProblemType::ALL {
            let status = StatusCode::from_u16(kind.status()).unwrap();
            assert_eq!(Problem::for_status(status).status_code(), status);
        }
        assert_eq!(
            Problem::for_status(StatusCode::IM_A_TEAPOT).status_code(),
            StatusCode::BAD_REQUEST
        );
    }

    #[test]
    fn nothing_internal_is_told() {
        let error = StorageError::Corrupt {
            table: "rule",
            id: "secret".to_owned(),
        };
        let text = serde_json::to_string(Problem::from(error).body()).unwrap();
        assert!(!text.contains("secret") && !text.contains("rule"), "{text}");
    }
}
