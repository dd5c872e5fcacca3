//! What is known of the records on the way round: constants, and which fields hold the same as which.

use crate::catalogues::Scope;
use crate::check::is_same;
use crate::compile::{CompiledExpression, CompiledLine};
use crate::field::{FieldKey, FieldPath, Moment, SystemField};
use crate::id::ConnectionId;
use crate::mapping::Conversion;
use crate::record::RecordKind;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A field of one of the records around the events of the walk.
pub(super) type Place = (ConnectionId, RecordKind, FieldKey);

/// What a field holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Known {
    /// Just this.
    Value(Value),
    /// Something unknown that has a name: two fields with the same one hold the same.
    Same(u32),
}

/// What is known, and how it came.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    fields: BTreeMap<Place, Known>,
    /// Names of unknown values that are not empty.
    filled: BTreeSet<u32>,
    /// Values that were added to or removed from a field of several values.
    parts: BTreeMap<(Place, String), bool>,
    /// The same work on the same inputs gives the same result.
    results: HashMap<(String, Vec<String>), u32>,
    n_names: u32,
    /// Fields that rules outside the walk may write at any moment: nothing of them is kept.
    pub(super) unsteady: BTreeSet<Place>,
    /// The record of the present event is linked with its counterpart.
    pub(super) is_linked: bool,
}

impl State {
    pub(super) fn new(unsteady: BTreeSet<Place>) -> Self {
        Self {
            unsteady,
            ..Self::default()
        }
    }

    pub(super) fn get(&self, place: Place) -> Option<&Known> {
        self.fields.get(&place)
    }

    /// Constants of a kind of record.
    pub(super) fn constants(
        &self,
        connection: ConnectionId,
        record: RecordKind,
    ) -> impl Iterator<Item = (FieldKey, &Value)> {
        self.fields
            .iter()
            .filter(move |((c, r, _), _)| (*c, *r) == (connection, record))
            .filter_map(|((_, _, key), known)| match known {
                Known::Value(value) => Some((*key, value)),
                Known::Same(_) => None,
            })
    }

    /// What a condition had to be true of: a copy of the field then holds the same.
    pub(super) fn learn(&mut self, place: Place, value: &Value) {
        match self.get(place).cloned() {
            Some(Known::Value(_)) => {}
            Some(named) => {
                for known in self.fields.values_mut().filter(|known| **known == named) {
                    *known = Known::Value(value.clone());
                }
            }
            None => self.set(place, Known::Value(value.clone())),
        }
    }

    pub(super) fn set(&mut self, place: Place, known: Known) {
        if !self.unsteady.contains(&place) {
            self.fields.insert(place, known);
        }
        self.parts.retain(|(part, _), _| *part != place);
    }

    /// A new record of this kind takes the place of the one that was known.
    pub(super) fn forget(&mut self, connection: ConnectionId, record: RecordKind) {
        let is_other = |place: &Place| (place.0, place.1) != (connection, record);
        self.fields.retain(|place, _| is_other(place));
        self.parts.retain(|(place, _), _| is_other(place));
    }

    fn fresh(&mut self) -> u32 {
        self.n_names += 1;
        self.n_names
    }

    pub(super) fn is_filled(&self, known: &Known) -> bool {
        match known {
            Known::Value(value) => !value.is_empty(),
            Known::Same(name) => self.filled.contains(name),
        }
    }

    /// The field holds something now, whatever it is.
    pub(super) fn fill(&mut self, place: Place) {
        let name = self.fresh();
        self.filled.insert(name);
        self.set(place, Known::Same(name));
    }

    /// Adds or removes one of several values. `false`: it was so already.
    pub(super) fn part(&mut self, place: Place, part: String, present: bool) -> bool {
        if self.unsteady.contains(&place) {
            return true;
        }
        // The field as a whole is then no longer what it was.
        let name = self.fresh();
        let changed = self.parts.insert((place, part), present) != Some(present);
        if changed {
            self.fields.insert(place, Known::Same(name));
        }
        changed
    }

