//! Answers that are not a success, sorted by what the caller should do.

use connector::ConnectorError;
use connector::http::Response;
use serde::Deserialize;
use std::time::Duration;

/// A failed call: what the engine is told, and what each item of a batch did wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For the caller.
    pub error: ConnectorError,
    /// HTTP status, 0 when no answer came.
    pub status: u16,
    /// Mistakes by item, when amoCRM names them.
    pub items: Vec<ItemError>,
}

/// A mistake in one item of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemError {
    /// `request_id` of the item, or its index as text.
    pub request_id: String,
    /// `NotSupportedChoice`, `InvalidType`, `FieldMissing`…
    pub code: String,
    /// Path from the item in dot notation: `custom_fields_values.0.values.0.value`.
    pub path: String,
    /// amoCRM's words; their language follows the user.
    pub detail: String,
}

impl ItemError {
    /// For the caller. A path that is the id itself means that the record is not there.
    pub fn to_error(&self) -> ConnectorError {
        if matches!(self.path.as_str(), "id" | "entity_id") {
            return ConnectorError::NotFound;
        }
        ConnectorError::Rejected {
            code: self.code.clone(),
            field: (!self.path.is_empty()).then(|| self.path.clone()),
            message: self.detail.clone(),
        }
    }
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Self {
            error,
            status: 0,
            items: Vec::new(),
        }
    }
}

impl From<Failure> for ConnectorError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// An error document of any of amoCRM's generations; every key may be missing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
    retry_after: Option<f64>,
    #[serde(rename = "validation-errors")]
    validation_errors: Vec<ProblemItem>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProblemItem {
    request_id: serde_json::Value,
    errors: Vec<ProblemError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProblemError {
    code: Option<String>,
    path: Option<String>,
    detail: Option<String>,
}

/// Reads a refusal. `writes` tells whether the request could have changed something.
pub fn read_failure(response: &Response, writes: bool) -> Failure {
    let problem: Option<Problem> = serde_json::from_slice(&response.body).ok();
    let known = problem.is_some();
    let problem = problem.unwrap_or_default();
    let items: Vec<ItemError> = problem.validation_errors.iter().flat_map(item_errors).collect();
    let message = problem
        .hint
        .clone()
        .or_else(|| problem.detail.clone())
        .or_else(|| problem.title.clone())
        .unwrap_or_else(|| format!("HTTP {}", response.status));
    let error = match response.status {
        401 => ConnectorError::Unauthorized,
        402 => ConnectorError::Unpaid,
        // The ban comes from the front server, which knows no JSON.
        403 if !known => ConnectorError::Banned,
        403 => ConnectorError::Forbidden { message },
        404 => ConnectorError::NotFound,
        429 => ConnectorError::RateLimited {
            after: problem.retry_after.and_then(seconds).or(response.retry_after),
        },
        status @ 500.. => ConnectorError::Unavailable {
            status,
            uncertain: writes,
        },
        status @ 400..500 => match items.first() {
            Some(first) => first.to_error(),
            None => ConnectorError::Rejected {
                code: status.to_string(),
                field: None,
                message,
            },
        },
        status => ConnectorError::Protocol {
            message: format!("неожиданный ответ HTTP {status}"),
        },
    };
    Failure {
        error,
        status: response.status,
        items,
    }
}

fn item_errors(item: &ProblemItem) -> impl Iterator<Item = ItemError> {
    let request_id = match &item.request_id {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    item.errors.iter().map(move |error| ItemError {
        request_id: request_id.clone(),
        code: error.code.clone().unwrap_or_default(),
        path: error.path.clone().unwrap_or_default(),
        detail: error.detail.clone().unwrap_or_default(),
    })
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            content_type: String::new(),
            retry_after: Some(Duration::from_secs(2)),
            request_id: None,
            body: body.to_owned().into(),
        }
    }

    fn check(status: u16, body: &str, code: &str, uncertain: bool) {
        let failure = read_failure(&answer(status, body), true);
        assert_eq!(failure.error.code(), code, "{status} {body}");
        assert_eq!(failure.error.is_uncertain(), uncertain, "{status} {body}");
    }

    #[test]
    fn statuses() {
        check(
            400,
            r#"{"title":"Bad Request","status":400,"detail":"Empty request"}"#,
            "rejected",
            false,
        );
        check(400, "<html>", "rejected", false);
        check(401, r#"{"title":"Unauthorized"}"#, "unauthorized", false);
        check(402, "{}", "unpaid", false);
        check(403, r#"{"detail":"Admin access only"}"#, "forbidden", false);
        check(403, "<html><body>403 Forbidden</body></html>", "banned", false);
        check(404, "{}", "not_found", false);
        check(405, "{}", "rejected", false);
        check(422, "{}", "rejected", false);
        check(429, "slow down", "rate_limited", false);
        check(500, r#"{"trace_id":"x"}"#, "unavailable", true);
        check(502, "", "unavailable", true);
        check(503, "", "unavailable", true);
        check(504, "<html>", "unavailable", true);
        check(302, "", "protocol", true);
        assert!(!read_failure(&answer(504, ""), false).error.is_uncertain());
    }

    #[test]
    fn rate_answer_prefers_the_body() {
        let wait = |body| match read_failure(&answer(429, body), false).error {
            ConnectorError::RateLimited { after } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(r#"{"retry_after":300}"#), Some(Duration::from_secs(300)));
        assert_eq!(wait("no json"), Some(Duration::from_secs(2)));
        assert_eq!(wait(r#"{"retry_after":-1}"#), Some(Duration::from_secs(2)));
    }

    #[test]
    fn validation_names_item_and_path() {
        let body = r#"{"validation-errors":[{"request_id":"7","errors":[
            {"code":"NotSupportedChoice","path":"custom_fields_values.0.field_id","detail":"no"},
            {"code":"InvalidType","path":"status_id","detail":"int"}]},
            {"request_id":3,"errors":[{"code":"NotSupportedChoice","path":"id","detail":"no"}]}],
            "status":400,"detail":"Request validation failed"}"#;
        let failure = read_failure(&answer(400, body), true);
        assert_eq!(failure.items.len(), 3);
        assert_eq!(
            (
                failure.items[0].request_id.as_str(),
                failure.items[2].request_id.as_str()
            ),
            ("7", "3")
        );
        assert!(
            matches!(&failure.error, ConnectorError::Rejected { code, field: Some(path), .. }
            if code == "NotSupportedChoice" && path == "custom_fields_values.0.field_id")
        );
        assert!(matches!(failure.items[2].to_error(), ConnectorError::NotFound));
    }
}
