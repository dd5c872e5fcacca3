//! Emergency stops of the installation, the workspace and single rules. Connections have their own.

use crate::http::access::{Access, Owner, RuleEditor, Superuser, Viewer};
use crate::http::convert;
use crate::http::extract::Of;
use crate::http::problem::Problem;
use actix_web::{HttpResponse, get, post, web};
use api::Page;
use api::stop::{PutStop, Stop};
use domain::id::RuleId;
use storage::stops::StopScope;

/// The longest reason that is kept.
const LONGEST_REASON: usize = 500;

/// List stops
///
/// Emergency stops in force that concern the workspace: its own, those of its rules, and the installation's.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 200, body = Page<Stop>)))]
#[get("/stops")]
pub async fn list_stops(access: Viewer) -> Result<web::Json<Page<Stop>>, Problem> {
    answer(&access).await
}

/// Stop the workspace
///
/// Within a second nothing more is sent to any CRM; what waits keeps its place.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 200, body = Page<Stop>)))]
#[post("/workspace/stop")]
pub async fn stop_workspace(
    access: Owner,
    form: web::Json<PutStop>,
) -> Result<web::Json<Page<Stop>>, Problem> {
    let scope = StopScope::Workspace(access.workspace());
    let reason = reason(form.into_inner())?;
    access.stops().stop(scope, access.actor(), reason).await?;
    answer(&access).await
}

/// Start the stopped workspace
///
/// What waited goes on.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 200, body = Page<Stop>)))]
#[post("/workspace/start")]
pub async fn start_workspace(access: Owner) -> Result<web::Json<Page<Stop>>, Problem> {
    let scope = StopScope::Workspace(access.workspace());
    access.stops().start(scope, access.actor()).await?;
    answer(&access).await
}

/// Stop a rule
///
/// Within a second nothing that it has planned is sent; what waits keeps its place, and so does what stands behind
/// it at the same records. It goes on deciding: switch it off if it shall not.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 200, body = Page<Stop>)))]
#[post("/rules/{rule}/stop")]
pub async fn stop_rule(
    access: RuleEditor,
    Of(id): Of<RuleId>,
    form: web::Json<PutStop>,
) -> Result<web::Json<Page<Stop>>, Problem> {
    let scope = StopScope::Rule(access.workspace(), id);
    let reason = reason(form.into_inner())?;
    access.stops().stop(scope, access.actor(), reason).await?;
    answer(&access).await
}

/// Start a stopped rule
///
/// What waited goes on.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 200, body = Page<Stop>)))]
#[post("/rules/{rule}/start")]
pub async fn start_rule(access: RuleEditor, Of(id): Of<RuleId>) -> Result<web::Json<Page<Stop>>, Problem> {
    let scope = StopScope::Rule(access.workspace(), id);
    access.stops().start(scope, access.actor()).await?;
    answer(&access).await
}

/// Stop everything
///
/// Within a second nothing more is sent for any workspace. For those who run the installation.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 204)))]
#[post("/installation/stop")]
pub async fn stop_installation(
    operator: Superuser,
    form: web::Json<PutStop>,
) -> Result<HttpResponse, Problem> {
    let reason = reason(form.into_inner())?;
    let actor = operator.actor();
    operator
        .stops()
        .stop(StopScope::Installation, actor, reason)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Start everything again
///
/// What waited goes on, except what is stopped by itself. For those who run the installation.
#[utoipa::path(tag = "Аварийная остановка", responses((status = 204)))]
#[post("/installation/start")]
pub async fn start_installation(operator: Superuser) -> Result<HttpResponse, Problem> {
    operator
        .stops()
        .start(StopScope::Installation, operator.actor())
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn answer<P>(access: &Access<P>) -> Result<web::Json<Page<Stop>>, Problem> {
    let all = storage::stops::list(access.db(), access.workspace()).await?;
    Ok(web::Json(Page::whole(
        all.into_iter().map(convert::stop).collect(),
    )))
}

fn reason(form: PutStop) -> Result<Option<String>, Problem> {
    let reason = form.reason.map(|text| text.trim().to_owned());
    let reason = reason.filter(|text| !text.is_empty());
    if reason
        .as_ref()
        .is_some_and(|text| text.chars().count() > LONGEST_REASON)
    {
        let text = format!("Причина длиннее {LONGEST_REASON} знаков: сократите её");
        return Err(Problem::invalid("/reason", "too_long", text));
    }
    Ok(reason)
}
