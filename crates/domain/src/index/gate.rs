//! What rules without a key insist on all the same: a number within bounds, a field that changed. One look at the
//! event then leaves out all rules that it cannot concern, however many they are.

use crate::check::{Check, has_changed, value};
use crate::compile::{CompiledRule, Node};
use crate::evaluate::Facts;
use crate::field::FieldPath;
use crate::value::Value;
use rust_decimal::Decimal;

/// The rule matches only when this holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Demand {
    /// The number is at most this, or less.
    AtMost(FieldPath, Decimal),
    /// The number is at least this, or more.
    AtLeast(FieldPath, Decimal),
    /// The field changed with the event.
    Changed(FieldPath),
}

/// The first such demand among comparisons that all must hold; bounds go before changes.
pub(super) fn demand(rule: &CompiledRule) -> Option<Demand> {
    let mut found = Vec::new();
    collect(&rule.root, &mut found);
    let bound = found.iter().find(|demand| !matches!(demand, Demand::Changed(_)));
    bound.or(found.first()).copied()
}

fn collect(node: &Node, out: &mut Vec<Demand>) {
    match node {
        Node::All(list) => list.iter().for_each(|inner| collect(inner, out)),
        Node::Any(_) | Node::Not(_) => {}
        Node::Test(test) => match &test.check {
            Check::Number(check) => match check.bounds() {
                (_, Some(most)) => out.push(Demand::AtMost(test.path, most)),
                (Some(least), None) => out.push(Demand::AtLeast(test.path, least)),
                (None, None) => {}
            },
            Check::Change(_) => out.push(Demand::Changed(test.path)),
            _ => {}
        },
    }
}

/// Rules with demands of this kind, by field.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates {
    bounds: Vec<Bounds>,
    changes: Vec<(FieldPath, Vec<u32>)>,
}

/// Rules that insist on bounds of one field, ascending by bound.
#[derive(Clone, Debug)]
struct Bounds {
    path: FieldPath,
    at_most: Vec<(Decimal, u32)>,
    at_least: Vec<(Decimal, u32)>,
}

impl Gates {
    pub(super) fn add(&mut self, demand: Demand, rule: u32) {
        match demand {
            Demand::AtMost(path, most) => self.bounds_of(path).at_most.push((most, rule)),
            Demand::AtLeast(path, least) => self.bounds_of(path).at_least.push((least, rule)),
            Demand::Changed(path) => match self.changes.iter_mut().find(|(known, _)| *known == path) {
                Some((_, rules)) => rules.push(rule),
                None => self.changes.push((path, vec![rule])),
            },
        }
    }

    fn bounds_of(&mut self, path: FieldPath) -> &mut Bounds {
        let known = self.bounds.iter().position(|bounds| bounds.path == path);
        let place = known.unwrap_or_else(|| {
            self.bounds.push(Bounds {
                path,
                at_most: Vec::new(),
                at_least: Vec::new(),
            });
            self.bounds.len() - 1
        });
        &mut self.bounds[place]
    }

    /// Once all are added.
    pub(super) fn sort(&mut self) {
        for bounds in &mut self.bounds {
            bounds.at_most.sort_unstable();
            bounds.at_least.sort_unstable();
        }
    }

    /// The rules whose demand the facts fulfil, or may fulfil as far as is known.
    pub(super) fn pass(&self, facts: &Facts, out: &mut Vec<u32>) {
        for bounds in &self.bounds {
            match value(facts, bounds.path).as_deref() {
                Some(Value::Number(number)) => {
                    let most = bounds.at_most.partition_point(|(most, _)| most < number);
                    out.extend(bounds.at_most[most..].iter().map(|(_, rule)| *rule));
                    let least = bounds.at_least.partition_point(|(least, _)| least <= number);
                    out.extend(bounds.at_least[..least].iter().map(|(_, rule)| *rule));
                }
                // Nothing is neither small nor large.
                Some(Value::Empty) => {}
                // Not known, or of another type: the comparison cannot be told, so nothing may be left out.
                _ => out.extend(
                    bounds
                        .at_most
                        .iter()
                        .chain(&bounds.at_least)
                        .map(|(_, rule)| *rule),
                ),
            }
        }
        for (path, rules) in &self.changes {
            if has_changed(facts, *path) != Ok(false) {
                out.extend(rules);
            }
        }
    }
}
