//! Deliveries and dead letters.

use api::Page;
use api::delivery::{DeliveryCause, DeliveryQuery, DeliveryView, ReplayDeliveries, ReplayedDeliveries};
use domain::id::DeliveryId;

use super::client::{Request, get, order, post};
use crate::filters::query;

/// Deliveries, newest first.
pub fn list_deliveries(filter: &DeliveryQuery) -> Request<Page<DeliveryView>> {
    let address = query([
        ("cursor", filter.cursor.clone().unwrap_or_default()),
        (
            "limit",
            filter.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        ),
        (
            "state",
            filter
                .state
                .map(|state| state.as_str().to_owned())
                .unwrap_or_default(),
        ),
        (
            "connection",
            filter.connection.map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("rule", filter.rule.map(|id| id.to_string()).unwrap_or_default()),
        ("error_code", filter.error_code.clone().unwrap_or_default()),
        ("order", order(filter.order)),
    ]);
    get(format!("/deliveries{address}")).answers()
}

/// What dead deliveries died of, the most frequent first.
pub fn list_delivery_causes() -> Request<Page<DeliveryCause>> {
    get("/deliveries/causes").answers()
}

/// Lets one dead delivery run again.
pub fn replay_delivery(id: DeliveryId) -> Request<DeliveryView> {
    post(format!("/deliveries/{id}/replay")).once().answers()
}

/// Lets many dead deliveries run again.
pub fn replay_deliveries(which: &ReplayDeliveries) -> Request<ReplayedDeliveries> {
    post("/deliveries/replay").json(which).once().answers()
}

/// Takes a waiting delivery back.
pub fn cancel_delivery(id: DeliveryId) -> Request<DeliveryView> {
    post(format!("/deliveries/{id}/cancel")).answers()
}
