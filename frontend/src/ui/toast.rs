//! Short messages about what just happened, announced to those who do not see them.

use std::time::Duration;

use leptos::prelude::*;

use super::{Button, Glyph, Icon, Look};
use crate::problem::ApiError;
use crate::words::Tone;

const SHOWN: Duration = Duration::from_secs(6);

#[derive(Clone)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
    trace: Option<String>,
    undo: Option<Callback<()>>,
}

/// Where messages are given.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    /// The one of this page; makes it at the root.
    pub fn provide() -> Self {
        let toasts = Self {
            list: RwSignal::new(Vec::new()),
            last: StoredValue::new(0),
        };
        provide_context(toasts);
        toasts
    }

    /// The one of this page. Take it before any `await`.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Something worked.
    pub fn done(self, text: impl Into<String>) {
        self.show(Tone::Good, text.into(), None, None);
    }

    /// Something worked that can be taken back: «Отменить» stands beside it.
    pub fn undoable(self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        self.show(
            Tone::Good,
            text.into(),
            None,
            Some(Callback::new(move |()| undo())),
        );
    }

    /// Something did not.
    pub fn fail(self, text: impl Into<String>) {
        self.show(Tone::Bad, text.into(), None, None);
    }

    /// A request did not succeed.
    pub fn problem(self, error: &ApiError) {
        let mut text = error.sentence();
        for field in error.errors.iter().take(3) {
            text.push_str("\n• ");
            text.push_str(&field.detail);
        }
        self.show(Tone::Bad, text, error.trace().map(str::to_owned), None);
    }

    fn show(self, tone: Tone, text: String, trace: Option<String>, undo: Option<Callback<()>>) {
        let id = self.last.get_value().wrapping_add(1);
        self.last.set_value(id);
        self.list.update(|list| {
            // The same message twice in a row says no more than once.
            list.retain(|toast| toast.text != text);
            list.push(Toast {
                id,
                tone,
                text,
                trace,
                undo,
            });
            if list.len() > 4 {
                list.remove(0);
            }
        });
        // Failures stay until they are closed: a person may be looking elsewhere.
        if tone != Tone::Bad {
            set_timeout(move || self.close(id), SHOWN);
        }
    }

    fn close(self, id: u32) {
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Draws the messages; stands once at the root.
#[component]
pub fn ToastHost() -> impl IntoView {
    let toasts = Toasts::expect();
    let list = toasts.list;
    let row = move |toast: Toast| {
        let glyph = if toast.tone == Tone::Bad {
            Glyph::Fail
        } else {
            Glyph::Done
        };
        let role = if toast.tone == Tone::Bad {
            "alert"
        } else {
            "status"
        };
        let id = toast.id;
        view! {
            <div class=format!("toast tone-{}", toast.tone.class()) role=role data-testid="toast">
                <Icon glyph />
                <div class="grow">
                    <p style="white-space: pre-line">{toast.text}</p>
                    {toast.trace.map(|trace| view! { <p class="muted">"Код запроса: " <code>{trace}</code></p> })}
                </div>
                {toast
                    .undo
                    .map(|undo| {
                        let take_back = move |_| {
                            toasts.close(id);
                            undo.run(());
                        };
                        view! {
                            <Button small=true glyph=Glyph::Undo testid="undo" on_click=take_back>"Отменить"</Button>
                        }
                    })}
                <Button
                    look=Look::Subtle
                    small=true
                    glyph=Glyph::Close
                    label="Закрыть сообщение"
                    on_click=move |_| toasts.close(id)
                />
            </div>
        }
    };
    view! {
        <div class="toasts" aria-live="polite">
            <For each=move || list.get() key=|toast| toast.id children=row />
        </div>
    }
}
