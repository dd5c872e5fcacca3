//! Runs: what became of one rule version applied to one event.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The condition held; commands were planned.
    Matched,
    /// The condition did not hold.
    NotMatched,
    /// The condition could not be evaluated; treated as not matching, with the reason shown.
    Undecidable,
    /// An earlier rule stopped the processing of the event.
    Stopped,
    /// The loop guard held the run back.
    LoopGuard,
    /// The rule waits until the record is quiet; a later run tells what it made of it.
    Quiet,
}

impl RunOutcome {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::NotMatched => "not_matched",
            Self::Undecidable => "undecidable",
            Self::Stopped => "stopped",
            Self::LoopGuard => "loop_guard",
            Self::Quiet => "quiet",
        }
    }

    /// The outcome with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Matched,
            Self::NotMatched,
            Self::Undecidable,
            Self::Stopped,
            Self::LoopGuard,
            Self::Quiet,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
    }
}
