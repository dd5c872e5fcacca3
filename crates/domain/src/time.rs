//! Instants and zones as plain data. «Now» is always given by the caller.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole Unix seconds, as both CRMs write them.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole Unix seconds, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by a number of milliseconds.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// A time zone as a table of offsets, so that evaluation needs neither a zone database nor a clock.
///
/// The server makes it from the workspace's zone name for the years that matter and hands the same table to
/// the browser; both sides therefore agree on every local time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Zone {
    /// IANA name, for showing.
    pub name: String,
    /// Offset from UTC in seconds before the first transition.
    pub base_offset_secs: i32,
    /// Moments from which another offset holds, ascending: (Unix seconds, offset in seconds).
    pub transitions: Vec<(i64, i32)>,
}

impl Zone {
    /// A zone with one offset for ever.
    pub fn fixed(name: impl Into<String>, offset_secs: i32) -> Self {
        Self {
            name: name.into(),
            base_offset_secs: offset_secs,
            transitions: Vec::new(),
        }
    }

    /// Moscow: UTC+3 without transitions since October 2014.
    pub fn moscow() -> Self {
        Self::fixed("Europe/Moscow", 3 * 3600)
    }

    /// The offset from UTC, in seconds, in force at an instant.
    pub fn offset_secs(&self, at: Timestamp) -> i32 {
        let index = self.transitions.partition_point(|(from, _)| *from <= at.secs());
        if index == 0 {
            self.base_offset_secs
        } else {
            self.transitions[index - 1].1
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::moscow()
    }
}
