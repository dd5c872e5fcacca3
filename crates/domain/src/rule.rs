//! The rule document: what a manager writes in the constructor. It is stored, versioned and edited as this
//! document on both sides, therefore its types are serialisable here.

use crate::action::ActionCard;
use crate::condition::Condition;
use crate::event::EventKind;
use crate::id::ConnectionId;
use serde::{Deserialize, Serialize};

/// A rule as written: «ЕСЛИ … ТО …».
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Name as the manager gave it.
    pub name: String,
    /// What it is for, in the manager's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The connection whose events it looks at.
    pub source: ConnectionId,
    /// Events that wake it; any of them is enough.
    pub triggers: Vec<Trigger>,
    /// When it matches; an empty `All` always does.
    pub condition: Condition,
    /// What it then does, in order.
    pub actions: Vec<ActionCard>,
    /// When it matched, rules after it do not look at the event.
    #[serde(default)]
    pub stop: bool,
    /// Seconds that a record must be quiet before its events are looked at, 0–60.
    #[serde(default)]
    pub quiet_secs: u8,
}

/// What wakes a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trigger {
    /// The kind of event.
    pub kind: EventKind,
    /// For `Scheduled`: when, and over which records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

impl Trigger {
    /// A trigger without settings.
    pub const fn on(kind: EventKind) -> Self {
        Self { kind, schedule: None }
    }
}

/// A timer over records that sit in a stage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// Every so many minutes; ignored when `cron` is given.
    #[serde(default)]
    pub every_minutes: u32,
    /// Five-field cron expression in the workspace's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Stages whose records are looked at.
    #[serde(default)]
    pub stages: Vec<crate::value::Stage>,
}
