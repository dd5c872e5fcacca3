//! The right side of a comparison.

use domain::condition::SpanUnit;
use domain::field::{FieldPath, FieldType};
use domain::types::{OperandShape, OperatorUse, is_comparable};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::Editor;
use super::expression::field_picker;
use super::value::{day_input, value_input, values_input};
use super::widgets::{line, select, tick, whole_at, word_at};
use crate::rule_editor::operands::{self, Form};

const UNITS: &[(&str, &str)] = &[
    ("minutes", "минут"),
    ("hours", "часов"),
    ("days", "дней"),
    ("weeks", "недель"),
    ("working_days", "рабочих дней"),
];

const DAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

const _: () = assert!(UNITS.len() == SpanUnit::WorkingDays as usize + 1);

/// Edits what stands at `with`; drawn anew when another form is chosen.
pub fn operand(
    editor: Editor,
    with: String,
    path: FieldPath,
    field_type: FieldType,
    entry: OperatorUse,
) -> AnyView {
    let now = editor.at(with.clone());
    let form = Memo::new(move |_| now.with(|now| operands::shown(&entry, now)));
    let allowed = operands::forms(&entry);
    let switch = (allowed.len() > 1).then(|| {
        let options = allowed
            .iter()
            .map(|form| (form.word().to_owned(), form.title().to_owned()))
            .collect();
        let chosen =
            Signal::derive(move || form.get().map(|form| form.word().to_owned()).unwrap_or_default());
        let place = with.clone();
        let on = Callback::new(move |word: String| {
            if let Some(form) = allowed.iter().find(|form| form.word() == word) {
                let to = match form {
                    Form::Field => json!({ "field": first_fitting(editor, path, field_type) }),
                    other => other.blank(),
                };
                editor.set(place.clone(), to);
            }
        });
        select("С чем сравнить", Signal::stored(options), chosen, on)
    });
    view! {
        {switch}
        {move || form.get().map(|form| draw(editor, with.clone(), path, field_type, entry, form))}
    }
    .into_any()
}

/// A field to begin a comparison between fields with.
fn first_fitting(editor: Editor, path: FieldPath, field_type: FieldType) -> String {
    editor.scope.with_untracked(|scope| {
        let all = scope.fields();
        let mut fits = all
            .iter()
            .filter(|other| other.path != path && is_comparable(field_type, other.field_type));
        fits.next()
            .map_or_else(|| path.to_string(), |other| other.path.to_string())
    })
}

