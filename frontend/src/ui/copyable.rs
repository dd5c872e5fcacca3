//! A text to be taken elsewhere.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::{Button, Glyph, Look, Toasts};

/// A text with a button that copies it; `what` names it: «Адрес вебхука».
#[component]
pub fn Copyable(
    #[prop(into)] text: String,
    #[prop(into)] what: String,
    #[prop(optional)] testid: Option<&'static str>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let shown = text.clone();
    let label = format!("Копировать: {what}");
    let copy = move |_| {
        let (text, what) = (text.clone(), what.clone());
        spawn_local(async move {
            // Absent on pages that were not loaded over HTTPS or from this machine.
            let clipboard = window().navigator().clipboard();
            let copied = !AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined()
                && JsFuture::from(clipboard.write_text(&text)).await.is_ok();
            if copied {
                toasts.done(format!("{what}: скопировано"));
            } else {
                toasts.fail("Браузер не дал скопировать. Выделите текст и скопируйте его сами.");
            }
        });
    };
    view! {
        <div class="copyable">
            <code data-testid=testid>{shown}</code>
            <Button look=Look::Subtle small=true glyph=Glyph::Copy label=label on_click=copy />
        </div>
    }
}
