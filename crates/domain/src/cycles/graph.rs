//! Finding closed paths among rules, within bounds.

use super::effect::carry_out;
use super::judge::{assume, facts, judge};
use super::state::{Place, State};
use super::walk::{Node, round};
use super::{Analysis, Certainty, Cycle, Member};
use crate::evaluate::Verdict;
use crate::id::RuleVersionId;
use crate::index::RuleIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// Rules of one path, at most.
const MAX_LENGTH: usize = 8;
/// Pairs of rules that are compared, at most.
const MAX_PAIRS: usize = 200_000;
/// Steps of the search for paths, at most.
const MAX_STEPS: usize = 50_000;
/// Closed paths that are walked, at most.
const MAX_WALKS: usize = 300;
/// Cycles that are told, at most.
const MAX_CYCLES: usize = 50;

/// Searches a set, or only the paths through one of its rules.
pub(super) fn search(members: &[Member], only: Option<usize>) -> Analysis {
    let mut search = Search {
        members,
        index: RuleIndex::build(
            members
                .iter()
                .enumerate()
                .map(|(at, member)| {
                    let name = RuleVersionId(Uuid::from_u128(at as u128));
                    (name, member.position, Arc::clone(&member.compiled))
                })
                .collect(),
        ),
        nodes: BTreeMap::new(),
        n_pairs: 0,
        n_steps: 0,
        n_walks: 0,
        is_complete: true,
        found: BTreeMap::new(),
    };
    let begin: Vec<usize> = only.map_or_else(|| (0..members.len()).collect(), |at| vec![at]);
    let starts: Vec<Node> = begin.iter().flat_map(|at| search.wakings(*at)).collect();
    search.explore(&starts);
    let back = search.reversed();
    for start in starts {
        let reach = search.closed_with(start, &back);
        if reach.contains(&start) {
            search.paths(&mut vec![start], &reach, only.is_none());
        }
    }
    let mut cycles: Vec<Cycle> = search.found.into_values().flatten().collect();
    cycles.sort_by_key(|cycle| (std::cmp::Reverse(cycle.certainty), cycle.steps.len()));
    let is_complete = search.is_complete && cycles.len() <= MAX_CYCLES;
    cycles.truncate(MAX_CYCLES);
    Analysis { cycles, is_complete }
}

/// What one rule leads to when one kind of event wakes it.
#[derive(Default)]
struct Leads {
    next: BTreeSet<Node>,
    written: Vec<Place>,
}

struct Search<'a> {
    members: &'a [Member],
    index: RuleIndex,
    nodes: BTreeMap<Node, Leads>,
    n_pairs: usize,
    n_steps: usize,
    n_walks: usize,
    is_complete: bool,
    /// By the rules of the path; `None` was walked and ends by itself.
    found: BTreeMap<Vec<usize>, Option<Cycle>>,
}

impl Search<'_> {
    fn wakings(&self, at: usize) -> Vec<Node> {
        let rule = self.members[at].compiled.rule();
        let kinds: BTreeSet<_> = rule.triggers.iter().map(|trigger| trigger.kind).collect();
        kinds.into_iter().map(|kind| (at, kind)).collect()
    }

    /// Finds out what every reachable rule leads to.
    fn explore(&mut self, starts: &[Node]) {
        let mut todo: Vec<Node> = starts.to_vec();
        while let Some(node) = todo.pop() {
            if self.nodes.contains_key(&node) {
                continue;
            }
            if self.n_pairs > MAX_PAIRS {
                self.is_complete = false;
                return;
            }
            let leads = self.leads(node);
            todo.extend(leads.next.iter().copied());
            self.nodes.insert(node, leads);
        }
    }

    fn leads(&mut self, (at, woken_by): Node) -> Leads {
        let rule = &self.members[at].compiled;
        let mut state = State::default();
        assume(rule, &mut state);
        let effects = carry_out(rule, woken_by, &mut state);
        let mut next = BTreeSet::new();
        for happening in &effects.happenings {
            let facts = facts(rule, happening, &state);
            for entry in self.index.candidates(happening.connection, &facts) {
                let Ok(other) = usize::try_from(entry.version.0.as_u128()) else {
                    continue;
                };
                self.n_pairs += 1;
                if judge(&entry.rule, happening, &state) != Verdict::False {
                    next.insert((other, happening.kind));
                }
            }
        }
        Leads {
            next,
            written: effects.written,
        }
    }

    fn reversed(&self) -> BTreeMap<Node, Vec<Node>> {
        let mut back: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for (node, leads) in &self.nodes {
            for next in &leads.next {
                back.entry(*next).or_default().push(*node);
            }
        }
        back
    }

    /// The nodes that a node leads to and that lead back to it.
    fn closed_with(&self, start: Node, back: &BTreeMap<Node, Vec<Node>>) -> BTreeSet<Node> {
        let forth = self.reachable(&[start]);
        let mut found = BTreeSet::new();
        let mut todo = vec![start];
        while let Some(node) = todo.pop() {
            for before in back.get(&node).into_iter().flatten() {
                if forth.contains(before) && found.insert(*before) {
                    todo.push(*before);
                }
            }
        }
        found
    }

    fn reachable(&self, from: &[Node]) -> BTreeSet<Node> {
        let mut found: BTreeSet<Node> = from.iter().copied().collect();
        let mut todo: Vec<Node> = from.to_vec();
        while let Some(node) = todo.pop() {
            for next in self.nodes.get(&node).into_iter().flat_map(|leads| &leads.next) {
                if found.insert(*next) {
                    todo.push(*next);
                }
            }
        }
        found
    }

    /// Every closed path of different rules, begun at its first rule only when the whole set is searched.
    fn paths(&mut self, path: &mut Vec<Node>, within: &BTreeSet<Node>, first_only: bool) {
        let (start, last) = (path[0], path[path.len() - 1]);
        let next: Vec<Node> = self
            .nodes
            .get(&last)
            .map(|leads| leads.next.intersection(within).copied().collect())
            .unwrap_or_default();
        for node in next {
            self.n_steps += 1;
            if self.n_steps > MAX_STEPS || self.n_walks > MAX_WALKS {
                self.is_complete = false;
                return;
            }
            if node == start {
                self.walk(path);
            } else if path.iter().any(|(at, _)| *at == node.0) || (first_only && node.0 < start.0) {
            } else if path.len() == MAX_LENGTH {
                self.is_complete = false;
            } else {
                path.push(node);
                self.paths(path, within, first_only);
                path.pop();
            }
        }
    }

    fn walk(&mut self, path: &[Node]) {
        let rules: Vec<usize> = path.iter().map(|(at, _)| *at).collect();
        let known = self.found.get(&rules).and_then(Option::as_ref);
        if known.is_some_and(|cycle| cycle.certainty == Certainty::Certain) {
            return;
        }
        self.n_walks += 1;
        let unsteady = self.unsteady(path, &rules);
        let cycle = round(self.members, path, &unsteady);
        let entry = self.found.entry(rules).or_default();
        if entry.as_ref().map(|known| known.certainty) < cycle.as_ref().map(|cycle| cycle.certainty) {
            *entry = cycle;
        }
    }

    /// What rules beside the path, woken from it, write.
    fn unsteady(&self, path: &[Node], rules: &[usize]) -> BTreeSet<Place> {
        self.reachable(path)
            .iter()
            .filter(|(at, _)| !rules.contains(at))
            .filter_map(|node| self.nodes.get(node))
            .flat_map(|leads| leads.written.iter().copied())
            .collect()
    }
}
