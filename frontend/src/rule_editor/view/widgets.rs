//! Small controls with an accessible name and no visible label, for rows of the constructor.

use leptos::ev::{DragEvent, KeyboardEvent};
use leptos::prelude::*;
use serde_json::Value;

use super::Editor;
use crate::rule_editor::draft::Edit;
use crate::rule_editor::tree;
use crate::ui::{Glyph, Icon};

/// One word of a list.
pub fn select(
    label: impl Into<String>,
    options: Signal<Vec<(String, String)>>,
    value: Signal<String>,
    on: Callback<String>,
) -> AnyView {
    let open = Editor::expect().open;
    let choices = move || {
        let chosen = value.get();
        options
            .get()
            .into_iter()
            .map(|(word, title)| {
                let selected = word == chosen;
                view! { <option value=word selected=selected>{title}</option> }
            })
            .collect_view()
    };
    view! {
        <select
            class="control"
            aria-label=label.into()
            disabled=move || !open.get()
            on:change=move |event| on.run(event_target_value(&event))
        >
            {choices}
        </select>
    }
    .into_any()
}

/// One word of a fixed list, at a place of the document.
pub fn word_at(
    editor: Editor,
    label: &str,
    at: String,
    words: &'static [(&'static str, &'static str)],
) -> AnyView {
    let options = words
        .iter()
        .map(|(word, title)| ((*word).to_owned(), (*title).to_owned()));
    let value = editor.text(at.clone());
    let on = Callback::new(move |word: String| editor.set(at.clone(), Value::String(word)));
    select(label, Signal::stored(options.collect()), value, on)
}

/// A line of text.
pub fn line(
    label: impl Into<String>,
    kind: &'static str,
    placeholder: &'static str,
    value: Signal<String>,
    on: Callback<String>,
) -> AnyView {
    let open = Editor::expect().open;
    view! {
        <input
            class="control"
            type=kind
            aria-label=label.into()
            placeholder=placeholder
            disabled=move || !open.get()
            prop:value=move || value.get()
            on:input=move |event| on.run(event_target_value(&event))
        />
    }
    .into_any()
}

/// A number, kept as typed while it is not one.
pub fn number_line(label: impl Into<String>, value: Signal<String>, on: Callback<Option<String>>) -> AnyView {
    use crate::rule_editor::operands::number;
    let typed = RwSignal::new(value.get_untracked());
    // Taken back or replaced from outside: what is typed follows.
    Effect::new(move |_| {
        let outside = value.get();
        let inside = typed.with_untracked(|typed| number(typed)).unwrap_or_default();
        if outside != inside {
            typed.set(outside);
        }
    });
    let wrong = move || typed.with(|typed| !typed.trim().is_empty() && number(typed).is_none());
    let open = Editor::expect().open;
    view! {
        <input
            class="control number"
            type="text"
            inputmode="decimal"
            aria-label=label.into()
            aria-invalid=move || wrong().then_some("true")
            placeholder="число"
            disabled=move || !open.get()
            prop:value=move || typed.get()
            on:input=move |event| {
                typed.set(event_target_value(&event));
                on.run(typed.with_untracked(|typed| number(typed)));
            }
        />
    }
    .into_any()
}

/// A whole number at a place of the document.
pub fn whole_at(editor: Editor, label: &str, at: String) -> AnyView {
    let value = editor.at(at.clone());
    let shown =
        Signal::derive(move || value.with(|value| value.as_i64().map(|n| n.to_string()).unwrap_or_default()));
    let on = Callback::new(move |text: Option<String>| {
        if let Some(n) = text.and_then(|text| text.parse::<i64>().ok()) {
            editor.set(at.clone(), n.into());
        }
    });
    number_line(label, shown, on)
}

/// A box to tick.
pub fn tick(label: impl Into<String>, on: Signal<bool>, change: Callback<bool>) -> AnyView {
    let open = Editor::expect().open;
    view! {
        <label class="tick">
            <input
                type="checkbox"
                prop:checked=move || on.get()
                disabled=move || !open.get()
                on:change=move |event| change.run(event_target_checked(&event))
            />
            <span>{label.into()}</span>
        </label>
    }
    .into_any()
}

