//! One suite for every connector: what the engine relies on, tried against a real HTTP server.
//!
//! A client implements [`Harness`] over its sandbox and lists the suite with
//! [`conformance_suite!`](crate::conformance_suite); each check gets a fresh harness.

use crate::connector::Connector;
use async_trait::async_trait;
use domain::command::{FieldWrite, WriteMode};
use domain::field::FieldKey;
use domain::record::{RecordId, RecordKind};
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use std::time::Duration;

pub mod failures;
pub mod flows;

/// What a CRM has, so that the suite asks for no more.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Kind of its deals or leads.
    pub record: RecordKind,
    /// Kind of its contacts.
    pub contact: RecordKind,
    /// Project that contacts are made in, where contacts belong to one.
    pub project: Option<i64>,
    /// Stage that new records are put on, and one to move to; both in one pipeline.
    pub stages: [Stage; 2],
    /// A custom text field of deals or leads.
    pub text_field: i64,
    /// A user that records may be given to.
    pub user: i64,
    /// Tags can be changed.
    pub tags: bool,
    /// Tasks can be added.
    pub tasks: bool,
    /// Calls can be recorded.
    pub call_log: bool,
    /// Payments can be added.
    pub payments: bool,
}

/// What happens to the next write on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// The CRM carries it out, then the connection is cut.
    AnswerAfterApplying,
    /// The connection is cut before the CRM does anything.
    RequestBeforeApplying,
}

/// A sandbox with a connector to it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// What the CRM has.
    fn capabilities(&self) -> Capabilities;

    /// A connector that works, with a request budget of its own.
    fn connector(&self) -> Box<dyn Connector>;

    /// A connector whose credential the CRM does not know.
    fn stranger(&self) -> Box<dyn Connector>;

    /// A contact made by a person in the CRM.
    async fn contact_by_person(&self, name: &str, phone: &str) -> RecordId;

    /// A deal or lead made by a person in the CRM, on the first of the stages.
    async fn record_by_person(&self, contact: &RecordId, name: &str) -> RecordId;

    /// The next writing request is lost.
    fn lose_next_write(&self, how: Lost);

    /// The next request is refused for its rate, with this wait asked for.
    fn refuse_next_for_rate(&self, wait: Duration);

    /// The CRM's clock.
    fn now(&self) -> Timestamp;
}

/// A field to be written as it is.
pub fn field(key: impl Into<FieldKey>, value: Value) -> FieldWrite {
    FieldWrite {
        key: key.into(),
        value,
        mode: WriteMode::Replace,
    }
}

/// Makes a `#[tokio::test]` of every check. The argument is a function that makes a fresh harness.
#[macro_export]
macro_rules! conformance_suite {
    ($harness:path) => {
        $crate::conformance_suite! { @each $harness;
            flows: check_tells_the_account, catalogue_has_the_stages, subscription_comes_and_goes,
                contact_is_found_by_another_spelling, contact_is_not_found_by_a_foreign_phone,
                record_is_among_those_of_its_contact, update_is_read_back, move_is_read_back,
                responsible_is_read_back, additions_are_accepted, related_contact_is_read,
                missing_record_is_none, several_writes_answer_in_order, changes_hold_what_was_made;
            failures: stranger_is_unauthorised, rate_refusal_is_told, write_to_a_missing_record_is_permanent,
                applied_creation_is_found_after_a_lost_answer, lost_creation_is_known_as_not_applied,
                applied_note_is_found_after_a_lost_answer, lost_note_is_known_as_not_applied,
                applied_move_is_found_after_a_lost_answer, applied_contact_is_found_after_a_lost_answer;
        }
    };
    (@each $harness:path; $($module:ident: $($name:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $name() {
                $crate::conformance::$module::$name(&$harness()).await;
            }
        )+)+
    };
}
