//! Which rules an event can concern: by source, kind of event and the values that rules insist on.

use crate::compile::CompiledRule;
use crate::evaluate::Facts;
use crate::event::EventKind;
use crate::id::{ConnectionId, RuleVersionId};
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
    by_event: HashMap<(ConnectionId, EventKind), Vec<u32>>,
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
        let mut by_event: HashMap<(ConnectionId, EventKind), Vec<u32>> = HashMap::new();
        for (at, entry) in (0u32..).zip(&rules) {
            for trigger in &entry.rule.rule().triggers {
                let list = by_event
                    .entry((entry.rule.rule().source, trigger.kind))
                    .or_default();
                if list.last() != Some(&at) {
                    list.push(at);
                }
            }
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
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter().filter_map(|at| self.rules.get(*at as usize))
    }

    /// The rules that can match or be undecidable with these facts, in order. A rule that is left out would
    /// evaluate to «не подошло».
    pub fn candidates(&self, source: ConnectionId, facts: &Facts) -> Vec<&IndexedRule> {
        self.awake(source, facts.kind).collect()
    }
}
