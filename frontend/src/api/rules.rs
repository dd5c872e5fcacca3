//! Rules: drafts, versions, trying.

use api::Page;
use api::rule::{
    DryRun, DryRunResult, ReorderRules, RuleSummary, RuleVersionSummary, RuleVersionView, RuleView, SaveRule,
};
use domain::id::{RuleId, RuleVersionId};

use super::client::{Answer, delete, get, post, put};

/// Every rule in the order of evaluation.
pub async fn list_rules() -> Answer<Page<RuleSummary>> {
    get("/rules").send().await
}

/// One rule with its draft.
pub async fn get_rule(id: RuleId) -> Answer<RuleView> {
    get(format!("/rules/{id}")).send().await
}

/// Makes a rule.
pub async fn create_rule(form: &SaveRule) -> Answer<RuleView> {
    post("/rules").json(form).once().send().await
}

/// Saves the draft.
pub async fn update_rule(id: RuleId, version: i64, form: &SaveRule) -> Answer<RuleView> {
    put(format!("/rules/{id}"))
        .json(form)
        .if_match(version)
        .send()
        .await
}

/// Deletes a rule.
pub async fn delete_rule(id: RuleId, version: i64) -> Answer<()> {
    delete(format!("/rules/{id}")).if_match(version).done().await
}

/// Puts the draft in force.
pub async fn publish_rule(id: RuleId, version: i64) -> Answer<RuleView> {
    post(format!("/rules/{id}/publish"))
        .if_match(version)
        .send()
        .await
}

/// Switches a rule on or off.
pub async fn switch_rule(id: RuleId, on: bool) -> Answer<RuleView> {
    let word = if on { "enable" } else { "disable" };
    post(format!("/rules/{id}/{word}")).send().await
}

/// Sets the order of evaluation.
pub async fn reorder_rules(order: &ReorderRules) -> Answer<()> {
    post("/rules/reorder").json(order).done().await
}

/// Published versions, newest first.
pub async fn list_versions(id: RuleId) -> Answer<Page<RuleVersionSummary>> {
    get(format!("/rules/{id}/versions")).send().await
}

/// A published version with its document.
pub async fn get_version(id: RuleId, version: RuleVersionId) -> Answer<RuleVersionView> {
    get(format!("/rules/{id}/versions/{version}")).send().await
}

/// Makes a version's document the draft.
pub async fn restore_version(id: RuleId, version: RuleVersionId, row: i64) -> Answer<RuleView> {
    post(format!("/rules/{id}/versions/{version}/restore"))
        .if_match(row)
        .send()
        .await
}

/// Tries a document on a received event; nothing is sent.
pub async fn dry_run(form: &DryRun) -> Answer<DryRunResult> {
    post("/rules/dry-run").json(form).send().await
}
