//! The fake LPTracker.

use actix_web::web::ServiceConfig;

use crate::clock::Clock;

/// Everything the fake LPTracker knows.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// The state after a reset: bare, or with the demo projects and leads.
    pub fn seeded(_clock: &Clock, _demo: bool) -> Self {
        Self::default()
    }
}

/// Whether a request asks for a change of CRM data (sign-in and searches do not).
pub fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.starts_with("/login") && !path.starts_with("/logout")
}

/// Routes of the service, from the root of its port.
pub fn configure(_cfg: &mut ServiceConfig) {}

/// Routes below `/_sandbox/lptracker`.
pub fn control(_cfg: &mut ServiceConfig) {}