    /// What a field holds; an unknown one gets a name, so that copies of it are recognised.
    fn read(&mut self, path: FieldPath, scope: &Scope) -> Option<Known> {
        let home = scope.kind_of(path.record).and_then(|kind| scope.side(kind));
        let (connection, _) = home?;
        let is_record = !matches!(
            path.record,
            RecordKind::Event | RecordKind::Call | RecordKind::Note | RecordKind::Task
        );
        if path.moment == Moment::Before || !is_record {
            return None;
        }
        if path.key == SystemField::Pipeline.into() {
            let stage = (connection, path.record, SystemField::Stage.into());
            if let Some(Known::Value(Value::Stage(stage))) = self.get(stage) {
                return Some(Known::Value(Value::Id(stage.pipeline)));
            }
            return None;
        }
        let place = (connection, path.record, path.key);
        if let Some(known) = self.get(place) {
            return Some(known.clone());
        }
        if self.unsteady.contains(&place) {
            return None;
        }
        let known = Known::Same(self.fresh());
        self.set(place, known.clone());
        Some(known)
    }

    /// The result of a mapping line; `None` when it certainly writes nothing.
    pub(super) fn value_of(&mut self, line: &CompiledLine, scope: &Scope) -> Option<Known> {
        self.evaluated(
            &line.from,
            &line.convert,
            line.if_empty == crate::mapping::IfEmpty::Clear,
            scope,
        )
    }

    /// The result of an expression; `None` when there is certainly none.
    pub(super) fn evaluated(
        &mut self,
        from: &CompiledExpression,
        convert: &[Conversion],
        clears: bool,
        scope: &Scope,
    ) -> Option<Known> {
        let shape_only =
            |one: &Conversion| matches!(one, Conversion::Trim | Conversion::Phone | Conversion::Case(_));
        let rest: Vec<&Conversion> = convert.iter().filter(|one| !shape_only(one)).collect();
        match (from, rest.as_slice()) {
            (CompiledExpression::Broken, _) => None,
            (CompiledExpression::Constant(value), _) if value.is_empty() && rest.is_empty() => {
                clears.then_some(Known::Value(Value::Empty))
            }
            (CompiledExpression::Constant(value), []) if convert.is_empty() && is_plain(value) => {
                Some(Known::Value(value.clone()))
            }
            // Other spellings of a value end by themselves: the second time nothing changes.
            (CompiledExpression::Field(path), []) => {
                let known = self.read(*path, scope);
                Some(known.unwrap_or_else(|| Known::Same(self.fresh())))
            }
            (CompiledExpression::Field(path), [Conversion::Options { table, default }]) => {
                match self.read(*path, scope) {
                    Some(Known::Value(input)) => table
                        .iter()
                        .find(|(key, _)| is_same(key, &input))
                        .map(|(_, value)| value)
                        .or(default.as_ref())
                        .map(|value| Known::Value(value.clone())),
                    _ => Some(self.result(from, convert, scope)),
                }
            }
            _ => Some(self.result(from, convert, scope)),
        }
    }

    /// A value that is worked out: the same name for the same work on the same inputs.
    fn result(&mut self, from: &CompiledExpression, convert: &[Conversion], scope: &Scope) -> Known {
        let mut paths = Vec::new();
        let steady = inputs(from, &mut paths);
        let mut known = Vec::with_capacity(paths.len());
        for path in paths {
            match self.read(path, scope) {
                Some(value) => known.push(format!("{value:?}")),
                None => return Known::Same(self.fresh()),
            }
        }
        if !steady {
            return Known::Same(self.fresh());
        }
        let work = (format!("{from:?}{convert:?}"), known);
        if let Some(name) = self.results.get(&work) {
            return Known::Same(*name);
        }
        let name = self.fresh();
        self.results.insert(work, name);
        Known::Same(name)
    }
}

/// A value that compares the same at any moment.
const fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Instant(_) | Value::Day(_) | Value::Json(_))
}

/// The fields an expression looks at. `false`: it also depends on the moment.
fn inputs(expression: &CompiledExpression, out: &mut Vec<FieldPath>) -> bool {
    match expression {
        CompiledExpression::Field(path) => out.push(*path),
        CompiledExpression::Template(template) => {
            out.extend(template.paths());
            return !template.tells_the_time();
        }
        CompiledExpression::FirstOf(list) => {
            let mut steady = true;
            for one in list {
                steady &= inputs(one, out);
            }
            return steady;
        }
        CompiledExpression::Constant(_) | CompiledExpression::Broken => {}
    }
    true
}
