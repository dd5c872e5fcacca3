//! Cycles among rules: could the writes of some rules wake one another for ever?
//!
//! The analysis is static. Every rule is a step from an event to the events that its writes cause; a closed
//! path of such steps is walked round with what is known on the way (conditions that had to hold, constants
//! that were written, fields that were copied), because most closed paths end by themselves: what is already
//! as wanted is not written, and a condition on a written constant may shut the next rule out.
//!
//! It errs on the side of telling: what cannot be known counts as possible. The running engine has two more
//! guards, the recognition of our own writes and the chain counter; this analysis speaks of the rules alone.
//!
//! What a write causes: one event for the change itself, and those that the CRM adds to it (a moved deal is
//! also a changed one). A note, task or call at a record is not taken for a change of that record.

mod effect;
mod graph;
mod judge;
mod state;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use crate::compile::{CompiledRule, Diagnostic, Severity};
use crate::event::EventKind;
use crate::id::RuleId;
use std::sync::Arc;

/// A rule of the set that is looked at.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which rule.
    pub rule: RuleId,
    /// Its place; lower ones look first and may stop later ones.
    pub position: i64,
    /// What it says.
    pub compiled: Arc<CompiledRule>,
}

/// How sure it is that a cycle never ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Certainty {
    /// It may run, depending on values that the rules do not tell.
    Possible,
    /// Once begun, nothing in the rules ends it.
    Certain,
}

/// One step of a cycle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The rule.
    pub rule: RuleId,
    /// Its name.
    pub name: String,
    /// The event that wakes it.
    pub woken_by: EventKind,
    /// Place of the action whose write goes on, in the document.
    pub action: usize,
    /// What that action does, in words: «перемещает сделку на этап «Переговоры»».
    pub does: String,
    /// The event that follows and wakes the next rule.
    pub event: EventKind,
}

/// A closed path of rules that wake one another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// How sure it is.
    pub certainty: Certainty,
    /// The rules in order; the last one wakes the first.
    pub steps: Vec<Step>,
}

/// What was found in a set of rules.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Analysis {
    /// Cycles, certain ones first.
    pub cycles: Vec<Cycle>,
    /// Everything was looked at. A very large or very entangled set is looked at in part.
    pub is_complete: bool,
}

impl Analysis {
    /// One of the cycles never ends by itself.
    pub fn has_certain(&self) -> bool {
        self.cycles
            .iter()
            .any(|cycle| cycle.certainty == Certainty::Certain)
    }

    /// The cycles through one rule as findings at its actions.
    pub fn findings(&self, rule: RuleId) -> Vec<Diagnostic> {
        let through = self.cycles.iter().filter_map(|cycle| {
            let at = cycle.steps.iter().position(|step| step.rule == rule)?;
            let (code, text) = match cycle.certainty {
                Certainty::Certain => (
                    "cycle_certain",
                    format!(
                        "правила запускают друг друга по кругу без конца: {}. Добавьте условие, которое разорвёт круг",
                        cycle.path_from(at)
                    ),
                ),
                Certainty::Possible => (
                    "cycle_possible",
                    format!(
                        "правила могут запускать друг друга по кругу: {}. Проверьте, что круг прервётся, или добавьте условие",
                        cycle.path_from(at)
                    ),
                ),
            };
            Some(warning(format!("/actions/{}", cycle.steps[at].action), code, text))
        });
        let cut = (!self.is_complete).then(|| {
            warning(
                "/actions".to_owned(),
                "cycles_unknown",
                "правил слишком много или они слишком переплетены: проверены не все возможные круги. Следите за журналом или упростите набор правил"
                    .to_owned(),
            )
        });
        through.chain(cut).collect()
    }
}

fn warning(pointer: String, code: &str, text: String) -> Diagnostic {
    Diagnostic {
        pointer,
        severity: Severity::Warning,
        code: code.to_owned(),
        text,
    }
}

/// All cycles of a set of rules.
pub fn analyse(rules: &[Member]) -> Analysis {
    graph::search(rules, None)
}

/// The cycles that pass through one rule of a set.
pub fn through(rules: &[Member], rule: RuleId) -> Analysis {
    match rules.iter().position(|member| member.rule == rule) {
        Some(at) => graph::search(rules, Some(at)),
        None => Analysis {
            cycles: Vec::new(),
            is_complete: true,
        },
    }
}
