//! What rules are tried on.

use api::Page;
use api::trial::{TrialBody, TrialEvent, TrialQuery};

use super::client::{Request, get, post};
use crate::filters::query;

/// The newest events with what is known around them.
pub fn list_trial_events(filter: &TrialQuery) -> Request<Page<TrialEvent>> {
    let address = query([
        (
            "connection",
            filter.connection.map(|id| id.to_string()).unwrap_or_default(),
        ),
        (
            "limit",
            filter.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        ),
    ]);
    get(format!("/trial-events{address}")).answers()
}

/// Reads a pasted body; nothing is kept.
pub fn read_trial_body(form: &TrialBody) -> Request<Page<TrialEvent>> {
    post("/trial-events/read").json(form).answers()
}
