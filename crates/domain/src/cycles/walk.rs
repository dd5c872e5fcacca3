//! Walking a closed path round: does it go on, and does it have to?

use super::effect::{Happening, carry_out};
use super::judge::{assume, judge};
use super::state::{Place, State};
use super::{Certainty, Cycle, Member, Step, words};
use crate::evaluate::Verdict;
use crate::event::EventKind;
use std::collections::BTreeSet;

/// Rounds that are walked. The first tells how things settle, the others whether they have.
const ROUNDS: usize = 3;

/// A rule of the path, woken by one kind of event.
pub(super) type Node = (usize, EventKind);

/// What a closed path comes to, from its worst beginning; `None` when it ends by itself from every one.
pub(super) fn round(members: &[Member], path: &[Node], unsteady: &BTreeSet<Place>) -> Option<Cycle> {
    let mut worst: Option<Cycle> = None;
    for start in 0..path.len() {
        let mut turned = path.to_vec();
        turned.rotate_left(start);
        let Some(mut cycle) = from_here(members, &turned, unsteady) else {
            continue;
        };
        if worst
            .as_ref()
            .is_none_or(|known| known.certainty < cycle.certainty)
        {
            cycle.steps.rotate_right(start);
            worst = Some(cycle);
        }
    }
    worst
}

fn from_here(members: &[Member], path: &[Node], unsteady: &BTreeSet<Place>) -> Option<Cycle> {
    let mut state = State::new(unsteady.clone());
    let mut certainty = Certainty::Certain;
    let mut steps = Vec::new();
    for turn in 0..ROUNDS {
        steps.clear();
        for (at, (index, woken_by)) in path.iter().enumerate() {
            let member = &members[*index];
            let (next, event) = path[(at + 1) % path.len()];
            assume(&member.compiled, &mut state);
            let effects = carry_out(&member.compiled, *woken_by, &mut state);
            let (happening, sure) = goes_on(members, next, event, &effects.happenings, &state)?;
            if turn > 0 && !sure {
                certainty = Certainty::Possible;
            }
            state.is_linked = happening.is_linked;
            steps.push(Step {
                rule: member.rule,
                name: member.compiled.rule().name.clone(),
                woken_by: *woken_by,
                action: happening.action,
                does: words::does(&member.compiled, happening.action),
                event,
            });
        }
    }
    Some(Cycle { certainty, steps })
}

/// The write that wakes the next rule most surely, and whether it has to.
fn goes_on<'a>(
    members: &[Member],
    next: usize,
    event: EventKind,
    happenings: &'a [Happening],
    state: &State,
) -> Option<(&'a Happening, bool)> {
    let member = &members[next];
    let rule = &member.compiled;
    let may_be_stopped = members.iter().any(|other| {
        other.position < member.position
            && other.compiled.rule().stop
            && other.compiled.rule().source == rule.rule().source
            && other.compiled.wakes_on(event)
    });
    happenings
        .iter()
        .filter(|it| it.kind == event && it.connection == rule.rule().source)
        .filter_map(|it| match judge(rule, it, state) {
            Verdict::False => None,
            verdict => Some((it, it.is_sure && verdict == Verdict::True && !may_be_stopped)),
        })
        .max_by_key(|(_, sure)| *sure)
}
