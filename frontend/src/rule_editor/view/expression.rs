//! Where a value comes from: a field, a text with places, a fixed value, the first of several.

use std::sync::Arc;

use domain::field::{FieldPath, FieldType};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use serde_json::{Value, json};

use super::picker::{Chosen, Setup, picker};
use super::value::value_input;
use super::widgets::{select, word_button};
use super::{Editor, each, items_of};
use crate::rule_editor::choices::{self, Item};
use crate::rule_editor::complete;
use crate::rule_editor::draft::Edit;
use crate::ui::{Glyph, unique_id};

/// Whether a field of a type may be chosen.
pub type Fits = Arc<dyn Fn(FieldType) -> bool + Send + Sync>;

/// Chooses a field whose name stands at a place.
pub fn field_picker(editor: Editor, label: String, at: String, fits: Option<Fits>) -> AnyView {
    let field = editor.text(at.clone());
    field_picker_with(editor, label, field, editor.setter(at), fits, true)
}

/// Chooses a field.
pub fn field_picker_with(
    editor: Editor,
    label: String,
    field: Signal<String>,
    on_pick: Callback<Value>,
    fits: Option<Fits>,
    former: bool,
) -> AnyView {
    let chosen = Memo::new(move |_| {
        let name = field.get();
        let Ok(path) = name.parse::<FieldPath>() else {
            return Chosen::default();
        };
        editor.scope.with(|scope| match scope.describe(path) {
            Some(found) => {
                let (group, title) = found.label.split_once(": ").unwrap_or(("", &found.label));
                Chosen {
                    title: title.to_owned(),
                    group: group.to_owned(),
                    color: None,
                }
            }
            None => Chosen {
                title: name.clone(),
                ..Chosen::default()
            },
        })
    });
    let items = move || {
        editor.scope.with_untracked(|scope| {
            let mut all = choices::fields(scope, former);
            if let Some(fits) = &fits {
                let fits = |item: &Item| {
                    let path = item.value.as_str().and_then(|path| path.parse().ok());
                    path.and_then(|path| scope.field_type(path))
                        .is_some_and(|kind| fits(kind))
                };
                all.retain(fits);
            }
            all
        })
    };
    picker(Setup {
        label,
        blank: "выберите поле",
        testid: "field-picker",
        items: Arc::new(items),
        chosen: chosen.into(),
        free: None,
        on_pick,
        clears: false,
    })
}

/// What an expression is for: the field that it fills, where it fills one.
#[derive(Clone, Copy)]
pub struct Purpose {
    /// The field written, for choosing a fixed value.
    pub path: FieldPath,
    /// Its type.
    pub field_type: FieldType,
    /// Several may be tried in turn.
    pub many: bool,
}

impl Purpose {
    /// A plain text, as of a note.
    pub fn text() -> Self {
        Self {
            path: FieldPath::now(domain::record::RecordKind::Note, domain::field::SystemField::Text),
            field_type: FieldType::Text,
            many: true,
        }
    }
}

const KINDS: [(&str, &str); 4] = [
    ("field", "поле"),
    ("template", "текст"),
    ("constant", "значение"),
    ("first_of", "первое из"),
];

/// Edits the expression at a place.
pub fn expression(editor: Editor, label: String, at: String, purpose: Purpose) -> AnyView {
    let now = editor.at(at.clone());
    let kind = Memo::new(move |_| {
        let has = |word: &str| now.with(|now| now.get(word).is_some());
        KINDS
            .iter()
            .map(|(word, _)| *word)
            .find(|word| has(word))
            .unwrap_or("template")
            .to_owned()
    });
    let place = at.clone();
    let on = Callback::new(move |word: String| {
        let old = now.get_untracked();
        editor.set(
            place.clone(),
            match word.as_str() {
                "field" => json!({ "field": first_path(&old).unwrap_or_else(|| "event.at".to_owned()) }),
                "template" => {
                    let text = first_path(&old).map(|path| format!("{{{{{path}}}}}"));
                    json!({ "template": text.unwrap_or_default() })
                }
                "first_of" => json!({ "first_of": [old] }),
                _ => json!({ "constant": { "type": "empty" } }),
            },
        );
    });
    let shown: Vec<_> = KINDS
        .iter()
        .filter(|(word, _)| purpose.many || *word != "first_of")
        .map(|(word, title)| ((*word).to_owned(), (*title).to_owned()))
        .collect();
    let chooser = select(format!("{label}: откуда"), Signal::stored(shown), kind.into(), on);
    let body = move || {
        let label = label.clone();
        match kind.get().as_str() {
            "field" => field_picker(editor, label, format!("{at}/field"), None),
            "template" => template(editor, label, format!("{at}/template")),
            "first_of" => first_of(editor, label, format!("{at}/first_of"), purpose),
            _ => {
                let place = format!("{at}/constant");
                value_input(
                    editor,
                    label,
                    purpose.path,
                    purpose.field_type,
                    editor.at(place.clone()),
                    editor.setter(place),
                )
            }
        }
    };
    view! { <div class="expression">{chooser}<div class="grow">{body}</div></div> }.into_any()
}

/// The first field that an expression names.
fn first_path(expression: &Value) -> Option<String> {
    match expression {
        Value::Object(members) => {
            if let Some(path) = members.get("field").and_then(Value::as_str) {
                return Some(path.to_owned());
            }
            if let Some(text) = members.get("template").and_then(Value::as_str) {
                let place = text.split("{{").nth(1)?.split(['}', '|']).next()?.trim();
                return place.parse::<FieldPath>().is_ok().then(|| place.to_owned());
            }
            members.get("first_of").and_then(first_path)
        }
        Value::Array(list) => list.iter().find_map(first_path),
        _ => None,
    }
}

