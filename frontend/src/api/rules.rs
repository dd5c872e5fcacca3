//! Rules: drafts, versions, trying.

use api::Page;
use api::rule::{
    CheckRule, CompareRules, DryRun, DryRunResult, ReorderRules, RuleChange, RuleSummary, RuleVersionSummary,
    RuleVersionView, RuleView, SaveRule, Validation,
};
use domain::id::{RuleId, RuleVersionId};

use super::client::{Request, delete, get, post, put};

/// Every rule in the order of evaluation.
pub fn list_rules() -> Request<Page<RuleSummary>> {
    get("/rules").answers()
}

/// One rule with its draft.
pub fn get_rule(id: RuleId) -> Request<RuleView> {
    get(format!("/rules/{id}")).answers()
}

/// Makes a rule.
pub fn create_rule(form: &SaveRule) -> Request<RuleView> {
    post("/rules").json(form).once().answers()
}

/// Saves the draft.
pub fn update_rule(id: RuleId, version: i64, form: &SaveRule) -> Request<RuleView> {
    put(format!("/rules/{id}")).json(form).if_match(version).answers()
}

/// Deletes a rule.
pub fn delete_rule(id: RuleId, version: i64) -> Request<()> {
    delete(format!("/rules/{id}")).if_match(version).done()
}

/// Puts the draft in force.
pub fn publish_rule(id: RuleId, version: i64, cycles: Cycles) -> Request<RuleView> {
    post(format!("/rules/{id}/publish{}", cycles.query()))
        .if_match(version)
        .answers()
}

/// What a person says of a cycle that never ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cycles {
    /// Nothing yet: the server refuses and tells the path.
    Refused,
    /// It is meant.
    Accepted,
}

impl Cycles {
    const fn query(self) -> &'static str {
        match self {
            Self::Refused => "",
            Self::Accepted => "?accept_cycles=true",
        }
    }
}

/// Switches a rule on or off.
pub fn switch_rule(id: RuleId, on: bool, cycles: Cycles) -> Request<RuleView> {
    let path = if on {
        format!("/rules/{id}/enable{}", cycles.query())
    } else {
        format!("/rules/{id}/disable")
    };
    post(path).answers()
}

/// What the server says of a document, cycles with the other rules included.
pub fn check_rule(form: &CheckRule) -> Request<Validation> {
    post("/rules/validate").json(form).answers()
}

/// Sets the order of evaluation.
pub fn reorder_rules(order: &ReorderRules) -> Request<()> {
    post("/rules/reorder").json(order).done()
}

/// Published versions, newest first.
pub fn list_versions(id: RuleId) -> Request<Page<RuleVersionSummary>> {
    get(format!("/rules/{id}/versions")).answers()
}

/// A published version with its document.
pub fn get_version(id: RuleId, version: RuleVersionId) -> Request<RuleVersionView> {
    get(format!("/rules/{id}/versions/{version}")).answers()
}

/// Makes a version's document the draft.
pub fn restore_version(id: RuleId, version: RuleVersionId, row: i64) -> Request<RuleView> {
    post(format!("/rules/{id}/versions/{version}/restore"))
        .if_match(row)
        .answers()
}

/// What changes from one document to another, in words.
pub fn compare_rules(form: &CompareRules) -> Request<Page<RuleChange>> {
    post("/rules/compare").json(form).answers()
}

/// What a rule would make of a received event. Nothing is sent to the CRMs.
pub fn dry_run(form: &DryRun) -> Request<DryRunResult> {
    post("/rules/dry-run").json(form).answers()
}
