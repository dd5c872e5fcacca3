//! What one rule made of the event.

use api::run::RunView;
use domain::condition::Condition;
use domain::id::ConnectionId;
use domain::run::RunOutcome;
use leptos::prelude::*;

use crate::api::rules;
use crate::explain::{miss, reason};
use crate::parts::ReasonView;
use crate::store::Store;
use crate::text::counted;
use crate::ui::{Remote, StateBadge};
use crate::words;

/// The rule, how it came out, and on opening the reason at every node.
#[component]
pub fn RunStory(run: RunView, source: ConnectionId) -> impl IntoView {
    let store = Store::expect();
    let (rule, number) = (run.rule_id, run.rule_number);
    // Groups are named after the document of the version that ran.
    let version = Remote::of(move || async move {
        let list = rules::list_versions(rule).send().await?;
        let found = list.items.into_iter().find(|version| version.number == number);
        match found {
            Some(version) => rules::get_version(rule, version.id)
                .send()
                .await
                .map(|version| Some(version.document.condition)),
            None => Ok(None::<Condition>),
        }
    });
    let condition = move || version.get().flatten();
    let label = words::run(run.outcome);
    let nearest = {
        let explanation = run.explanation.clone();
        move || {
            let names = store.names(Some(source), &[]);
            let explanation = explanation.as_ref()?;
            miss(&reason(condition().as_ref(), explanation, &names)).sentence()
        }
    };
    let planned = u64::try_from(run.n_commands).unwrap_or(0);
    let short = match run.outcome {
        RunOutcome::Matched => Some(format!(
            "запланировано: {}",
            counted(planned, "действие", "действия", "действий")
        )),
        RunOutcome::Stopped => Some("раньше сработало правило, которое велит остановиться".to_owned()),
        RunOutcome::LoopGuard => Some("слишком длинная цепочка наших собственных изменений".to_owned()),
        RunOutcome::Quiet => Some("правило ждёт, пока запись не перестанет меняться".to_owned()),
        RunOutcome::NotMatched | RunOutcome::Undecidable => None,
    };
    let notes = run
        .notes
        .iter()
        .map(|note| view! { <li>"Действие " {note.action + 1} ": " {note.text.clone()}</li> })
        .collect_view();
    let open = run.outcome == RunOutcome::Matched;
    let why = run.explanation.clone().map(|explanation| {
        view! {
            {move || ({
                let names = store.names(Some(source), &[]);
                view! { <ReasonView condition=condition() explanation=explanation.clone() names /> }
            }).into_any()}
        }
    });
    view! {
        <details class="run" open=open data-testid="run" data-outcome=run.outcome.as_str()>
            <summary>
                <span class="run-head">
                    <b>{run.rule_name.clone()}</b>
                    <StateBadge label />
                    {short.map(|short| view! { <span class="soft">{short}</span> })}
                </span>
                {move || nearest().map(|text| view! { <span class="run-miss soft">{text}</span> }).into_any()}
            </summary>
            <div class="stack tight">
                {why}
                <ul class="plain-list soft">{notes}</ul>
                <p class="muted">
                    <a href=format!("/rules/{rule}")>"Открыть правило"</a>
                    " · версия "
                    <span class="number">{number}</span>
                </p>
            </div>
        </details>
    }
}
