//! Evaluation of compiled rules over the facts of an event, with the reason at every node.

use crate::check::{Ctx, value};
use crate::command::Command;
use crate::compile::{CompiledRule, Node};
use crate::condition::{Operand, Operator};
use crate::field::{FieldKey, FieldPath};
use crate::plan::plan;
use crate::record::{Record, RecordKind};
use crate::run::RunOutcome;
use crate::time::{Timestamp, Zone};
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Where a value was learnt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the webhook or row itself.
    Event,
    /// Read from the CRM for this event.
    Read,
    /// Kept from earlier.
    Kept,
}

/// A record around the event with the source and age of what is known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KnownRecord {
    /// The record.
    pub record: Record,
    /// Where it was learnt.
    pub source: Source,
    /// When it was learnt.
    pub at: Timestamp,
}

/// Everything that a rule may look at. Given by the engine or, in the editor, by the browser.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// What happened.
    pub kind: crate::event::EventKind,
    /// The record it happened to.
    pub key: crate::record::RecordKey,
    /// Records around the event; at most one of each kind.
    pub records: Vec<KnownRecord>,
    /// Former values of the event's record, as far as known.
    #[serde(default)]
    pub before: Vec<(FieldKey, Value)>,
    /// Fields of the event's record that changed; `None` when that is not known.
    #[serde(default)]
    pub changed: Option<Vec<FieldKey>>,
    /// Whether the record has a counterpart in the other CRM; `None` when not looked up.
    #[serde(default)]
    pub exists_in_other: Option<bool>,
    /// The present moment.
    pub now: Timestamp,
    /// The workspace's zone.
    #[serde(default)]
    pub zone: Zone,
    /// The workspace's working hours and holidays.
    #[serde(default)]
    pub calendar: Calendar,
}

/// Working hours and holidays of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Calendar {
    /// Working days of the week, 1 = Monday.
    pub weekdays: Vec<u8>,
    /// Start of the working day, minutes from midnight.
    pub from_minute: u16,
    /// End of the working day, minutes from midnight.
    pub to_minute: u16,
    /// Days off besides weekends.
    pub holidays: Vec<crate::value::Day>,
    /// Days worked although they fall on a weekend.
    pub working: Vec<crate::value::Day>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            weekdays: vec![1, 2, 3, 4, 5],
            from_minute: 9 * 60,
            to_minute: 18 * 60,
            holidays: Vec::new(),
            working: Vec::new(),
        }
    }
}

impl Facts {
    /// The record of a kind.
    pub fn record(&self, kind: RecordKind) -> Option<&KnownRecord> {
        self.records.iter().find(|known| known.record.key.kind == kind)
    }

    /// The present value of a field, or `None` when absent.
    pub fn value(&self, path: FieldPath) -> Option<&Value> {
        match path.moment {
            crate::field::Moment::Now => self.record(path.record)?.record.get(path.key),
            crate::field::Moment::Before if path.record == self.key.kind => self
                .before
                .iter()
                .find(|(key, _)| *key == path.key)
                .map(|(_, value)| value),
            crate::field::Moment::Before => None,
        }
    }
}

/// Three-valued truth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Holds.
    True,
    /// Does not hold.
    False,
    /// Cannot be told: the value is absent, or of a wrong type.
    Unknown,
}

/// What one rule made of one event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why, node by node.
    pub explanation: Explanation,
    /// What is to be done; empty unless matched.
    pub commands: Vec<Command>,
    /// Mapping lines and actions that were left out, with the reason in words.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// Something a person should know about an action of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Note {
    /// Place of the action, from 0.
    pub action: usize,
    /// What, in Russian.
    pub text: String,
}

/// The reason at one node of the condition tree; children in the order of the document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// What came out.
    pub verdict: Verdict,
    /// What was compared, at a leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Children of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Explanation>,
}

/// Both sides of a comparison as they were.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The field.
    pub field: FieldPath,
    /// How it was compared.
    pub operator: Operator,
    /// What the rule says on the right side.
    #[serde(default)]
    pub with: Arc<Operand>,
    /// Its value; `None` when absent.
    pub left: Option<Value>,
    /// What it was compared with, when that is one value: the operand itself, the other field's value, or the
    /// moment that a span of time led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Value>,
    /// Where the left value came from and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<(Source, Timestamp)>,
    /// Why it could not be told, in Russian, when the verdict is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a rule's condition holds, without the reasons. Allocates nothing per node.
