//! What stands where there is nothing else: a skeleton, an empty state, an error.

use leptos::prelude::*;

use super::{Button, Glyph, Icon};
use crate::problem::ApiError;
use crate::words::Tone;

/// A box that says something.
#[component]
pub fn Notice(
    tone: Tone,
    #[prop(optional, into)] title: Option<String>,
    #[prop(optional)] testid: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let glyph = match tone {
        Tone::Good => Glyph::Done,
        Tone::Bad => Glyph::Fail,
        Tone::Warn => Glyph::Warn,
        Tone::Busy | Tone::Muted => Glyph::Info,
    };
    view! {
        <div class=format!("notice tone-{}", tone.class()) data-testid=testid>
            <Icon glyph />
            <div class="grow stack tight">
                {title.map(|title| view! { <p class="title">{title}</p> })}
                <div>{children()}</div>
            </div>
        </div>
    }
}

/// A request failed: why, what to do, the trace id, and a button to try again.
#[component]
pub fn ErrorBox(error: ApiError, #[prop(optional, into)] retry: Option<Callback<()>>) -> impl IntoView {
    let fields: Vec<_> = error
        .errors
        .iter()
        // A single mistake is often told in the detail already.
        .filter(|field| Some(&field.detail) != error.detail.as_ref())
        .map(|field| view! { <li>{field.detail.clone()}</li> })
        .collect();
    let listed = !fields.is_empty();
    view! {
        <div class="notice tone-bad" role="alert" data-testid="error">
            <Icon glyph=Glyph::Fail />
            <div class="grow stack tight">
                <p class="title">{error.title.clone()}</p>
                {error.detail.clone().map(|detail| view! { <p>{detail}</p> })}
                {listed.then(|| view! { <ul>{fields}</ul> })}
                {error
                    .trace()
                    .map(str::to_owned)
                    .map(|trace| view! { <p class="trace">"Код запроса: " <code>{trace}</code></p> })}
                {retry
                    .map(|retry| {
                        view! {
                            <div>
                                <Button small=true glyph=Glyph::Refresh on_click=move |_| retry.run(())>
                                    "Повторить"
                                </Button>
                            </div>
                        }
                    })}
            </div>
        </div>
    }
}

/// Nothing is there yet: says so and what to do.
#[component]
pub fn Empty(
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty" data-testid="empty">
            <Icon glyph />
            <p class="title">{title}</p>
            <p>{text}</p>
            {children.map(|children| view! { <div class="row">{children()}</div> })}
        </div>
    }
}

/// The shape of what is being loaded.
#[component]
pub fn Skeletons(#[prop(default = 5)] lines: usize) -> impl IntoView {
    const WIDTHS: [&str; 4] = ["width: 72%", "width: 94%", "width: 58%", "width: 84%"];
    let bars = (0..lines)
        .map(|at| view! { <span class="skeleton" style=WIDTHS[at % WIDTHS.len()]></span> })
        .collect_view();
    view! {
        <div class="skeletons" aria-busy="true" role="status">
            <span class="visually-hidden">"Загрузка…"</span>
            {bars}
        </div>
    }
}
