//! Starts by hand, timers and great replays.

use api::Page;
use api::sweep::{ReplayEvents, RuleSchedule, StartPreview, StartRule, Sweep};
use domain::id::{RuleId, SweepId};

use super::client::{Request, get, post};

/// Walks of a rule, newest first.
pub fn list_sweeps(rule: RuleId) -> Request<Page<Sweep>> {
    get(format!("/sweeps?rule={rule}")).answers()
}

/// Stops a walk.
pub fn cancel_sweep(id: SweepId) -> Request<Sweep> {
    post(format!("/sweeps/{id}/cancel")).answers()
}

/// Counts what a start would concern.
pub fn preview_start(rule: RuleId, form: &StartRule) -> Request<StartPreview> {
    post(format!("/rules/{rule}/start-by-hand/preview"))
        .json(form)
        .answers()
}

/// Starts a rule on records.
pub fn start_by_hand(rule: RuleId, form: &StartRule) -> Request<Sweep> {
    post(format!("/rules/{rule}/start-by-hand"))
        .json(form)
        .once()
        .answers()
}

/// Lets earlier events run again.
pub fn replay_events(form: &ReplayEvents) -> Request<Sweep> {
    post("/events/replay").json(form).once().answers()
}

/// When a rule runs next.
pub fn get_schedule(rule: RuleId) -> Request<RuleSchedule> {
    get(format!("/rules/{rule}/schedule")).answers()
}
