//! How long things are kept.

use serde::{Deserialize, Serialize};

/// How long the workspace keeps things, in days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Retention {
    /// Bodies as the CRMs sent them.
    pub bodies_days: u16,
    /// Events with their runs, deliveries and attempts. What still waits is kept however old it is.
    pub history_days: u16,
    /// The most that the installation allows for bodies.
    pub most_bodies_days: u16,
    /// The most that the installation allows for the history.
    pub most_history_days: u16,
}

/// What the workspace wishes; a member left out means as long as the installation allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PutRetention {
    /// Days for bodies, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bodies_days: Option<u16>,
    /// Days for the history, at least 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_days: Option<u16>,
}
