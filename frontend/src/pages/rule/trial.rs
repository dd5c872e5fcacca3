//! Trying a rule on an event that was received. Nothing is sent to the CRMs.

use api::event::EventQuery;
use api::rule::{DryRun, DryRunResult};
use domain::id::EventId;
use domain::rule::Rule;
use leptos::prelude::*;

use crate::api::{events, rules};
use crate::clock;
use crate::command_text::command;
use crate::parts::{CommandView, ReasonView};
use crate::problem::ApiError;
use crate::store::Store;
use crate::text::counted;
use crate::ui::{
    Button, Card, Empty, ErrorBox, Glyph, Look, Remote, SelectField, StateBadge, loaded, run, text,
};
use crate::words;

const OFFERED: u32 = 50;

/// Choice of an event, a button, and what would happen.
#[component]
pub fn Trial(rule: Rule) -> impl IntoView {
    let recent = {
        let source = rule.source;
        Remote::new(move || {
            let filter = EventQuery {
                connection: Some(source),
                limit: Some(OFFERED),
                ..EventQuery::default()
            };
            events::list_events(&filter)
        })
    };
    loaded(recent, move |page| {
        if page.items.is_empty() {
            return view! {
                <Card>
                    <Empty
                        glyph=Glyph::Inbox
                        title="Пробовать пока не на чем"
                        text="Из подключения этого правила ещё не приходило событий."
                    />
                </Card>
            }
            .into_any();
        }
        view! { <Chooser rule=rule.clone() events=page.items /> }.into_any()
    })
}

#[component]
fn Chooser(rule: Rule, events: Vec<api::event::EventSummary>) -> impl IntoView {
    let store = Store::expect();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let result = RwSignal::new(None::<DryRunResult>);
    let suits =
        |event: &api::event::EventSummary| rule.triggers.iter().any(|trigger| trigger.kind == event.kind);
    let first = events
        .iter()
        .find(|event| suits(event))
        .or_else(|| events.first());
    let chosen = text(first.map(|event| event.id.to_string()).unwrap_or_default());
    let options = Signal::derive(move || {
        events
            .iter()
            .map(|event| {
                let name = event
                    .record
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("№ {}", event.record.id));
                let at = clock::date_time(event.received_at, store.now(), &store.zone());
                (
                    event.id.to_string(),
                    format!("{at} — {}: {name}", event.kind.title()),
                )
            })
            .collect::<Vec<_>>()
    });
    let shown_rule = rule.clone();
    let start = move |_| {
        let Ok(event_id) = chosen.get_untracked().parse::<EventId>() else {
            return;
        };
        let form = DryRun {
            rule: rule.clone(),
            event_id,
        };
        failure.set(None);
        run(busy, rules::dry_run(&form), move |answer| match answer {
            Ok(answer) => result.set(Some(answer)),
            Err(error) => failure.set(Some(error)),
        });
    };
    view! {
        <div class="stack">
            <Card>
                <p class="soft">"Черновик проверяется на полученном событии. В CRM ничего не отправляется."</p>
                <SelectField
                    label="Событие"
                    value=chosen
                    options
                    on_change=move |id: String| chosen.set(id)
                    testid="trial-event"
                />
                <div>
                    <Button look=Look::Primary glyph=Glyph::Play loading=busy testid="try" on_click=start>
                        "Попробовать"
                    </Button>
                </div>
            </Card>
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            {move || result.get().map(|result| outcome(store, &shown_rule, result))}
        </div>
    }
}

fn outcome(store: Store, rule: &Rule, result: DryRunResult) -> impl IntoView + use<> {
    let others: Vec<_> = rule.actions.iter().filter_map(|card| card.connection).collect();
    let names = store.names(Some(rule.source), &others);
    let evaluation = result.evaluation;
    let n = u64::try_from(evaluation.commands.len()).unwrap_or(0);
    let commands = evaluation
        .commands
        .into_iter()
        .map(|planned| {
            let side = planned.connection.and_then(|id| store.kind_of(id));
            let title = command(&planned, side, &names).title;
            view! {
                <li class="action">
                    <h3>{title}</h3>
                    <CommandView command_=planned />
                </li>
            }
        })
        .collect_view();
    let notes = evaluation
        .notes
        .into_iter()
        .map(|note| view! { <li>"Действие " {note.action + 1} ": " {note.text}</li> })
        .collect_view();
    let condition = Some(rule.condition.clone());
    view! {
        <Card title="Что получилось" testid="trial-result">
            <div class="row">
                <StateBadge label=words::run(evaluation.outcome) />
                {(n > 0)
                    .then(|| {
                        view! {
                            <span class="soft">
                                "Запланировано: " {counted(n, "действие", "действия", "действий")}
                            </span>
                        }
                    })}
            </div>
            <ReasonView condition explanation=evaluation.explanation names=names />
            <ul class="plain-list soft">{notes}</ul>
            <ol class="actions">{commands}</ol>
        </Card>
    }
}