fn draw(
    editor: Editor,
    with: String,
    path: FieldPath,
    field_type: FieldType,
    entry: OperatorUse,
    form: Form,
) -> AnyView {
    let now = editor.at(with.clone());
    let part = move |pointer: &'static str| {
        Signal::derive(move || now.with(|now| now.pointer(pointer).cloned().unwrap_or_default()))
    };
    let set = {
        let with = with.clone();
        move |wrap: fn(Value) -> Value| {
            let with = with.clone();
            Callback::new(move |value| editor.set(with.clone(), wrap(value)))
        }
    };
    let field_type = match entry.operand {
        OperandShape::Pattern | OperandShape::Country => FieldType::Text,
        _ => field_type,
    };
    match form {
        Form::Value => value_input(
            editor,
            "Значение".to_owned(),
            path,
            field_type,
            part("/value"),
            set(|value| {
                if value["type"] == "empty" {
                    json!("none")
                } else {
                    json!({ "value": value })
                }
            }),
        ),
        Form::Values => {
            let values = Signal::derive(move || now.with(operands::values));
            values_input(
                editor,
                "Значения".to_owned(),
                path,
                field_type,
                values,
                set(|list| json!({ "values": list })),
            )
        }
        Form::Between => {
            let end = |at: usize, label: &str, pointer| {
                let with = with.clone();
                let set = Callback::new(move |value: Value| {
                    let old = now.get_untracked();
                    let empty = json!({ "type": "empty" });
                    let mut pair =
                        [0, 1].map(|at| old.pointer(&format!("/between/{at}")).unwrap_or(&empty).clone());
                    pair[at] = value;
                    editor.set(with.clone(), json!({ "between": pair }));
                });
                value_input(editor, label.to_owned(), path, field_type, part(pointer), set)
            };
            view! { {end(0, "От", "/between/0")} <span>"и"</span> {end(1, "До", "/between/1")} }.into_any()
        }
        Form::Day => {
            let day = Signal::derive(move || {
                now.with(|now| {
                    let day = now.get("day").or_else(|| now.pointer("/value/value"));
                    day.and_then(operands::day_text).unwrap_or_default()
                })
            });
            day_input("Дата".to_owned(), day, set(|day| json!({ "day": day })))
        }
        Form::Field => {
            let fits = move |other: FieldType| is_comparable(field_type, other);
            field_picker(
                editor,
                "Поле справа".to_owned(),
                format!("{with}/field"),
                Some(std::sync::Arc::new(fits)),
            )
        }
        Form::Span => view! {
            {whole_at(editor, "Сколько", format!("{with}/span/n"))}
            {word_at(editor, "Единица времени", format!("{with}/span/unit"), UNITS)}
        }
        .into_any(),
        Form::Moved => moved(editor, with),
        Form::Weekdays => weekdays(editor, with),
        Form::TimeOfDay => {
            let end = |at: usize, label: &str, pointer: &'static str| {
                let value = part(pointer);
                let shown = Signal::derive(move || {
                    value.with(|value| value.as_i64().map(operands::clock_text).unwrap_or_default())
                });
                let place = format!("{with}/time_of_day/{at}");
                let on = Callback::new(move |text: String| {
                    if let Some(minutes) = operands::clock(&text) {
                        editor.set(place.clone(), minutes.into());
                    }
                });
                line(label, "time", "", shown, on)
            };
            view! { <span>"с"</span> {end(0, "С", "/time_of_day/0")} <span>"до"</span> {end(1, "До", "/time_of_day/1")} }
                .into_any()
        }
    }
}

/// Now or a field, plus or minus a length of time.
fn moved(editor: Editor, with: String) -> AnyView {
    let from = editor.at(format!("{with}/moved/from"));
    let is_field = Memo::new(move |_| from.with(|from| !from.is_null()));
    let word = Signal::derive(move || {
        if is_field.get() {
            "field".to_owned()
        } else {
            "now".to_owned()
        }
    });
    let place = format!("{with}/moved/from");
    let at = place.clone();
    let on = Callback::new(move |word: String| {
        let to = if word == "field" {
            json!("event.at")
        } else {
            Value::Null
        };
        editor.set(at.clone(), to);
    });
    let words = vec![
        ("now".to_owned(), "сейчас".to_owned()),
        ("field".to_owned(), "поле".to_owned()),
    ];
    let dates = |kind: FieldType| matches!(kind, FieldType::Date | FieldType::DateTime);
    view! {
        {select("От чего", Signal::stored(words), word, on)}
        {move || is_field.get().then(|| {
            field_picker(editor, "Поле даты".to_owned(), place.clone(), Some(std::sync::Arc::new(dates)))
        })}
        {whole_at(editor, "Сдвиг, можно отрицательный", format!("{with}/moved/by/n"))}
        {word_at(editor, "Единица времени", format!("{with}/moved/by/unit"), UNITS)}
    }
    .into_any()
}

fn weekdays(editor: Editor, with: String) -> AnyView {
    let place = format!("{with}/weekdays");
    let now = editor.at(place.clone());
    let days: Vec<AnyView> = DAYS
        .iter()
        .zip(1_i64..)
        .map(|(name, day)| {
            let there = move |list: &Value| list.as_array().is_some_and(|list| list.contains(&day.into()));
            let on = Signal::derive(move || now.with(there));
            let place = place.clone();
            let change = Callback::new(move |wanted: bool| {
                let mut days: Vec<i64> = (1..=7)
                    .filter(|one| {
                        now.with_untracked(|list| {
                            list.as_array().is_some_and(|list| list.contains(&(*one).into()))
                        })
                    })
                    .filter(|one| *one != day)
                    .collect();
                if wanted {
                    days.push(day);
                    days.sort_unstable();
                }
                editor.set(place.clone(), json!(days));
            });
            tick(*name, on, change)
        })
        .collect();
    view! { <div class="ticks">{days}</div> }.into_any()
}
