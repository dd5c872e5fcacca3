//! Reading webhooks (contract §6).
//!
//! A lead webhook is a form post with one field `data` that holds JSON; a JSON body with a text `data`, and one
//! that is the payload itself, are read as well. There is no signature: the secret is in our address, and
//! whatever is read here is checked against the API before anything is done with it.

mod body;
mod facts;

use ::connector::{Intake, IntakeContext, IntakeError};
use domain::event::Fact;

/// Longest accepted body in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Deepest accepted nesting of arrays and objects; real bodies have four.
pub const MAX_DEPTH: usize = 32;

/// The webhook reader of LPTracker.
#[derive(Clone, Copy, Debug, Default)]
pub struct LptrackerIntake;

impl Intake for LptrackerIntake {
    fn parse(
        &self,
        content_type: &str,
        body: &[u8],
        context: IntakeContext<'_>,
    ) -> Result<Vec<Fact>, IntakeError> {
        let payload = body::payload(content_type, body)?;
        facts::read(&payload, context)
    }
}

#[cfg(test)]
mod tests;