/// A button of an item.
pub fn tool(label: impl Into<String>, glyph: Glyph, testid: &'static str, on: Callback<()>) -> AnyView {
    let label = label.into();
    view! {
        <button type="button" class="tool" title=label.clone() aria-label=label data-testid=testid on:click=move |_| on.run(())>
            <Icon glyph />
        </button>
    }
    .into_any()
}

/// A button with words.
pub fn word_button(
    words: impl Into<String>,
    glyph: Option<Glyph>,
    testid: &'static str,
    on: Callback<()>,
) -> AnyView {
    view! {
        <button type="button" class="word-button" data-testid=testid on:click=move |_| on.run(())>
            {glyph.map(|glyph| view! { <Icon glyph /> })}
            {words.into()}
        </button>
    }
    .into_any()
}

/// What an item is moved by: dragged, or with the arrow keys.
pub fn handle(editor: Editor, at: String, nested: bool) -> AnyView {
    let (place, start) = (at.clone(), at.clone());
    let label = if nested {
        "Переместить: стрелки вверх и вниз, влево — из группы, вправо — в группу выше"
    } else {
        "Переместить: стрелки вверх и вниз"
    };
    let keys = move |event: KeyboardEvent| {
        let key = event.key();
        let to = editor
            .draft
            .with_untracked(|draft| step(draft.document(), &at, &key, nested));
        if let Some(to) = to {
            event.prevent_default();
            editor.relocate(&at, to);
        }
    };
    view! {
        <button
            type="button"
            class="handle"
            draggable="true"
            aria-label=label
            title=label
            data-handle=place
            data-testid="handle"
            on:keydown=keys
            on:dragstart=move |event: DragEvent| {
                if let Some(data) = event.data_transfer() {
                    let _ = data.set_data("text/plain", &start);
                }
                let start = start.clone();
                // A browser gives the drag up when the page changes at once.
                set_timeout(move || editor.dragged.set(Some(start)), std::time::Duration::ZERO);
            }
            on:dragend=move |_| editor.dragged.set(None)
        >
            <Icon glyph=Glyph::Grip />
        </button>
    }
    .into_any()
}

/// Where an arrow key takes an item.
fn step(document: &Value, at: &str, key: &str, nested: bool) -> Option<(String, usize)> {
    let (list, index) = tree::split(at)?;
    match key {
        "ArrowUp" => Some((list.to_owned(), index.checked_sub(1)?)),
        "ArrowDown" if index + 1 < tree::count(document, list) => Some((list.to_owned(), index + 2)),
        "ArrowLeft" if nested => tree::outwards(document, at),
        "ArrowRight" if nested => tree::inwards(document, at),
        _ => None,
    }
}

/// Where a dragged item may be let go.
pub fn drop_zone(editor: Editor, list: String, at: usize) -> AnyView {
    let over = RwSignal::new(false);
    let root = list.split('/').nth(1).unwrap_or_default().to_owned();
    let fits = move || {
        editor.dragged.with_untracked(|from| {
            from.as_ref()
                .is_some_and(|from| from.split('/').nth(1) == Some(&root))
        })
    };
    let name = format!("{list}/{at}");
    view! {
        <div
            class="drop"
            // For the mouse alone; the keyboard moves things by the buttons of their heads.
            aria-hidden="true"
            class:over=move || over.get()
            data-drop=name
            on:dragover=move |event: DragEvent| {
                if fits() {
                    event.prevent_default();
                    over.set(true);
                }
            }
            on:dragleave=move |_| over.set(false)
            on:drop=move |event: DragEvent| {
                event.prevent_default();
                event.stop_propagation();
                over.set(false);
                if let Some(from) = editor.dragged.get_untracked() {
                    editor.dragged.set(None);
                    editor.apply(Edit::Move { from, list: list.clone(), at });
                }
            }
        ></div>
    }
    .into_any()
}
