//! Fields of forms: a label above, a hint and an error below, tied to the control.

use leptos::ev::Event;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use super::unique_id;
use crate::problem::ApiError;

/// A text that a form edits.
pub fn text(initial: impl Into<String>) -> RwSignal<String> {
    RwSignal::new(initial.into())
}

/// What a field says of a request that failed, by its JSON pointer.
pub fn blamed(failure: RwSignal<Option<ApiError>>, pointer: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || failure.with(|error| error.as_ref()?.field(pointer)))
}

/// Ids of the parts of one field.
#[derive(Clone)]
struct Parts {
    control: String,
    hint: String,
    error: String,
}

impl Parts {
    fn new() -> Self {
        let control = unique_id("field");
        Self {
            hint: format!("{control}-hint"),
            error: format!("{control}-error"),
            control,
        }
    }

    fn described(
        &self,
        has_hint: bool,
        error: Signal<Option<String>>,
    ) -> impl Fn() -> Option<String> + 'static {
        let (hint, failed) = (self.hint.clone(), self.error.clone());
        move || {
            let ids: Vec<&str> = [(has_hint, &hint), (error.with(Option::is_some), &failed)]
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, id)| id.as_str())
                .collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    }
}

fn invalid(error: Signal<Option<String>>) -> impl Fn() -> Option<&'static str> {
    move || error.with(Option::is_some).then_some("true")
}

fn frame(
    parts: Parts,
    label: String,
    hint: Option<String>,
    error: Signal<Option<String>>,
    control: AnyView,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=parts.control>{label}</label>
            {control}
            {hint.map(|hint| view! { <p class="hint" id=parts.hint>{hint}</p> })}
            {move || ({
                error
                    .get()
                    .map(|error| {
                        view! {
                            <p class="error" role="alert" id=parts.error.clone()>
                                <Icon glyph=Glyph::Fail />
                                <span>{error}</span>
                            </p>
                        }
                    })
            }).into_any()}
        </div>
    }
}

/// One line of text.
#[component]
pub fn TextField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] required: bool,
    /// Told when editing is finished (Enter or leaving the field), not at every letter.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let parts = Parts::new();
    let control = view! {
        <input
            class="control"
            id=parts.control.clone()
            type=kind
            placeholder=placeholder
            autocomplete=autocomplete
            required=required
            aria-invalid=invalid(error)
            aria-describedby=parts.described(hint.is_some(), error)
            data-testid=testid
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
            on:change=move |event| {
                if let Some(on_change) = on_change {
                    on_change.run(event_target_value(&event));
                }
            }
        />
    };
    frame(parts, label, hint, error, control.into_any())
}

/// A password or token, hidden until asked for.
#[component]
pub fn SecretField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let parts = Parts::new();
    let shown = RwSignal::new(false);
    let control = view! {
        <div class="secret">
            <input
                class="control"
                id=parts.control.clone()
                type=move || if shown.get() { "text" } else { "password" }
                autocomplete=autocomplete
                spellcheck="false"
                aria-invalid=invalid(error)
                aria-describedby=parts.described(hint.is_some(), error)
                data-testid=testid
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
            <button
                type="button"
                aria-label=move || if shown.get() { "Скрыть" } else { "Показать" }
                aria-pressed=move || shown.get().to_string()
                on:click=move |_| shown.update(|shown| *shown = !*shown)
            >
                {move || view! { <Icon glyph=if shown.get() { Glyph::EyeOff } else { Glyph::Eye } /> }.into_any()}
            </button>
        </div>
    };
    frame(parts, label, hint, error, control.into_any())
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// A text for machines: fixed width, no spelling.
    #[prop(optional)]
    code: bool,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let parts = Parts::new();
    let control = view! {
        <textarea
            class=if code { "control code" } else { "control" }
            id=parts.control.clone()
            spellcheck=if code { "false" } else { "true" }
            aria-invalid=invalid(error)
            aria-describedby=parts.described(hint.is_some(), error)
            data-testid=testid
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        ></textarea>
    };
    frame(parts, label, hint, error, control.into_any())
}

/// What a list offers: value and words.
pub type Choices = Vec<(String, String)>;

/// One of a list.
#[component]
pub fn SelectField(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] options: Signal<Choices>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let parts = Parts::new();
    let choices = move || {
        let chosen = value.get();
        options
            .get()
            .into_iter()
            .map(|(word, title)| {
                let selected = word == chosen;
                view! { <option value=word selected=selected>{title}</option> }
            })
            .collect_view()
    };
    let control = view! {
        <select
            class="control"
            id=parts.control.clone()
            aria-invalid=invalid(error)
            aria-describedby=parts.described(hint.is_some(), error)
            data-testid=testid
            on:change=move |event: Event| on_change.run(event_target_value(&event))
        >
            {choices}
        </select>
    };
    frame(parts, label, hint, error, control.into_any())
}

/// A box to tick.
#[component]
pub fn Check(
    #[prop(into)] label: String,
    value: RwSignal<bool>,
    #[prop(optional, into)] hint: Option<String>,
) -> impl IntoView {
    let id = unique_id("check");
    view! {
        <div class="check">
            <input
                type="checkbox"
                id=id.clone()
                prop:checked=value
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <label for=id>
                {label}
                {hint.map(|hint| view! { <span class="hint">{hint}</span> })}
            </label>
        </div>
    }
}

/// A switch that acts at once. `label` is its accessible name; the server's word decides how it stands.
#[component]
pub fn Toggle(
    #[prop(into)] label: String,
    #[prop(into)] on: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let change = move |event: Event| {
        let wanted = event_target_checked(&event);
        on_change.run(wanted);
    };
    view! {
        <input
            type="checkbox"
            role="switch"
            class="switch"
            aria-label=label
            prop:checked=on
            disabled=disabled
            data-testid=testid
            on:change=change
        />
    }
}

/// A switch with its words beside it, for something that lives only in this page.
#[component]
pub fn LabelledSwitch(#[prop(into)] label: String, value: RwSignal<bool>) -> impl IntoView {
    // Without an id of ours thaw gives label and control two different ones.
    view! { <thaw::Switch id=unique_id("switch") checked=value label=label /> }
}
