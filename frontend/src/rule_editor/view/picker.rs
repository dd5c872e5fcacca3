//! Choosing from a long list with a search.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use serde_json::Value;

use super::Editor;
use crate::rule_editor::choices::{Item, found, same};
use crate::ui::{Glyph, Icon, unique_id};

/// Items drawn at most; the search narrows the rest.
const SHOWN: usize = 60;

/// What a picker shows while it is closed.
#[derive(Clone, PartialEq, Default)]
pub struct Chosen {
    /// Words; empty when nothing is chosen.
    pub title: String,
    /// What it stands under.
    pub group: String,
    /// Colour of a stage.
    pub color: Option<String>,
}

impl Chosen {
    /// An item as chosen.
    pub fn of(item: &Item) -> Self {
        Self {
            title: item.title.clone(),
            group: item.group.clone(),
            color: item.color.clone(),
        }
    }
}

/// How a picker is set up.
pub struct Setup {
    /// Accessible name.
    pub label: String,
    /// What is shown when nothing is chosen.
    pub blank: &'static str,
    /// For tests.
    pub testid: &'static str,
    /// What is offered; asked for when it is opened.
    pub items: Arc<dyn Fn() -> Vec<Item> + Send + Sync>,
    /// What is chosen.
    pub chosen: Signal<Chosen>,
    /// What a text that is in no list would be; none when only items may be chosen.
    pub free: Option<fn(&str) -> Value>,
    /// Told what was chosen; `null` when the choice was taken away.
    pub on_pick: Callback<Value>,
    /// The choice may be taken away.
    pub clears: bool,
}

/// A button that opens a list with a search.
pub fn picker(setup: Setup) -> AnyView {
    let editor = Editor::expect();
    let open = RwSignal::new(false);
    let button = NodeRef::<html::Button>::new();
    let Setup {
        label,
        blank,
        testid,
        items,
        chosen,
        free,
        on_pick,
        clears,
    } = setup;
    let name = label.clone();
    let spoken = move || {
        let now = chosen.with(|chosen| chosen.title.clone());
        format!("{name}: {}", if now.is_empty() { blank } else { &now })
    };
    let face = move || {
        let chosen = chosen.get();
        if chosen.title.is_empty() {
            return view! { <span class="muted">{blank}</span> }.into_any();
        }
        view! {
            {swatch(chosen.color)}
            {(!chosen.group.is_empty()).then(|| view! { <span class="muted">{chosen.group} " › "</span> })}
            <span>{chosen.title}</span>
        }
        .into_any()
    };
    let done = Callback::new(move |value: Option<Value>| {
        open.set(false);
        if let Some(value) = value {
            on_pick.run(value);
        }
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    });
    view! {
        <div class="picker" data-testid=testid>
            <button
                type="button"
                class="control picker-face"
                node_ref=button
                aria-haspopup="listbox"
                aria-expanded=move || open.get().to_string()
                aria-label=spoken
                disabled=move || !editor.open.get()
                on:mousedown=move |event| {
                    if event.button() == 0 {
                        // As a native choice does: whatever moves between press and release, the list is open.
                        event.prevent_default();
                        open.update(|open| *open = !*open);
                    }
                }
                on:click=move |event| {
                    // Not by a pointer: from the keyboard, or by a program that reads the screen.
                    if event.detail() == 0 {
                        open.update(|open| *open = !*open);
                    }
                }
            >
                <span class="picker-words">{face}</span>
                <Icon glyph=Glyph::Down />
            </button>
            // Drawn anew it would forget what was typed, and Enter would take what stands first.
            {move || open.get().then(|| list(&label, untrack(|| items()), free, clears, done, open))}
        </div>
    }
    .into_any()
}

fn swatch(color: Option<String>) -> Option<AnyView> {
    color.map(|color| view! { <span class="swatch" style=format!("background: {color}")></span> }.into_any())
}

fn list(
    label: &str,
    items: Vec<Item>,
    free: Option<fn(&str) -> Value>,
    clears: bool,
    done: Callback<Option<Value>>,
    open: RwSignal<bool>,
) -> AnyView {
    let search = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let input = NodeRef::<html::Input>::new();
    let id = unique_id("list");
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    let hits = Memo::new(move |_| {
        let wanted = search.get();
        let mut hits = found(&items, &wanted);
        hits.truncate(SHOWN);
        let typed = wanted.trim();
        if let Some(free) = free.filter(|_| !typed.is_empty() && hits.iter().all(|hit| hit.title != typed)) {
            hits.push(Item {
                value: free(typed),
                title: format!("«{typed}»"),
                group: String::new(),
                hint: "новое",
                color: None,
            });
        }
        hits
    });
    let keys = move |event: KeyboardEvent| {
        let n = hits.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1).min(n.saturating_sub(1))),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                let hit =
                    hits.with_untracked(|hits| hits.get(at.get_untracked()).map(|hit| hit.value.clone()));
                if hit.is_some() {
                    done.run(hit);
                }
            }
            "Escape" => done.run(None),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let (controls, options_id) = (id.clone(), id.clone());
    let active = move || format!("{id}-{}", at.get());
    let rows = move || {
        let rows: Vec<AnyView> = hits
            .get()
            .into_iter()
            .enumerate()
            .map(|(index, hit)| {
                let value = hit.value;
                let beside = [hit.group.as_str(), hit.hint].map(str::to_owned);
                let beside: Vec<String> = beside.into_iter().filter(|word| !word.is_empty()).collect();
                view! {
                    <li
                        role="option"
                        id=format!("{options_id}-{index}")
                        class:active=move || at.get() == index
                        aria-selected=move || (at.get() == index).to_string()
                        on:mousedown=move |event| {
                            event.prevent_default();
                            done.run(Some(value.clone()));
                        }
                    >
                        {swatch(hit.color)}
                        <span class="grow">{hit.title}</span>
                        <span class="muted">{beside.join(" · ")}</span>
                    </li>
                }
                .into_any()
            })
            .collect();
        if rows.is_empty() {
            return view! { <li class="muted" role="option" aria-selected="false" aria-disabled="true">"Ничего не нашлось"</li> }.into_any();
        }
        rows.into_any()
    };
    view! {
        <div class="picker-list">
            <input
                class="control"
                type="text"
                role="combobox"
                autocomplete="off"
                aria-label=format!("Поиск: {label}")
                aria-expanded="true"
                aria-controls=controls.clone()
                aria-activedescendant=active
                placeholder="Поиск"
                node_ref=input
                prop:value=move || search.get()
                on:input=move |event| {
                    search.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=keys
                on:blur=move |_| open.set(false)
            />
            <ul role="listbox" id=controls aria-label=label.to_owned()>{rows}</ul>
            {clears.then(|| view! {
                <button type="button" class="word-button" tabindex="-1" on:mousedown=move |event| {
                    event.prevent_default();
                    done.run(Some(Value::Null));
                }>"Убрать выбор"</button>
            })}
        </div>
    }
    .into_any()
}

/// What is chosen by a value of the document: the item with that value.
pub fn chosen(
    value: Signal<Value>,
    items: Arc<dyn Fn() -> Vec<Item> + Send + Sync>,
    fallback: fn(&Value) -> String,
) -> Signal<Chosen> {
    Memo::new(move |_| {
        let value = value.get();
        if value.is_null() {
            return Chosen::default();
        }
        match items().iter().find(|item| same(&item.value, &value)) {
            Some(item) => Chosen::of(item),
            None => Chosen {
                title: fallback(&value),
                ..Chosen::default()
            },
        }
    })
    .into()
}
