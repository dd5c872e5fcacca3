//! Ctrl+K: going anywhere by typing where.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::MENU;
use crate::api::rules;
use crate::palette::{Entry, find};
use crate::store::Store;
use crate::ui::{Dialog, Glyph, Icon, Remote};

/// Places that stand in no menu.
const MORE: [(&str, &str); 6] = [
    ("/rules/new", "Новое правило"),
    ("/connections/new/amocrm", "Подключить amoCRM"),
    ("/connections/new/lptracker", "Подключить LPTracker"),
    ("/settings/keys", "API-ключи"),
    ("/settings/members", "Участники"),
    ("/events?state=failed", "Необработанные события"),
];

/// The button and the window that it or the keys open.
#[component]
pub fn Palette() -> impl IntoView {
    let open = RwSignal::new(false);
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        // By the place of the key: with a Russian layout the letter is another.
        if event.code() == "KeyK" && (event.ctrl_key() || event.meta_key()) && !event.alt_key() {
            event.prevent_default();
            open.update(|open| *open = !*open);
        }
    });
    on_cleanup(move || keys.remove());
    view! {
        <button type="button" class="palette-button" data-testid="palette" on:click=move |_| open.set(true)>
            <Icon glyph=Glyph::Search />
            <span class="grow">"Найти"</span>
            <kbd>"Ctrl K"</kbd>
        </button>
        <Dialog title="Куда перейти?" open testid="palette-dialog">
            <Finder open />
        </Dialog>
    }
}

fn entries(store: Store, rules: Remote<api::Page<api::rule::RuleSummary>>) -> Vec<Entry> {
    let page = |(href, words): (&str, &str)| Entry {
        words: words.to_owned(),
        about: "страница",
        href: href.to_owned(),
    };
    let mut all: Vec<Entry> = MENU.iter().map(|(href, words, _)| page((href, words))).collect();
    all.extend(MORE.into_iter().map(page));
    all.extend(store.connections().into_iter().map(|connection| Entry {
        words: connection.name,
        about: "подключение",
        href: format!("/connections/{}", connection.id),
    }));
    let rules = rules.get().map(|page| page.items).unwrap_or_default();
    all.extend(rules.into_iter().map(|rule| Entry {
        words: rule.name,
        about: "правило",
        href: format!("/rules/{}", rule.id),
    }));
    all
}

#[component]
fn Finder(open: RwSignal<bool>) -> impl IntoView {
    let store = Store::expect();
    let navigate = use_navigate();
    let rules = Remote::new(rules::list_rules);
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let found = Memo::new(move |_| find(&entries(store, rules), &typed.get()));
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    let go = Callback::new(move |href: String| {
        open.set(false);
        navigate(&href, Default::default());
    });
    let keys = move |event: KeyboardEvent| {
        let n = found.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1) % n.max(1)),
            "ArrowUp" => at.update(|at| *at = (*at + n.max(1) - 1) % n.max(1)),
            "Enter" => {
                let chosen = found.with_untracked(|found| found.get(at.get_untracked()).cloned());
                if let Some(entry) = chosen {
                    go.run(entry.href);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let rows = move || {
        let chosen = at.get();
        found
            .get()
            .into_iter()
            .enumerate()
            .map(|(n, entry)| {
                let href = entry.href;
                view! {
                    <li
                        role="option"
                        id=format!("palette-{n}")
                        aria-selected=(n == chosen).to_string()
                        on:click=move |_| go.run(href.clone())
                    >
                        <span class="grow">{entry.words}</span>
                        <span class="muted">{entry.about}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <input
            class="control"
            type="text"
            node_ref=input
            role="combobox"
            aria-label="Страница, правило, подключение, номер сделки или телефон"
            placeholder="Страница, правило, номер сделки, телефон"
            autocomplete="off"
            spellcheck="false"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant=move || format!("palette-{}", at.get())
            data-testid="palette-input"
            on:keydown=keys
            on:input=move |event| {
                at.set(0);
                typed.set(event_target_value(&event));
            }
        />
        <ul class="palette-list" id="palette-list" role="listbox" aria-label="Найденное">{rows}</ul>
        {move || found.with(Vec::is_empty).then(|| view! { <p class="muted" role="status">"Ничего не найдено."</p> })}
    }
}
