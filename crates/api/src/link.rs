//! Links: records of both CRMs that are the same thing.

use crate::event::RecordRef;
use domain::id::{ConnectionId, LinkId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A pair of records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: LinkId,
    /// amoCRM connection.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub amocrm_connection_id: ConnectionId,
    /// LPTracker connection.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub lptracker_connection_id: ConnectionId,
    /// Deal in amoCRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<RecordRef>,
    /// Contact in amoCRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<RecordRef>,
    /// Lead in LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<RecordRef>,
    /// Contact in LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_contact: Option<RecordRef>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub updated_at: Timestamp,
}

/// Which links to list. Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct LinkQuery {
    /// Cursor from the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page, 1–200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// With this id of a deal, lead or contact on either side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A link as a person wants it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditLink {
    /// Deal in amoCRM; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<String>,
    /// Contact in amoCRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// Lead in LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// Contact in LPTracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_contact_id: Option<String>,
}
