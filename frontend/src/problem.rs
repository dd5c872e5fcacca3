//! What went wrong with a request, ready to be shown.

use api::{FieldProblem, Problem, ProblemType};

use crate::text::upper_first;
use crate::wire;

/// A request that did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// Kind of problem; `None` when the server did not answer in its own words.
    pub kind: Option<ProblemType>,
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// Short.
    pub title: String,
    /// What happened and what to do.
    pub detail: Option<String>,
    /// Id of the request in the server's log.
    pub trace_id: Option<String>,
    /// What is wrong field by field.
    pub errors: Vec<FieldProblem>,
}

impl ApiError {
    /// No answer came.
    pub fn offline() -> Self {
        Self {
            kind: None,
            status: 0,
            title: "Сервер не отвечает".to_owned(),
            detail: Some("Проверьте подключение к сети и попробуйте ещё раз.".to_owned()),
            trace_id: None,
            errors: Vec::new(),
        }
    }

    /// A part of the interface could not be fetched.
    pub fn outdated() -> Self {
        Self {
            kind: None,
            status: 0,
            title: "Страница не загрузилась".to_owned(),
            detail: Some(
                "Проверьте подключение к сети и попробуйте ещё раз. Если сервер недавно обновился, обновите страницу в браузере."
                    .to_owned(),
            ),
            trace_id: None,
            errors: Vec::new(),
        }
    }

    /// The answer came, but is not what was agreed on.
    pub fn unreadable(status: u16) -> Self {
        Self {
            kind: None,
            status,
            title: format!("Непонятный ответ сервера ({status})"),
            detail: Some(
                "Возможно, сервер обновился. Обновите страницу; если не поможет — сообщите администратору."
                    .to_owned(),
            ),
            trace_id: None,
            errors: Vec::new(),
        }
    }

    /// An answer with a status that is not a success.
    pub fn from_answer(status: u16, body: &str) -> Self {
        let Ok(problem) = wire::read::<Problem>(body) else {
            return Self::unreadable(status);
        };
        Self {
            kind: problem.problem_type(),
            status,
            title: problem.title,
            detail: problem.detail.as_deref().map(upper_first),
            trace_id: problem.trace_id,
            errors: problem
                .errors
                .into_iter()
                .map(|error| FieldProblem {
                    detail: upper_first(&error.detail),
                    ..error
                })
                .collect(),
        }
    }

    /// Nobody is signed in any more.
    pub fn is_signed_out(&self) -> bool {
        self.kind == Some(ProblemType::Unauthorized)
    }

    /// What is said of one field of the request, by its JSON pointer.
    pub fn field(&self, pointer: &str) -> Option<String> {
        self.errors
            .iter()
            .find(|error| error.pointer == pointer)
            .map(|error| error.detail.clone())
    }

    /// The id of the request, when finding it in the log could help: not when a person only mistyped.
    pub fn trace(&self) -> Option<&str> {
        let mistake = matches!(
            self.kind,
            Some(
                ProblemType::Invalid
                    | ProblemType::WrongCredentials
                    | ProblemType::Conflict
                    | ProblemType::Stale
                    | ProblemType::TooManyRequests
            )
        );
        self.trace_id.as_deref().filter(|_| !mistake)
    }

    /// The same as one sentence.
    pub fn sentence(&self) -> String {
        self.detail.clone().unwrap_or_else(|| self.title.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_keep_their_fields() {
        let body = serde_json::to_string(&Problem::new(ProblemType::Invalid, "Исправьте поля").with_errors(
            vec![FieldProblem {
                pointer: "/email".to_owned(),
                code: "empty".to_owned(),
                detail: "Введите e-mail".to_owned(),
            }],
        ))
        .unwrap();
        let error = ApiError::from_answer(422, &body);
        assert_eq!(error.kind, Some(ProblemType::Invalid));
        assert_eq!(error.field("/email").as_deref(), Some("Введите e-mail"));
        assert_eq!(error.field("/name"), None);
        assert_eq!(error.sentence(), "Исправьте поля");
    }

    #[test]
    fn a_mistyped_password_needs_no_trace() {
        let of = |kind| {
            let problem = Problem {
                trace_id: Some("7".to_owned()),
                ..Problem::new(kind, "почему")
            };
            ApiError::from_answer(problem.status, &serde_json::to_string(&problem).unwrap())
        };
        assert_eq!(of(ProblemType::WrongCredentials).trace(), None);
        assert_eq!(of(ProblemType::Internal).trace(), Some("7"));
        assert_eq!(of(ProblemType::Internal).sentence(), "Почему");
    }

    #[test]
    fn a_page_of_html_is_not_shown_to_people() {
        let error = ApiError::from_answer(502, "<html>Bad gateway</html>");
        assert_eq!(error.kind, None);
        assert!(error.title.contains("502"));
        assert!(!error.sentence().contains("html"));
    }

    #[test]
    fn only_a_lost_session_signs_out() {
        let of = |kind| ApiError::from_answer(401, &serde_json::to_string(&Problem::new(kind, "")).unwrap());
        assert!(of(ProblemType::Unauthorized).is_signed_out());
        assert!(!of(ProblemType::WrongCredentials).is_signed_out());
    }
}
