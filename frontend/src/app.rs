//! The root: what every page stands in, and which page belongs to which address.

use leptos::prelude::*;
use leptos_router::components::Router;
use leptos_router::hooks::{use_location, use_navigate};
use leptos_router::location::{BrowserUrl, LocationProvider};

use crate::filters::{escape, safe_return};
use crate::pages;
use crate::pages::lazy::{self, lazily};
use crate::place::Place;
use crate::shell::Shell;
use crate::store::Store;
use crate::ui::{ErrorBox, Theme, ToastHost, Toasts, when};

/// Puts the client into the page.
pub fn start() {
    console_error_panic_hook::set_once();
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    Toasts::provide();
    let store = Store::provide();
    let ready = Memo::new(move |_| store.session().is_some());
    view! {
        <Theme>
            <ToastHost />
            <Router>
                {move || ({
                    store
                        .failed()
                        .filter(|_| !ready.get())
                        .map(|error| {
                            view! {
                                <main class="gate">
                                    <div class="gate-card">
                                        <ErrorBox error=error retry=move |()| store.load_session() />
                                    </div>
                                </main>
                            }
                        })
                }).into_any()}
                {when(move || ready.get(), move || view! { <Doors /> }.into_any())}
            </Router>
        </Theme>
    }
}

/// Leads to the sign-in page who is not signed in, and away from it who is.
#[component]
fn Doors() -> impl IntoView {
    let store = Store::expect();
    let location = use_location();
    let navigate = use_navigate();
    let path = location.pathname;
    let place = Memo::new(move |_| path.with(|path| Place::of(path)));
    // The router writes an address into the bar only when somebody says that its page is drawn; pages are drawn
    // here by a plain match, so we say it.
    let bar = use_context::<BrowserUrl>();
    Effect::new(move |_| {
        path.track();
        if let Some(bar) = &bar {
            bar.ready_to_complete();
        }
    });
    let inside = Memo::new(move |_| store.signed_in() == Some(true) && !place.get().is_gate());
    Effect::new(move |_| {
        let replace = leptos_router::NavigateOptions {
            replace: true,
            ..Default::default()
        };
        let at = path.get();
        match store.signed_in() {
            Some(false) if !Place::of(&at).is_gate() => {
                let query = location.search.get_untracked();
                let here = if query.is_empty() {
                    at
                } else {
                    format!("{at}?{query}")
                };
                let back = if here == "/" {
                    String::new()
                } else {
                    format!("?return={}", escape(&here))
                };
                navigate(&format!("/sign-in{back}"), replace);
            }
            Some(true) if Place::of(&at) == Place::SignIn => {
                let back = location
                    .query
                    .with_untracked(|query| query.get("return"))
                    .unwrap_or_default();
                navigate(safe_return(&back), replace);
            }
            _ => {}
        }
    });
    view! {
        {move || match place.get() {
            Place::SignIn => view! { <pages::sign_in::SignInPage /> }.into_any(),
            Place::Welcome => view! { <pages::welcome::WelcomePage /> }.into_any(),
            Place::Entry(entry) => lazily(move || lazy::entry(entry)),
            _ => ().into_any(),
        }}
        {when(move || inside.get(), move || view! {
            <Shell>
                <Inside place />
            </Shell>
        }.into_any())}
    }
}

#[component]
fn Inside(place: Memo<Place>) -> impl IntoView {
    let store = Store::expect();
    move || {
        // Another workspace is another world: every page is made anew.
        store.workspace();
        match place.get() {
            Place::SignIn | Place::Welcome | Place::Entry(_) => ().into_any(),
            Place::Panel => view! { <pages::panel::PanelPage /> }.into_any(),
            Place::Connections => view! { <pages::connections::ConnectionsPage /> }.into_any(),
            Place::NewConnection(kind) => lazily(move || lazy::new_connection(kind)),
            Place::Connection(id) => lazily(move || lazy::connection(id)),
            Place::Rules => view! { <pages::rules::RulesPage /> }.into_any(),
            Place::Templates => lazily(lazy::templates),
            Place::NewRule => lazily(lazy::new_rule),
            Place::Rule(id) => lazily(move || lazy::rule(id)),
            Place::Events => view! { <pages::events::EventsPage /> }.into_any(),
            Place::Event(id) => lazily(move || lazy::event(id)),
            Place::Chronicle => lazily(lazy::chronicle),
            Place::Deliveries => view! { <pages::deliveries::DeliveriesPage /> }.into_any(),
            Place::Imports => lazily(lazy::imports),
            Place::Import(id) => lazily(move || lazy::import(id)),
            Place::Calls => lazily(lazy::calls),
            Place::CallSettings => lazily(lazy::call_settings),
            Place::Logs => lazily(lazy::logs),
            Place::Settings(part) => lazily(move || lazy::settings(part)),
            Place::Missing => view! { <pages::missing::MissingPage /> }.into_any(),
        }
    }
}
