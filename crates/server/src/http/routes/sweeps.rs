//! Starts by hand, timers and great replays.

use crate::http::access::{EventEditor, Viewer};
use crate::http::extract::{Of, RequestKey};
use crate::http::problem::Problem;
use actix_web::{HttpResponse, get, post, web};
use api::Page;
use api::sweep::{ReplayEvents, RuleSchedule, StartPreview, StartRule, Sweep, SweepQuery};
use domain::id::{RuleId, SweepId};
use domain::record::RecordId;
use domain::rule::Schedule;
use engine::sweeps::{Chosen, EventsChosen};
use storage::{rules, schedules, sweeps};

/// Walks listed at most.
const LISTED: u64 = 50;

/// List walks over records
///
/// Timers that came due, starts by hand and great replays, newest first.
#[utoipa::path(tag = "События", params(SweepQuery), responses((status = 200, body = Page<Sweep>)))]
#[get("/sweeps")]
pub async fn list_sweeps(
    access: Viewer,
    query: web::Query<SweepQuery>,
) -> Result<web::Json<Page<Sweep>>, Problem> {
    let all = sweeps::list(access.db(), access.workspace(), query.rule, LISTED).await?;
    Ok(web::Json(Page::whole(all.into_iter().map(view).collect())))
}

/// Stop a walk
///
/// Events it has made stay. Fails with 412 when it has ended already.
#[utoipa::path(tag = "События", responses((status = 200, body = Sweep)))]
#[post("/sweeps/{sweep}/cancel")]
pub async fn cancel_sweep(access: EventEditor, Of(id): Of<SweepId>) -> Result<web::Json<Sweep>, Problem> {
    let sweep = access
        .sweeps()
        .cancel(access.workspace(), access.actor(), id)
        .await?;
    Ok(web::Json(view(sweep)))
}

/// Count what a start by hand would concern
///
/// Reads the CRM, keeps nothing. At most four pages are counted.
#[utoipa::path(tag = "Правила", responses((status = 200, body = StartPreview)))]
#[post("/rules/{rule}/start-by-hand/preview")]
pub async fn preview_rule_start(
    access: EventEditor,
    Of(id): Of<RuleId>,
    form: web::Json<StartRule>,
) -> Result<web::Json<StartPreview>, Problem> {
    let preview = access
        .sweeps()
        .preview(access.workspace(), id, chosen(&form))
        .await?;
    Ok(web::Json(StartPreview {
        n: preview.n,
        complete: preview.is_complete,
    }))
}

/// Start a rule by hand
///
/// On the records named, or on those that sit in stages: one event `manual` for each, which only this rule looks at. The rule
/// must be in force and have that trigger.
#[utoipa::path(tag = "Правила", responses((status = 201, body = Sweep)))]
#[post("/rules/{rule}/start-by-hand")]
pub async fn start_rule_by_hand(
    access: EventEditor,
    Of(id): Of<RuleId>,
    key: RequestKey,
    form: web::Json<StartRule>,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let sweeps = access.sweeps();
        let sweep = sweeps
            .start(access.workspace(), access.actor(), id, chosen(&form))
            .await?;
        Ok(view(sweep))
    };
    access.once("start_rule_by_hand", key, &(id, &*form), work).await
}

/// Replay many events
///
/// Every event that fits runs again, newest first, behind everything that comes in meanwhile. Replays are not replayed.
#[utoipa::path(tag = "События", responses((status = 201, body = Sweep)))]
#[post("/events/replay")]
pub async fn replay_events(
    access: EventEditor,
    key: RequestKey,
    form: web::Json<ReplayEvents>,
) -> Result<HttpResponse, Problem> {
    let wanted = EventsChosen {
        rule: form.rule_id,
        connection: form.connection,
        kind: form.kind,
        from: form.from,
        to: form.to,
    };
    let work = async {
        let sweeps = access.sweeps();
        Ok(view(
            sweeps.replay(access.workspace(), access.actor(), wanted).await?,
        ))
    };
    access.once("replay_events", key, &*form, work).await
}

/// Get the timers of a rule
///
/// When it runs next.
#[utoipa::path(tag = "Правила", responses((status = 200, body = RuleSchedule)))]
#[get("/rules/{rule}/schedule")]
pub async fn get_rule_schedule(
    access: Viewer,
    Of(id): Of<RuleId>,
) -> Result<web::Json<RuleSchedule>, Problem> {
    rules::find(access.db(), access.workspace(), id).await?;
    let timers = schedules::of_rule(access.db(), access.workspace(), id).await?;
    let mut next: Vec<_> = timers.into_iter().map(|timer| timer.due_at).collect();
    next.sort_unstable();
    Ok(web::Json(RuleSchedule { next }))
}

fn chosen(form: &StartRule) -> Chosen {
    match &form.records {
        Some(records) => {
            let id = |text: &String| RecordId(text.trim().to_owned());
            Chosen::Records(records.iter().map(id).collect())
        }
        None => Chosen::Sitting(Schedule {
            every_minutes: 0,
            cron: None,
            stages: form.stages.clone(),
            idle_days: form.idle_days,
        }),
    }
}

fn view(sweep: sweeps::Sweep) -> Sweep {
    Sweep {
        id: sweep.id,
        kind: sweep.kind.as_str().to_owned(),
        rule_id: sweep.rule,
        tick_at: sweep.tick_at,
        state: sweep.state.as_str().to_owned(),
        n_seen: sweep.n_seen,
        n_events: sweep.n_events,
        n_missed: sweep.n_missed,
        failure: sweep.failure,
        actor: sweep.actor_name,
        created_at: sweep.created_at,
        finished_at: sweep.finished_at,
    }
}
