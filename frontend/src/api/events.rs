//! Events.

use api::Page;
use api::chronicle::{Chronicle, ChronicleQuery};
use api::event::{EventQuery, EventSummary, EventView, ReplayEvent, ReplayedEvent};
use domain::id::EventId;

use super::client::{Request, get, order, post};
use crate::filters::query;

/// Events, newest first.
pub fn list_events(filter: &EventQuery) -> Request<Page<EventSummary>> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<i64>| value.map(|number| number.to_string()).unwrap_or_default();
    let address = query([
        ("cursor", text(&filter.cursor)),
        (
            "limit",
            filter.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        ),
        ("from", number(filter.from)),
        ("to", number(filter.to)),
        (
            "connection",
            filter.connection.map(|id| id.to_string()).unwrap_or_default(),
        ),
        (
            "kind",
            filter
                .kind
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
        ),
        (
            "state",
            filter
                .state
                .map(|state| state.as_str().to_owned())
                .unwrap_or_default(),
        ),
        (
            "matched",
            filter
                .matched
                .map(|matched| matched.to_string())
                .unwrap_or_default(),
        ),
        ("rule", filter.rule.map(|id| id.to_string()).unwrap_or_default()),
        ("record", text(&filter.record)),
        ("phone", text(&filter.phone)),
        ("order", order(filter.order)),
        (
            "record_kind",
            filter
                .record_kind
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
        ),
    ]);
    get(format!("/events{address}")).answers()
}

/// What happened to a deal and its counterparts in both CRMs.
pub fn get_chronicle(of: &ChronicleQuery) -> Request<Chronicle> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let address = query([
        ("cursor", text(&of.cursor)),
        ("record", text(&of.record)),
        (
            "record_kind",
            of.record_kind
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default(),
        ),
        ("phone", text(&of.phone)),
    ]);
    get(format!("/chronicle{address}")).answers()
}

/// The whole story of one event.
pub fn get_event(id: EventId) -> Request<EventView> {
    get(format!("/events/{id}")).answers()
}

/// Lets an event run again.
pub fn replay_event(id: EventId, how: &ReplayEvent) -> Request<ReplayedEvent> {
    post(format!("/events/{id}/replay")).json(how).once().answers()
}
