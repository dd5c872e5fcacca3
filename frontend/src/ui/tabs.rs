//! Tabs inside a page, with the arrow keys.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::unique_id;

/// A row of tabs; the page draws the panel of the chosen one.
#[component]
pub fn Tabs(
    #[prop(into)] label: String,
    /// Word and title of each, with a count if there is one to show.
    #[prop(into)]
    tabs: Signal<Vec<(&'static str, &'static str, Option<usize>)>>,
    #[prop(into)] chosen: Signal<String>,
    #[prop(into)] on_choose: Callback<String>,
    children: Children,
) -> impl IntoView {
    let base = unique_id("tabs");
    let panel = format!("{base}-panel");
    let controls = panel.clone();
    let keys = move |event: KeyboardEvent| {
        let words: Vec<&str> = tabs.with_untracked(|tabs| tabs.iter().map(|(word, ..)| *word).collect());
        let at = chosen
            .with_untracked(|chosen| words.iter().position(|word| word == chosen))
            .unwrap_or(0);
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % words.len().max(1),
            "ArrowLeft" => (at + words.len().saturating_sub(1)) % words.len().max(1),
            "Home" => 0,
            "End" => words.len().saturating_sub(1),
            _ => return,
        };
        let Some(word) = words.get(to) else { return };
        event.prevent_default();
        on_choose.run((*word).to_owned());
        let button = event
            .current_target()
            .and_then(|row| row.dyn_into::<HtmlElement>().ok())
            .and_then(|row| row.children().item(u32::try_from(to).unwrap_or(0)))
            .and_then(|tab| tab.dyn_into::<HtmlElement>().ok());
        if let Some(button) = button {
            let _ = button.focus();
        }
    };
    let row = move || {
        let controls = controls.clone();
        tabs.get()
            .into_iter()
            .map(|(word, title, count)| {
                let is_chosen = move || chosen.with(|chosen| chosen == word);
                view! {
                    <button
                        type="button"
                        role="tab"
                        aria-selected=move || is_chosen().to_string()
                        aria-controls=controls.clone()
                        tabindex=move || if is_chosen() { "0" } else { "-1" }
                        data-testid=format!("tab-{word}")
                        on:click=move |_| on_choose.run(word.to_owned())
                    >
                        {title}
                        {count.map(|count| view! { <span class="count number">{count}</span> })}
                    </button>
                }
            })
            .collect_view()
    };
    let name = move || {
        let chosen = chosen.get();
        tabs.with(|tabs| {
            tabs.iter()
                .find(|(word, ..)| *word == chosen)
                .map(|(_, title, _)| *title)
        })
    };
    view! {
        <div class="stack">
            <div class="tabs" role="tablist" aria-label=label on:keydown=keys>
                {row}
            </div>
            <div role="tabpanel" id=panel aria-label=name>
                {children()}
            </div>
        </div>
    }
}
