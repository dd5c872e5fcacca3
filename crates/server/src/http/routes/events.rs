//! Events, deliveries and links: what arrived, what became of it, what belongs together.

use crate::http::access::{EventEditor, Viewer};
use crate::http::convert;
use crate::http::extract::{Of, RequestKey, page, paged};
use crate::http::problem::Problem;
use crate::http::routes::chronicle::together;
use crate::http::story::Cards;
use actix_web::{HttpResponse, get, post, web};
use api::Page;
use api::event::{EventQuery, EventSummary, EventView, ReplayEvent, ReplayedEvent, RuleVersions};
use domain::id::EventId;
use domain::record::{RecordId, RecordKey};
use domain::time::Timestamp;
use engine::replay::Again;
use storage::events::{self, EventFilter};

/// List events
///
/// Newest first.
#[utoipa::path(tag = "События", params(EventQuery), responses((status = 200, body = Page<EventSummary>)))]
#[get("/events")]
pub async fn list_events(
    access: Viewer,
    query: web::Query<EventQuery>,
) -> Result<web::Json<Page<EventSummary>>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let mut wanted_events = filter(&query);
    if query.phone.is_some() {
        let found = together(&access, (None, query.phone.as_deref()), None).await?;
        wanted_events.records = found.map(|found| found.records);
    }
    let rows = events::list(access.db(), access.workspace(), &wanted_events, wanted).await?;
    let cards = Cards::of(&access).await?;
    let summaries = cards.summaries(&rows).await?;
    Ok(web::Json(paged(
        summaries,
        wanted,
        |event| event.id.0,
        |event| event,
    )))
}

fn filter(query: &EventQuery) -> EventFilter {
    let record = match (query.record_kind, &query.record) {
        (Some(kind), Some(id)) => Some(RecordKey {
            kind,
            id: RecordId(id.clone()),
        }),
        _ => None,
    };
    EventFilter {
        connection: query.connection,
        kind: query.kind,
        state: query.state.map(convert::stored_event_state),
        record_id: query.record.clone().filter(|_| record.is_none()),
        record,
        records: None,
        rule: query.rule,
        matched: query.matched,
        from: query.from.map(Timestamp),
        to: query.to.map(Timestamp),
        order: convert::order(query.order),
    }
}

/// Get an event
///
/// The whole story: what arrived, which rules looked at it and why, what was planned, every attempt.
#[utoipa::path(tag = "События", responses((status = 200, body = EventView)))]
#[get("/events/{event}")]
pub async fn get_event(access: Viewer, Of(id): Of<EventId>) -> Result<web::Json<EventView>, Problem> {
    let cards = Cards::of(&access).await?;
    Ok(web::Json(cards.story(id).await?))
}

/// Replay an event
///
/// Rules, or one of them, look at it again, as at a new event: in the versions in force now, or in those that looked at
/// it the first time.
#[utoipa::path(tag = "События", responses((status = 201, body = ReplayedEvent)))]
#[post("/events/{event}/replay")]
pub async fn replay_event(
    access: EventEditor,
    Of(id): Of<EventId>,
    key: RequestKey,
    form: web::Json<ReplayEvent>,
) -> Result<HttpResponse, Problem> {
    let again = Again {
        only_rule: form.rule_id,
        as_then: form.versions == RuleVersions::Original,
    };
    let work = async {
        let event_id = access
            .replays()
            .event(access.workspace(), access.actor(), id, again)
            .await?;
        Ok(ReplayedEvent { event_id })
    };
    access.once("replay_event", key, &(id, &*form), work).await
}
