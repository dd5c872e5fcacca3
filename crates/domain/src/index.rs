//! Which rules an event can concern: by source, kind of event and the values that rules insist on.
//!
//! A rule that says «и этап = Переговоры» cannot match an event whose stage is another one. Of all such
//! demands of a rule the rarest one among its neighbours is taken as its key; an event then touches only the
//! rules under its own values. Rules that have no key are kept apart by bounds of numbers and by what must have
//! changed; only those without any such demand are always looked at.

mod gate;
mod key;
#[cfg(test)]
mod tests;

use crate::compile::CompiledRule;
use crate::evaluate::Facts;
use crate::event::EventKind;
use crate::field::FieldPath;
use crate::id::{ConnectionId, RuleVersionId};
use gate::Gates;
use key::{Class, Demand, Key, demands, keys_of};
use std::collections::HashMap;
use std::sync::Arc;

/// A rule in the index.
#[derive(Clone, Debug)]
pub struct IndexedRule {
    /// The published version.
    pub version: RuleVersionId,
    /// Its place among the rules of the workspace; lower ones look first.
    pub position: i64,
    /// What it says.
    pub rule: Arc<CompiledRule>,
}

/// The published rules of a workspace, arranged so that an event touches only those that can match.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    rules: Vec<IndexedRule>,
    by_event: HashMap<(ConnectionId, EventKind), Awake>,
}

/// The rules that one kind of event wakes, by place in the list of all.
#[derive(Clone, Debug, Default)]
struct Awake {
    all: Vec<u32>,
    /// Without a key, but with another demand.
    gated: Gates,
    /// Without any: always looked at.
    always: Vec<u32>,
    keyed: Vec<Keyed>,
}

/// Rules that insist on a value of one field.
#[derive(Clone, Debug)]
struct Keyed {
    path: FieldPath,
    class: Class,
    all: Vec<u32>,
    by_key: HashMap<Key, Vec<u32>>,
}

impl RuleIndex {
    /// Arranges rules.
    pub fn build(rules: Vec<(RuleVersionId, i64, Arc<CompiledRule>)>) -> Self {
        let mut rules: Vec<IndexedRule> = rules
            .into_iter()
            .map(|(version, position, rule)| IndexedRule {
                version,
                position,
                rule,
            })
            .collect();
        rules.sort_by_key(|entry| (entry.position, entry.version));
        let mut by_event: HashMap<(ConnectionId, EventKind), Awake> = HashMap::new();
        for (at, entry) in (0u32..).zip(&rules) {
            let rule = entry.rule.rule();
            for trigger in &rule.triggers {
                let all = &mut by_event.entry((rule.source, trigger.kind)).or_default().all;
                if all.last() != Some(&at) {
                    all.push(at);
                }
            }
        }
        let asked: Vec<Vec<Demand>> = rules.iter().map(|entry| demands(&entry.rule)).collect();
        for awake in by_event.values_mut() {
            awake.arrange(&rules, &asked);
        }
        Self { rules, by_event }
    }

    /// Every rule, in order.
    pub fn rules(&self) -> &[IndexedRule] {
        &self.rules
    }

    /// Every rule that events of this kind from this connection wake, in order.
    pub fn awake(&self, source: ConnectionId, kind: EventKind) -> impl Iterator<Item = &IndexedRule> {
        let list = self
            .by_event
            .get(&(source, kind))
            .map(|awake| awake.all.as_slice())
            .unwrap_or_default();
        self.entries(list)
    }

    /// The rules that can match or be undecidable with these facts, in order. A rule that is left out would
    /// evaluate to «не подошло».
    ///
    /// What is not known yet excludes nothing; so the engine asks first with what the webhook told, reads what
    /// the candidates need ([`CompiledRule::missing`]), and asks again.
    pub fn candidates(&self, source: ConnectionId, facts: &Facts) -> Vec<&IndexedRule> {
        let Some(awake) = self.by_event.get(&(source, facts.kind)) else {
            return Vec::new();
        };
        let mut found: Vec<u32> = awake.always.clone();
        awake.gated.pass(facts, &mut found);
        for keyed in &awake.keyed {
            match crate::check::value(facts, keyed.path) {
                None => found.extend(&keyed.all),
                Some(value) => match keys_of(&value, keyed.class) {
                    None => found.extend(&keyed.all),
                    Some(keys) => {
                        for key in keys {
                            found.extend(keyed.by_key.get(&key).into_iter().flatten());
                        }
                    }
                },
            }
        }
        found.sort_unstable();
        found.dedup();
        self.entries(&found).collect()
    }

    fn entries<'a>(&'a self, list: &[u32]) -> impl Iterator<Item = &'a IndexedRule> + use<'a> {
        let found: Vec<&IndexedRule> = list
            .iter()
            .filter_map(|at| self.rules.get(*at as usize))
            .collect();
        found.into_iter()
    }
}

impl Awake {
    fn arrange(&mut self, rules: &[IndexedRule], asked: &[Vec<Demand>]) {
        let mut counts: HashMap<(FieldPath, &Key), usize> = HashMap::new();
        let of = |at: u32| asked.get(at as usize).map(Vec::as_slice).unwrap_or_default();
        for at in &self.all {
            for demand in of(*at) {
                for key in &demand.keys {
                    *counts.entry((demand.path, key)).or_default() += 1;
                }
            }
        }
        for at in &self.all {
            let crowd = |demand: &&Demand| -> usize {
                demand
                    .keys
                    .iter()
                    .filter_map(|key| counts.get(&(demand.path, key)))
                    .sum()
            };
            let Some(demand) = of(*at).iter().min_by_key(crowd) else {
                match rules
                    .get(*at as usize)
                    .and_then(|entry| gate::demand(&entry.rule))
                {
                    Some(demand) => self.gated.add(demand, *at),
                    None => self.always.push(*at),
                }
                continue;
            };
            let known = self
                .keyed
                .iter()
                .position(|keyed| keyed.path == demand.path && keyed.class == demand.class);
            let place = known.unwrap_or_else(|| {
                let (path, class) = (demand.path, demand.class);
                self.keyed.push(Keyed {
                    path,
                    class,
                    all: Vec::new(),
                    by_key: HashMap::new(),
                });
                self.keyed.len() - 1
            });
            let keyed = &mut self.keyed[place];
            keyed.all.push(*at);
            for key in &demand.keys {
                keyed.by_key.entry(key.clone()).or_default().push(*at);
            }
        }
        self.gated.sort();
    }
}
