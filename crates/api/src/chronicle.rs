//! The chronicle of one deal across both CRMs: event → rule → call → echo.

use crate::delivery::DeliveryView;
use crate::event::{EventSummary, RecordRef};
use crate::link::Link;
use crate::run::RunView;
use domain::id::{ConnectionId, DeliveryId, EventId};
use domain::record::RecordKind;
use serde::{Deserialize, Serialize};

/// Whose chronicle: of a record by its id, or of everybody with a phone. One of the two is needed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ChronicleQuery {
    /// Cursor from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Events per page, 1–200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Id of a deal, lead or contact in its CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Kind of that record: `deal`, `lead`, …; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub record_kind: Option<RecordKind>,
    /// A phone in any spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// One page of a chronicle, newest events first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chronicle {
    /// The records that it is about, on both sides.
    pub records: Vec<PlacedRecord>,
    /// The links that hold them together.
    pub links: Vec<Link>,
    /// What happened.
    pub items: Vec<ChronicleEvent>,
    /// Cursor of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A record and where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacedRecord {
    /// Connection it belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// The record.
    pub record: RecordRef,
}

/// An event with everything that followed from it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChronicleEvent {
    /// The event.
    pub event: EventSummary,
    /// Which rules looked at it, with their reasons.
    pub runs: Vec<RunView>,
    /// What was done, without the tries.
    pub deliveries: Vec<DeliveryView>,
    /// For an echo: the write of ours that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EchoCause>,
}

/// The write that an echo is the echo of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EchoCause {
    /// The delivery that wrote.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub delivery_id: DeliveryId,
    /// The event behind that delivery, while it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub event_id: Option<EventId>,
}
