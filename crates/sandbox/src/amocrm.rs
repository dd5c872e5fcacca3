//! The fake amoCRM.

pub mod ids;

use actix_web::web::ServiceConfig;

use crate::clock::Clock;
use crate::emitter::Webhook;

/// Everything the fake amoCRM knows.
#[derive(Debug, Default)]
pub struct State {
    outgoing: Vec<Webhook>,
}

impl State {
    /// The state after a reset.
    pub fn seeded(_clock: &Clock, _demo: bool) -> Self {
        Self::default()
    }

    /// Webhooks caused since the last call.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Webhook> {
        std::mem::take(&mut self.outgoing)
    }

    /// A webhook attempt to the subscription `tag` ended.
    pub(crate) fn attempt_ended(&mut self, _tag: Option<&str>, _good: bool) {}
}

/// Whether a request asks for a change of CRM data.
pub fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.contains("/oauth2/")
}

/// Usual error body for a status.
pub(crate) fn problem_text(code: u16, _retry_after: Option<u32>) -> String {
    serde_json::json!({"status": code}).to_string()
}

/// Routes of the service.
pub fn configure(_cfg: &mut ServiceConfig) {}

/// Routes below `/_sandbox/amocrm`.
pub fn control(_cfg: &mut ServiceConfig) {}
