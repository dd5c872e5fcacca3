//! The document of a rule as text: for copying, and for pasting one in.

use std::time::Duration;

use leptos::prelude::*;

use crate::draft::{parse, to_text};
use crate::parts::DiagnosticList;
use crate::rule_editor::view::Editor;
use crate::ui::{Card, TextArea, text};

const QUIET: Duration = Duration::from_millis(250);

/// Text on one side, findings on the other. What can be read goes into the draft, where it can be taken back.
pub fn document(editor: Editor) -> AnyView {
    let now = editor
        .draft
        .with_untracked(|draft| draft.rule().as_ref().map(to_text).unwrap_or_default());
    let value = text(now);
    let wrong = RwSignal::new(None::<String>);
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        let now = value.get();
        let first = last.is_none();
        if let Some(last) = last.flatten() {
            last.clear();
        }
        if first {
            return None;
        }
        let take = move || match parse(&now) {
            Ok(rule) => {
                wrong.try_set(None);
                let tree = serde_json::to_value(&rule).unwrap_or_default();
                editor.change(|draft| draft.replace(tree));
            }
            Err(text) => {
                wrong.try_set(Some(text));
            }
        };
        set_timeout_with_handle(take, QUIET).ok()
    });
    view! {
        <div class="two wide">
            <Card>
                <TextArea label="Документ правила (JSON)" value error=wrong code=true testid="rule-json" />
                <p class="muted">"Документ, который читается, сразу становится черновиком. Сохраните его в конструкторе."</p>
            </Card>
            <Card title="Замечания">
                {move || {
                    let list = editor.findings.with(|all| all.to_vec());
                    view! { <DiagnosticList list /> }
                }}
            </Card>
        </div>
    }
    .into_any()
}
