//! What only the server can say of a draft: whether it would close a cycle with the other rules, and what this
//! version does not carry out. Asked after a longer pause.

use std::sync::Arc;
use std::time::Duration;

use api::rule::CheckRule;
use domain::id::RuleId;
use domain::rule::Rule;
use leptos::prelude::*;

use super::Editor;
use crate::api::rules;

const PAUSE: Duration = Duration::from_millis(1_000);

/// Asks whenever the rule has been left alone for a while.
pub(super) fn ask(editor: Editor, id: Option<RuleId>) {
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        let rule = editor.rule.get();
        if let Some(last) = last.flatten() {
            last.clear();
        }
        let rule = rule?;
        set_timeout_with_handle(move || send(editor, id, rule), PAUSE).ok()
    });
}

fn send(editor: Editor, id: Option<RuleId>, rule: Arc<Rule>) {
    let form = CheckRule {
        draft: (*rule).clone(),
        rule_id: id,
    };
    leptos::task::spawn_local(async move {
        // Without an answer the person learns it when publishing.
        let Ok(answer) = rules::check_rule(&form).send().await else {
            return;
        };
        let now = editor.rule.try_get_untracked().flatten();
        if !now.is_some_and(|now| Arc::ptr_eq(&now, &rule)) {
            return;
        }
        let here = editor.compiled.get_untracked();
        let mut told = answer.diagnostics;
        told.retain(|found| !here.contains(found));
        editor.told.set(Arc::new(told));
    });
}
