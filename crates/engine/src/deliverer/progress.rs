//! How far a delivery came, kept in its row so that a crash at any moment can be survived.

use domain::command::Write;
use domain::record::{RecordId, RecordKey};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A write that left, or was about to leave, and whose answer is not recorded yet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    /// The write.
    pub(super) write: Write,
    /// When it was first sent: a look searches from here.
    pub(super) at: Timestamp,
    /// The mark that explains its echo.
    pub(super) mark: Uuid,
    /// For what is added to a record: the mark on that record, which changes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent_mark: Option<Uuid>,
}

/// How far a delivery came.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// The write under way. Its presence alone tells recovery that an outcome may be unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<Sent>,
    /// Contact on the target's side, found or made.
    pub(super) contact: Option<RecordId>,
    /// Target record, found or made.
    pub(super) record: Option<RecordKey>,
    /// The target record was made by this delivery.
    pub(super) created: bool,
    /// Writes still to be done; `None` before they were planned.
    pub(super) todo: Option<Vec<Write>>,
    /// Writes done.
    pub(super) n_done: u32,
}

impl Progress {
    /// As it is kept in the row. Our own types always print.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
