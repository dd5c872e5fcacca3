//! Reading the bodies that CRMs send us.

use domain::catalogue::Catalogue;
use domain::event::Fact;
use thiserror::Error;

/// Why a body was refused. The text names the place, never the content.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum IntakeError {
    /// Longer than accepted.
    #[error("тело длиннее {limit} байт")]
    TooLarge {
        /// Accepted length in bytes.
        limit: usize,
    },
    /// Not what the content type says, or nothing that can be decoded.
    #[error("тело не разобрано (позиция {position}): {message}")]
    Malformed {
        /// Byte position of the mistake.
        position: usize,
        /// What is wrong.
        message: &'static str,
    },
    /// Nested deeper than accepted.
    #[error("вложенность больше {limit}")]
    TooDeep {
        /// Accepted depth.
        limit: usize,
    },
    /// Decodable, but from another account than the connection's.
    #[error("тело относится к другому аккаунту")]
    WrongAccount,
}

/// What the parser may know of the connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntakeContext<'a> {
    /// Field definitions: webhooks do not tell types.
    pub catalogue: Option<&'a Catalogue>,
    /// Account id that the body must name, when known (amoCRM) .
    pub account: Option<i64>,
    /// Project ids that are ours (LPTracker); empty accepts any.
    pub projects: &'a [i64],
    /// Zone in which the CRM writes local times.
    pub zone: Option<&'a domain::time::Zone>,
}

/// The webhook reader of one kind of CRM. Pure: it neither waits nor calls anybody.
pub trait Intake: Send + Sync {
    /// Reads a body. Unknown events inside a well-formed body are left out, not refused: a CRM that gets
    /// refusals switches its webhooks off.
    fn parse(
        &self,
        content_type: &str,
        body: &[u8],
        context: IntakeContext<'_>,
    ) -> Result<Vec<Fact>, IntakeError>;
}
