//! Saved test cases: run here while the rule is edited, and by the server before it is published.

use api::Page;
use api::rule_case::{RuleCase, SaveRuleCase};
use domain::case::{Expected, TestCase, check, outcome};
use domain::evaluate::Facts;
use domain::id::RuleId;
use leptos::prelude::*;

use super::pace::{Step, in_pieces, next};
use super::{Editor, Ready};
use crate::api::rule_cases;
use crate::problem::ApiError;
use crate::text::upper_first;
use crate::ui::{
    Badge, Button, Check, ErrorBox, Fold, Glyph, Look, Remote, TextField, Toasts, loaded, run, text, when,
};
use crate::words::Tone;

/// The event that is looked at, with a name to offer.
#[derive(Clone, PartialEq)]
pub(super) struct Sample {
    pub title: String,
    pub facts: Facts,
}

type Cases = Remote<Page<RuleCase>>;
type Missed = RwSignal<Vec<Vec<String>>>;

/// The cases of a rule, with a form that makes one of the event looked at.
pub(super) fn section(
    editor: Editor,
    rule: Option<RuleId>,
    ready: RwSignal<Option<Ready>>,
    sample: Memo<Option<Sample>>,
) -> AnyView {
    let inner = match rule {
        Some(rule) => kept(editor, rule, ready, sample),
        None => view! {
            <p class="muted">"Сохраните черновик, и любое событие можно будет оставить как проверку правила."</p>
        }
        .into_any(),
    };
    view! {
        <section class="stack tight" aria-labelledby="cases-title" data-testid="cases">
            <h3 id="cases-title">"Проверки"</h3>
            {inner}
        </section>
    }
    .into_any()
}

fn kept(
    editor: Editor,
    rule: RuleId,
    ready: RwSignal<Option<Ready>>,
    sample: Memo<Option<Sample>>,
) -> AnyView {
    let cases: Cases = Remote::new(move || rule_cases::list_cases(rule));
    let missed: Missed = RwSignal::new(Vec::new());
    let turn = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let (Some(ready), Some(page)) = (ready.get(), cases.get()) else {
            return;
        };
        turn.update_value(|turn| *turn = turn.wrapping_add(1));
        let mine = turn.get_value();
        run_all(ready, page.items, missed, move || {
            turn.try_get_value() == Some(mine)
        });
    });
    view! {
        <p class="soft">"Публикация не пройдёт, пока хоть одна проверка не выполнена."</p>
        {loaded(cases, move |page| list(editor, rule, cases, page.items, ready, missed))}
        {when(move || editor.open.get() && sample.with(Option::is_some), move || form(rule, cases, ready, sample))}
    }
    .into_any()
}

/// Runs the cases one after the other, letting the browser draw in between.
fn run_all(ready: Ready, cases: Vec<RuleCase>, missed: Missed, still: impl Fn() -> bool + 'static) {
    let mut done = Vec::with_capacity(cases.len());
    next(move || {
        in_pieces(move || {
            if !still() {
                return Step::Last;
            }
            let Some(case) = cases.get(done.len()) else {
                missed.set(std::mem::take(&mut done));
                return Step::Last;
            };
            let case = TestCase {
                name: String::new(),
                facts: case.facts.clone(),
                expected: case.expected.clone(),
            };
            done.push(check(&ready.0, &case));
            Step::More
        });
    });
}

fn list(
    editor: Editor,
    rule: RuleId,
    cases: Cases,
    items: Vec<RuleCase>,
    ready: RwSignal<Option<Ready>>,
    missed: Missed,
) -> AnyView {
    if items.is_empty() {
        return view! { <p class="muted">"Проверок пока нет."</p> }.into_any();
    }
    let rows: Vec<AnyView> = items
        .into_iter()
        .enumerate()
        .map(|(at, case)| row(editor, rule, cases, case, at, ready, missed))
        .collect();
    view! { <ul class="findings">{rows}</ul> }.into_any()
}

