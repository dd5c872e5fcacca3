//! Starts by hand, timers and great replays: walks that make one event for each record.

use domain::event::EventKind;
use domain::id::{ConnectionId, RuleId, SweepId};
use domain::time::Timestamp;
use domain::value::Stage;
use serde::{Deserialize, Serialize};

/// A walk over records, or over earlier events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sweep {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: SweepId,
    /// `schedule`, `manual` or `replay`.
    pub kind: String,
    /// The rule that looks at its events; absent when all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
    /// The tick it stands for, or when it was asked for.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub tick_at: Timestamp,
    /// `running`, `done`, `cancelled` or `failed`.
    pub state: String,
    /// Records or events looked at so far.
    pub n_seen: i32,
    /// Events made so far.
    pub n_events: i32,
    /// Ticks before this one that nobody carried out: the hub was away, or the walk before took longer.
    pub n_missed: i32,
    /// The last failure in Russian, while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub finished_at: Option<Timestamp>,
}

/// Which walks to list, newest first, 50 at most.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct SweepQuery {
    /// For this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<uuid::Uuid>))]
    pub rule: Option<RuleId>,
}

/// Which records a rule is started on: `records`, else those that sit in `stages`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartRule {
    /// Ids of deals or leads, 1–1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<String>>,
    /// Stages, as `{ "pipeline": …, "status": … }`; empty means every open one.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub stages: Vec<Stage>,
    /// Only records that did not change for so many days.
    #[serde(default)]
    pub idle_days: u32,
}

/// How many records a start would concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartPreview {
    /// Records counted.
    pub n: usize,
    /// These are all; else there are more.
    pub complete: bool,
}

/// Which earlier events run again.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayEvents {
    /// Only this rule looks at them; else all in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
    /// From this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub connection: Option<ConnectionId>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub kind: Option<EventKind>,
    /// Received at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub from: Option<Timestamp>,
    /// Received before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub to: Option<Timestamp>,
}

/// When a rule runs by its timers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleSchedule {
    /// The next tick of each timer in force, ascending.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<i64>))]
    pub next: Vec<Timestamp>,
}
