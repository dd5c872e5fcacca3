//! The form in which a target field takes its value.

use crate::calendar::{local_day, start_of};
use crate::catalogues::Scope;
use crate::compile::Target;
use crate::evaluate::Facts;
use crate::field::{FieldPath, FieldType};
use crate::text::same_name;
use crate::value::{Choice, Value};

/// Brings a value that is not empty into the form of a field; the error says in Russian why it does not fit.
pub(super) fn fit(
    value: Value,
    path: Option<FieldPath>,
    target: &Target,
    scope: &Scope,
    facts: &Facts,
) -> Result<Value, String> {
    use FieldType as T;
    let words = |value: &Value| scope.value_words(path, value, &facts.zone);
    let wrong = |value: &Value| {
        Err(format!(
            "значение {} не подходит полю типа «{}»",
            words(value),
            crate::types::type_title(target.field_type)
        ))
    };
    // A constant or a table may know an option only by id: its name is the catalogue's.
    let named = |choice: Choice| {
        let name = scope.value_text(path, &Value::Choice(choice.clone()), &facts.zone);
        if choice.name.is_empty() {
            Choice { name, ..choice }
        } else {
            choice
        }
    };
    match (target.field_type, value) {
        (T::Text, Value::Text(text)) => Ok(Value::Text(text)),
        (T::Text, Value::Choice(choice)) => Ok(Value::text(named(choice).name)),
        // One value was promised when the rule was compiled; several can only come from one text cell.
        (T::Text, Value::Texts(list)) => Ok(Value::text(list.join(", "))),
        (T::Phone | T::Email, value @ (Value::Text(_) | Value::Texts(_))) => Ok(match value {
            Value::Text(text) => Value::Texts(vec![text]),
            other => other,
        }),
        (T::Number | T::Money, value @ Value::Number(_))
        | (T::Flag, value @ Value::Flag(_))
        | (T::User, value @ Value::User(_))
        | (T::Stage, value @ Value::Stage(_))
        | (T::DateTime, value @ Value::Instant(_))
        | (T::Date, value @ Value::Day(_)) => Ok(value),
        (T::DateTime, Value::Day(day)) => start_of(day, &facts.zone)
            .map(Value::Instant)
            .ok_or_else(|| "такого дня нет в календаре".to_owned()),
        (T::Date, Value::Instant(at)) => local_day(at, &facts.zone)
            .map(Value::Day)
            .ok_or_else(|| "дата вне календаря".to_owned()),
        (T::Select, Value::Choice(choice)) => option(named(choice), path, target).map(Value::Choice),
        (T::Select, Value::Text(text)) => option(Choice::named(text), None, target).map(Value::Choice),
        (T::MultiSelect | T::Tags, value) => {
            let list = match value {
                Value::Choice(choice) => vec![named(choice)],
                Value::Choices(list) => list.into_iter().map(named).collect(),
                Value::Text(text) => vec![Choice::named(text.trim())],
                Value::Texts(list) => list.into_iter().map(Choice::named).collect(),
                other => return wrong(&other),
            };
            let found: Result<Vec<Choice>, String> = if target.field_type == T::Tags {
                Ok(list.into_iter().map(|choice| tag(choice, path, target)).collect())
            } else {
                list.into_iter()
                    .map(|choice| option(choice, path, target))
                    .collect()
            };
            found.map(Value::Choices)
        }
        (_, value) => wrong(&value),
    }
}

/// The target's option: by id when the value is the target's own, else by name.
fn option(choice: Choice, path: Option<FieldPath>, target: &Target) -> Result<Choice, String> {
    if target.options.is_empty() {
        return Ok(choice);
    }
    // Ids of another field's options mean nothing here; constants and tables were given for this field.
    let own_ids = path.is_none();
    let found = target.options.iter().find(|option| match (choice.id, option.id) {
        (Some(a), Some(b)) if own_ids => a == b,
        _ => same_name(&choice.name, &option.name),
    });
    let found = found.or_else(|| {
        target
            .options
            .iter()
            .find(|option| same_name(&choice.name, &option.name))
    });
    found
        .cloned()
        .ok_or_else(|| format!("варианта «{}» в нём нет", choice.name))
}

/// The account's tag of this name, or a new one.
fn tag(choice: Choice, path: Option<FieldPath>, target: &Target) -> Choice {
    let known = target
        .catalogue
        .tags
        .iter()
        .find(|tag| tag.record == target.record && same_name(&tag.name, &choice.name))
        .map(|tag| Choice::new(tag.id, tag.name.as_str()));
    match known {
        Some(known) => known,
        None if path.is_some() => Choice { id: None, ..choice },
        None => choice,
    }
}
