//! Deliveries: what is to be done, and every try.

use crate::event::RecordRef;
use crate::page::Order;
use domain::command::Command;
use domain::delivery::{DeliveryState, Outcome};
use domain::id::{AttemptId, ConnectionId, DeliveryId, EventId, RuleId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One command on its way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: DeliveryId,
    /// Event it follows from.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub event_id: EventId,
    /// Rule that wanted it.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub rule_id: RuleId,
    /// Name of that rule.
    pub rule_name: String,
    /// Connection it goes to; absent for the hub's own operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection_id: Option<ConnectionId>,
    /// What is to be done, with every value already computed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub command: Command,
    /// `pending`, `leased`, `uncertain`, `delivered`, `skipped`, `dead`, `cancelled`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "delivered"))]
    pub state: DeliveryState,
    /// Record written to, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRef>,
    /// Stable word of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The last failure, or why it was skipped, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Tries so far.
    pub n_attempts: i32,
    /// The delivery that this one replays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub replay_of: Option<DeliveryId>,
    /// When it was planned.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it is tried next; absent when it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub due_at: Option<Timestamp>,
    /// When it became final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub finished_at: Option<Timestamp>,
    /// Every try, oldest first; empty in lists.
    pub attempts: Vec<AttemptView>,
}

/// One try.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: AttemptId,
    /// Number, from 1.
    pub number: i32,
    /// `done`, `skipped`, `rejected`, `postponed`, `unknown`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "done"))]
    pub outcome: Outcome,
    /// Stable word of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The failure in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub started_at: Timestamp,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub finished_at: Timestamp,
    /// Requests and answers of this try, without headers and secrets.
    pub exchanges: Vec<ExchangeView>,
}

/// One request with its answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExchangeView {
    /// HTTP method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Body sent, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// HTTP status; absent when no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Body answered, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    /// What went wrong on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was sent.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// Which deliveries to list. Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DeliveryQuery {
    /// Cursor from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page, 1–200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// In this state: `pending`, `leased`, `uncertain`, `delivered`, `skipped`, `dead`, `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub state: Option<DeliveryState>,
    /// To this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub connection: Option<ConnectionId>,
    /// Of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub rule: Option<RuleId>,
    /// With this error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Which come first: `newest` or `oldest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<Order>))]
    pub order: Option<Order>,
}

/// Dead deliveries that died of the same thing at the same connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryCause {
    /// Where they went; absent for the hub's own operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection_id: Option<ConnectionId>,
    /// Stable word of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The failure of one of them, in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many.
    pub n_dead: u64,
    /// How many rules wanted them.
    pub n_rules: u64,
    /// When the last one died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub last_at: Option<Timestamp>,
}

/// Which dead deliveries to let run again.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayDeliveries {
    /// These; when empty, all that the other members pick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<uuid::Uuid>))]
    pub ids: Vec<DeliveryId>,
    /// To this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection: Option<ConnectionId>,
    /// Of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule: Option<RuleId>,
    /// With this error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// How many dead deliveries were replayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayedDeliveries {
    /// New deliveries, one for each that was replayed.
    pub n_replayed: u64,
}
