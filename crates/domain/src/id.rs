//! Typed identifiers. They are made by the engine and the server, never here: `domain` has no randomness.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// The tenant: owns connections, rules, events and everything that follows from them.
    WorkspaceId;
    /// A person who signs in.
    UserId;
    /// An authorised link to one CRM account.
    ConnectionId;
    /// A rule that a manager made.
    RuleId;
    /// An immutable published state of a rule.
    RuleVersionId;
    /// A test case of a rule.
    TestCaseId;
    /// A walk over records that makes events for a rule.
    SweepId;
    /// An immutable fact received.
    EventId;
    /// One rule version applied to one event.
    RunId;
    /// One command to be carried out.
    DeliveryId;
    /// One try of a delivery.
    AttemptId;
    /// The pair of external records that are the same thing on both sides.
    LinkId;
    /// An API key of a workspace.
    ApiKeyId;
    /// A browser's session of a person, as it is listed.
    SessionId;
    /// An invitation by mail.
    InvitationId;
    /// A line of the audit log.
    AuditEntryId;
    /// A row of a call result.
    CallResultId;
    /// An uploaded workbook.
    ImportId;
}
