//! States and sides.

use domain::connection::ConnectorKind;
use leptos::prelude::*;

use crate::words::{Label, Tone};

/// A word with a tone.
#[component]
pub fn Badge(tone: Tone, #[prop(into)] word: String, #[prop(optional)] plain: bool) -> impl IntoView {
    let shape = if plain { "badge plain" } else { "badge" };
    view! { <span class=format!("{shape} tone-{}", tone.class())>{word}</span> }
}

/// A state.
#[component]
pub fn StateBadge(label: Label, #[prop(optional)] testid: Option<&'static str>) -> impl IntoView {
    view! {
        <span class=format!("badge tone-{}", label.tone.class()) data-testid=testid>
            {label.word}
        </span>
    }
}

/// Which CRM something belongs to; `None` is the hub itself.
#[component]
pub fn SideTag(side: Option<ConnectorKind>, #[prop(optional, into)] text: Option<String>) -> impl IntoView {
    let word = text.unwrap_or_else(|| side.map_or("Интегратор", ConnectorKind::title).to_owned());
    view! { <span class=format!("side-tag {}", side_class(side))>{word}</span> }
}

/// Class that carries the colour of a side.
pub const fn side_class(side: Option<ConnectorKind>) -> &'static str {
    match side {
        Some(ConnectorKind::Amocrm) => "side-amocrm",
        Some(ConnectorKind::Lptracker) => "side-lptracker",
        None => "side-hub",
    }
}
