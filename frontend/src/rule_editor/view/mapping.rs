//! The mapping table: where a value comes from, how it is converted, which field it fills.

use std::sync::Arc;

use domain::field::{FieldKey, FieldPath, FieldType};
use domain::record::RecordKind;
use domain::types::{FieldDescription, Fit, Need, Shape, fit, suggest};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::expression::{Purpose, expression};
use super::picker::{Chosen, Setup, picker};
use super::value::value_input;
use super::widgets::{line, select, tool, word_at, word_button};
use super::{Editor, each, items_of};
use crate::rule_editor::choices;
use crate::rule_editor::draft::Edit;
use crate::rule_editor::forms::{CONVERSIONS, IF_EMPTY, MODES, conversion_word};
use crate::ui::{Glyph, Icon};

/// Records that a card may write, by the CRM it works in.
fn records(kind: Option<domain::connection::ConnectorKind>) -> &'static [RecordKind] {
    match kind {
        Some(domain::connection::ConnectorKind::Lptracker) => &[RecordKind::Lead, RecordKind::LeadContact],
        _ => &[RecordKind::Deal, RecordKind::Contact, RecordKind::Company],
    }
}

/// The table at a place of a card.
pub fn mapping(editor: Editor, card: &str) -> AnyView {
    let list = format!("{card}/mapping");
    let side = editor.kind_at(format!("{card}/connection"));
    let rows = items_of(editor, list.clone());
    let add = {
        let list = list.clone();
        Callback::new(move |()| {
            let record = records(side.get_untracked())[0];
            let item = json!({ "record": record.as_str(), "field": "name", "from": { "template": "" } });
            editor.apply(Edit::Insert {
                list: list.clone(),
                at: usize::MAX,
                item,
            });
        })
    };
    let offer = Callback::new(move |()| propose(editor, &list, records(side.get_untracked())));
    view! {
        <div class="map-table" data-testid="mapping">
            {each(rows, move |at| row(editor, at, side))}
            <div class="adders">
                {word_button("Строка", Some(Glyph::Plus), "add-line", add)}
                {word_button("Предложить по названиям", None, "propose", offer)}
            </div>
        </div>
    }
    .into_any()
}

/// Adds a line for every field that has a likely source and no line yet.
fn propose(editor: Editor, list: &str, records: &[RecordKind]) {
    let scope = editor.scope.get_untracked();
    let all = scope.fields();
    let home = scope.source();
    let taken: Vec<(String, String)> = editor.draft.with_untracked(|draft| {
        let lines = draft
            .at(list)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let word = |line: &Value, member: &str| line[member].as_str().unwrap_or_default().to_owned();
        lines
            .iter()
            .map(|line| (word(line, "record"), word(line, "field")))
            .collect()
    });
    let mut lines = editor
        .draft
        .with_untracked(|draft| draft.at(list).and_then(Value::as_array).cloned())
        .unwrap_or_default();
    let free = |field: &&FieldDescription| {
        let path = field.path;
        field.writable
            && records.contains(&path.record)
            && !matches!(field.field_type, FieldType::Stage | FieldType::User)
            && !taken.contains(&(path.record.as_str().to_owned(), path.key.to_string()))
    };
    for target in all.iter().filter(free) {
        let person = matches!(target.path.record, RecordKind::Contact | RecordKind::LeadContact);
        let near = |path: FieldPath| {
            domain::catalogues::home_of(path.record).is_some_and(|kind| Some(kind) == home)
                && matches!(path.record, RecordKind::Contact | RecordKind::LeadContact) == person
                && path.record != RecordKind::Company
        };
        if let Some(source) = suggest(target, &all, near) {
            lines.push(json!({
                "record": target.path.record.as_str(),
                "field": target.path.key.to_string(),
                "from": { "field": source.path.to_string() },
                "convert": needed(source.field_type, target.field_type),
            }));
        }
    }
    editor.set(list, Value::Array(lines));
}

/// The conversions that a line begins with: numbers to their usual form, and what the types ask for.
fn needed(source: FieldType, target: FieldType) -> Value {
    let first = match fit(Shape::of_field(source), target) {
        Fit::Direct if target == FieldType::Phone => "phone",
        Fit::Through(needs) => needs.first().map_or("", |need| match need {
            Need::Phone => "phone",
            Need::Number => "number",
            Need::DateFormat => "date_format",
            Need::Options => "options",
            Need::First => "first",
            Need::Join => "join",
            Need::Text => "text",
        }),
        _ => "",
    };
    let step = CONVERSIONS
        .iter()
        .find(|(word, ..)| *word == first)
        .and_then(|(.., text)| serde_json::from_str::<Value>(text).ok());
    Value::Array(step.into_iter().collect())
}

