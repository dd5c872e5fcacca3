//! The root: what every page stands in, and which page belongs to which address.

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::{use_location, use_navigate};
use leptos_router::path;

use crate::filters::{escape, safe_return};
use crate::pages;
use crate::shell::Shell;
use crate::store::Store;
use crate::ui::{ErrorBox, Theme, ToastHost, Toasts};

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
                {move || {
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
                }}
                <Show when=move || ready.get()>
                    <Doors />
                </Show>
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
    let is_gate = Memo::new(move |_| path.with(|path| matches!(path.as_str(), "/sign-in" | "/welcome")));
    let inside = Memo::new(move |_| store.signed_in() == Some(true) && !is_gate.get());
    Effect::new(move |_| {
        let replace = leptos_router::NavigateOptions {
            replace: true,
            ..Default::default()
        };
        let at = path.get();
        match store.signed_in() {
            Some(false) if at != "/sign-in" && at != "/welcome" => {
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
            Some(true) if at == "/sign-in" => {
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
        <Show when=move || is_gate.get()>
            <FlatRoutes fallback=|| ()>
                <Route path=path!("/sign-in") view=pages::sign_in::SignInPage />
                <Route path=path!("/welcome") view=pages::welcome::WelcomePage />
            </FlatRoutes>
        </Show>
        <Show when=move || inside.get()>
            <Shell>
                <Inside />
            </Shell>
        </Show>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let store = Store::expect();
    // Another workspace is another world: every page is made anew.
    move || {
        store.workspace();
        view! {
            <FlatRoutes fallback=pages::missing::MissingPage>
                <Route path=path!("/") view=pages::panel::PanelPage />
                <Route path=path!("/connections") view=pages::connections::ConnectionsPage />
                <Route path=path!("/connections/new/:kind") view=pages::connection_new::NewConnectionPage />
                <Route path=path!("/connections/:id") view=pages::connection::ConnectionPage />
                <Route path=path!("/rules") view=pages::rules::RulesPage />
                <Route path=path!("/rules/:id") view=pages::rule::RulePage />
                <Route path=path!("/events") view=pages::events::EventsPage />
                <Route path=path!("/events/:id") view=pages::event::EventPage />
                <Route path=path!("/deliveries") view=pages::deliveries::DeliveriesPage />
                <Route path=path!("/logs") view=pages::logs::LogsPage />
                <Route path=path!("/settings") view=pages::settings::SettingsPage />
                <Route path=path!("/settings/:part") view=pages::settings::SettingsPage />
            </FlatRoutes>
        }
        .into_any()
    }
}
