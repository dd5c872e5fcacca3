//! The emergency stop of one rule.

use api::workspace::Role;
use domain::id::RuleId;
use leptos::prelude::*;

use crate::api::stops;
use crate::store::Store;
use crate::ui::{Button, Glyph, Look, Toasts, run, when};

/// Stops what a rule has planned at once, or lets it go on.
#[component]
pub fn RuleStop(rule: RuleId, #[prop(into)] name: String) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let is_stopped = Memo::new(move |_| store.is_rule_stopped(rule));
    let title = StoredValue::new(name);
    let switch = move |stop: bool| switch(store, toasts, busy, rule, title.get_value(), stop);
    let button = move || {
        let (glyph, word) = if is_stopped.get() {
            (Glyph::Play, "Продолжить")
        } else {
            (Glyph::Pause, "Остановить")
        };
        let label = format!("{word} отправку: {}", title.get_value());
        view! {
            <Button
                look=Look::Subtle
                small=true
                glyph
                label
                loading=busy
                testid="rule-stop"
                on_click=move |_| switch(!is_stopped.get_untracked())
            />
        }
        .into_any()
    };
    when(move || store.may(Role::Editor), move || button.into_any())
}

fn switch(store: Store, toasts: Toasts, busy: RwSignal<bool>, rule: RuleId, name: String, stop: bool) {
    let request = if stop {
        stops::stop_rule(rule)
    } else {
        stops::start_rule(rule)
    };
    run(busy, request, move |answer| match answer {
        Ok(page) => {
            store.set_stops(page.items);
            let text = if stop {
                format!("«{name}»: ничего не отправляется, действия ждут")
            } else {
                format!("«{name}»: отправка продолжена")
            };
            // The button may be gone by then; what it does is not.
            let undo = move || switch(store, toasts, RwSignal::new(false), rule, name.clone(), !stop);
            toasts.undoable(text, undo);
        }
        Err(error) => toasts.problem(&error),
    });
}
