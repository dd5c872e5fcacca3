//! The frame around the pages: menu, workspace, person. On a phone the menu is a drawer.

mod palette;
mod stops;

use api::workspace::Membership;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::api::sessions;
use crate::store::Store;
use crate::text::initials;
use crate::ui::{Button, Glyph, Icon, Look, SelectField, Toasts, run};

use palette::Palette;
use stops::{StopBanner, StopButton};

/// Menu entries: address, words, icon. Pages of later issues are added when they exist.
const MENU: [(&str, &str, Glyph); 10] = [
    ("/", "Панель управления", Glyph::Panel),
    ("/connections", "Подключения", Glyph::Plug),
    ("/rules", "Конструктор правил", Glyph::Rule),
    ("/events", "События", Glyph::Inbox),
    ("/chronicle", "Хроника сделки", Glyph::Story),
    ("/deliveries", "Недоставленное", Glyph::Outbox),
    ("/imports", "Загрузка контактов", Glyph::Upload),
    ("/calls", "Результаты прозвонов", Glyph::Phone),
    ("/logs", "Логи", Glyph::Log),
    ("/settings", "Настройки", Glyph::Gear),
];

/// The frame; `children` is the page.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let open = RwSignal::new(false);
    let path = use_location().pathname;
    let content = NodeRef::<html::Main>::new();
    Effect::new(move |before: Option<String>| {
        let here = path.get();
        if before.as_ref().is_some_and(|before| *before != here) {
            open.set(false);
            // A new page is read from its top, also by those who hear it.
            window().scroll_to_with_x_and_y(0.0, 0.0);
            if let Some(content) = content.get_untracked() {
                let _ = content.focus();
            }
        }
        here
    });
    let escape = window_event_listener(leptos::ev::keydown, move |event| {
        if event.key() == "Escape" && open.get_untracked() {
            open.set(false);
        }
    });
    on_cleanup(move || escape.remove());
    view! {
        <a class="skip-link" href="#content">"К содержанию"</a>
        <div class="shell">
            <header class="bar">
                <button
                    type="button"
                    class="bar-button"
                    aria-label="Открыть меню"
                    aria-expanded=move || open.get().to_string()
                    aria-controls="menu"
                    on:click=move |_| open.set(true)
                >
                    <Icon glyph=Glyph::Menu />
                </button>
                <Brand />
            </header>
            <button
                type="button"
                class=move || if open.get() { "veil open" } else { "veil" }
                aria-label="Закрыть меню"
                tabindex="-1"
                on:click=move |_| open.set(false)
            ></button>
            <aside
                class=move || if open.get() { "menu open" } else { "menu" }
                id="menu"
                aria-label="Меню и кабинет"
            >
                <Brand />
                <Palette />
                <nav aria-label="Главное меню">
                    <ul>
                        {MENU
                            .into_iter()
                            .map(|(href, words, glyph)| {
                                let here = move || path.with(|path| is_here(path, href)).then_some("page");
                                view! {
                                    <li>
                                        <a href=href aria-current=here>
                                            <Icon glyph />
                                            {words}
                                        </a>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                </nav>
                <div class="bottom">
                    <StopButton />
                    <DemoBox />
                    <Person />
                </div>
            </aside>
            <main class="content" id="content" tabindex="-1" node_ref=content>
                <StopBanner />
                {children()}
            </main>
        </div>
    }
}

/// An entry is current on its own page and on those below it.
fn is_here(path: &str, href: &str) -> bool {
    path == href || (href != "/" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
}

/// Sign and name of the product; the workspace below.
#[component]
pub fn Brand() -> impl IntoView {
    let store = Store::expect();
    let workspace = move || {
        store
            .membership()
            .map(|membership| view! { <small>{membership.name}</small> })
    };
    view! {
        <a class="brand" href="/">
            <svg viewBox="0 0 32 32" aria-hidden="true">
                <circle cx="11" cy="16" r="8.2" fill="none" stroke="#6cb2ff" stroke-width="3.4"></circle>
                <circle cx="21" cy="16" r="8.2" fill="none" stroke="#ffab6b" stroke-width="3.4"></circle>
                <path d="M16 9.5a8.2 8.2 0 0 1 3.2 6.5" fill="none" stroke="#6cb2ff" stroke-width="3.4"></path>
            </svg>
            <span class="grow">"CRM Интегратор" {workspace}</span>
        </a>
    }
}

/// Ways to the sandbox CRMs, in the demo.
#[component]
fn DemoBox() -> impl IntoView {
    let store = Store::expect();
    move || {
        let session = store.session().filter(|session| session.demo)?;
        let links = session
            .sandbox_urls
            .into_iter()
            .map(|sandbox| {
                view! {
                    <li>
                        <a href=sandbox.url target="_blank" rel="noopener">{sandbox.title} " ↗"</a>
                    </li>
                }
            })
            .collect_view();
        Some(view! {
            <div class="demo-box" data-testid="demo">
                <b>"Демонстрация"</b>
                <p>"Обе CRM ненастоящие: создавайте и двигайте сделки и лиды на их страницах."</p>
                <ul>{links}</ul>
            </div>
        })
    }
}

#[component]
fn Person() -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let leave = move |_| {
        run(busy, sessions::sign_out(), move |answer| match answer {
            // A full reload forgets everything that this person has seen.
            Ok(()) => {
                let _ = window().location().assign("/sign-in");
            }
            Err(error) => toasts.problem(&error),
        });
    };
    let workspaces = Memo::new(move |_| {
        store
            .session()
            .map(|session| session.workspaces)
            .unwrap_or_default()
    });
    let chooser = move || {
        let all: Vec<Membership> = workspaces.get();
        (all.len() > 1).then(|| {
            let options: Vec<_> = all
                .iter()
                .map(|membership| (membership.workspace_id.to_string(), membership.name.clone()))
                .collect();
            view! {
                <SelectField
                    label="Кабинет"
                    value=Signal::derive(move || {
                        store.workspace().map(|id| id.to_string()).unwrap_or_default()
                    })
                    options=Signal::stored(options)
                    on_change=move |id: String| {
                        if let Ok(id) = id.parse() {
                            store.choose(Some(id));
                        }
                    }
                />
            }
        })
    };
    let person = move || {
        let user = store.session()?.user?;
        let role = store.membership().map(|membership| membership.role.title());
        Some(view! {
            <span class="avatar" aria-hidden="true">{initials(&user.name)}</span>
            <span class="who">
                <b data-testid="user-name">{user.name}</b>
                <span class="muted">{role.unwrap_or("Без кабинета")}</span>
            </span>
        })
    };
    view! {
        {chooser}
        <div class="user-box">
            {person}
            <Button
                look=Look::Subtle
                small=true
                glyph=Glyph::Exit
                label="Выйти"
                loading=busy
                testid="sign-out"
                on_click=leave
            />
        </div>
    }
}
