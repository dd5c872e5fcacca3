//! Copies, exports and imports of rules.

use super::rules::view;
use crate::http::access::{RuleEditor, Viewer};
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpResponse, get, post, web};
use api::rule::RuleView;
use api::travel::ImportedRule;
use domain::id::RuleId;
use domain::portable::Portable;
use engine::rules::Imported;

/// Copy a rule
///
/// A new rule with the same draft and test cases, behind all others. It acts once it is published.
#[utoipa::path(tag = "Правила", responses((status = 201, body = RuleView)))]
#[post("/rules/{rule}/copy")]
pub async fn copy_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    key: RequestKey,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let rules = access.rules();
        let rule = rules.copy(access.workspace(), access.actor(), id).await?;
        view(&access, rule).await
    };
    access.once("copy_rule", key, &id, work).await
}

/// Export a rule
///
/// The draft with its test cases and the names of everything they refer to, to be imported elsewhere.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Object)))]
#[get("/rules/{rule}/export")]
pub async fn export_rule(access: Viewer, Of(id): Of<RuleId>) -> Result<HttpResponse, Problem> {
    let portable = access.export(id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"rule-{id}.json\""),
        ))
        .json(portable))
}

/// Import a rule
///
/// An exported document; everything it refers to is found again by name in this workspace, and what is not found is told.
/// The new rule is a draft.
#[utoipa::path(tag = "Правила", request_body = Object, responses((status = 201, body = ImportedRule)))]
#[post("/rules/import")]
pub async fn import_rule(
    access: RuleEditor,
    key: RequestKey,
    form: web::Json<Portable>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let rules = access.rules();
        let imported = rules.import(access.workspace(), access.actor(), &form).await?;
        imported_view(&access, imported).await
    };
    access.once("import_rule", key, &*form, work).await
}

/// A rule that came from elsewhere, as it is answered.
pub(super) async fn imported_view(access: &RuleEditor, imported: Imported) -> Result<ImportedRule, Problem> {
    Ok(ImportedRule {
        rule: view(access, imported.rule).await?,
        unbound: imported.unbound,
    })
}
