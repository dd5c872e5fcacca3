//! Rules: drafts, published versions, trying.

use domain::compile::Diagnostic;
use domain::evaluate::{Evaluation, Facts};
use domain::event::EventKind;
use domain::id::{ConnectionId, EventId, RuleId, RuleVersionId};
use domain::rule::Rule as RuleDocument;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A rule in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleSummary {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: RuleId,
    /// Name.
    pub name: String,
    /// What it does, in one sentence made from the document.
    pub summary: String,
    /// Place in the order of evaluation, ascending.
    pub position: i32,
    /// Switched on. Only a published rule acts.
    pub enabled: bool,
    /// Connection whose events it looks at.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub source: ConnectionId,
    /// Number of the published version; absent when never published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_number: Option<i32>,
    /// The draft differs from the published version.
    pub has_changes: bool,
    /// What a person should look at («удалён этап …»), in Russian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// Version of the row, for `If-Match`.
    pub version: i64,
    /// When the draft was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub updated_at: Timestamp,
    /// Runs in the last 24 hours.
    pub n_runs_day: u64,
    /// Of these, matched.
    pub n_matched_day: u64,
}

/// A rule with its draft.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleView {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: RuleSummary,
    /// The draft, as the editor edits it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub draft: RuleDocument,
    /// What the compiler says of the draft.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub diagnostics: Vec<Diagnostic>,
}

/// A rule to be made, or a new state of its draft. Drafts may be incomplete.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveRule {
    /// The rule document: name, source, triggers, condition, actions.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub draft: RuleDocument,
}

/// A document to be checked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckRule {
    /// The rule document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub draft: RuleDocument,
    /// The rule it is a draft of: its published version is then left out when cycles are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
}

/// What is accepted when a rule is put in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct PutInForce {
    /// The rule may close a cycle that never ends by itself; without it such a rule is refused with 409.
    #[serde(default)]
    pub accept_cycles: bool,
}

/// The cycles among the published rules of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCycles {
    /// Cycles, certain ones first, at most 50.
    pub cycles: Vec<RuleCycle>,
    /// Everything was looked at. A very large or very entangled set is looked at in part.
    pub complete: bool,
}

/// Rules that wake one another in a circle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCycle {
    /// Nothing in the rules ends it; otherwise that depends on values the rules do not tell.
    pub certain: bool,
    /// The whole path in words.
    pub path: String,
    /// The rules in order; the last one wakes the first.
    pub steps: Vec<RuleCycleStep>,
}

/// One rule of a cycle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleCycleStep {
    /// The rule.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub rule_id: RuleId,
    /// Its name.
    pub name: String,
    /// The event that wakes it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub woken_by: EventKind,
    /// Place of the action whose write goes on, from 0.
    pub action: usize,
    /// What that action does, in words.
    pub does: String,
    /// The event that follows and wakes the next rule.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub event: EventKind,
}

/// A new order of all rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReorderRules {
    /// Every rule of the workspace, first evaluated first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<uuid::Uuid>))]
    pub rules: Vec<RuleId>,
}

/// A published version in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleVersionSummary {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub id: RuleVersionId,
    /// Number, from 1.
    pub number: i32,
    /// What it does, in one sentence.
    pub summary: String,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<String>,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub published_at: Timestamp,
    /// It is the one in force.
    pub current: bool,
}

/// A published version with its document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleVersionView {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: RuleVersionSummary,
    /// The document as published; never changes.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub document: RuleDocument,
}

/// What the compiler says of a document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validation {
    /// It could be published.
    pub publishable: bool,
    /// Findings with pointers into the document.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub diagnostics: Vec<Diagnostic>,
}

/// Two states of a rule, to be compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompareRules {
    /// The older document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub before: RuleDocument,
    /// The newer document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub after: RuleDocument,
}

/// One change between two states of a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleChange {
    /// `added`, `removed` or `changed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "changed"))]
    pub kind: domain::diff::ChangeKind,
    /// JSON pointer into the newer document; into the older one for what is gone.
    pub pointer: String,
    /// What changed, in Russian.
    pub text: String,
}

/// A document to be tried without acting.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// The rule document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub rule: RuleDocument,
    /// A received event to try it on.
    #[cfg_attr(feature = "openapi", schema(value_type = uuid::Uuid))]
    pub event_id: EventId,
    /// The rule it is a draft of: its published version is then left out when cycles are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<uuid::Uuid>))]
    pub rule_id: Option<RuleId>,
}

/// What would happen. Nothing was sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunResult {
    /// Outcome, the reason at every node, planned commands, notes.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub evaluation: Evaluation,
    /// What was known of the event and the records around it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub facts: Facts,
    /// What the compiler says of the document.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub diagnostics: Vec<Diagnostic>,
}
