//! What changes between two states of a rule, in words.

use api::rule::{CompareRules, RuleChange, RuleView};
use domain::diff::ChangeKind;
use domain::rule::Rule;
use leptos::prelude::*;

use crate::api::Answer;
use crate::api::rules::{self, Cycles};
use crate::problem::ApiError;
use crate::text::upper_first;
use crate::ui::{Badge, Button, Dialog, ErrorBox, Look, Notice, Remote, loaded};
use crate::words::Tone;

/// The changes as a list.
pub fn change_list(list: Vec<RuleChange>) -> AnyView {
    if list.is_empty() {
        return view! { <p class="muted">"Отличий нет."</p> }.into_any();
    }
    let rows: Vec<AnyView> = list
        .into_iter()
        .map(|change| {
            let (tone, word) = match change.kind {
                ChangeKind::Added => (Tone::Good, "Новое"),
                ChangeKind::Removed => (Tone::Bad, "Убрано"),
                ChangeKind::Changed => (Tone::Busy, "Изменено"),
            };
            view! {
                <li class="finding" data-testid="change">
                    <Badge tone word />
                    <p class="grow">{upper_first(&change.text)}</p>
                </li>
            }
            .into_any()
        })
        .collect();
    view! { <ul class="findings" data-testid="changes">{rows}</ul> }.into_any()
}

/// What changes from one document to another, loaded and drawn.
pub fn changes_between(before: Rule, after: Rule) -> AnyView {
    let list = Remote::new(move || {
        rules::compare_rules(&CompareRules {
            before: before.clone(),
            after: after.clone(),
        })
    });
    loaded(list, |page| change_list(page.items))
}

/// The document in force; none when nothing was published yet.
async fn in_force(rule: RuleView) -> Answer<Option<Rule>> {
    let id = rule.summary.id;
    let versions = rules::list_versions(id).send().await?;
    match versions.items.iter().find(|version| version.current) {
        Some(version) => Ok(Some(rules::get_version(id, version.id).send().await?.document)),
        None => Ok(None),
    }
}

/// The rule would close a cycle that never ends by itself.
pub fn is_circle(error: &ApiError) -> bool {
    error.kind == Some(api::ProblemType::CertainCycle)
}

/// The way round in words, and a button for who means it.
pub fn circle_box(error: ApiError, yes: &'static str, busy: RwSignal<bool>, on_yes: Callback<()>) -> AnyView {
    let ways: Vec<AnyView> = error
        .errors
        .into_iter()
        .filter(|found| found.code == "cycle_certain")
        .map(|found| view! { <li>{found.detail}</li> }.into_any())
        .collect();
    view! {
        <Notice tone=Tone::Warn title=error.title testid="circle">
            <p>"Хаб остановит такую цепочку сам, но лишние записи успеют появиться. Измените условие или подтвердите, что так и задумано."</p>
            <ul>{ways}</ul>
            <div><Button small=true look=Look::Danger loading=busy testid="accept-circle" on_click=move |_| on_yes.run(())>{yes}</Button></div>
        </Notice>
    }
    .into_any()
}

/// Asks before publishing, with everything that changes.
#[component]
pub fn PublishDialog(
    rule: RuleView,
    open: RwSignal<bool>,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<ApiError>>,
    on_yes: Callback<Cycles>,
) -> impl IntoView {
    view! {
        <Dialog title="Опубликовать правило?" open testid="publish-dialog">
            {{
                let rule = rule.clone();
                let draft = rule.draft.clone();
                let before = Remote::of(move || in_force(rule.clone()));
                loaded(before, move |before| match before {
                    Some(before) => changes_between(before, draft.clone()),
                    None => view! { <p class="soft">"Это первая публикация: правило начнёт работать со следующего события."</p> }.into_any(),
                })
            }}
            {move || failure.get().map(|error| {
                if is_circle(&error) {
                    circle_box(error, "Опубликовать всё равно", busy, Callback::new(move |()| on_yes.run(Cycles::Accepted)))
                } else {
                    view! { <ErrorBox error /> }.into_any()
                }
            })}
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>"Отмена"</Button>
                <Button look=Look::Primary loading=busy testid="publish-yes" on_click=move |_| on_yes.run(Cycles::Refused)>"Опубликовать"</Button>
            </div>
        </Dialog>
    }
}
