//! Test cases of rules.

use crate::http::access::{RuleEditor, Viewer};
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::{HttpResponse, delete, get, post, put, web};
use api::Page;
use api::rule_case::{RuleCase, SaveRuleCase};
use domain::case::TestCase;
use domain::id::{RuleId, TestCaseId};
use storage::rule_cases::{self, StoredCase};
use storage::rules;

/// List the test cases of a rule
///
/// Oldest first. They are run before the rule is published.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<RuleCase>)))]
#[get("/rules/{rule}/cases")]
pub async fn list_rule_cases(
    access: Viewer,
    Of(id): Of<RuleId>,
) -> Result<web::Json<Page<RuleCase>>, Problem> {
    rules::find(access.db(), access.workspace(), id).await?;
    let cases = rule_cases::list(access.db(), access.workspace(), id).await?;
    Ok(web::Json(Page::whole(cases.into_iter().map(view).collect())))
}

/// Keep a test case of a rule
///
/// An event with what was known, and what the rule must make of it.
#[utoipa::path(tag = "Правила", responses((status = 201, body = RuleCase)))]
#[post("/rules/{rule}/cases")]
pub async fn create_rule_case(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    key: RequestKey,
    form: web::Json<SaveRuleCase>,
) -> Result<HttpResponse, Problem> {
    let case = case(&form);
    let work = async {
        let rules = access.rules();
        let stored = rules
            .add_case(access.workspace(), access.actor(), id, &case)
            .await?;
        Ok(view(stored))
    };
    access.once("create_rule_case", key, &(id, &*form), work).await
}

/// Change a test case of a rule
///
/// Replaces its name, what was known and what must come out.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleCase)))]
#[put("/rules/{rule}/cases/{case}")]
pub async fn save_rule_case(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    Of(of): Of<TestCaseId>,
    form: web::Json<SaveRuleCase>,
) -> Result<web::Json<RuleCase>, Problem> {
    let rules = access.rules();
    let stored = rules
        .change_case(access.workspace(), access.actor(), id, of, &case(&form))
        .await?;
    Ok(web::Json(view(stored)))
}

/// Delete a test case of a rule
///
/// It no longer stands in the way of publishing.
#[utoipa::path(tag = "Правила", responses((status = 204)))]
#[delete("/rules/{rule}/cases/{case}")]
pub async fn delete_rule_case(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    Of(of): Of<TestCaseId>,
) -> Result<HttpResponse, Problem> {
    access
        .rules()
        .delete_case(access.workspace(), access.actor(), id, of)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn case(form: &SaveRuleCase) -> TestCase {
    TestCase {
        name: form.name.clone(),
        facts: form.facts.clone(),
        expected: form.expected.clone(),
    }
}

fn view(stored: StoredCase) -> RuleCase {
    RuleCase {
        id: stored.id,
        name: stored.case.name,
        facts: stored.case.facts,
        expected: stored.case.expected,
        updated_at: stored.updated_at,
    }
}
