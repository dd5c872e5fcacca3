//! Deliveries: what is on its way, what died, letting it run again.

use crate::http::access::{Access, EventEditor, Viewer};
use crate::http::convert;
use crate::http::extract::{Of, RequestKey, page, paged};
use crate::http::problem::Problem;
use crate::http::story::Cards;
use actix_web::{HttpResponse, get, post, web};
use api::Page;
use api::delivery::{DeliveryCause, DeliveryQuery, DeliveryView, ReplayDeliveries, ReplayedDeliveries};
use api::problem::ProblemType;
use domain::id::DeliveryId;
use storage::deliveries::{self, DeliveryFilter};

/// The most deliveries that one request names.
const MAX_NAMED: usize = 500;

/// List deliveries
///
/// Newest first, without their attempts.
#[utoipa::path(tag = "Доставки", params(DeliveryQuery), responses((status = 200, body = Page<DeliveryView>)))]
#[get("/deliveries")]
pub async fn list_deliveries(
    access: Viewer,
    query: web::Query<DeliveryQuery>,
) -> Result<web::Json<Page<DeliveryView>>, Problem> {
    let wanted = page(query.cursor.as_deref(), query.limit)?;
    let filter = DeliveryFilter {
        connection: query.connection,
        states: query.state.into_iter().collect(),
        rule: query.rule,
        error_code: query.error_code.clone(),
        record_id: None,
        order: convert::order(query.order),
    };
    let rows = deliveries::list(access.db(), access.workspace(), &filter, wanted).await?;
    let cards = Cards::of(&access).await?;
    Ok(web::Json(paged(
        rows,
        wanted,
        |row| row.id.0,
        |row| cards.delivery(row),
    )))
}

/// List causes of dead deliveries
///
/// Grouped by connection and error, the most frequent first. `replay_deliveries` takes the same members.
#[utoipa::path(tag = "Доставки", responses((status = 200, body = Page<DeliveryCause>)))]
#[get("/deliveries/causes")]
pub async fn list_delivery_causes(access: Viewer) -> Result<web::Json<Page<DeliveryCause>>, Problem> {
    let causes = storage::causes::causes(access.db(), access.workspace()).await?;
    Ok(web::Json(Page::whole(
        causes.into_iter().map(convert::delivery_cause).collect(),
    )))
}

/// Get a delivery
///
/// With every attempt, its requests and answers.
#[utoipa::path(tag = "Доставки", responses((status = 200, body = DeliveryView)))]
#[get("/deliveries/{delivery}")]
pub async fn get_delivery(
    access: Viewer,
    Of(id): Of<DeliveryId>,
) -> Result<web::Json<DeliveryView>, Problem> {
    Ok(web::Json(view(&access, id).await?))
}

/// Replay a dead delivery
///
/// Makes a new delivery that goes on where the dead one stopped, and answers it.
#[utoipa::path(tag = "Доставки", responses((status = 201, body = DeliveryView)))]
#[post("/deliveries/{delivery}/replay")]
pub async fn replay_delivery(
    access: EventEditor,
    Of(id): Of<DeliveryId>,
    key: RequestKey,
) -> Result<HttpResponse, Problem> {
    let work = async {
        let made = access
            .replays()
            .delivery(access.workspace(), access.actor(), id)
            .await
            .map_err(wrong_state)?;
        view(&access, made).await
    };
    access.once("replay_delivery", key, &id, work).await
}

/// Cancel a delivery
///
/// A waiting or dead delivery is taken back for good.
#[utoipa::path(tag = "Доставки", responses((status = 200, body = DeliveryView)))]
#[post("/deliveries/{delivery}/cancel")]
pub async fn cancel_delivery(
    access: EventEditor,
    Of(id): Of<DeliveryId>,
) -> Result<web::Json<DeliveryView>, Problem> {
    deliveries::find(access.db(), access.workspace(), id).await?;
    access
        .replays()
        .cancel(access.workspace(), access.actor(), id)
        .await
        .map_err(wrong_state)?;
    Ok(web::Json(view(&access, id).await?))
}

/// Replay many dead deliveries
///
/// Those named, or all that the filter picks.
#[utoipa::path(tag = "Доставки", responses((status = 201, body = ReplayedDeliveries)))]
#[post("/deliveries/replay")]
pub async fn replay_deliveries(
    access: EventEditor,
    key: RequestKey,
    form: web::Json<ReplayDeliveries>,
) -> Result<HttpResponse, Problem> {
    if form.ids.len() > MAX_NAMED {
        return Err(Problem::invalid(
            "/ids",
            "too_many",
            format!("не больше {MAX_NAMED} доставок за раз"),
        ));
    }
    let work = async {
        let n_replayed = replay_all(&access, &form).await?;
        Ok(ReplayedDeliveries { n_replayed })
    };
    access.once("replay_deliveries", key, &*form, work).await
}

async fn replay_all(access: &EventEditor, form: &ReplayDeliveries) -> Result<u64, Problem> {
    let replays = access.replays();
    if form.ids.is_empty() {
        let filter = DeliveryFilter {
            connection: form.connection,
            rule: form.rule,
            error_code: form.error_code.clone(),
            ..DeliveryFilter::default()
        };
        return Ok(replays.all(access.workspace(), access.actor(), &filter).await? as u64);
    }
    let mut n_replayed = 0;
    for id in &form.ids {
        replays
            .delivery(access.workspace(), access.actor(), *id)
            .await
            .map_err(wrong_state)?;
        n_replayed += 1;
    }
    Ok(n_replayed)
}

async fn view<P>(access: &Access<P>, id: DeliveryId) -> Result<DeliveryView, Problem> {
    let row = deliveries::find(access.db(), access.workspace(), id).await?;
    let mut views = Cards::of(access).await?.deliveries(vec![row]).await?;
    views.pop().ok_or_else(Problem::not_found)
}

/// A delivery that has gone on meanwhile is not a stale edit but a wrong moment.
fn wrong_state(error: engine::EngineError) -> Problem {
    match error {
        engine::EngineError::Storage(storage::StorageError::Stale { .. }) => Problem::new(
            ProblemType::Conflict,
            "Доставка уже в другом состоянии: обновите страницу",
        ),
        error => error.into(),
    }
}