fn row(editor: Editor, at: String, side: Signal<Option<domain::connection::ConnectorKind>>) -> AnyView {
    let whole = editor.at(at.clone());
    let target = Memo::new(move |_| {
        whole.with(|line| {
            let record = RecordKind::parse(line["record"].as_str()?)?;
            let key: FieldKey = line["field"].as_str()?.parse().ok()?;
            Some(FieldPath::now(record, key))
        })
    });
    let known = Memo::new(move |_| {
        let path = target.get()?;
        let field_type = editor.scope.with(|scope| scope.field_type(path));
        Some((path, field_type.unwrap_or(FieldType::Text)))
    });
    let chosen = Memo::new(move |_| match target.get() {
        Some(path) => Chosen {
            title: editor.scope.with(|scope| scope.field_name(path)),
            group: path.record.title().to_owned(),
            color: None,
        },
        None => Chosen::default(),
    });
    let place = at.clone();
    let on_target = Callback::new(move |to: Value| {
        let mut line = whole.get_untracked();
        line["record"] = to["record"].clone();
        line["field"] = to["field"].clone();
        editor.set(place.clone(), line);
    });
    let items = move || {
        editor
            .scope
            .with_untracked(|scope| choices::targets(scope, records(side.get_untracked())))
    };
    let gone = at.clone();
    let remove = Callback::new(move |()| {
        editor.apply(Edit::Remove { at: gone.clone() });
    });
    let from = format!("{at}/from");
    let source = move || {
        let (path, field_type) = known.get()?;
        let purpose = Purpose {
            path,
            field_type,
            many: true,
        };
        Some(expression(editor, "Источник".to_owned(), from.clone(), purpose))
    };
    view! {
        <div class="map-row" data-testid="map-row">
            <div class="map-main">
                <div class="map-source">{source}</div>
                <span class="map-arrow"><Icon glyph=Glyph::Arrow /><span class="visually-hidden">"записать в"</span></span>
                {picker(Setup {
                    label: "Куда".to_owned(),
                    blank: "выберите поле",
                    testid: "target-picker",
                    items: Arc::new(items),
                    chosen: chosen.into(),
                    free: None,
                    on_pick: on_target,
                    clears: false,
                })}
                {tool("Удалить строку", Glyph::Bin, "remove-line", remove)}
            </div>
            <div class="map-more">
                {conversions(editor, at.clone(), known)}
                {with_default(editor, "Как записать", format!("{at}/mode"), MODES)}
                {with_default(editor, "Если значения нет", format!("{at}/if_empty"), IF_EMPTY)}
            </div>
            {editor.findings_at(at, Vec::new())}
        </div>
    }
    .into_any()
}

/// A word that the document may leave out, which then means the first one.
fn with_default(
    editor: Editor,
    label: &str,
    at: String,
    words: &'static [(&'static str, &'static str)],
) -> AnyView {
    let text = editor.text(at.clone());
    let value = Signal::derive(move || {
        Some(text.get())
            .filter(|word| !word.is_empty())
            .unwrap_or_else(|| words[0].0.to_owned())
    });
    let options = words
        .iter()
        .map(|(word, title)| ((*word).to_owned(), (*title).to_owned()))
        .collect();
    let on = Callback::new(move |word: String| editor.set(at.clone(), word.into()));
    select(label, Signal::stored(options), value, on)
}

fn conversions(editor: Editor, at: String, known: Memo<Option<(FieldPath, FieldType)>>) -> AnyView {
    let list = format!("{at}/convert");
    let rows = items_of(editor, list.clone());
    let mut offered = vec![(String::new(), "+ преобразование".to_owned())];
    offered.extend(
        CONVERSIONS
            .iter()
            .map(|(word, title, _)| ((*word).to_owned(), (*title).to_owned())),
    );
    let on = Callback::new(move |word: String| {
        let blank = CONVERSIONS.iter().find(|(one, ..)| *one == word);
        if let Some(item) = blank.and_then(|(.., text)| serde_json::from_str(text).ok()) {
            editor.apply(Edit::Insert {
                list: list.clone(),
                at: usize::MAX,
                item,
            });
        }
    });
    let source = editor.at(format!("{at}/from/field"));
    let draw = move |at: String| step(editor, at, source, known);
    view! {
        {each(rows, draw)}
        {select("Добавить преобразование", Signal::stored(offered), Signal::stored(String::new()), on)}
    }
    .into_any()
}

