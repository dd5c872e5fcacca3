//! Compiling a rule document: checks with pointers, and a form that evaluates quickly.

mod action;
mod checker;
mod condition;
mod expression;
mod json;
mod mapping;
mod rule;
#[cfg(test)]
mod tests;

pub use json::MAX_JSON_DEPTH;
pub use rule::known_records;

pub(crate) use action::{CompiledAction, Work};
pub(crate) use condition::Node;
pub(crate) use expression::CompiledExpression;
pub(crate) use mapping::{CompiledLine, Target};

use crate::catalogues::{Catalogues, Scope};
use crate::evaluate::Facts;
use crate::event::EventKind;
use crate::field::{FieldPath, Moment};
use crate::id::ConnectionId;
use crate::rule::Rule;
use crate::value::Stage;
use checker::Checker;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    /// JSON pointer into the rule document: `/condition/all/0/compare/field`.
    pub pointer: String,
    /// How bad.
    pub severity: Severity,
    /// Stable word.
    pub code: String,
    /// What is wrong and what to do, in Russian.
    pub text: String,
}

impl Diagnostic {
    /// The rule refers to something that its CRM no longer has: it «needs attention».
    pub fn is_gone(&self) -> bool {
        self.code.starts_with("gone_")
    }
}

/// Something of a catalogue that a rule refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// The connection itself.
    Connection,
    /// A custom field.
    Field(crate::record::RecordKind, i64),
    /// An option of a custom field: field and option id.
    Option(i64, i64),
    /// A stage or step.
    Stage(Stage),
    /// A pipeline or project.
    Pipeline(i64),
    /// A user or employee.
    User(i64),
    /// A type of task.
    TaskType(i64),
    /// A reason for losing a deal.
    LossReason(i64),
}

/// A place of the document that refers to something of a catalogue.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Whose.
    pub connection: ConnectionId,
    /// What.
    pub thing: Thing,
    /// Where in the document.
    pub pointer: String,
}

/// Groups in groups, at most.
pub const MAX_DEPTH: usize = 50;
/// Comparisons in a rule, at most.
pub const MAX_CONDITIONS: usize = 500;
/// Action cards in a rule, at most.
pub const MAX_ACTIONS: usize = 50;
/// Lines of one mapping, at most.
pub const MAX_LINES: usize = 300;

/// A rule ready to be applied.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    pub(crate) rule: Arc<Rule>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) root: Node,
    pub(crate) actions: Vec<CompiledAction>,
    pub(crate) reads: Vec<FieldPath>,
    pub(crate) needs_other: bool,
    pub(crate) references: Vec<Reference>,
}

impl CompiledRule {
    /// The document it was made from.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether an event of this kind wakes it.
    pub fn wakes_on(&self, kind: EventKind) -> bool {
        self.rule.triggers.iter().any(|trigger| trigger.kind == kind)
    }

    /// The connections that its field names speak of, and the names to show.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Every field that condition and actions look at, ascending, each once: what must be known before the
    /// rule is evaluated.
    pub fn reads(&self) -> &[FieldPath] {
        &self.reads
    }

    /// The fields among [`CompiledRule::reads`] whose value the facts do not tell: what is worth a request.
    /// Former values are left out, no request brings them.
    pub fn missing<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = FieldPath> + 'a {
        self.reads
            .iter()
            .copied()
            .filter(|path| path.moment == Moment::Now && crate::check::value(facts, *path).is_none())
    }

    /// The condition asks whether the record exists in the other CRM ([`crate::evaluate::Facts::exists_in_other`]).
    pub fn needs_other(&self) -> bool {
        self.needs_other
    }

    /// Everything of the catalogues that the rule refers to, for «what breaks if this is deleted».
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}

/// Checks a rule against what its connections offer and makes the form that is evaluated.
///
/// It never fails: what cannot be compiled becomes a condition that cannot be told, so the rule does not match.
/// A rule with a diagnostic of [`Severity::Error`] must not be published.
pub fn compile(rule: &Rule, catalogues: &Catalogues) -> (CompiledRule, Vec<Diagnostic>) {
    let scope = Arc::new(Scope::of(rule, catalogues));
    let mut checker = Checker::new(rule, catalogues, Arc::clone(&scope));
    rule::check(&mut checker, rule);
    let root = condition::compile(&mut checker, &rule.condition);
    let actions = action::compile(&mut checker, rule);
    let compiled = CompiledRule {
        rule: Arc::new(rule.clone()),
        scope,
        root,
        actions,
        reads: checker.reads.into_iter().collect(),
        needs_other: checker.needs_other,
        references: checker.references,
    };
    (compiled, checker.diagnostics)
}
