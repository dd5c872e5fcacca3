//! Values that rules insist on.

use crate::check::{Check, Demanded};
use crate::compile::{CompiledRule, Node};
use crate::condition::Alike;
use crate::field::FieldPath;
use crate::text::normalise;
use crate::value::{Stage, Value};
use rust_decimal::Decimal;

/// A value in the form it is looked up by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Key {
    Stage(Stage),
    User(i64),
    Id(i64),
    Number(Decimal),
    Flag(bool),
    /// A text, or the name of an option, as compared.
    Text(Box<str>),
    /// The id of an option.
    Option(i64),
}

/// Types of values that a comparison can tell; a value of another type makes it unknown, not false.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Stage,
    User,
    Id,
    Number,
    Flag,
    Text,
    Option,
}

/// The rule matches only when the field holds one of these.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) path: FieldPath,
    pub(super) class: Class,
    pub(super) keys: Vec<Key>,
}

/// What a rule insists on: comparisons that all must hold.
pub(super) fn demands(rule: &CompiledRule) -> Vec<Demand> {
    let mut out = Vec::new();
    collect(&rule.root, &mut out);
    out
}

fn collect(node: &Node, out: &mut Vec<Demand>) {
    match node {
        Node::All(list) => list.iter().for_each(|inner| collect(inner, out)),
        Node::Any(_) | Node::Not(_) => {}
        Node::Test(test) => {
            if let Some((class, keys)) = keys(&test.check) {
                out.push(Demand {
                    path: test.path,
                    class,
                    keys,
                });
            }
        }
    }
}

fn keys(check: &Check) -> Option<(Class, Vec<Key>)> {
    let mut keys = Vec::new();
    let mut class = None;
    for demanded in check.demanded()? {
        let (own, key) = match demanded {
            Demanded::Stage(stage) => (Class::Stage, Key::Stage(stage)),
            Demanded::User(user) => (Class::User, Key::User(user)),
            Demanded::Id(id) => (Class::Id, Key::Id(id)),
            Demanded::Number(number) => (Class::Number, Key::Number(number)),
            Demanded::Flag(flag) => (Class::Flag, Key::Flag(flag)),
            Demanded::Text(text) => (Class::Text, Key::Text(text.into())),
            Demanded::Option { id, name } => {
                // Options may meet by id or by name: both keys lead here.
                keys.extend(id.map(Key::Option));
                (Class::Option, Key::Text(name.into()))
            }
        };
        class = Some(own);
        keys.push(key);
    }
    Some((class?, keys))
}

/// The type of a value, where it can be looked up at all.
fn class_of(value: &Value) -> Option<Class> {
    Some(match value {
        Value::Stage(_) => Class::Stage,
        Value::User(_) => Class::User,
        Value::Id(_) => Class::Id,
        Value::Number(_) => Class::Number,
        Value::Flag(_) => Class::Flag,
        Value::Text(_) | Value::Texts(_) => Class::Text,
        Value::Choice(_) | Value::Choices(_) => Class::Option,
        Value::Empty | Value::Instant(_) | Value::Day(_) | Value::Json(_) => return None,
    })
}

/// The keys a value is found under; `None` when it cannot be looked up, so nothing may be left out.
pub(super) fn keys_of(value: &Value, class: Class) -> Option<Vec<Key>> {
    if *value != Value::Empty && class_of(value) != Some(class) {
        return None;
    }
    let text = |text: &str| Key::Text(normalise(text, Alike::default()).into());
    Some(match value {
        Value::Empty => Vec::new(),
        Value::Stage(stage) => vec![Key::Stage(*stage)],
        Value::User(user) => vec![Key::User(*user)],
        Value::Id(id) => vec![Key::Id(*id)],
        Value::Number(number) => vec![Key::Number(*number)],
        Value::Flag(flag) => vec![Key::Flag(*flag)],
        Value::Text(one) => vec![text(one)],
        Value::Texts(list) => list.iter().map(|one| text(one)).collect(),
        Value::Choice(choice) => choice
            .id
            .map(Key::Option)
            .into_iter()
            .chain([text(&choice.name)])
            .collect(),
        Value::Choices(list) => list
            .iter()
            .flat_map(|choice| choice.id.map(Key::Option).into_iter().chain([text(&choice.name)]))
            .collect(),
        Value::Instant(_) | Value::Day(_) | Value::Json(_) => return None,
    })
}