fn step(
    editor: Editor,
    at: String,
    source: Signal<Value>,
    known: Memo<Option<(FieldPath, FieldType)>>,
) -> AnyView {
    let now = editor.at(at.clone());
    let word = Memo::new(move |_| now.with(|now| conversion_word(now).to_owned()));
    let gone = at.clone();
    let remove = move |_| {
        editor.apply(Edit::Remove { at: gone.clone() });
    };
    let title = move || {
        let word = word.get();
        CONVERSIONS
            .iter()
            .find(|(one, ..)| *one == word)
            .map_or("", |(_, title, _)| *title)
    };
    let place = at.clone();
    let body = move || match word.get().as_str() {
        "case" => word_at(
            editor,
            "Регистр",
            format!("{place}/case"),
            &[
                ("lower", "строчные"),
                ("upper", "ПРОПИСНЫЕ"),
                ("title", "Первая Прописная"),
            ],
        ),
        word @ ("date_format" | "join") => {
            let inner = format!("{place}/{word}");
            let label = if word == "join" {
                "Чем разделять"
            } else {
                "Формат: d.m.Y H:i"
            };
            let on = editor.setter(inner.clone());
            line(
                label,
                "text",
                "",
                editor.text(inner),
                Callback::new(move |text: String| on.run(text.into())),
            )
        }
        "default" => {
            let inner = format!("{place}/default");
            let on = editor.setter(inner.clone());
            // A text stands in for any type; the compiler says where it cannot.
            let text = editor.text(format!("{inner}/value"));
            line(
                "Значение, если пусто",
                "text",
                "значение",
                text,
                Callback::new(move |text: String| {
                    on.run(json!({ "type": "text", "value": text }));
                }),
            )
        }
        "options" => table(editor, format!("{place}/options"), source, known),
        _ => ().into_any(),
    };
    view! {
        <span class="chip step">
            {title}
            {body}
            <button type="button" aria-label=move || format!("Убрать: {}", title()) on:click=remove>"×"</button>
        </span>
    }
    .into_any()
}

/// From → to, by the values of both fields.
fn table(
    editor: Editor,
    at: String,
    source: Signal<Value>,
    known: Memo<Option<(FieldPath, FieldType)>>,
) -> AnyView {
    let list = format!("{at}/table");
    let rows = items_of(editor, list.clone());
    let from = Memo::new(move |_| {
        let path: FieldPath = source.with(|path| path.as_str().and_then(|path| path.parse().ok()))?;
        let field_type = editor.scope.with(|scope| scope.field_type(path))?;
        Some((path, field_type))
    });
    let side = move |at: String, label: &'static str, of: Memo<Option<(FieldPath, FieldType)>>| {
        (move || {
            let text = FieldPath::now(RecordKind::Note, domain::field::SystemField::Text);
            let (path, field_type) = of.get().unwrap_or((text, FieldType::Text));
            value_input(
                editor,
                label.to_owned(),
                path,
                field_type,
                editor.at(at.clone()),
                editor.setter(at.clone()),
            )
        })
        .into_any()
    };
    let draw = move |at: String| {
        let gone = at.clone();
        let remove = Callback::new(move |()| {
            editor.apply(Edit::Remove { at: gone.clone() });
        });
        view! {
            <div class="pair">
                {side(format!("{at}/0"), "Из", from)}
                <span aria-hidden="true">"→"</span>
                {side(format!("{at}/1"), "Во что", known)}
                {tool("Убрать пару", Glyph::Close, "remove-pair", remove)}
            </div>
        }
        .into_any()
    };
    let add = Callback::new(move |()| {
        let item = json!([{ "type": "empty" }, { "type": "empty" }]);
        editor.apply(Edit::Insert {
            list: list.clone(),
            at: usize::MAX,
            item,
        });
    });
    view! { <div class="pairs">{each(rows, draw)}{word_button("Пара", Some(Glyph::Plus), "add-pair", add)}</div> }.into_any()
}
