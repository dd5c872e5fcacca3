//! Every place of a rule and of a test case that holds an id of an account.

use crate::action::{Action, ActionCard};
use crate::case::TestCase;
use crate::catalogues::{Catalogues, Scope, home_of};
use crate::command::{FieldWrite, Operation, Pick, Target};
use crate::condition::{Compare, Condition, Operand};
use crate::connection::ConnectorKind;
use crate::field::{FieldKey, FieldPath, SystemField};
use crate::id::ConnectionId;
use crate::mapping::{Conversion, Expression, MappingLine};
use crate::record::{Record, RecordKind};
use crate::rule::Rule;
use crate::value::{Choice, Stage, Value};

/// An id, or a choice that may have one, where it stands.
pub(super) enum Place<'a> {
    Connection(&'a mut ConnectionId),
    Stage(&'a mut Stage),
    Pipeline(&'a mut i64),
    User(&'a mut i64),
    TaskType(&'a mut i64),
    LossReason(&'a mut i64),
    /// A custom field.
    Field(RecordKind, &'a mut i64),
    /// A choice of a field; visited before the field itself.
    Choice(RecordKind, FieldKey, &'a mut Choice),
}

/// Told of every place, with the connection whose id stands there.
type Visit<'a> = &'a mut dyn FnMut(Option<ConnectionId>, Place<'_>);

/// Which connection a record of a rule belongs to.
pub(super) struct Homes {
    source: ConnectionId,
    amocrm: Option<ConnectionId>,
    lptracker: Option<ConnectionId>,
}

impl Homes {
    pub(super) fn of(rule: &Rule, catalogues: &Catalogues) -> Self {
        let scope = Scope::of(rule, catalogues);
        let side = |kind| scope.side(kind).map(|(id, _)| id);
        Self {
            source: rule.source,
            amocrm: side(ConnectorKind::Amocrm),
            lptracker: side(ConnectorKind::Lptracker),
        }
    }

    fn record(&self, record: RecordKind) -> Option<ConnectionId> {
        match home_of(record) {
            Some(ConnectorKind::Amocrm) => self.amocrm,
            Some(ConnectorKind::Lptracker) => self.lptracker,
            None => Some(self.source),
        }
    }
}

impl Homes {
    /// Where an action works: the compiler's own rule, for a card may name no connection.
    fn action(&self, card: &ActionCard) -> Option<ConnectionId> {
        let other = || match self.amocrm {
            Some(amocrm) if amocrm == self.source => self.lptracker,
            _ => self.amocrm,
        };
        let implied = match &card.action {
            Action::Upsert { kind, .. } => self.record(*kind),
            action => match action.target() {
                Some(Target::Trigger) => return Some(self.source),
                Some(Target::Linked) => other(),
                None => None,
            },
        };
        card.connection.or(implied)
    }
}

/// A field that a value is meant for.
#[derive(Clone, Copy)]
struct Meant {
    home: Option<ConnectionId>,
    record: RecordKind,
    key: Option<FieldKey>,
}

pub(super) fn walk_rule(rule: &mut Rule, homes: &Homes, visit: Visit<'_>) {
    let source = Some(rule.source);
    for trigger in &mut rule.triggers {
        for stage in trigger.schedule.iter_mut().flat_map(|one| &mut one.stages) {
            visit(source, Place::Stage(stage));
        }
    }
    condition(&mut rule.condition, homes, visit);
    for card in &mut rule.actions {
        action(card, homes, visit);
    }
    visit(None, Place::Connection(&mut rule.source));
}

pub(super) fn walk_case(case: &mut TestCase, homes: &Homes, visit: Visit<'_>) {
    let facts = &mut case.facts;
    let own = Meant {
        home: homes.record(facts.key.kind),
        record: facts.key.kind,
        key: None,
    };
    for known in &mut facts.records {
        known.record = record(&known.record, homes, visit);
    }
    for (field, held) in &mut facts.before {
        pair(own, field, held, visit);
    }
    for field in facts.changed.iter_mut().flatten() {
        key(own, field, visit);
    }
    for command in case.expected.commands.iter_mut().flatten() {
        operation(&mut command.operation, command.connection, visit);
        if let Some(connection) = &mut command.connection {
            visit(None, Place::Connection(connection));
        }
    }
}

fn record(old: &Record, homes: &Homes, visit: Visit<'_>) -> Record {
    let own = Meant {
        home: homes.record(old.key.kind),
        record: old.key.kind,
        key: None,
    };
    let mut new = Record::new(old.key.kind, old.key.id.clone());
    for (field, held) in old.fields() {
        let (mut field, mut held) = (*field, held.clone());
        pair(own, &mut field, &mut held, visit);
        new.set(field, held);
    }
    new
}

fn condition(tree: &mut Condition, homes: &Homes, visit: Visit<'_>) {
    match tree {
        Condition::All(all) | Condition::Any(all) => {
            for inner in all {
                condition(inner, homes, visit);
            }
        }
        Condition::Not(inner) => condition(inner, homes, visit),
        Condition::Compare(one) => compare(one, homes, visit),
    }
}

fn compare(one: &mut Compare, homes: &Homes, visit: Visit<'_>) {
    let meant = Meant {
        home: homes.record(one.field.record),
        record: one.field.record,
        key: Some(one.field.key),
    };
    match &mut one.with {
        Operand::Value(held) => value(meant, held, visit),
        Operand::Values(all) => all.iter_mut().for_each(|held| value(meant, held, visit)),
        Operand::Between(from, to) => {
            value(meant, from, visit);
            value(meant, to, visit);
        }
        Operand::Field(other) => path(other, homes, visit),
        Operand::Moved(moved) => moved.from.iter_mut().for_each(|from| path(from, homes, visit)),
        Operand::None
        | Operand::Span(_)
        | Operand::Weekdays(_)
        | Operand::TimeOfDay(..)
        | Operand::Day(_) => {}
    }
    path(&mut one.field, homes, visit);
}

fn action(card: &mut ActionCard, homes: &Homes, visit: Visit<'_>) {
    let home = homes.action(card);
    let side = match home {
        Some(id) if Some(id) == homes.lptracker => RecordKind::Lead,
        _ => RecordKind::Deal,
    };
    let to = |key: Option<SystemField>| Meant {
        home,
        record: side,
        key: key.map(FieldKey::from),
    };
    let free = to(None);
    match &mut card.action {
        Action::Upsert {
            kind,
            pick,
            mapping,
            stage,
            responsible,
            tags,
            order: _,
            if_none: _,
            if_found: _,
        } => {
            picked(pick, home, visit);
            lines(mapping, home, homes, visit);
            stage
                .iter_mut()
                .for_each(|stage| visit(home, Place::Stage(stage)));
            responsible
                .iter_mut()
                .for_each(|user| visit(home, Place::User(user)));
            for tag in tags {
                visit(home, Place::Choice(*kind, SystemField::Tags.into(), tag));
            }
        }
        Action::Update { mapping, target: _ } => lines(mapping, home, homes, visit),
        Action::Move {
            stage,
            loss_reason,
            target: _,
        } => {
            visit(home, Place::Stage(stage));
            loss_reason
                .iter_mut()
                .for_each(|id| visit(home, Place::LossReason(id)));
        }
        Action::SetResponsible { user, target: _ } => {
            expression(user, to(Some(SystemField::Responsible)), homes, visit);
        }
        Action::ChangeTags {
            add,
            remove,
            target: _,
        } => {
            for one in add.iter_mut().chain(remove) {
                expression(one, to(Some(SystemField::Tags)), homes, visit);
            }
        }
        Action::AddNote { text, target: _ } => expression(text, free, homes, visit),
        Action::AddTask {
            text,
            task_type,
            responsible,
            due_in_minutes: _,
            target: _,
        } => {
            expression(text, free, homes, visit);
            task_type
                .iter_mut()
                .for_each(|id| visit(home, Place::TaskType(id)));
            responsible
                .iter_mut()
                .for_each(|user| visit(home, Place::User(user)));
        }
        Action::LogCall {
            phone,
            duration,
            recording,
            result,
            target: _,
        } => {
            for one in [phone, duration, recording, result].into_iter().flatten() {
                expression(one, free, homes, visit);
            }
        }
        Action::AddPayment {
            category,
            purpose,
            sum,
            target: _,
        } => {
            for one in [category, purpose, sum] {
                expression(one, free, homes, visit);
            }
        }
        Action::SaveCallResult {
            phone,
            result,
            comment,
        } => {
            for one in [Some(phone), Some(result), comment.as_mut()]
                .into_iter()
                .flatten()
            {
                expression(one, free, homes, visit);
            }
        }
        Action::SendWebhook { body, url: _ } => {
            for (_, one) in body {
                expression(one, free, homes, visit);
            }
        }
        Action::Notify {
            text,
            channel: _,
            to: _,
        } => expression(text, free, homes, visit),
        Action::StartCall { target: _ } | Action::Stop { reason: _ } => {}
    }
    if let Some(connection) = &mut card.connection {
        visit(None, Place::Connection(connection));
    }
}

fn lines(all: &mut [MappingLine], home: Option<ConnectionId>, homes: &Homes, visit: Visit<'_>) {
    for line in all {
        let target = Meant {
            home,
            record: line.record,
            key: Some(line.field),
        };
        let source = source_of(&line.from, homes);
        expression(&mut line.from, target, homes, visit);
        for step in &mut line.convert {
            match step {
                Conversion::Options { table, default } => {
                    for (from, to) in table {
                        if let Some(source) = source {
                            value(source, from, visit);
                        }
                        value(target, to, visit);
                    }
                    default.iter_mut().for_each(|held| value(target, held, visit));
                }
                Conversion::Default(held) => value(target, held, visit),
                Conversion::Phone
                | Conversion::Trim
                | Conversion::Case(_)
                | Conversion::Number
                | Conversion::DateFormat(_)
                | Conversion::First
                | Conversion::Join(_)
                | Conversion::Text => {}
            }
        }
        key(target, &mut line.field, visit);
    }
}

/// The field that an expression takes its values from, when it is one field.
fn source_of(from: &Expression, homes: &Homes) -> Option<Meant> {
    match from {
        Expression::Field(path) => Some(Meant {
            home: homes.record(path.record),
            record: path.record,
            key: Some(path.key),
        }),
        Expression::FirstOf(list) => list.first().and_then(|first| source_of(first, homes)),
        Expression::Constant(_) | Expression::Template(_) => None,
    }
}

fn expression(one: &mut Expression, target: Meant, homes: &Homes, visit: Visit<'_>) {
    match one {
        Expression::Field(from) => path(from, homes, visit),
        Expression::Constant(held) => value(target, held, visit),
        Expression::Template(text) => *text = template(text, homes, visit),
        Expression::FirstOf(list) => {
            for inner in list {
                expression(inner, target, homes, visit);
            }
        }
    }
}

/// Names of fields between the braces, everything else as it is.
fn template(text: &str, homes: &Homes, visit: Visit<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{{") {
        out.push_str(before);
        out.push_str("{{");
        let end = inside.find("}}").unwrap_or(inside.len());
        let (place, after) = inside.split_at(end);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        // The field stands first; filters behind it hold no names.
        let start = place.find(is_name).unwrap_or(place.len());
        let (blank, named) = place.split_at(start);
        let length = named.find(|c| !is_name(c)).unwrap_or(named.len());
        let (name, filters) = named.split_at(length);
        out.push_str(blank);
        match name.parse::<FieldPath>() {
            Ok(mut found) => {
                path(&mut found, homes, visit);
                out.push_str(&found.to_string());
            }
            Err(_) => out.push_str(name),
        }
        out.push_str(filters);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn path(path: &mut FieldPath, homes: &Homes, visit: Visit<'_>) {
    let meant = Meant {
        home: homes.record(path.record),
        record: path.record,
        key: None,
    };
    key(meant, &mut path.key, visit);
}

fn key(meant: Meant, key: &mut FieldKey, visit: Visit<'_>) {
    if let FieldKey::Custom(id) = key {
        visit(meant.home, Place::Field(meant.record, id));
    }
}

fn pair(own: Meant, field: &mut FieldKey, held: &mut Value, visit: Visit<'_>) {
    let meant = Meant {
        key: Some(*field),
        ..own
    };
    value(meant, held, visit);
    key(own, field, visit);
}

fn value(meant: Meant, held: &mut Value, visit: Visit<'_>) {
    let home = meant.home;
    match held {
        Value::Choice(choice) => {
            if let Some(key) = meant.key {
                visit(home, Place::Choice(meant.record, key, choice));
            }
        }
        Value::Choices(all) => {
            if let Some(key) = meant.key {
                for choice in all {
                    visit(home, Place::Choice(meant.record, key, choice));
                }
            }
        }
        Value::User(id) => visit(home, Place::User(id)),
        Value::Stage(stage) => visit(home, Place::Stage(stage)),
        Value::Id(id) if meant.key == Some(SystemField::Pipeline.into()) => visit(home, Place::Pipeline(id)),
        Value::Id(_)
        | Value::Empty
        | Value::Text(_)
        | Value::Number(_)
        | Value::Flag(_)
        | Value::Instant(_)
        | Value::Day(_)
        | Value::Texts(_)
        | Value::Json(_) => {}
    }
}

fn picked(pick: &mut Pick, home: Option<ConnectionId>, visit: Visit<'_>) {
    if let Pick::InPipeline { pipeline } = pick {
        visit(home, Place::Pipeline(pipeline));
    }
}

fn writes(all: &mut [FieldWrite], home: Option<ConnectionId>, record: RecordKind, visit: Visit<'_>) {
    let own = Meant {
        home,
        record,
        key: None,
    };
    for write in all {
        pair(own, &mut write.key, &mut write.value, visit);
    }
}

fn operation(operation: &mut Operation, home: Option<ConnectionId>, visit: Visit<'_>) {
    match operation {
        Operation::Upsert(upsert) => {
            let person = match upsert.kind {
                RecordKind::Lead => RecordKind::LeadContact,
                _ => RecordKind::Contact,
            };
            picked(&mut upsert.search.pick, home, visit);
            writes(&mut upsert.fields, home, upsert.kind, visit);
            writes(&mut upsert.contact, home, person, visit);
            upsert
                .stage
                .iter_mut()
                .for_each(|stage| visit(home, Place::Stage(stage)));
            upsert
                .responsible
                .iter_mut()
                .for_each(|user| visit(home, Place::User(user)));
            for tag in &mut upsert.tags {
                visit(home, Place::Choice(upsert.kind, SystemField::Tags.into(), tag));
            }
        }
        Operation::Update {
            kind,
            fields,
            target: _,
        } => writes(fields, home, *kind, visit),
        Operation::Move {
            stage,
            loss_reason,
            target: _,
        } => {
            visit(home, Place::Stage(stage));
            loss_reason
                .iter_mut()
                .for_each(|id| visit(home, Place::LossReason(id)));
        }
        Operation::SetResponsible { user, target: _ } => visit(home, Place::User(user)),
        Operation::ChangeTags {
            add,
            remove,
            target: _,
        } => {
            for tag in add.iter_mut().chain(remove) {
                visit(
                    home,
                    Place::Choice(RecordKind::Deal, SystemField::Tags.into(), tag),
                );
            }
        }
        Operation::AddTask { task, target: _ } => {
            task.task_type
                .iter_mut()
                .for_each(|id| visit(home, Place::TaskType(id)));
            task.responsible
                .iter_mut()
                .for_each(|user| visit(home, Place::User(user)));
        }
        Operation::AddNote { .. }
        | Operation::LogCall { .. }
        | Operation::AddPayment { .. }
        | Operation::StartCall { .. }
        | Operation::SaveCallResult { .. }
        | Operation::SendWebhook { .. }
        | Operation::Notify { .. } => {}
    }
}
