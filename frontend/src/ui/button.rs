//! Buttons and links that look like buttons.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use thaw::{ButtonAppearance, ButtonSize, ButtonType};

use super::icon::{Glyph, Icon};

/// How much a button stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Look {
    /// One of several.
    #[default]
    Plain,
    /// The one that the page is about.
    Primary,
    /// In the background.
    Subtle,
    /// Cannot be undone.
    Danger,
}

/// A button. Without children `label` is its name.
#[component]
pub fn Button(
    #[prop(optional)] look: Look,
    #[prop(optional)] small: bool,
    #[prop(optional)] submit: bool,
    #[prop(optional)] glyph: Option<Glyph>,
    #[prop(optional, into)] label: Option<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] loading: Signal<bool>,
    #[prop(optional, into)] on_click: Option<Callback<MouseEvent>>,
    #[prop(optional)] testid: Option<&'static str>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let icon_only = children.is_none();
    let class = match (icon_only, look) {
        (true, Look::Danger) => "icon-only danger",
        (true, _) => "icon-only",
        (false, Look::Danger) => "danger",
        (false, _) => "",
    };
    let appearance = match look {
        Look::Plain | Look::Danger => ButtonAppearance::Secondary,
        Look::Primary => ButtonAppearance::Primary,
        Look::Subtle => ButtonAppearance::Subtle,
    };
    let shown = move || {
        glyph
            .filter(|_| !loading.get())
            .map(|glyph| view! { <Icon glyph /> })
    };
    view! {
        <thaw::Button
            class=class
            appearance=appearance
            size=if small { ButtonSize::Small } else { ButtonSize::Medium }
            button_type=if submit { ButtonType::Submit } else { ButtonType::Button }
            disabled=disabled
            loading=loading
            on_click=move |event: MouseEvent| {
                if let Some(on_click) = on_click {
                    on_click.run(event);
                }
            }
            attr:title=icon_only.then(|| label.clone()).flatten()
            attr:aria-label=label
            attr:data-testid=testid
        >
            {shown}
            {children.map(|children| children())}
        </thaw::Button>
    }
}

/// A link that looks like a button.
#[component]
pub fn ButtonLink(
    #[prop(into)] href: String,
    #[prop(optional)] look: Look,
    #[prop(optional)] small: bool,
    #[prop(optional)] glyph: Option<Glyph>,
    #[prop(optional)] testid: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let look = match look {
        Look::Primary => "primary",
        Look::Subtle => "subtle",
        Look::Plain | Look::Danger => "",
    };
    let size = if small { "small" } else { "" };
    view! {
        <a href=href class=format!("button-link {look} {size}") data-testid=testid>
            {glyph.map(|glyph| view! { <Icon glyph /> })}
            {children()}
        </a>
    }
}