fn first_of(editor: Editor, label: String, list: String, purpose: Purpose) -> AnyView {
    let one = Purpose {
        many: false,
        ..purpose
    };
    let rows = items_of(editor, list.clone());
    let row = move |at: String| {
        let place = at.clone();
        let remove = Callback::new(move |()| {
            editor.apply(Edit::Remove { at: place.clone() });
        });
        view! {
            <div class="first-row">
                {expression(editor, label.clone(), at, one)}
                {super::widgets::tool("Убрать", Glyph::Close, "remove-part", remove)}
            </div>
        }
        .into_any()
    };
    let add = Callback::new(move |()| {
        let item = json!({ "template": "" });
        editor.apply(Edit::Insert {
            list: list.clone(),
            at: usize::MAX,
            item,
        });
    });
    view! { <div class="stack tight">{each(rows, row)}{word_button("Ещё вариант", Some(Glyph::Plus), "add-part", add)}</div> }
        .into_any()
}

/// A text with places; typing `{{` offers fields.
pub fn template(editor: Editor, label: String, at: String) -> AnyView {
    let value = editor.text(at.clone());
    let node = NodeRef::<html::Textarea>::new();
    let open = RwSignal::new(None::<complete::Place>);
    let active = RwSignal::new(0usize);
    let id = unique_id("places");
    let caret = move || {
        let node = node.get_untracked()?;
        node.selection_start()
            .ok()
            .flatten()
            .and_then(|at| usize::try_from(at).ok())
    };
    let hits = Memo::new(move |_| {
        let place = open.get()?;
        let mut hits = editor
            .scope
            .with(|scope| choices::found(&choices::fields(scope, true), &place.word));
        // Who types the path itself finds it too.
        if hits.is_empty() {
            let all = editor.scope.with(|scope| choices::fields(scope, true));
            hits = all
                .into_iter()
                .filter(|item| {
                    item.value
                        .as_str()
                        .is_some_and(|path| path.starts_with(&place.word))
                })
                .collect();
        }
        hits.truncate(12);
        Some(hits)
    });
    let shown = Memo::new(move |_| hits.with(|hits| hits.as_ref().is_some_and(|hits| !hits.is_empty())));
    let set_at = at.clone();
    let put = Callback::new(move |(text, caret): (String, usize)| {
        editor.set(set_at.clone(), text.into());
        open.set(None);
        let Some(node) = node.get_untracked() else { return };
        request_animation_frame(move || {
            let _ = node.focus();
            let caret = u32::try_from(caret).unwrap_or_default();
            let _ = node.set_selection_range(caret, caret);
        });
    });
    let choose = move |path: String| {
        if let Some(place) = open.get_untracked() {
            put.run(complete::filled(&value.get_untracked(), &place, &path));
        }
    };
    let keys = move |event: KeyboardEvent| {
        if !shown.get_untracked() {
            return;
        }
        let n = hits.with_untracked(|hits| hits.as_ref().map_or(0, Vec::len));
        match event.key().as_str() {
            "ArrowDown" => active.update(|at| *at = (*at + 1) % n.max(1)),
            "ArrowUp" => active.update(|at| *at = (*at + n.saturating_sub(1)) % n.max(1)),
            "Enter" | "Tab" => {
                let path = hits.with_untracked(|hits| {
                    let hit = hits.as_ref()?.get(active.get_untracked())?;
                    hit.value.as_str().map(str::to_owned)
                });
                if let Some(path) = path {
                    choose(path);
                }
            }
            "Escape" => open.set(None),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let typed = at.clone();
    let insert = Callback::new(move |path: Value| {
        let text = value.get_untracked();
        let at = caret().unwrap_or(usize::MAX);
        if let Some(path) = path.as_str() {
            put.run(complete::inserted(&text, at, path));
        }
    });
    let listed = id.clone();
    let rows = move || {
        let rows: Vec<AnyView> = hits
            .get()
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(index, hit)| {
                let path = hit.value.as_str().unwrap_or_default().to_owned();
                let shown = path.clone();
                view! {
                    <li role="option" class:active=move || active.get() == index aria-selected=move || (active.get() == index).to_string()
                        on:mousedown=move |event| {
                            event.prevent_default();
                            choose(path.clone());
                        }>
                        <span class="grow">{hit.full_title()}</span>
                        <code class="muted">{shown}</code>
                    </li>
                }
                .into_any()
            })
            .collect();
        rows
    };
    view! {
        <div class="template">
            <textarea
                class="control"
                rows="1"
                node_ref=node
                aria-label=label
                aria-controls=move || shown.get().then(|| id.clone())
                placeholder="Текст; {{ — вставить поле"
                disabled=move || !editor.open.get()
                prop:value=move || value.get()
                on:input=move |event| {
                    let text = event_target_value(&event);
                    active.set(0);
                    open.set(caret().and_then(|caret| complete::place(&text, caret)));
                    editor.set(typed.clone(), text.into());
                }
                on:keydown=keys
                on:blur=move |_| open.set(None)
            ></textarea>
            {field_inserter(editor, insert)}
            {move || shown.get().then(|| view! {
                <div class="picker-list">
                    <ul role="listbox" id=listed.clone() aria-label="Поля для вставки">{rows}</ul>
                </div>
            })}
        </div>
    }
    .into_any()
}

/// The button beside a template, for those who do not type braces.
fn field_inserter(editor: Editor, on_pick: Callback<Value>) -> AnyView {
    let items = move || editor.scope.with_untracked(|scope| choices::fields(scope, true));
    picker(Setup {
        label: "Вставить поле".to_owned(),
        blank: "+ поле",
        testid: "insert-field",
        items: Arc::new(items),
        chosen: Signal::stored(Chosen::default()),
        free: None,
        on_pick,
        clears: false,
    })
}
