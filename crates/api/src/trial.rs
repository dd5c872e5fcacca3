//! What the editor tries a rule on, in the browser.

use crate::event::EventSummary;
use domain::evaluate::Facts;
use domain::event::EventKind;
use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};

/// An event, or what a pasted body tells, with what is known around it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialEvent {
    /// The received event; absent for a pasted body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventSummary>,
    /// What a rule would look at, by the hub's memory alone.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub facts: Facts,
}

/// Which events to try on. Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct TrialQuery {
    /// From this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub connection: Option<ConnectionId>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub kind: Option<EventKind>,
    /// How many, 1–100; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The body of a webhook, to be read without being kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialBody {
    /// The connection whose CRM sends such bodies.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub connection_id: ConnectionId,
    /// Its content type; the CRM's usual one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Its text.
    pub body: String,
}
