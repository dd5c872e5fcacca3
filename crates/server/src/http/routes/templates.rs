//! The gallery of templates.

use super::rule_travel::imported_view;
use crate::http::access::{RuleEditor, Viewer};
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::{HttpResponse, get, post, web};
use api::Page;
use api::travel::{ImportedRule, TemplateSummary, TemplateView};
use domain::connection::ConnectorKind;
use engine::templates::{self, Template};

/// List the templates of the gallery
///
/// Rules to begin with, each with test cases.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<TemplateSummary>)))]
#[get("/templates")]
pub async fn list_templates(_access: Viewer) -> Result<web::Json<Page<TemplateSummary>>, Problem> {
    let all = templates::all().iter().map(summary);
    Ok(web::Json(Page::whole(all.collect())))
}

/// Get a template
///
/// With its rule, the names it speaks of, and what this workspace lacks for it.
#[utoipa::path(tag = "Правила", responses((status = 200, body = TemplateView)))]
#[get("/templates/{template}")]
pub async fn get_template(access: Viewer, Of(id): Of<String>) -> Result<web::Json<TemplateView>, Problem> {
    let template = templates::find(&id).ok_or_else(Problem::not_found)?;
    let bound = access.bind(&template.document).await?;
    Ok(web::Json(TemplateView {
        summary: summary(template),
        rule: template.document.rule.clone(),
        catalogues: template.document.catalogues(),
        unbound: bound.unbound,
    }))
}

/// Begin a rule with a template
///
/// Makes a draft of it in this workspace, with its test cases; what is not found by name is told.
#[utoipa::path(tag = "Правила", responses((status = 201, body = ImportedRule)))]
#[post("/templates/{template}/use")]
pub async fn use_template(
    access: RuleEditor,
    Of(id): Of<String>,
    key: RequestKey,
) -> Result<HttpResponse, Problem> {
    let template = templates::find(&id).ok_or_else(Problem::not_found)?;
    let work = async {
        let rules = access.rules();
        let imported = rules
            .import(access.workspace(), access.actor(), &template.document)
            .await?;
        imported_view(&access, imported).await
    };
    access.once("use_template", key, &id, work).await
}

fn summary(template: &Template) -> TemplateSummary {
    let document = &template.document;
    let home = document
        .connections
        .iter()
        .find(|one| one.id == document.rule.source);
    TemplateSummary {
        id: template.id.to_owned(),
        group: template.group.clone(),
        title: template.title.clone(),
        about: template.about.clone(),
        source: home.map_or(ConnectorKind::Amocrm, |one| one.kind),
        n_cases: document.cases.len(),
    }
}
