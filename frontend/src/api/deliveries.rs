//! Deliveries and dead letters.

use api::Page;
use api::delivery::{DeliveryQuery, DeliveryView, ReplayDeliveries, ReplayedDeliveries};
use domain::id::DeliveryId;

use super::client::{Request, get, post};
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
    ]);
    get(format!("/deliveries{address}")).answers()
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
