//! Calls: items of `/lead/{id}/calls` and of `calls_records` (contract §7.2, §6.3).

use super::scalar;
use domain::time::{Timestamp, Zone};
use serde_json::Value;

/// One telephone call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Identity on the telephone exchange, when told.
    pub linkedid: Option<String>,
    /// When it began.
    pub time: Option<Timestamp>,
    /// Seconds.
    pub duration: Option<i64>,
    /// Whether the client called, when told.
    pub incoming: Option<bool>,
    /// How it ended, in the exchange's word.
    pub disposition: Option<String>,
    /// Recording: `Some("")` when the service says there is none.
    pub record: Option<String>,
    /// Employee who talked.
    pub owner_id: Option<i64>,
    /// Name of that employee.
    pub owner_name: Option<String>,
}

impl Call {
    /// Reads a call; `None` when nothing identifies it.
    pub fn read(value: &Value, zone: &Zone) -> Option<Self> {
        let call = Self {
            linkedid: value
                .get("linkedid")
                .and_then(scalar::text)
                .filter(|text| !text.is_empty()),
            time: value.get("time").and_then(|at| crate::time::instant(at, zone)),
            duration: value
                .get("duration")
                .and_then(scalar::int)
                .map(|seconds| seconds.max(0)),
            incoming: value.get("type").and_then(Value::as_str).and_then(direction),
            disposition: value.get("disposition").and_then(scalar::text),
            record: scalar::known_text(value, "record"),
            owner_id: scalar::id(value, "owner_id")
                .or_else(|| value.get("owner").and_then(|owner| scalar::id(owner, "id"))),
            owner_name: value
                .get("owner")
                .and_then(|owner| owner.get("name"))
                .and_then(scalar::text),
        };
        (call.linkedid.is_some() || call.time.is_some()).then_some(call)
    }

    /// Identity for telling calls apart: `linkedid`, else lead, time and duration.
    pub fn key(&self, lead: i64) -> String {
        match (&self.linkedid, self.time) {
            (Some(linkedid), _) => linkedid.clone(),
            (None, time) => {
                let time = time.map_or(0, Timestamp::secs);
                format!("{lead}-{time}-{}", self.duration.unwrap_or_default())
            }
        }
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.time
            .map(|time| time.plus_ms(self.duration.unwrap_or_default().saturating_mul(1000)))
    }
}

/// The documentation spells it `incomming`.
fn direction(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "incoming" | "incomming" | "in" => Some(true),
        "outgoing" | "outcoming" | "out" => Some(false),
        _ => None,
    }
}
