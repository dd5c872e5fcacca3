//! Emergency stops.

use api::Page;
use api::stop::{PutStop, Stop};
use domain::id::RuleId;

use super::client::{Request, get, post};

/// Stops in force that concern the workspace.
pub fn list_stops() -> Request<Page<Stop>> {
    get("/stops").answers()
}

/// Stops the workspace.
pub fn stop_workspace(form: &PutStop) -> Request<Page<Stop>> {
    post("/workspace/stop").json(form).answers()
}

/// Lets the workspace go on.
pub fn start_workspace() -> Request<Page<Stop>> {
    post("/workspace/start").answers()
}

/// Stops what a rule has planned.
pub fn stop_rule(id: RuleId) -> Request<Page<Stop>> {
    post(format!("/rules/{id}/stop"))
        .json(&PutStop::default())
        .answers()
}

/// Lets a rule go on.
pub fn start_rule(id: RuleId) -> Request<Page<Stop>> {
    post(format!("/rules/{id}/start")).answers()
}
