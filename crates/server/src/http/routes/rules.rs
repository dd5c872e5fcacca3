//! Rules: drafts, published versions, order, trying.

use crate::http::access::{Access, RuleEditor, Viewer};
use crate::http::convert;
use crate::http::extract::{IfMatch, Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, post, put, web};
use api::Page;
use api::rule::{
    CheckRule, CompareRules, DryRun, DryRunResult, PutInForce, ReorderRules, RuleChange, RuleCycles,
    RuleSummary, RuleVersionSummary, RuleVersionView, RuleView, SaveRule, Validation,
};
use domain::compile::Severity;
use domain::id::{RuleId, RuleVersionId};
use engine::rules::Consent;
use std::collections::HashMap;
use storage::rules::{self, RunCount, StoredRule};
use storage::{StorageError, accounts};

const DAY_MS: i64 = 86_400_000;

/// List rules
///
/// All rules of the workspace in the order of evaluation, with their runs of the last 24 hours.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<RuleSummary>)))]
#[get("/rules")]
pub async fn list_rules(access: Viewer) -> Result<web::Json<Page<RuleSummary>>, Problem> {
    let counts = counts(&access).await?;
    let count = |id| counts.get(id).copied().unwrap_or_default();
    let all = rules::list(access.db(), access.workspace()).await?;
    let summaries = all
        .iter()
        .map(|rule| convert::rule_summary(rule, count(&rule.id)));
    Ok(web::Json(Page::whole(summaries.collect())))
}

/// Create a rule
///
/// The draft may be incomplete. The rule acts once it is published.
#[utoipa::path(tag = "Правила", responses((status = 201, body = RuleView)))]
#[post("/rules")]
pub async fn create_rule(
    access: RuleEditor,
    key: RequestKey,
    form: web::Json<SaveRule>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let rule = access
            .rules()
            .create(access.workspace(), access.actor(), &form.draft)
            .await?;
        view(&access, rule).await
    };
    access.once("create_rule", key, &*form, work).await
}

/// Get a rule
///
/// With its draft and what the compiler says of it. `ETag` is the version for `If-Match`.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleView)))]
#[get("/rules/{rule}")]
pub async fn get_rule(access: Viewer, Of(id): Of<RuleId>) -> Result<HttpResponse, Problem> {
    let rule = rules::find(access.db(), access.workspace(), id).await?;
    answer(&access, rule).await
}

/// Save the draft of a rule
///
/// Needs `If-Match` with the version that was read, and fails with 412 when somebody was quicker. What is in
/// force stays so until it is published.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleView)))]
#[put("/rules/{rule}")]
pub async fn save_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    IfMatch(version): IfMatch,
    form: web::Json<SaveRule>,
) -> Result<HttpResponse, Problem> {
    let rules = access.rules();
    let rule = rules
        .save(access.workspace(), access.actor(), id, version, &form.draft)
        .await?;
    answer(&access, rule).await
}

/// Delete a rule
///
/// Its versions and runs stay as history.
#[utoipa::path(tag = "Правила", responses((status = 204)))]
#[delete("/rules/{rule}")]
pub async fn delete_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, Problem> {
    access
        .rules()
        .delete(access.workspace(), access.actor(), id, version)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Switch a rule on
///
/// A published rule begins to act with the next event. Fails with 409 when it would close a cycle that never ends
/// by itself and `accept_cycles` is not given.
#[utoipa::path(tag = "Правила", params(PutInForce), responses((status = 200, body = RuleView)))]
#[post("/rules/{rule}/enable")]
pub async fn enable_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    query: web::Query<PutInForce>,
) -> Result<HttpResponse, Problem> {
    let rule = access
        .rules()
        .enable(access.workspace(), access.actor(), id, consent(*query))
        .await?;
    answer(&access, rule).await
}

/// Switch a rule off
///
/// Deliveries that are planned already go on.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleView)))]
#[post("/rules/{rule}/disable")]
pub async fn disable_rule(access: RuleEditor, Of(id): Of<RuleId>) -> Result<HttpResponse, Problem> {
    let rule = access
        .rules()
        .disable(access.workspace(), access.actor(), id)
        .await?;
    answer(&access, rule).await
}

/// Put rules in order
///
/// Names every rule of the workspace once; the first is evaluated first.
#[utoipa::path(tag = "Правила", responses((status = 204)))]
#[post("/rules/reorder")]
pub async fn reorder_rules(
    access: RuleEditor,
    order: web::Json<ReorderRules>,
) -> Result<HttpResponse, Problem> {
    access
        .rules()
        .reorder(access.workspace(), access.actor(), &order.rules)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Publish a rule
///
/// Puts the draft in force as a new version that never changes. Fails with 422 and pointers into the draft when
/// the compiler finds mistakes, with 422 `cases-failed` when it does not meet its test cases, with 409 when it would close a cycle that never ends by itself and `accept_cycles`
/// is not given.
#[utoipa::path(tag = "Правила", params(PutInForce), responses((status = 200, body = RuleView)))]
#[post("/rules/{rule}/publish")]
pub async fn publish_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    IfMatch(version): IfMatch,
    query: web::Query<PutInForce>,
) -> Result<HttpResponse, Problem> {
    let rule = access
        .rules()
        .publish(access.workspace(), access.actor(), id, version, consent(*query))
        .await?;
    answer(&access, rule).await
}

