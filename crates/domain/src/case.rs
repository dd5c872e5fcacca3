//! Test cases of a rule: what was known at one event, and what the rule must make of it. They are kept beside the
//! rule, run in the browser while it is edited and at the server before it is put in force.

use crate::command::Command;
use crate::compile::CompiledRule;
use crate::evaluate::{Facts, evaluate};
use crate::run::RunOutcome;
use crate::words::nearest_miss;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Cases of one rule, at most.
pub const MAX_CASES: usize = 50;
/// The longest name of a case, in characters.
pub const MAX_NAME: usize = 200;

/// One test case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TestCase {
    /// What it shows, in the manager's words.
    pub name: String,
    /// Everything that was known. The present moment and the zone are part of it, so that a case says the same for ever.
    pub facts: Facts,
    /// What must come out.
    pub expected: Expected,
}

/// What must come out of a case.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Expected {
    /// The rule is woken by the event and its condition holds.
    pub matches: bool,
    /// Just these commands are planned; `None` when that does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<Command>>,
}

/// What a rule makes of a case now: the expectation that it would meet.
pub fn outcome(rule: &CompiledRule, facts: &Facts) -> Expected {
    if !rule.wakes_on(facts.kind) {
        return Expected::default();
    }
    let evaluation = evaluate(rule, facts);
    let matches = evaluation.outcome == RunOutcome::Matched;
    Expected {
        matches,
        commands: matches.then_some(evaluation.commands),
    }
}

/// What a case expects and does not get, each in one Russian sentence; nothing when it is met.
pub fn check(rule: &CompiledRule, case: &TestCase) -> Vec<String> {
    let got = outcome(rule, &case.facts);
    match (case.expected.matches, got.matches) {
        (true, false) => vec![format!(
            "правило должно сработать, но {}",
            why_not(rule, &case.facts)
        )],
        (false, true) => vec!["правило не должно сработать, но срабатывает".to_owned()],
        (false, false) => Vec::new(),
        (true, true) => match (&case.expected.commands, &got.commands) {
            (Some(wanted), Some(got)) => differences(rule, wanted, got),
            _ => Vec::new(),
        },
    }
}

fn why_not(rule: &CompiledRule, facts: &Facts) -> String {
    if !rule.wakes_on(facts.kind) {
        return format!("событие «{}» его не запускает", facts.kind.title());
    }
    let explanation = crate::evaluate::explain(rule, facts);
    nearest_miss(&explanation, rule.scope(), &facts.zone)
}

/// Commands are paired by the place of their action, which is how a person sees them.
fn differences(rule: &CompiledRule, wanted: &[Command], got: &[Command]) -> Vec<String> {
    let title = |at: usize| {
        let card = rule.rule().actions.get(at);
        card.map_or_else(String::new, |card| format!(" ({})", card.action.title()))
    };
    let of = |all: &[Command], at: usize| -> Vec<Command> {
        all.iter()
            .filter(|command| command.action == at)
            .cloned()
            .collect()
    };
    let mut places: Vec<usize> = wanted.iter().chain(got).map(|command| command.action).collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .filter_map(|at| {
            let (wanted, got) = (of(wanted, at), of(got, at));
            let what = match (wanted.is_empty(), got.is_empty()) {
                _ if wanted == got => return None,
                (true, _) => "не ожидалось, но запланировано",
                (_, true) => "ожидалось, но не запланировано",
                _ => "запланировано не так, как ожидалось",
            };
            Some(format!("действие {}{} {what}", at + 1, title(at)))
        })
        .collect()
}
