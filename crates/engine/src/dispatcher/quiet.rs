//! Rules with a quiet window: they are asked when a record has not changed for some seconds, once, about its last
//! state. An event that such a rule could match opens the window; every further event that wakes the rule begins it
//! anew, whether the rule could match it or not.

use super::batch::{Case, Decided, Group, Outcome, Round};
use super::decide::{self, Reading};
use super::facts::{self, Completed};
use super::{Dispatcher, change};
use crate::error::EngineError;
use domain::evaluate::Note;
use domain::event::Event;
use domain::index::IndexedRule;
use domain::run::RunOutcome;
use storage::events::StoredEvent;
use storage::quiet::Quiet;
use storage::runs::Run;

impl Dispatcher {
    /// What becomes of a record whose quiet window is over: the rule is asked about the last event, with what
    /// changed in all of them.
    pub(super) async fn decide_quiet(
        &self,
        round: &Round,
        group: &mut Group,
        waiting: &Quiet,
        stored: &StoredEvent,
    ) -> Result<Decided, EngineError> {
        let link = group.link.clone();
        let mut change = change::Change {
            before: waiting.fact.before.clone(),
            changed: waiting.fact.changed.clone(),
            unexpected: Vec::new(),
        };
        change.forget_undone(&waiting.fact.record);
        let case = Case {
            stored,
            connection: &round.connection,
            link: link.as_ref(),
            change,
            chain: waiting.chain,
        };
        let known = facts::from_event(stored, &case.change, &round.book, round.now);
        // Not only if it can match: what was undone within the window is told as a rule that did not match.
        let awake = round.book.index.awake(stored.event.connection, known.kind);
        let rules: Vec<&IndexedRule> = awake
            .filter(|entry| round.book.rule_of.get(&entry.version) == Some(&waiting.rule))
            .collect();
        let completed = facts::complete(
            &self.context,
            &case,
            known,
            &rules,
            &mut group.reads,
            Reading::Allowed,
        )
        .await?;
        let known = match completed {
            Completed::Facts(known) => *known,
            Completed::NotNow | Completed::Wait { .. } => {
                return Ok(Decided::Waits {
                    event: stored.event.id,
                    due_at: round.now.plus_ms(self.context.settings.retry.base_ms),
                    reason: String::new(),
                });
            }
        };
        let evaluations = decide::evaluate_all(&self.context, &rules, &known, case.chain);
        Ok(decide::decided(
            &case,
            &round.book,
            round.now,
            &rules,
            evaluations,
        ))
    }
}

/// Takes the rules with a quiet window out of those that an event concerns, together with those whose window is
/// open already.
pub(super) fn take_out<'a>(
    candidates: &mut Vec<&'a IndexedRule>,
    group: &Group,
    round: &'a Round,
    event: &Event,
) -> Vec<&'a IndexedRule> {
    let mut held: Vec<&IndexedRule> = candidates
        .extract_if(.., |entry| entry.rule.rule().quiet_secs > 0)
        .collect();
    if group.quiet.is_empty() {
        return held;
    }
    for entry in round.book.index.awake(event.connection, event.fact.kind) {
        let rule = round.book.rule_of.get(&entry.version);
        let is_open = group.quiet.iter().any(|waiting| Some(&waiting.rule) == rule);
        if is_open && !held.iter().any(|known| known.version == entry.version) {
            held.push(entry);
        }
    }
    held
}

/// Lets a rule with a quiet window wait for it: the window begins anew with every event, what changed adds up, the
/// last state stands.
pub(super) fn hold(
    group: &mut Group,
    outcome: &mut Outcome,
    case: &Case<'_>,
    round: &Round,
    entry: &IndexedRule,
) -> Option<Run> {
    let secs = entry.rule.rule().quiet_secs;
    let mut run = decide::run(case, &round.book, entry, round.now)?;
    run.outcome = RunOutcome::Quiet;
    run.notes = vec![Note {
        action: 0,
        text: format!("ждём, пока запись не меняется {secs} с; решение — по последнему состоянию"),
    }];
    let event = &case.stored.event;
    let mut fact = event.fact.clone();
    fact.before.clone_from(&case.change.before);
    fact.changed.clone_from(&case.change.changed);
    let mut waiting = Quiet {
        workspace: event.workspace,
        connection: event.connection,
        rule: run.rule,
        event: event.id,
        fact,
        chain: case.chain,
        due_at: round.now.plus_ms(i64::from(secs) * 1_000),
    };
    match group.quiet.iter_mut().find(|known| known.rule == waiting.rule) {
        Some(known) => {
            change::add_up(&known.fact, &mut waiting.fact);
            waiting.chain = waiting.chain.max(known.chain);
            *known = waiting.clone();
        }
        None => group.quiet.push(waiting.clone()),
    }
    outcome.quiet.retain(|known| known.rule != waiting.rule);
    outcome.quiet.push(waiting);
    Some(run)
}
