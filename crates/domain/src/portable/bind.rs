//! Finding by name what a portable rule knows by the ids of another account.

use super::places::{Homes, Place, walk_case, walk_rule};
use super::{Portable, PortableConnection};
use crate::case::TestCase;
use crate::catalogue::{Catalogue, StageKind};
use crate::catalogues::{Catalogues, ConnectionCatalogue};
use crate::field::{FieldKey, SystemField};
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::rule::Rule;
use crate::text::same_name;
use crate::value::{Choice, Stage};
use std::collections::BTreeMap;

/// A portable rule in its new place.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    /// The rule. What could not be found stands in it with an id that no account has, so that the compiler shows the place.
    pub rule: Rule,
    /// Its test cases, bound the same way.
    pub cases: Vec<TestCase>,
    /// What could not be found, in Russian: «этап «Переговоры» воронки «Продажи»».
    pub unbound: Vec<String>,
}

pub(super) fn bind(portable: &Portable, catalogues: &Catalogues) -> Bound {
    let homes = Homes::of(&portable.rule, &portable.catalogues());
    let mut binder = Binder::new(portable, catalogues);
    let mut rule = portable.rule.clone();
    let mut cases = portable.cases.clone();
    let mut visit = |home: Option<ConnectionId>, place: Place<'_>| binder.place(home, place);
    walk_rule(&mut rule, &homes, &mut visit);
    for case in &mut cases {
        walk_case(case, &homes, &mut visit);
    }
    Bound {
        rule,
        cases,
        unbound: binder.unbound,
    }
}

/// What was decided once stays so: a thing that is met twice is the same thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Stage(Stage),
    Pipeline(i64),
    User(i64),
    TaskType(i64),
    LossReason(i64),
    Field(RecordKind, i64),
}

struct Side<'a> {
    from: &'a PortableConnection,
    to: Option<(ConnectionId, &'a ConnectionCatalogue)>,
}

struct Binder<'a> {
    sides: BTreeMap<ConnectionId, Side<'a>>,
    known: BTreeMap<(ConnectionId, Thing), Thing>,
    /// The last id given to something that was not found.
    last: i64,
    unbound: Vec<String>,
}

impl<'a> Binder<'a> {
    fn new(portable: &'a Portable, catalogues: &'a Catalogues) -> Self {
        let mut unbound = Vec::new();
        let mut sides = BTreeMap::new();
        for from in &portable.connections {
            let same = catalogues.get(from.id).filter(|one| one.kind == from.kind);
            let to = same.map(|one| (from.id, one)).or_else(|| {
                let of_kind = || catalogues.of_kind(from.kind);
                of_kind()
                    .find(|(_, one)| same_name(&one.name, &from.name))
                    .or_else(|| of_kind().next())
            });
            if to.is_none() {
                unbound.push(format!("подключение {} «{}»", from.kind.title(), from.name));
            }
            sides.insert(from.id, Side { from, to });
        }
        Self {
            sides,
            known: BTreeMap::new(),
            last: 0,
            unbound,
        }
    }

    fn place(&mut self, home: Option<ConnectionId>, place: Place<'_>) {
        match place {
            Place::Connection(id) => {
                if let Some((to, _)) = self.sides.get(id).and_then(|side| side.to) {
                    *id = to;
                }
            }
            Place::Choice(record, key, choice) => self.choice(home, record, key, choice),
            Place::Stage(stage) => {
                if let Thing::Stage(found) = self.thing(home, Thing::Stage(*stage)) {
                    *stage = found;
                }
            }
            Place::Pipeline(id) => {
                if let Thing::Pipeline(found) = self.thing(home, Thing::Pipeline(*id)) {
                    *id = found;
                }
            }
            Place::User(id) => {
                if let Thing::User(found) = self.thing(home, Thing::User(*id)) {
                    *id = found;
                }
            }
            Place::TaskType(id) => {
                if let Thing::TaskType(found) = self.thing(home, Thing::TaskType(*id)) {
                    *id = found;
                }
            }
            Place::LossReason(id) => {
                if let Thing::LossReason(found) = self.thing(home, Thing::LossReason(*id)) {
                    *id = found;
                }
            }
            Place::Field(record, id) => {
                if let Thing::Field(_, found) = self.thing(home, Thing::Field(record, *id)) {
                    *id = found;
                }
            }
        }
    }

