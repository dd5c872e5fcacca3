//! Test cases of rules.

use api::Page;
use api::rule_case::{RuleCase, SaveRuleCase};
use domain::id::{RuleId, TestCaseId};

use super::client::{Request, delete, get, post, put};

/// The cases of a rule, oldest first.
pub fn list_cases(rule: RuleId) -> Request<Page<RuleCase>> {
    get(format!("/rules/{rule}/cases")).answers()
}

/// Keeps a new case.
pub fn create_case(rule: RuleId, form: &SaveRuleCase) -> Request<RuleCase> {
    post(format!("/rules/{rule}/cases")).json(form).once().answers()
}

/// Replaces what a case says.
pub fn update_case(rule: RuleId, id: TestCaseId, form: &SaveRuleCase) -> Request<RuleCase> {
    put(format!("/rules/{rule}/cases/{id}")).json(form).answers()
}

/// Takes a case away.
pub fn delete_case(rule: RuleId, id: TestCaseId) -> Request<()> {
    delete(format!("/rules/{rule}/cases/{id}")).done()
}
