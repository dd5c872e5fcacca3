//! What the editor tries rules on. Nothing is asked of the CRMs, nothing is kept.

use crate::http::access::Viewer;
use crate::http::extract::Of;
use crate::http::problem::Problem;
use crate::http::story::Cards;
use actix_web::{get, post, web};
use api::Page;
use api::trial::{TrialBody, TrialEvent, TrialQuery};
use domain::id::EventId;
use engine::trials::{Trial, usual_content_type};
use storage::connections;
use storage::events::EventFilter;

/// List events to try a rule on
///
/// The newest first, each with everything the hub already knows around it.
#[utoipa::path(tag = "Правила", params(TrialQuery), responses((status = 200, body = Page<TrialEvent>)))]
#[get("/trial-events")]
pub async fn list_trial_events(
    access: Viewer,
    query: web::Query<TrialQuery>,
) -> Result<web::Json<Page<TrialEvent>>, Problem> {
    let wanted = EventFilter {
        connection: query.connection,
        kind: query.kind,
        ..EventFilter::default()
    };
    let limit = u64::from(query.limit.unwrap_or(50).clamp(1, 100));
    let trials = access.trials().recent(access.workspace(), &wanted, limit).await?;
    Ok(web::Json(Page::whole(views(&access, trials).await?)))
}

/// Get an event to try a rule on
///
/// With everything the hub already knows around it.
#[utoipa::path(tag = "Правила", responses((status = 200, body = TrialEvent)))]
#[get("/trial-events/{event}")]
pub async fn get_trial_event(access: Viewer, Of(id): Of<EventId>) -> Result<web::Json<TrialEvent>, Problem> {
    let trial = access.trials().event(access.workspace(), id).await?;
    let view = views(&access, vec![trial]).await?.pop();
    view.map(web::Json).ok_or_else(Problem::internal)
}

/// Read a webhook's body to try a rule on
///
/// What it would tell if it came now. It is not kept and no rule acts on it.
#[utoipa::path(tag = "Правила", responses((status = 200, body = Page<TrialEvent>)))]
#[post("/trial-events/read")]
pub async fn read_trial_body(
    access: Viewer,
    form: web::Json<TrialBody>,
) -> Result<web::Json<Page<TrialEvent>>, Problem> {
    let connection = connections::find(access.db(), access.workspace(), form.connection_id).await?;
    let content_type = form
        .content_type
        .as_deref()
        .unwrap_or(usual_content_type(connection.kind));
    let facts = access
        .trials()
        .body(access.workspace(), connection.id, content_type, &form.body)
        .await?;
    let views = facts.into_iter().map(|facts| TrialEvent { event: None, facts });
    Ok(web::Json(Page::whole(views.collect())))
}

async fn views(access: &Viewer, trials: Vec<Trial>) -> Result<Vec<TrialEvent>, Problem> {
    let (rows, facts): (Vec<_>, Vec<_>) = trials
        .into_iter()
        .map(|trial| (trial.stored, trial.facts))
        .unzip();
    let summaries = Cards::of(access).await?.summaries(&rows).await?;
    Ok(summaries
        .into_iter()
        .zip(facts)
        .map(|(event, facts)| TrialEvent {
            event: Some(event),
            facts,
        })
        .collect())
}