    fn thing(&mut self, home: Option<ConnectionId>, thing: Thing) -> Thing {
        // 0 is a CRM's own robot or main account, in every account.
        let Some(home) = home.filter(|_| thing != Thing::User(0)) else {
            return thing;
        };
        if let Some(found) = self.known.get(&(home, thing)) {
            return *found;
        }
        let side = self.sides.get(&home);
        let found = side.and_then(|side| found(thing, &side.from.catalogue, &side.to?.1.catalogue));
        let found = found.unwrap_or_else(|| {
            // Without the connection nothing of it can be there; it is told once.
            if side.is_none_or(|side| side.to.is_some()) {
                self.unbound
                    .push(words(thing, side.map(|side| &side.from.catalogue)));
            }
            self.last -= 1;
            nowhere(thing, self.last)
        });
        self.known.insert((home, thing), found);
        found
    }

    fn choice(&mut self, home: Option<ConnectionId>, record: RecordKind, key: FieldKey, choice: &mut Choice) {
        let Some((from, to)) = home
            .and_then(|home| self.sides.get(&home))
            .and_then(|side| Some((&side.from.catalogue, &side.to?.1.catalogue)))
        else {
            return;
        };
        let (theirs, ours, is_open) = match key {
            FieldKey::Custom(id) => {
                let Some(Thing::Field(_, there)) = found(Thing::Field(record, id), from, to) else {
                    // The field itself is told.
                    return;
                };
                let options = |all: &Catalogue, id| all.field(record, id).map(|one| one.options.clone());
                (options(from, id), options(to, there), false)
            }
            FieldKey::System(SystemField::LossReason) => (
                Some(from.loss_reasons.clone()),
                Some(to.loss_reasons.clone()),
                false,
            ),
            FieldKey::System(SystemField::Tags) => {
                let tags = |all: &Catalogue| -> Option<Vec<Choice>> {
                    let of_record = all.tags.iter().filter(|tag| tag.record == record);
                    Some(
                        of_record
                            .map(|tag| Choice::new(tag.id, tag.name.clone()))
                            .collect(),
                    )
                };
                (tags(from), tags(to), true)
            }
            FieldKey::System(_) => return,
        };
        let named = theirs
            .iter()
            .flatten()
            .find(|one| choice.id.is_some() && one.id == choice.id);
        let name = named.map_or_else(|| choice.name.clone(), |one| one.name.clone());
        let there = ours
            .iter()
            .flatten()
            .find(|one| same_name(&one.name, &name))
            .cloned();
        let is_found = there.is_some() || is_open || ours.as_ref().is_none_or(Vec::is_empty);
        if !is_found {
            let text = format!("вариант «{name}»");
            if !self.unbound.contains(&text) {
                self.unbound.push(text);
            }
        }
        *choice = there.unwrap_or(Choice { id: None, name });
    }
}

fn nowhere(thing: Thing, id: i64) -> Thing {
    match thing {
        Thing::Stage(_) => Thing::Stage(Stage {
            pipeline: id,
            status: id,
        }),
        Thing::Pipeline(_) => Thing::Pipeline(id),
        Thing::User(_) => Thing::User(id),
        Thing::TaskType(_) => Thing::TaskType(id),
        Thing::LossReason(_) => Thing::LossReason(id),
        Thing::Field(record, _) => Thing::Field(record, id),
    }
}