pub fn matches(rule: &CompiledRule, facts: &Facts) -> Verdict {
    verdict(&rule.root, &mut Ctx::new(facts))
}

/// Applies a rule: whether it matches, why, and what is then to be done.
///
/// A condition that cannot be told never passes: the outcome is then [`RunOutcome::Undecidable`] and nothing
/// is planned. The same rule and facts give the same evaluation, on the server and in the browser.
pub fn evaluate(rule: &CompiledRule, facts: &Facts) -> Evaluation {
    let explanation = explain(rule, facts);
    let outcome = match explanation.verdict {
        Verdict::True => RunOutcome::Matched,
        Verdict::False => RunOutcome::NotMatched,
        Verdict::Unknown => RunOutcome::Undecidable,
    };
    let (commands, notes) = if outcome == RunOutcome::Matched {
        plan(rule, facts)
    } else {
        (Vec::new(), Vec::new())
    };
    Evaluation {
        outcome,
        explanation,
        commands,
        notes,
    }
}

/// The reason at every node of a rule's condition, without planning.
pub fn explain(rule: &CompiledRule, facts: &Facts) -> Explanation {
    explained(&rule.root, &mut Ctx::new(facts))
}

impl Verdict {
    /// Kleene's not.
    #[must_use]
    pub const fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Kleene's and: the weaker of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::True, Self::True) => Self::True,
        }
    }

    /// Kleene's or: the stronger of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        self.negate().and(other.negate()).negate()
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Stops at the first child that decides.
fn verdict(node: &Node, ctx: &mut Ctx<'_>) -> Verdict {
    match node {
        Node::All(list) => {
            let mut all = Verdict::True;
            for inner in list {
                match verdict(inner, ctx) {
                    Verdict::False => return Verdict::False,
                    Verdict::Unknown => all = Verdict::Unknown,
                    Verdict::True => {}
                }
            }
            all
        }
        Node::Any(list) => {
            let mut any = Verdict::False;
            for inner in list {
                match verdict(inner, ctx) {
                    Verdict::True => return Verdict::True,
                    Verdict::Unknown => any = Verdict::Unknown,
                    Verdict::False => {}
                }
            }
            any
        }
        Node::Not(inner) => verdict(inner, ctx).negate(),
        Node::Test(test) => test.holds(ctx).map_or(Verdict::Unknown, Verdict::from),
    }
}

/// Looks at every child, so that all reasons are shown.
fn explained(node: &Node, ctx: &mut Ctx<'_>) -> Explanation {
    match node {
        Node::All(list) => group(list, ctx, Verdict::True, Verdict::and),
        Node::Any(list) => group(list, ctx, Verdict::False, Verdict::or),
        Node::Not(inner) => {
            let inner = explained(inner, ctx);
            Explanation {
                verdict: inner.verdict.negate(),
                compared: None,
                children: vec![inner],
            }
        }
        Node::Test(test) => {
            let facts = ctx.facts;
            let left = value(facts, test.path);
            let (verdict, problem) = match test.holds_for(left.as_deref(), ctx) {
                Ok(holds) => (holds.into(), None),
                Err(trouble) => (Verdict::Unknown, Some(trouble.text())),
            };
            let compared = Compared {
                field: test.path,
                operator: test.operator,
                with: Arc::clone(&test.with),
                left: left.map(Cow::into_owned),
                right: test.right(facts),
                source: facts
                    .record(test.path.record)
                    .map(|known| (known.source, known.at)),
                problem,
            };
            Explanation {
                verdict,
                compared: Some(compared),
                children: Vec::new(),
            }
        }
    }
}

fn group(
    list: &[Node],
    ctx: &mut Ctx<'_>,
    start: Verdict,
    join: fn(Verdict, Verdict) -> Verdict,
) -> Explanation {
    let mut verdict = start;
    let mut children = Vec::with_capacity(list.len());
    for inner in list {
        let child = explained(inner, ctx);
        verdict = join(verdict, child.verdict);
        children.push(child);
    }
    Explanation {
        verdict,
        compared: None,
        children,
    }
}

#[cfg(test)]
mod tests;
