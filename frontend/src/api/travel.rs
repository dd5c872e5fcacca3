//! Rules that travel: copies, exports, imports, templates.

use api::Page;
use api::rule::RuleView;
use api::travel::{ImportedRule, TemplateSummary, TemplateView};
use domain::id::RuleId;
use serde_json::Value;

use super::client::{Request, get, post};

/// Makes a copy of a rule with its test cases.
pub fn copy_rule(id: RuleId) -> Request<RuleView> {
    post(format!("/rules/{id}/copy")).once().answers()
}

/// A rule as a document that can be imported elsewhere.
pub fn export_rule(id: RuleId) -> Request<Value> {
    get(format!("/rules/{id}/export")).answers()
}

/// Makes a rule of an exported document.
pub fn import_rule(document: &Value) -> Request<ImportedRule> {
    post("/rules/import").json(document).once().answers()
}

/// The gallery.
pub fn list_templates() -> Request<Page<TemplateSummary>> {
    get("/templates").answers()
}

/// A template with its rule.
pub fn get_template(id: &str) -> Request<TemplateView> {
    get(format!("/templates/{id}")).answers()
}

/// Begins a rule with a template.
pub fn use_template(id: &str) -> Request<ImportedRule> {
    post(format!("/templates/{id}/use")).once().answers()
}
