//! Errors as the service words them; all of them travel in the body under HTTP 200.

use serde_json::{Value, json};

/// A refusal with the code and message of the error envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Code in the body: 400, 401, 404 or 503.
    pub code: u16,
    /// Message in the body.
    pub message: String,
}

impl ApiError {
    fn new(code: u16, message: &str) -> ApiError {
        ApiError {
            code,
            message: message.to_owned(),
        }
    }

    /// 400 without details.
    pub fn bad_request() -> ApiError {
        ApiError::new(400, "Bad request")
    }

    /// 400 with a reason.
    pub fn invalid(what: &str) -> ApiError {
        ApiError::new(400, &format!("Invalid {what}"))
    }

    /// 400 for a lead that does not exist or is not visible yet.
    pub fn invalid_lead_id() -> ApiError {
        ApiError::invalid("lead ID")
    }

    /// 401 of `/login`.
    pub fn wrong_password() -> ApiError {
        ApiError::new(401, "Invalid login or password")
    }

    /// 401 for an absent, unknown, expired or revoked token.
    pub fn unauthorized() -> ApiError {
        ApiError::new(401, "Unauthorized")
    }

    /// 404 for an unknown route or object.
    pub fn not_found() -> ApiError {
        ApiError::new(404, "Not found")
    }

    /// 503 over the rate limit.
    pub fn too_many() -> ApiError {
        ApiError::new(503, "Too many requests")
    }

    /// The error envelope.
    pub fn envelope(&self) -> Value {
        json!({"status": "error", "errors": [{"code": self.code, "message": self.message}]})
    }
}
