//! Rules that travel: a rule with its test cases and the names of everything it refers to.
//!
//! Ids mean nothing outside their account. A portable rule therefore carries, of every connection it speaks of, the part
//! of the catalogue that it uses; elsewhere each thing is found again by its name ([`Portable::bind`]), and what is not
//! found is told. Templates of the gallery are portable rules as well.

mod bind;
mod places;
#[cfg(test)]
mod tests;

pub use bind::Bound;

use crate::case::TestCase;
use crate::catalogue::{Catalogue, Pipeline};
use crate::catalogues::Catalogues;
use crate::connection::ConnectorKind;
use crate::id::ConnectionId;
use crate::rule::Rule;
use places::{Homes, Place, walk_case, walk_rule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The word that tells a portable rule from other JSON.
pub const FORMAT: &str = "crm-integrator/rule";
/// The shape that this program writes and reads.
pub const VERSION: u32 = 1;

/// A rule that travels.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Portable {
    /// Always [`FORMAT`].
    pub format: String,
    /// The shape, [`VERSION`].
    pub version: u32,
    /// The connections that the rule speaks of, with what they call the things it refers to.
    pub connections: Vec<PortableConnection>,
    /// The rule; its ids have a meaning only together with `connections`.
    pub rule: Rule,
    /// Its test cases.
    #[serde(default)]
    pub cases: Vec<TestCase>,
}

/// A connection as a portable rule knows it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PortableConnection {
    /// The id that stands in the rule.
    pub id: ConnectionId,
    /// Which CRM.
    pub kind: ConnectorKind,
    /// What it was called.
    pub name: String,
    /// What the rule refers to in it.
    pub catalogue: Catalogue,
}

impl Portable {
    /// Packs a rule with its cases and the names it needs.
    pub fn pack(rule: &Rule, cases: &[TestCase], catalogues: &Catalogues) -> Self {
        let mut used: BTreeMap<ConnectionId, Catalogue> = BTreeMap::new();
        let homes = Homes::of(rule, catalogues);
        let mut note = |home: Option<ConnectionId>, place: Place<'_>| {
            let id = match (&place, home) {
                (Place::Connection(id), _) => **id,
                (_, Some(id)) => id,
                (_, None) => return,
            };
            if let Some(known) = catalogues.get(id) {
                take(used.entry(id).or_default(), &known.catalogue, &place);
            }
        };
        // The walk may change what it meets; here it only looks.
        walk_rule(&mut rule.clone(), &homes, &mut note);
        for case in cases {
            walk_case(&mut case.clone(), &homes, &mut note);
        }
        let connections = used
            .into_iter()
            .filter_map(|(id, catalogue)| {
                let known = catalogues.get(id)?;
                Some(PortableConnection {
                    id,
                    kind: known.kind,
                    name: known.name.clone(),
                    catalogue,
                })
            })
            .collect();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            connections,
            rule: rule.clone(),
            cases: cases.to_vec(),
        }
    }

    /// Its connections as catalogues: the rule can be read, compiled and tried over these alone.
    pub fn catalogues(&self) -> Catalogues {
        let mut all = Catalogues::new();
        for one in &self.connections {
            all.insert_named(one.id, one.kind, one.name.clone(), one.catalogue.clone());
        }
        all
    }

    /// Finds everything again by name in another workspace.
    pub fn bind(&self, catalogues: &Catalogues) -> Bound {
        bind::bind(self, catalogues)
    }
}

/// Copies into `into` what a place refers to.
fn take(into: &mut Catalogue, from: &Catalogue, place: &Place<'_>) {
    let add = |into: &mut Catalogue, id: i64, status: Option<i64>| {
        let Some(known) = from.pipelines.iter().find(|one| one.id == id) else {
            return;
        };
        let at = into
            .pipelines
            .iter()
            .position(|one| one.id == id)
            .unwrap_or_else(|| {
                into.pipelines.push(Pipeline {
                    id,
                    name: known.name.clone(),
                    stages: Vec::new(),
                });
                into.pipelines.len() - 1
            });
        let stages = &mut into.pipelines[at].stages;
        let wanted = known.stages.iter().find(|one| Some(one.id) == status);
        if let Some(stage) = wanted.filter(|stage| stages.iter().all(|one| one.id != stage.id)) {
            stages.push(stage.clone());
        }
    };
    match place {
        Place::Connection(_) => {}
        Place::Stage(stage) => add(into, stage.pipeline, Some(stage.status)),
        Place::Pipeline(id) => add(into, **id, None),
        Place::Field(record, id) => copy(&mut into.fields, &from.fields, |one| {
            one.record == *record && one.id == **id
        }),
        Place::User(id) => copy(&mut into.users, &from.users, |one| one.id == **id),
        Place::TaskType(id) => copy(&mut into.task_types, &from.task_types, |one| one.id == Some(**id)),
        Place::LossReason(id) => {
            copy(&mut into.loss_reasons, &from.loss_reasons, |one| {
                one.id == Some(**id)
            });
        }
        // Its field comes along and brings the options; tags and results carry their names themselves.
        Place::Choice(..) => {}
    }
}

fn copy<T: Clone>(into: &mut Vec<T>, from: &[T], is: impl Fn(&T) -> bool) {
    if !into.iter().any(&is) {
        into.extend(from.iter().find(|one| is(one)).cloned());
    }
}
