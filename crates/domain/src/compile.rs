//! Compiling a rule document: checks with pointers, and a form that evaluates quickly.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The rule can be published; a person should know.
    Warning,
    /// The rule cannot be published.
    Error,
}

/// A finding at a place of the document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnostic {
    /// JSON pointer into the rule document: `/condition/all/0/field`.
    pub pointer: String,
    /// How bad.
    pub severity: Severity,
    /// Stable word.
    pub code: String,
    /// What is wrong and what to do, in Russian.
    pub text: String,
}
