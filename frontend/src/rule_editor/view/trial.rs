//! The live trial: the last events of the source, evaluated here while the rule is edited.

use std::sync::Arc;

use api::trial::{TrialBody, TrialEvent, TrialQuery};
use domain::compile::CompiledRule;
use domain::evaluate::{Evaluation, Facts, Verdict, evaluate, explain};
use domain::id::{ConnectionId, RuleId};
use leptos::prelude::*;

use super::cases::{self, Sample};
use super::pace::{Step, in_pieces, next};
use super::{Editor, Ready};
use crate::api::trials;
use crate::command_text::command;
use crate::explain::{miss, reason};
use crate::parts::{CommandView, ReasonView};
use crate::problem::ApiError;
use crate::rule_editor::marks::marks;
use crate::store::Store;
use crate::text::counted;
use crate::ui::{Ago, Button, Card, ErrorBox, Fold, Remote, StateBadge, TextArea, loaded, run, text};
use crate::words;

/// Events looked at.
const OFFERED: u32 = 50;

/// What became of one event.
#[derive(Clone, PartialEq)]
struct Row {
    /// The trigger wakes on it.
    wakes: bool,
    verdict: Verdict,
    miss: Option<String>,
}

/// The panel beside the rule.
pub fn panel(editor: Editor, rule: Option<RuleId>) -> AnyView {
    let source = Memo::new(move |_| {
        editor.look("/source", |draft| {
            draft.at("/source")?.as_str()?.parse::<ConnectionId>().ok()
        })
    });
    let recent = Remote::new(move || {
        trials::list_trial_events(&TrialQuery {
            connection: source.get(),
            kind: None,
            limit: Some(OFFERED),
        })
    });
    let pasted = RwSignal::new(Vec::<TrialEvent>::new());
    let all = Memo::new(move |_| {
        let mut all = pasted.get();
        all.extend(recent.get().map(|page| page.items).unwrap_or_default());
        all
    });
    view! {
        <Card title="Проба на событиях" testid="trial">
            <p class="soft">"Считается здесь, пока вы правите. В CRM ничего не отправляется и не читается."</p>
            {paste(source, pasted)}
            {loaded(recent, |_| ())}
            {list(editor, rule, all)}
        </Card>
    }
    .into_any()
}

/// What the chosen event would do.
#[derive(Clone)]
struct Outcome {
    ready: Ready,
    evaluation: Evaluation,
}

/// Equal when it would be drawn alike.
impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.ready.0.rule(), other.ready.0.rule());
        self.evaluation == other.evaluation && mine.condition == theirs.condition
    }
}

fn list(editor: Editor, rule: Option<RuleId>, all: Memo<Vec<TrialEvent>>) -> AnyView {
    let store = Store::expect();
    let ready = editor.ready;
    let rows = RwSignal::new(Vec::<Row>::new());
    let turn = StoredValue::new(0_u32);
    let chosen = RwSignal::new(None::<usize>);
    Effect::new(move |_| {
        let (Some(ready), events) = (ready.get(), all.get()) else {
            return;
        };
        turn.update_value(|turn| *turn = turn.wrapping_add(1));
        let mine = turn.get_value();
        if chosen.with_untracked(|at| at.is_none_or(|at| at >= events.len())) {
            let first = events.iter().position(|event| ready.0.wakes_on(event.facts.kind));
            chosen.set(first.or(Some(0)).filter(|at| *at < events.len()));
        }
        judge(store, ready.0, events, rows, move || {
            turn.try_get_value() == Some(mine)
        });
    });
    let sample = Memo::new(move |_| {
        let at = chosen.get()?;
        all.with(|all| all.get(at).map(sample_of))
    });
    let outcome = RwSignal::new(None::<Arc<Outcome>>);
    Effect::new(move |_| match (ready.get(), sample.get()) {
        (Some(ready), Some(sample)) => next(move || try_out(editor, store, ready, &sample.facts, outcome)),
        _ => outcome.set(None),
    });
    let summary = move || {
        let n = rows.with(|rows| {
            rows.iter()
                .filter(|row| row.wakes && row.verdict == Verdict::True)
                .count()
        });
        let total = all.with(Vec::len);
        let n = u64::try_from(n).unwrap_or_default();
        format!(
            "{} из {total}",
            counted(n, "событие подходит", "события подходят", "событий подходит")
        )
    };
    let items = move || {
        let all = all.get();
        let items = all.iter().enumerate();
        let items: Vec<AnyView> = items.map(|(at, event)| item(event, rows, at, chosen)).collect();
        items
    };
    view! {
        <p data-testid="trial-summary" role="status">{summary}</p>
        <ul class="trial-list">{items}</ul>
        {move || outcome.get().map(|outcome| shown(store, &outcome))}
        {cases::section(editor, rule, ready, sample)}
    }
    .into_any()
}

