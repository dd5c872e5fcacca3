//! Dialogs. The browser's own `dialog` keeps the focus inside and gives it back, which thaw's does not.

use leptos::html;
use leptos::prelude::*;

use super::when;
use super::{Button, Look, unique_id};

/// A window above the page; Esc and the veil close it.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    open: RwSignal<bool>,
    #[prop(optional)] testid: Option<&'static str>,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let heading = unique_id("dialog");
    Effect::new(move |_| {
        let wanted = open.get();
        if let Some(dialog) = node.get() {
            if wanted && !dialog.open() {
                let _ = dialog.show_modal();
            } else if !wanted && dialog.open() {
                dialog.close();
            }
        }
    });
    let labelled = heading.clone();
    view! {
        <dialog
            class="dialog"
            node_ref=node
            aria-labelledby=labelled
            data-testid=testid
            on:close=move |_| open.set(false)
            on:click=move |event| {
                // A click on the veil has the dialog itself as its target.
                let veil = event.target() == event.current_target();
                if veil {
                    open.set(false);
                }
            }
        >
            <div class="dialog-body">
                <h2 id=heading>{title}</h2>
                {when(move || open.get(), move || view! { {children()} }.into_any())}
            </div>
        </dialog>
    }
}

/// Asks before something that cannot be undone.
#[component]
pub fn Confirm(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(into)] yes: String,
    open: RwSignal<bool>,
    #[prop(into)] on_yes: Callback<()>,
) -> impl IntoView {
    let text = StoredValue::new(text);
    let yes = StoredValue::new(yes);
    view! {
        <Dialog title=title open=open>
            <p class="soft">{text.get_value()}</p>
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>"Отмена"</Button>
                <Button
                    look=Look::Danger
                    testid="confirm"
                    on_click=move |_| {
                        open.set(false);
                        on_yes.run(());
                    }
                >
                    {yes.get_value()}
                </Button>
            </div>
        </Dialog>
    }
}
