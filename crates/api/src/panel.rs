//! Figures of «Панель управления».

use crate::delivery::DeliveryView;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Figures of a period.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Panel {
    /// Start of the period.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub from: Timestamp,
    /// End of the period.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub to: Timestamp,
    /// Events received.
    pub n_events: u64,
    /// Events that at least one rule matched.
    pub n_matched: u64,
    /// Deliveries done.
    pub n_delivered: u64,
    /// Deliveries that became dead.
    pub n_dead: u64,
    /// Deliveries that wait now, whenever they were planned.
    pub n_waiting: u64,
    /// Median time from receiving an event to its last delivery, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p50_ms: Option<i64>,
    /// The same for the slowest twentieth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p95_ms: Option<i64>,
    /// Figures over the period in equal steps, oldest first.
    pub steps: Vec<PanelStep>,
    /// Failures that need a person, newest first, at most ten.
    pub failures: Vec<DeliveryView>,
}

/// Figures of one step of a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PanelStep {
    /// Start of the step.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub from: Timestamp,
    /// Events received.
    pub n_events: u64,
    /// Deliveries done.
    pub n_delivered: u64,
    /// Deliveries that found nothing to do.
    pub n_skipped: u64,
    /// Deliveries that became dead.
    pub n_dead: u64,
    /// Median time from receiving an event to its last delivery, in milliseconds; absent when nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p50_ms: Option<i64>,
}

/// Which period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

impl Period {
    /// Its length in milliseconds.
    pub const fn length_ms(self) -> i64 {
        const HOUR: i64 = 3_600_000;
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        }
    }
}

/// Which period to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct PanelQuery {
    /// `hour`, `day`, `week` or `month`; `day` by default.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(value_type = Option<Period>))]
    pub period: Period,
}