/// List the cycles among rules
///
/// Published rules that wake one another in a circle, with the path in words. It is told of the rules alone: the hub
/// also recognises its own writes and stops a chain that grows too long.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleCycles)))]
#[get("/rules/cycles")]
pub async fn list_rule_cycles(access: Viewer) -> Result<web::Json<RuleCycles>, Problem> {
    Ok(web::Json(convert::rule_cycles(access.rule_cycles().await?)))
}

/// List the published versions of a rule
///
/// Newest first.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<RuleVersionSummary>)))]
#[get("/rules/{rule}/versions")]
pub async fn list_rule_versions(
    access: Viewer,
    Of(id): Of<RuleId>,
) -> Result<web::Json<Page<RuleVersionSummary>>, Problem> {
    let in_force = in_force(&access, id).await?;
    let versions = rules::versions(access.db(), access.workspace(), id).await?;
    let mut items = Vec::with_capacity(versions.len());
    for version in &versions {
        items.push(convert::rule_version(
            version,
            publisher(&access, version).await?,
            in_force,
        ));
    }
    Ok(web::Json(Page::whole(items)))
}

/// Get a published version of a rule
///
/// With its document.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleVersionView)))]
#[get("/rules/{rule}/versions/{version}")]
pub async fn get_rule_version(
    access: Viewer,
    Of(id): Of<RuleId>,
    Of(version): Of<RuleVersionId>,
) -> Result<web::Json<RuleVersionView>, Problem> {
    let in_force = in_force(&access, id).await?;
    let version = rules::version(access.db(), access.workspace(), id, version).await?;
    let summary = convert::rule_version(&version, publisher(&access, &version).await?, in_force);
    Ok(web::Json(RuleVersionView {
        summary,
        document: version.document,
    }))
}

/// Restore a published version
///
/// Makes its document the draft again; publish it to put it in force.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleView)))]
#[post("/rules/{rule}/versions/{version}/restore")]
pub async fn restore_rule_version(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    Of(old): Of<RuleVersionId>,
    IfMatch(version): IfMatch,
) -> Result<HttpResponse, Problem> {
    let rule = access
        .rules()
        .restore(access.workspace(), access.actor(), id, version, old)
        .await?;
    answer(&access, rule).await
}

/// Check a rule document
///
/// What the compiler says of it, and the cycles it would close with the published rules; nothing is kept.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Validation)))]
#[post("/rules/validate")]
pub async fn validate_rule(
    access: Viewer,
    form: web::Json<CheckRule>,
) -> Result<web::Json<Validation>, Problem> {
    let diagnostics = access.validate(form.rule_id, &form.draft).await?;
    let publishable = diagnostics.iter().all(|found| found.severity != Severity::Error);
    Ok(web::Json(Validation {
        publishable,
        diagnostics,
    }))
}

/// Try a rule document on a received event
///
/// Says whether it would match, why, and what would be done. Nothing is sent.
#[utoipa::path(tag = "Правила", responses((status = 200, body = DryRunResult)))]
#[post("/rules/dry-run")]
pub async fn dry_run_rule(
    access: Viewer,
    form: web::Json<DryRun>,
) -> Result<web::Json<DryRunResult>, Problem> {
    let result = access.dry_run(&form.rule, form.event_id).await?;
    Ok(web::Json(DryRunResult {
        evaluation: result.evaluation,
        facts: result.facts,
        diagnostics: access.validate(form.rule_id, &form.rule).await?,
    }))
}

/// Compare two rule documents
///
/// Every change in words, as a person would name it. Nothing is kept.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<RuleChange>)))]
#[post("/rules/compare")]
pub async fn compare_rules(
    access: Viewer,
    form: web::Json<CompareRules>,
) -> Result<web::Json<Page<RuleChange>>, Problem> {
    let changes = access.compare(&form.before, &form.after).await?;
    let shown = changes.into_iter().map(|change| RuleChange {
        kind: change.kind,
        pointer: change.pointer,
        text: change.text,
    });
    Ok(web::Json(Page::whole(shown.collect())))
}

const fn consent(query: PutInForce) -> Consent {
    if query.accept_cycles {
        Consent::Given
    } else {
        Consent::Withheld
    }
}

async fn counts<P>(access: &Access<P>) -> Result<HashMap<RuleId, RunCount>, Problem> {
    let since = access.now().plus_ms(-DAY_MS);
    Ok(rules::run_counts(access.db(), access.workspace(), since)
        .await?
        .into_iter()
        .collect())
}

pub(super) async fn view<P>(access: &Access<P>, rule: StoredRule) -> Result<RuleView, Problem> {
    let count = counts(access).await?.get(&rule.id).copied().unwrap_or_default();
    let diagnostics = access.validate(Some(rule.id), &rule.draft).await?;
    Ok(convert::rule_view(rule, count, diagnostics))
}

async fn answer<P>(access: &Access<P>, rule: StoredRule) -> Result<HttpResponse, Problem> {
    let tag = format!("\"{}\"", rule.version);
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, tag))
        .json(view(access, rule).await?))
}

async fn in_force(access: &Viewer, id: RuleId) -> Result<Option<RuleVersionId>, Problem> {
    let rule = rules::find(access.db(), access.workspace(), id).await?;
    Ok(rule.published.map(|mark| mark.id))
}

async fn publisher(access: &Viewer, version: &rules::RuleVersion) -> Result<Option<String>, Problem> {
    let Some(id) = version.published_by else {
        return Ok(None);
    };
    match accounts::user(access.db(), id).await {
        Ok(user) => Ok(Some(user.name)),
        Err(StorageError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
