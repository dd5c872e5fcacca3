//! Pages that are loaded when they are first opened: nobody waits for what he does not use (ADR 0014).
//!
//! In the release build (feature `split`) each function here is a part of its own, cut out of the wasm by
//! `cargo xtask wasm`. Without the feature it is an ordinary function.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use crate::problem::ApiError;
use crate::ui::{ErrorBox, Skeletons};

/// A part could not be fetched: the network is away, or the server has been updated since.
pub struct NotLoaded;

#[cfg(feature = "split")]
impl From<leptos::wasm_split::SplitLoaderError> for NotLoaded {
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self
    }
}

/// Declares pages that are parts of their own.
macro_rules! pages {
    ($($name:ident($($arg:ident: $kind:ty),*) => $page:expr;)*) => {
        $(
            #[cfg(feature = "split")]
            #[leptos::wasm_split::wasm_split($name, wasm_split_path = leptos::wasm_split, fallible)]
            pub fn $name($($arg: $kind),*) -> Result<AnyView, NotLoaded> {
                Ok($page)
            }

            #[cfg(not(feature = "split"))]
            pub async fn $name($($arg: $kind),*) -> Result<AnyView, NotLoaded> {
                Ok($page)
            }
        )*
    };
}

pages! {
    rule(id: domain::id::RuleId) => view! { <super::rule::RulePage id /> }.into_any();
    templates() => super::templates::templates_page();
    entry(entry: crate::place::Entry) => super::entry::page(entry);
    imports() => super::imports::page();
    import(id: domain::id::ImportId) => super::import::page(id);
    calls() => super::calls::page();
    call_settings() => super::calls::settings();
    event(id: domain::id::EventId) => view! { <super::event::EventPage id /> }.into_any();
    chronicle() => view! { <super::chronicle::ChroniclePage /> }.into_any();
    connection(id: domain::id::ConnectionId) => view! { <super::connection::ConnectionPage id /> }.into_any();
    new_connection(kind: domain::connection::ConnectorKind) =>
        view! { <super::connection_new::NewConnectionPage kind /> }.into_any();
    logs() => view! { <super::logs::LogsPage /> }.into_any();
    settings(part: crate::place::Part) => view! { <super::settings::SettingsPage part /> }.into_any();
    new_rule() => view! { <super::rule::NewRulePage /> }.into_any();
}

/// What stands in the place of a page while it is fetched, then the page, or why there is none.
pub fn lazily<Fut>(page: impl Fn() -> Fut + 'static) -> AnyView
where
    Fut: Future<Output = Result<AnyView, NotLoaded>> + 'static,
{
    let turn = RwSignal::new(0u32);
    let loaded = RwSignal::new(None::<bool>);
    let made = StoredValue::new_local(None::<AnyView>);
    Effect::new(move |_| {
        turn.track();
        let page = page();
        spawn_local_scoped_with_cancellation(async move {
            let answer = page.await;
            let is_ok = answer.is_ok();
            made.set_value(answer.ok());
            loaded.set(Some(is_ok));
        });
    });
    let again = move |()| {
        loaded.set(None);
        turn.update(|turn| *turn += 1);
    };
    (move || match loaded.get() {
        None => view! { <Skeletons /> }.into_any(),
        Some(true) => made.try_update_value(Option::take).flatten().into_any(),
        Some(false) => view! { <ErrorBox error=ApiError::outdated() retry=again /> }.into_any(),
    })
    .into_any()
}
