//! Typed ids. In JSON they are numbers or texts.

use crate::wire::tolerant::Int;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Int::deserialize(deserializer).map(|number| Self(number.0))
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// An account.
    AccountId;
    /// A user; 0 is the robot.
    UserId;
    /// A lead, which amoCRM's interface calls «сделка».
    LeadId;
    /// A contact.
    ContactId;
    /// A company.
    CompanyId;
    /// A task.
    TaskId;
    /// A note.
    NoteId;
    /// A pipeline.
    PipelineId;
    /// A status; unique only together with its pipeline.
    StatusId;
    /// A custom field.
    FieldId;
    /// An option of a custom field.
    EnumId;
    /// A tag; unique per kind of entity.
    TagId;
    /// A reason for losing a lead.
    LossReasonId;
    /// A type of tasks.
    TaskTypeId;
}