fn found(thing: Thing, from: &Catalogue, to: &Catalogue) -> Option<Thing> {
    Some(match thing {
        Thing::Stage(stage) => Thing::Stage(found_stage(stage, from, to)?),
        Thing::Pipeline(id) => {
            let named = from.pipelines.iter().find(|one| one.id == id)?;
            let same = to.pipelines.iter().find(|one| same_name(&one.name, &named.name));
            // Where there is only one, it is meant.
            let only = to.pipelines.first().filter(|_| to.pipelines.len() == 1);
            Thing::Pipeline(same.or(only)?.id)
        }
        Thing::User(id) => {
            let named = from.user(id)?;
            let mut same = to.users.iter().filter(|one| same_name(&one.name, &named.name));
            Thing::User(same.next()?.id)
        }
        Thing::TaskType(id) => Thing::TaskType(found_choice(id, &from.task_types, &to.task_types)?),
        Thing::LossReason(id) => Thing::LossReason(found_choice(id, &from.loss_reasons, &to.loss_reasons)?),
        Thing::Field(record, id) => {
            let named = from.field(record, id)?;
            let same = to
                .fields
                .iter()
                .filter(|one| one.record == record && same_name(&one.name, &named.name));
            // Of several that are called so, the one that holds the same kind of value.
            let best = same.max_by_key(|one| one.field_type == named.field_type);
            let coded = || to.field_by_code(record, named.code.as_deref()?);
            Thing::Field(record, best.or_else(coded)?.id)
        }
    })
}

fn found_choice(id: i64, from: &[Choice], to: &[Choice]) -> Option<i64> {
    let named = from.iter().find(|one| one.id == Some(id))?;
    to.iter().find(|one| same_name(&one.name, &named.name))?.id
}

/// By the names of both, else by its own name in any funnel, else, for the two ends of a funnel, by what it means.
fn found_stage(stage: Stage, from: &Catalogue, to: &Catalogue) -> Option<Stage> {
    let (funnel, named) = from.stage(stage)?;
    let same_funnel = || {
        to.pipelines
            .iter()
            .filter(|one| same_name(&one.name, &funnel.name))
    };
    let funnels = || same_funnel().chain(&to.pipelines);
    let by_name = funnels().find_map(|one| {
        let same = one
            .stages
            .iter()
            .find(|info| same_name(&info.name, &named.name))?;
        Some((one.id, same.id))
    });
    let by_meaning = || {
        let ends = matches!(named.kind, StageKind::Won | StageKind::Lost);
        funnels().filter(|_| ends).find_map(|one| {
            let same = one.stages.iter().find(|info| info.kind == named.kind)?;
            Some((one.id, same.id))
        })
    };
    let (pipeline, status) = by_name.or_else(by_meaning)?;
    Some(Stage { pipeline, status })
}

fn words(thing: Thing, from: Option<&Catalogue>) -> String {
    let number = |id: i64| format!("№ {id}");
    let choice = |all: fn(&Catalogue) -> &[Choice], id: i64| {
        let found = from.and_then(|from| all(from).iter().find(|one| one.id == Some(id)));
        found.map_or_else(|| number(id), |one| format!("«{}»", one.name))
    };
    match thing {
        Thing::Stage(stage) => match from.and_then(|from| from.stage(stage)) {
            Some((funnel, info)) => format!("этап «{}» воронки «{}»", info.name, funnel.name),
            None => format!("этап № {} воронки № {}", stage.status, stage.pipeline),
        },
        Thing::Pipeline(id) => {
            let found = from.and_then(|from| from.pipelines.iter().find(|one| one.id == id));
            let name = found.map_or_else(|| number(id), |one| format!("«{}»", one.name));
            format!("воронка {name}")
        }
        Thing::User(id) => {
            let name = from.and_then(|from| from.user(id));
            let name = name.map_or_else(|| number(id), |one| format!("«{}»", one.name));
            format!("пользователь {name}")
        }
        Thing::TaskType(id) => format!("тип задачи {}", choice(|all| &all.task_types, id)),
        Thing::LossReason(id) => format!("причина отказа {}", choice(|all| &all.loss_reasons, id)),
        Thing::Field(record, id) => {
            let name = from.and_then(|from| from.field(record, id));
            let name = name.map_or_else(|| number(id), |one| format!("«{}»", one.name));
            format!("поле {name} ({})", record.title())
        }
    }
}