fn sample_of(event: &TrialEvent) -> Sample {
    Sample {
        title: format!("{}: {}", event.facts.kind.title(), record_name(event)),
        facts: event.facts.clone(),
    }
}

fn record_name(event: &TrialEvent) -> String {
    match &event.event {
        Some(summary) => summary
            .record
            .name
            .clone()
            .unwrap_or_else(|| format!("№ {}", summary.record.id)),
        None => "из вставленного тела".to_owned(),
    }
}

fn names_of(store: Store, rule: &domain::rule::Rule) -> crate::names::Names {
    let others: Vec<_> = rule.actions.iter().filter_map(|card| card.connection).collect();
    store.names(Some(rule.source), &others)
}

/// Evaluates the events one after the other, letting the browser draw in between.
fn judge(
    store: Store,
    rule: Arc<CompiledRule>,
    events: Vec<TrialEvent>,
    rows: RwSignal<Vec<Row>>,
    still: impl Fn() -> bool + 'static,
) {
    let mut done = Vec::with_capacity(events.len());
    let mut names = None;
    next(move || {
        in_pieces(move || {
            if !still() {
                return Step::Last;
            }
            let names = names.get_or_insert_with(|| names_of(store, rule.rule()));
            let Some(event) = events.get(done.len()) else {
                let done = std::mem::take(&mut done);
                if rows.with_untracked(|old| *old != done) {
                    rows.set(done);
                }
                return Step::Last;
            };
            let why = explain(&rule, &event.facts);
            let miss = match why.verdict {
                Verdict::True => None,
                _ => miss(&reason(Some(&rule.rule().condition), &why, names)).sentence(),
            };
            done.push(Row {
                wakes: rule.wakes_on(event.facts.kind),
                verdict: why.verdict,
                miss,
            });
            Step::More
        });
    });
}

/// Evaluates the chosen event: marks in the tree first, the explanation beside it in a task of its own.
fn try_out(
    editor: Editor,
    store: Store,
    ready: Ready,
    facts: &Facts,
    outcome: RwSignal<Option<Arc<Outcome>>>,
) {
    let evaluation = evaluate(&ready.0, facts);
    let now = Arc::new(Outcome { ready, evaluation });
    let same = outcome.try_with_untracked(|old| old.as_ref() == Some(&now));
    if same != Some(false) {
        return;
    }
    let rule = now.ready.0.rule();
    let marks = marks(
        &rule.condition,
        &now.evaluation.explanation,
        &names_of(store, rule),
    );
    if editor.marks.with_untracked(|old| **old != marks) {
        editor.marks.set(Arc::new(marks));
    }
    if editor
        .sample
        .with_untracked(|old| **old != now.evaluation.commands)
    {
        editor.sample.set(Arc::new(now.evaluation.commands.clone()));
    }
    next(move || {
        outcome.try_set(Some(now));
    });
}

