//! The document of a rule as text, checked as one types by the same code as at the server.

use std::time::Duration;

use api::workspace::Role;
use domain::compile::compile;
use domain::rule::Rule;
use leptos::prelude::*;

use crate::draft::{parse, to_text};
use crate::parts::{DiagnosticList, RuleText};
use crate::store::Store;
use crate::ui::{Button, Card, Look, TextArea, text, when};

const QUIET: Duration = Duration::from_millis(250);

/// Text on one side, findings and the rule in words on the other.
#[component]
pub fn Editor(initial: String, busy: RwSignal<bool>, on_save: Callback<Rule>) -> impl IntoView {
    let store = Store::expect();
    let value = text(initial.clone());
    let checked = RwSignal::new(initial);
    // Checking waits for a pause in typing, so that typing never waits for checking.
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        let now = value.get();
        if let Some(last) = last.flatten() {
            last.clear();
        }
        set_timeout_with_handle(
            move || {
                checked.try_set(now);
            },
            QUIET,
        )
        .ok()
    });
    let parsed = Memo::new(move |_| checked.with(|text| parse(text)));
    let wrong = Signal::derive(move || parsed.with(|parsed| parsed.as_ref().err().cloned()));
    let rule = Memo::new(move |_| parsed.with(|parsed| parsed.as_ref().ok().cloned()));
    let findings = Memo::new(move |_| {
        let catalogues = store.catalogues();
        rule.with(|rule| rule.as_ref().map(|rule| compile(rule, &catalogues).1))
    });
    let save = move |_| match parse(&value.get_untracked()) {
        Ok(rule) => on_save.run(rule),
        Err(_) => checked.set(value.get_untracked()),
    };
    let lay_out = move |_| {
        if let Ok(rule) = parse(&value.get_untracked()) {
            value.set(to_text(&rule));
        }
    };
    view! {
        <div class="two wide">
            <Card>
                <TextArea label="Документ правила (JSON)" value error=wrong code=true testid="rule-json" />
                {when(move || store.may(Role::Editor), move || view! {
                    <div class="row">
                        <Button look=Look::Primary loading=busy testid="save-rule" on_click=save>
                            "Сохранить черновик"
                        </Button>
                        <Button on_click=lay_out>"Выровнять"</Button>
                    </div>
                }.into_any())}
            </Card>
            <div class="stack">
                <Card title="Замечания">
                    {move || match findings.get() {
                        Some(list) => view! { <DiagnosticList list /> }.into_any(),
                        None => view! { <p class="muted">"Появятся, когда документ можно будет прочитать."</p> }.into_any(),
                    }}
                </Card>
                {move || ({
                    rule.get().map(|rule| {
                        view! {
                            <Card title="Это правило словами">
                                <RuleText rule />
                            </Card>
                        }
                    })
                }).into_any()}
            </div>
        </div>
    }
}
