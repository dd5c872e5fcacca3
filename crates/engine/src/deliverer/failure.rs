//! Why an attempt did not come to its end, and what that means for the delivery.

use connector::ConnectorError;
use storage::StorageError;

use crate::error::EngineError;

/// Why an attempt did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// The CRM failed us.
    Connector(ConnectorError),
    /// A write was sent and nothing tells what became of it.
    Uncertain {
        /// Why, in Russian.
        reason: String,
    },
    /// It cannot be carried out yet: what it needs may be on its way. After a while it is refused.
    NotYet {
        /// Stable word.
        code: &'static str,
        /// What it waits for, in Russian.
        reason: String,
    },
    /// It cannot be carried out, and trying again would change nothing.
    Refused {
        /// Stable word.
        code: &'static str,
        /// Why and what to do, in Russian.
        text: String,
    },
    /// Our own side failed; nothing is known to have been sent since the last record.
    Engine(EngineError),
    /// What is stored counts and not what this attempt knows: the row went to somebody else, or storing failed. The
    /// row is left as it is, to whoever takes it back.
    Left {
        /// What failed, unless the row is another's; told once for all that share it.
        cause: Option<EngineError>,
    },
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Self::Connector(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