fn item(event: &TrialEvent, rows: RwSignal<Vec<Row>>, at: usize, chosen: RwSignal<Option<usize>>) -> AnyView {
    let kind = event.facts.kind.title();
    let record = record_name(event);
    let when = event
        .event
        .as_ref()
        .map(|summary| view! { <Ago at=summary.received_at /> });
    let row = Memo::new(move |_| rows.with(|rows| rows.get(at).cloned()));
    let verdict = move || {
        row.with(|row| match row {
            None => ("muted", "считаем"),
            Some(row) if !row.wakes => ("muted", "другое событие"),
            Some(row) => match row.verdict {
                Verdict::True => ("good", "подходит"),
                Verdict::False => ("bad", "не подходит"),
                Verdict::Unknown => ("warn", "не проверить"),
            },
        })
    };
    let badge = move || {
        let (tone, word) = verdict();
        view! { <span class=format!("badge tone-{tone}")>{word}</span> }.into_any()
    };
    let why = move || {
        let row = row.get().filter(|row| row.wakes)?;
        let miss = row.miss?;
        Some(view! { <span class="miss">{miss}</span> }.into_any())
    };
    view! {
        <li>
            <button
                type="button"
                class="trial-row"
                aria-pressed=move || (chosen.get() == Some(at)).to_string()
                data-testid="trial-row"
                data-verdict=move || verdict().0
                on:click=move |_| chosen.set(Some(at))
            >
                <span class="row apart">
                    <b>{record}</b>
                    {badge}
                </span>
                <span class="muted">{kind} " " {when}</span>
                {why}
            </button>
        </li>
    }
    .into_any()
}

fn shown(store: Store, outcome: &Outcome) -> AnyView {
    let rule = outcome.ready.0.rule();
    let outcome = outcome.evaluation.clone();
    let names = names_of(store, rule);
    let json = serde_json::to_string_pretty(&outcome.commands).unwrap_or_default();
    let calls: Vec<AnyView> = outcome
        .commands
        .into_iter()
        .map(|planned| {
            let side = planned.connection.and_then(|id| store.kind_of(id));
            let title = command(&planned, side, &names).title;
            view! { <li class="action"><h3>{title}</h3><CommandView command_=planned /></li> }.into_any()
        })
        .collect();
    let notes: Vec<AnyView> = outcome
        .notes
        .into_iter()
        .map(|note| view! { <li>"Действие " {note.action + 1} ": " {note.text}</li> }.into_any())
        .collect();
    let none = calls.is_empty();
    view! {
        <div class="stack tight" data-testid="trial-result">
            <div class="row"><h3>"Выбранное событие"</h3><StateBadge label=words::run(outcome.outcome) /></div>
            <ReasonView condition=Some(rule.condition.clone()) explanation=outcome.explanation names=names />
            <ul class="plain-list soft">{notes}</ul>
            <ol class="actions">{calls}</ol>
            {(!none).then(|| view! { <Fold title="То же в JSON"><pre class="body">{json}</pre></Fold> })}
        </div>
    }
    .into_any()
}

/// A body pasted by hand.
fn paste(source: Memo<Option<ConnectionId>>, pasted: RwSignal<Vec<TrialEvent>>) -> AnyView {
    let value = text("");
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let read = move |_| {
        let Some(connection_id) = source.get_untracked() else {
            return;
        };
        let form = TrialBody {
            connection_id,
            content_type: None,
            body: value.get_untracked(),
        };
        failure.set(None);
        run(busy, trials::read_trial_body(&form), move |answer| match answer {
            Ok(page) => pasted.set(page.items),
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <Fold title="Вставить тело вебхука">
            <div class="stack tight">
                <TextArea label="Тело вебхука источника" value code=true testid="trial-body" />
                <div><Button small=true loading=busy testid="read-body" on_click=read>"Прочитать"</Button></div>
                {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            </div>
        </Fold>
    }
    .into_any()
}
