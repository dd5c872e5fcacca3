//! One value of the document, edited by the type of its field.

use std::sync::Arc;

use domain::field::{FieldPath, FieldType};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::Editor;
use super::picker::{Chosen, Setup, chosen, picker};
use super::widgets;
use crate::rule_editor::choices::{self, Item};
use crate::rule_editor::operands;

/// Where values of a field come from.
pub fn source(
    editor: Editor,
    path: FieldPath,
    field_type: FieldType,
) -> Arc<dyn Fn() -> Vec<Item> + Send + Sync> {
    Arc::new(move || {
        editor
            .scope
            .with(|scope| choices::values(scope, path, field_type))
            .unwrap_or_default()
    })
}

/// The type's values are chosen from a list.
pub fn is_chosen(field_type: FieldType) -> bool {
    matches!(
        field_type,
        FieldType::Stage
            | FieldType::Pipeline
            | FieldType::User
            | FieldType::Tags
            | FieldType::Select
            | FieldType::MultiSelect
    )
}

/// What a text that is in no list would be: a tag or an option by name.
pub fn free(field_type: FieldType) -> Option<fn(&str) -> Value> {
    matches!(
        field_type,
        FieldType::Tags | FieldType::Select | FieldType::MultiSelect
    )
    .then_some(|text: &str| json!({ "type": "choice", "value": { "name": text } }))
}

/// A value that no list knows, in words.
pub fn unknown(value: &Value) -> String {
    match value.get("value").unwrap_or(value) {
        Value::Object(members) => match members.get("name").and_then(Value::as_str) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => String::new(),
        },
        Value::Number(number) if number.as_i64() == Some(0) => String::new(),
        Value::Number(number) => format!("№ {number}"),
        _ => String::new(),
    }
}

fn inner_text(value: Signal<Value>) -> Signal<String> {
    Signal::derive(move || {
        value.with(|value| match value.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        })
    })
}

fn tagged(kind: &'static str, set: Callback<Value>) -> Callback<Option<String>> {
    Callback::new(move |text: Option<String>| {
        set.run(match (text, kind) {
            (None, _) => json!({ "type": "empty" }),
            (Some(text), "id") => json!({ "type": kind, "value": text.parse::<i64>().unwrap_or_default() }),
            (Some(text), _) => json!({ "type": kind, "value": text }),
        });
    })
}

/// Edits one value; `value` is `null` or empty while there is none.
pub fn value_input(
    editor: Editor,
    label: String,
    path: FieldPath,
    field_type: FieldType,
    value: Signal<Value>,
    set: Callback<Value>,
) -> AnyView {
    if is_chosen(field_type) {
        let items = source(editor, path, field_type);
        let now = Signal::derive(move || {
            value.with(|value| match value.get("type").and_then(Value::as_str) {
                Some("empty") => Value::Null,
                _ => value.clone(),
            })
        });
        return picker(Setup {
            label,
            blank: blank(field_type),
            testid: "value-picker",
            chosen: chosen(now, Arc::clone(&items), unknown),
            items,
            free: free(field_type),
            on_pick: set,
            clears: false,
        });
    }
    match field_type {
        FieldType::Number | FieldType::Money => {
            widgets::number_line(label, inner_text(value), tagged("number", set))
        }
        FieldType::Id => widgets::number_line(label, inner_text(value), tagged("id", set)),
        FieldType::Flag => {
            let now = Signal::derive(move || {
                value.with(|value| {
                    value
                        .get("value")
                        .and_then(Value::as_bool)
                        .unwrap_or_default()
                        .to_string()
                })
            });
            let words = vec![
                ("true".to_owned(), "да".to_owned()),
                ("false".to_owned(), "нет".to_owned()),
            ];
            let on = Callback::new(move |word: String| {
                set.run(json!({ "type": "flag", "value": word == "true" }))
            });
            widgets::select(label, Signal::stored(words), now, on)
        }
        FieldType::Date | FieldType::DateTime => {
            let now = Signal::derive(move || value.with(day_of));
            day_input(
                label,
                now,
                Callback::new(move |day: Value| set.run(json!({ "type": "day", "value": day }))),
            )
        }
        _ => {
            let on = Callback::new(move |text: String| set.run(json!({ "type": "text", "value": text })));
            widgets::line(label, "text", "значение", inner_text(value), on)
        }
    }
}

