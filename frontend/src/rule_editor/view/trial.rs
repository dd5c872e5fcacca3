//! The live trial: the last events of the source, evaluated here while the rule is edited.

use std::sync::Arc;

use api::trial::{TrialBody, TrialEvent, TrialQuery};
use domain::compile::{CompiledRule, compile};
use domain::evaluate::{Evaluation, Verdict, evaluate, explain};
use domain::id::{ConnectionId, RuleId};
use leptos::prelude::*;

use super::Editor;
use super::cases::{self, Sample};
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
/// Events evaluated before the browser may draw again.
const AT_ONCE: usize = 10;

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
        editor
            .draft
            .with(|draft| draft.at("/source")?.as_str()?.parse::<ConnectionId>().ok())
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

fn compiled(editor: Editor, store: Store) -> Memo<Option<Ready>> {
    Memo::new(move |_| {
        let rule = editor.rule.get()?;
        let catalogues = store.catalogues();
        Some(Ready(Arc::new(compile(&rule, &catalogues).0)))
    })
}

/// A compiled rule; always new when it was compiled anew.
#[derive(Clone)]
pub(super) struct Ready(pub(super) Arc<CompiledRule>);

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn list(editor: Editor, rule: Option<RuleId>, all: Memo<Vec<TrialEvent>>) -> AnyView {
    let store = Store::expect();
    let ready = compiled(editor, store);
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
        go_on(store, ready.0, Arc::new(events), Vec::new(), rows, move || {
            turn.try_get_value() == Some(mine)
        });
    });
    let sample = Memo::new(move |_| {
        let at = chosen.get()?;
        all.with(|all| all.get(at).map(sample_of))
    });
    let outcome = Memo::new(move |_| {
        let facts = sample.get()?.facts;
        Some(evaluate(&ready.get()?.0, &facts))
    });
    Effect::new(move |_| {
        let found = outcome.with(|outcome| {
            let outcome = outcome.as_ref()?;
            let rule = editor.rule.get_untracked()?;
            let names = names_of(store, &rule);
            let marks = marks(&rule.condition, &outcome.explanation, &names);
            Some((marks, outcome.commands.clone()))
        });
        let (marks, commands) = found.unwrap_or_default();
        editor.marks.set(Arc::new(marks));
        editor.sample.set(Arc::new(commands));
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
        let rows = rows.get();
        let all = all.get();
        let items: Vec<AnyView> = all
            .iter()
            .enumerate()
            .map(|(at, event)| item(event, rows.get(at).cloned(), at, chosen))
            .collect();
        items
    };
    view! {
        <p data-testid="trial-summary" role="status">{summary}</p>
        <ul class="trial-list">{items}</ul>
        {move || outcome.get().map(|outcome| shown(editor, store, outcome))}
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

/// Evaluates a few events, lets the browser draw, and goes on.
fn go_on(
    store: Store,
    rule: Arc<CompiledRule>,
    events: Arc<Vec<TrialEvent>>,
    mut done: Vec<Row>,
    rows: RwSignal<Vec<Row>>,
    still: impl Fn() -> bool + 'static,
) {
    if !still() {
        return;
    }
    let names = names_of(store, rule.rule());
    for event in events.iter().skip(done.len()).take(AT_ONCE) {
        let why = explain(&rule, &event.facts);
        let wakes = rule.wakes_on(event.facts.kind);
        let miss = match why.verdict {
            Verdict::True => None,
            _ => miss(&reason(Some(&rule.rule().condition), &why, &names)).sentence(),
        };
        done.push(Row {
            wakes,
            verdict: why.verdict,
            miss,
        });
    }
    if done.len() < events.len() {
        let still: Box<dyn Fn() -> bool> = Box::new(still);
        set_timeout(
            move || go_on(store, rule, events, done, rows, still),
            std::time::Duration::ZERO,
        );
    } else {
        rows.set(done);
    }
}

fn item(event: &TrialEvent, row: Option<Row>, at: usize, chosen: RwSignal<Option<usize>>) -> AnyView {
    let kind = event.facts.kind.title();
    let record = record_name(event);
    let when = event
        .event
        .as_ref()
        .map(|summary| view! { <Ago at=summary.received_at /> });
    let (tone, word, why) = match row {
        None => ("muted", "считаем", None),
        Some(row) if !row.wakes => ("muted", "другое событие", None),
        Some(row) => match row.verdict {
            Verdict::True => ("good", "подходит", None),
            Verdict::False => ("bad", "не подходит", row.miss),
            Verdict::Unknown => ("warn", "не проверить", row.miss),
        },
    };
    view! {
        <li>
            <button
                type="button"
                class="trial-row"
                aria-pressed=move || (chosen.get() == Some(at)).to_string()
                data-testid="trial-row"
                data-verdict=tone
                on:click=move |_| chosen.set(Some(at))
            >
                <span class="row apart">
                    <b>{record}</b>
                    <span class=format!("badge tone-{tone}")>{word}</span>
                </span>
                <span class="muted">{kind} " " {when}</span>
                {why.map(|why| view! { <span class="miss">{why}</span> })}
            </button>
        </li>
    }
    .into_any()
}

fn shown(editor: Editor, store: Store, outcome: Evaluation) -> AnyView {
    let Some(rule) = editor.rule.get_untracked() else {
        return ().into_any();
    };
    let names = names_of(store, &rule);
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