fn row(
    editor: Editor,
    rule: RuleId,
    cases: Cases,
    case: RuleCase,
    at: usize,
    ready: RwSignal<Option<Ready>>,
    missed: Missed,
) -> AnyView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let mine = Memo::new(move |_| missed.with(|all| all.get(at).cloned()));
    let wants = if case.expected.matches {
        "должно сработать"
    } else {
        "не должно сработать"
    };
    let (id, name) = (case.id, case.name.clone());
    let accept = move |_| {
        let Some(ready) = ready.get_untracked() else {
            return;
        };
        let form = SaveRuleCase {
            name: case.name.clone(),
            facts: case.facts.clone(),
            expected: outcome(&ready.0, &case.facts),
        };
        run(
            busy,
            rule_cases::update_case(rule, id, &form),
            move |answer| match answer {
                Ok(_) => cases.reload(),
                Err(error) => toasts.problem(&error),
            },
        );
    };
    let accept = Callback::new(accept);
    let delete = Callback::new(move |_| {
        run(
            busy,
            rule_cases::delete_case(rule, id),
            move |answer| match answer {
                Ok(()) => cases.reload(),
                Err(error) => toasts.problem(&error),
            },
        );
    });
    let label = format!("Удалить проверку «{name}»");
    view! {
        <li class="finding" data-testid="case">
            {move || match mine.get() {
                None => view! { <Badge tone=Tone::Muted word="Считаем" /> }.into_any(),
                Some(missed) if missed.is_empty() => view! { <Badge tone=Tone::Good word="Выполнена" /> }.into_any(),
                Some(_) => view! { <Badge tone=Tone::Bad word="Не выполнена" /> }.into_any(),
            }}
            <div class="grow stack tight">
                <p><b>{name}</b> <span class="muted">" — " {wants}</span></p>
                {move || mine.get().unwrap_or_default().into_iter()
                    .map(|text| view! { <p class="miss">{upper_first(&text)}</p> }.into_any())
                    .collect::<Vec<_>>()}
                {when(move || editor.open.get() && mine.with(|mine| mine.as_ref().is_some_and(|all| !all.is_empty())), move || view! {
                    <div><Button small=true loading=busy testid="accept-case" on_click=accept>"Принять нынешний результат"</Button></div>
                }.into_any())}
            </div>
            {when(move || editor.open.get(), move || view! {
                <Button look=Look::Danger small=true glyph=Glyph::Bin label=label.clone() testid="delete-case" on_click=delete />
            }.into_any())}
        </li>
    }
    .into_any()
}

/// Makes a case of the event that is looked at.
fn form(rule: RuleId, cases: Cases, ready: RwSignal<Option<Ready>>, sample: Memo<Option<Sample>>) -> AnyView {
    let toasts = Toasts::expect();
    let name = text("");
    let (matches, calls) = (RwSignal::new(false), RwSignal::new(true));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    // Offered anew with every event and whenever the rule comes to another result.
    Effect::new(move |_| {
        let (Some(ready), Some(sample)) = (ready.get(), sample.get()) else {
            return;
        };
        matches.set(outcome(&ready.0, &sample.facts).matches);
    });
    Effect::new(move |_| {
        if let Some(sample) = sample.get() {
            name.set(sample.title);
        }
    });
    let save = move |_| {
        let (Some(ready), Some(sample)) = (ready.get_untracked(), sample.get_untracked()) else {
            return;
        };
        let now = outcome(&ready.0, &sample.facts);
        let wanted = matches.get_untracked();
        let expected = Expected {
            matches: wanted,
            commands: now.commands.filter(|_| wanted && calls.get_untracked()),
        };
        let form = SaveRuleCase {
            name: name.get_untracked(),
            facts: sample.facts,
            expected,
        };
        failure.set(None);
        run(
            busy,
            rule_cases::create_case(rule, &form),
            move |answer| match answer {
                Ok(_) => {
                    toasts.done("Проверка сохранена");
                    cases.reload();
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    view! {
        <Fold title="Сохранить выбранное событие как проверку">
            <div class="stack tight">
                <TextField label="Что проверяем" value=name testid="case-name" />
                <Check label="Правило должно сработать" value=matches />
                {when(move || matches.get(), move || view! {
                    <Check label="И запланировать ровно эти действия" value=calls />
                }.into_any())}
                <div><Button small=true loading=busy testid="save-case" on_click=save>"Сохранить проверку"</Button></div>
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            </div>
        </Fold>
    }
    .into_any()
}