const fn blank(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Stage => "выберите этап",
        FieldType::Pipeline => "выберите воронку",
        FieldType::User => "выберите пользователя",
        FieldType::Tags => "выберите тег",
        _ => "выберите",
    }
}

/// A day of the calendar; told only whole days.
pub fn day_input(label: String, value: Signal<String>, set: Callback<Value>) -> AnyView {
    let on = Callback::new(move |text: String| {
        if let Some(day) = operands::day(&text) {
            set.run(day);
        }
    });
    widgets::line(label, "date", "", value, on)
}

/// A day or a moment as the date field speaks it.
fn day_of(value: &Value) -> String {
    let inner = value.get("value").unwrap_or(value);
    match inner.as_i64() {
        // Written through the API as a moment: shown by its day in UTC until a person changes it.
        Some(at) => String::from(js_sys::Date::new(&(at as f64).into()).to_iso_string())
            .chars()
            .take(10)
            .collect(),
        None => operands::day_text(inner).unwrap_or_default(),
    }
}

/// Several values: each with a button that takes it away, and a place for the next.
pub fn values_input(
    editor: Editor,
    label: String,
    path: FieldPath,
    field_type: FieldType,
    values: Signal<Vec<Value>>,
    set: Callback<Value>,
) -> AnyView {
    let items = source(editor, path, field_type);
    let known = Arc::clone(&items);
    let chips = move || {
        let known = if is_chosen(field_type) {
            known()
        } else {
            Vec::new()
        };
        let all = values.get();
        let chips: Vec<AnyView> = all
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let title = known
                    .iter()
                    .find(|item| choices::same(&item.value, value))
                    .map_or_else(|| plain(value), Item::full_title);
                let mut rest = all.clone();
                rest.remove(at);
                let label = format!("Убрать: {title}");
                view! {
                    <span class="chip">
                        {title}
                        <button type="button" aria-label=label on:click=move |_| set.run(Value::Array(rest.clone()))>"×"</button>
                    </span>
                }
                .into_any()
            })
            .collect();
        chips.into_any()
    };
    let add = Callback::new(move |value: Value| {
        let mut all = values.get_untracked();
        if !value.is_null() && !all.iter().any(|one| choices::same(one, &value)) {
            all.push(value);
            set.run(Value::Array(all));
        }
    });
    let adder = if is_chosen(field_type) {
        picker(Setup {
            label: format!("Добавить: {label}"),
            blank: "добавить",
            testid: "value-picker",
            items,
            chosen: Signal::stored(Chosen::default()),
            free: free(field_type),
            on_pick: add,
            clears: false,
        })
    } else {
        typed_adder(editor, label, field_type, add)
    };
    view! { <div class="chips">{chips}{adder}</div> }.into_any()
}

fn plain(value: &Value) -> String {
    match value.get("value") {
        Some(Value::String(text)) => text.clone(),
        _ => unknown(value),
    }
}

/// A line whose text becomes a value with Enter or when it is left.
fn typed_adder(editor: Editor, label: String, field_type: FieldType, add: Callback<Value>) -> AnyView {
    let typed = RwSignal::new(String::new());
    let take = move || {
        let text = typed.get_untracked().trim().to_owned();
        if text.is_empty() {
            return;
        }
        let value = match field_type {
            FieldType::Number | FieldType::Money => {
                operands::number(&text).map(|number| json!({ "type": "number", "value": number }))
            }
            FieldType::Id => text
                .parse::<i64>()
                .ok()
                .map(|id| json!({ "type": "id", "value": id })),
            FieldType::Date | FieldType::DateTime => {
                operands::day(&text).map(|day| json!({ "type": "day", "value": day }))
            }
            _ => Some(json!({ "type": "text", "value": text })),
        };
        if let Some(value) = value {
            typed.set(String::new());
            add.run(value);
        }
    };
    view! {
        <input
            class="control adder"
            type="text"
            aria-label=format!("Добавить: {label}")
            placeholder="добавить и Enter"
            disabled=move || !editor.open.get()
            prop:value=move || typed.get()
            on:input=move |event| typed.set(event_target_value(&event))
            on:change=move |_| take()
            on:keydown=move |event| {
                if event.key() == "Enter" {
                    event.prevent_default();
                    take();
                }
            }
        />
    }
    .into_any()
}
