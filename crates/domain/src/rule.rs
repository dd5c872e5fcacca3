//! The rule document: what a manager writes in the constructor. It is stored, versioned and edited as this
//! document on both sides, therefore its types are serialisable here.

use crate::action::ActionCard;
use crate::calendar::Cron;
use crate::condition::Condition;
use crate::event::EventKind;
use crate::id::ConnectionId;
use crate::time::{Timestamp, Zone};
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
    /// Stages whose records are looked at; may be empty with `idle_days`, which then means all that are open.
    #[serde(default)]
    pub stages: Vec<crate::value::Stage>,
    /// Only records that did not change for so many days; 0 looks at all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_days: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Schedule {
    /// The first tick after a moment, in the workspace's zone: ticks every so many minutes are counted from local
    /// midnight of 1 January 1970. `None` when there is none, or the expression does not parse.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        if let Some(cron) = &self.cron {
            return Cron::parse(cron).ok()?.next_after(after, zone);
        }
        let step = i64::from(self.every_minutes)
            .checked_mul(60_000)
            .filter(|step| *step > 0)?;
        let offset = i64::from(zone.offset_secs(after)) * 1_000;
        let local = after.0.checked_add(offset)?;
        let next = local.div_euclid(step).checked_add(1)?.checked_mul(step)?;
        // Behind a change of the offset the same local grid is a little elsewhere; it never goes back.
        Some(Timestamp(next - offset).max(after.plus_ms(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn every(minutes: u32) -> Schedule {
        Schedule {
            every_minutes: minutes,
            cron: None,
            stages: Vec::new(),
            idle_days: 0,
        }
    }

    #[test]
    fn a_day_of_minutes_begins_at_local_midnight() {
        let zone = Zone::moscow();
        let next = every(1_440).next_after(Timestamp(0), &zone);
        assert_eq!(
            next,
            Some(Timestamp(21 * 3_600_000)),
            "three in the morning in Moscow is not midnight"
        );
        let cron = Schedule {
            cron: Some("0 9 * * *".to_owned()),
            ..every(0)
        };
        assert_eq!(
            cron.next_after(Timestamp(0), &zone),
            Some(Timestamp(6 * 3_600_000))
        );
        assert_eq!(every(0).next_after(Timestamp(0), &zone), None);
        let wrong = Schedule {
            cron: Some("каждый день".to_owned()),
            ..every(5)
        };
        assert_eq!(wrong.next_after(Timestamp(0), &zone), None);
    }

    proptest! {
        #[test]
        fn ticks_go_forward_and_leave_none_out(minutes in 1_u32..50_000, after in 0_i64..4_000_000_000_000) {
            let zone = Zone::moscow();
            let schedule = every(minutes);
            let first = schedule.next_after(Timestamp(after), &zone).unwrap();
            let step = i64::from(minutes) * 60_000;
            prop_assert!(first.0 > after && first.0 - after <= step);
            prop_assert_eq!(schedule.next_after(first, &zone), Some(first.plus_ms(step)));
            prop_assert_eq!(schedule.next_after(first.plus_ms(-1), &zone), Some(first));
        }
    }
}
