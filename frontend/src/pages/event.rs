//! The whole story of one event: what arrived → which rules looked → what was planned → every attempt.

mod run;
mod why;

use api::event::{EventState, EventView, ReplayEvent, RuleVersions};
use api::workspace::Role;
use domain::delivery::DeliveryState;
use domain::id::{EventId, RuleId};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::events::state_label;
use crate::api::events;
use crate::parts::{DeliveryStory, FactView, RecordRow};
use crate::pretty::pretty;
use crate::store::{Store, Topic};
use crate::text::counted;
use crate::ui::{
    Badge, Button, Card, Empty, Fold, Glyph, Look, Moment, Notice, Page, Remote, SideTag, Toasts, loaded,
    run, when,
};
use crate::words::{self, Tone};

use run::RunStory;
use why::WhyNot;

/// The page of an event.
#[component]
pub fn EventPage(id: EventId) -> impl IntoView {
    let store = Store::expect();
    let remote = Remote::new(move || events::get_event(id));
    // While something is under way the page follows it.
    store.follow(&[Topic::Events, Topic::Deliveries], move || {
        if remote.now().is_some_and(|event| is_under_way(&event)) {
            remote.reload();
        }
    });
    let title = Signal::derive(move || {
        remote.with(|event| {
            event
                .map_or("Событие", |event| event.summary.kind.title())
                .to_owned()
        })
    });
    view! {
        <Page title above=("События", "/events")>
            {loaded(remote, move |event| story(store, event, remote))}
        </Page>
    }
}

fn is_under_way(event: &EventView) -> bool {
    event.summary.state == EventState::New
        || event.deliveries.iter().any(|delivery| !delivery.state.is_final())
}

fn story(store: Store, event: EventView, remote: Remote<EventView>) -> impl IntoView {
    let summary = event.summary.clone();
    let (tone, word) = state_label(&summary);
    let connection = summary.connection_id;
    let source = move || {
        let name = store
            .connection_name(connection)
            .unwrap_or_else(|| "подключение удалено".to_owned());
        view! { <SideTag side=store.kind_of(connection) text=name /> }
    };
    // The two moments are told apart only when they are apart.
    let occurred = summary
        .occurred_at
        .filter(|at| at.0.abs_diff(summary.received_at.0) > 60_000)
        .map(|at| view! { <span>"случилось " <Moment at /></span> });
    let replay_of = summary
        .replay_of
        .map(|of| view! { <a href=format!("/events/{of}")>"повтор этого события"</a> });
    let records = if event.records.is_empty() {
        vec![summary.record.clone()]
    } else {
        event.records.clone()
    };
    let history = crate::chronicle::address_of(summary.record.kind, &summary.record.id.to_string());
    let dead = event
        .deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Dead)
        .count();
    let rows = records
        .into_iter()
        .map(|record| view! { <li><RecordRow record /></li> })
        .collect_view();
    view! {
        <div class="story" data-testid="event" data-state=summary.state.as_str()>
            <div class="row apart">
                <div class="row soft">
                    {source}
                    <Badge tone word />
                    <span>"получено " <Moment at=summary.received_at /> ", " {words::origin(summary.origin)}</span>
                    {occurred}
                    {replay_of}
                </div>
                <Replay event=event.clone() />
            </div>
            {(dead > 0)
                .then(|| {
                    let n = u64::try_from(dead).unwrap_or(0);
                    let text = format!(
                        "Не выполнено: {}. Причина и кнопка «Повторить» — ниже.",
                        counted(n, "действие", "действия", "действий"),
                    );
                    view! { <Notice tone=Tone::Bad>{text}</Notice> }
                })}
            {outcome(&event)}
            <Card title="Записи" class="flush">
                <ul class="records">{rows}</ul>
                <p class="card-foot"><a href=history>"Хроника в обеих CRM"</a></p>
            </Card>
            {arrived(store, &event)}
            <section class="stack" aria-labelledby="looked">
                <h2 id="looked">"Какие правила смотрели"</h2>
                {runs(&event)}
                <WhyNot event=event.clone() />
            </section>
            <section class="stack" aria-labelledby="done">
                <h2 id="done">"Что сделано"</h2>
                {deliveries(event, remote)}
            </section>
        </div>
    }
}

fn outcome(event: &EventView) -> Option<AnyView> {
    match event.summary.state {
        EventState::Failed => {
            let text = event
                .summary
                .outcome
                .clone()
                .unwrap_or_else(|| "Причина не записана.".to_owned());
            Some(view! { <Notice tone=Tone::Bad title="Событие не обработано">{text}</Notice> }.into_any())
        }
        EventState::Echo => Some(
            view! {
                <Notice tone=Tone::Muted title="Это наше собственное изменение">
                    "Интегратор узнал свою запись, вернувшуюся вебхуком, и не стал применять к ней правила."
                </Notice>
            }
            .into_any(),
        ),
        EventState::New | EventState::Dispatched => None,
    }
}

fn arrived(store: Store, event: &EventView) -> impl IntoView + use<> {
    let fact = event.fact.clone();
    let connection = event.summary.connection_id;
    let body = event.body.clone().map(|body| {
        let raw = body.text.clone();
        let laid = pretty(&body.text);
        let differs = laid != raw;
        view! {
            <Fold title="Как пришло">
                <div class="stack tight">
                    <p class="muted"><code>{body.content_type}</code></p>
                    <pre class="body" tabindex="0" data-testid="body">{laid}</pre>
                    {differs
                        .then(|| {
                            view! {
                                <Fold title="Без обработки">
                                    <pre class="body" tabindex="0">{raw}</pre>
                                </Fold>
                            }
                        })}
                </div>
            </Fold>
        }
    });
    view! {
        <Card title="Что пришло">
            {move || ({
                let names = store.names(Some(connection), &[]);
                view! { <FactView fact=fact.clone() names /> }
            }).into_any()}
            {body}
        </Card>
    }
}

fn runs(event: &EventView) -> AnyView {
    if event.runs.is_empty() {
        let text = match event.summary.state {
            EventState::New => "Событие ждёт своей очереди.",
            EventState::Echo => "Правила не применялись: это наше собственное изменение.",
            EventState::Failed => "До правил дело не дошло.",
            EventState::Dispatched => "Нет включённых правил, которые смотрят на такие события.",
        };
        return view! {
            <Card>
                <p class="muted">{text}</p>
            </Card>
        }
        .into_any();
    }
    let connection = event.summary.connection_id;
    let cards = event
        .runs
        .iter()
        .map(|run| view! { <RunStory run=run.clone() source=connection /> })
        .collect_view();
    view! { <div class="stack tight">{cards}</div> }.into_any()
}

fn deliveries(event: EventView, remote: Remote<EventView>) -> AnyView {
    if event.deliveries.is_empty() {
        return view! {
            <Card>
                <Empty
                    glyph=Glyph::Outbox
                    title="Действий не было"
                    text="Действия появляются, когда подошло хотя бы одно правило."
                />
            </Card>
        }
        .into_any();
    }
    let few = event.deliveries.len() <= 3;
    let replayed: Vec<_> = event
        .deliveries
        .iter()
        .filter_map(|delivery| delivery.replay_of)
        .collect();
    let mut cards: Vec<AnyView> = Vec::new();
    let mut last: Option<RuleId> = None;
    for delivery in event.deliveries {
        let replaced = replayed.contains(&delivery.id);
        if last != Some(delivery.rule_id) {
            let href = format!("/rules/{}", delivery.rule_id);
            let name = delivery.rule_name.clone();
            cards.push(view! { <p class="soft">"По правилу " <a href=href>{name}</a></p> }.into_any());
            last = Some(delivery.rule_id);
        }
        cards.push(
            view! { <DeliveryStory delivery open={few && !replaced} replaced on_change=move |()| remote.reload() /> }.into_any(),
        );
    }
    view! { <div class="stack tight">{cards}</div> }.into_any()
}

/// Lets the event run again, by the rules in force now or as they were when they looked at it.
#[component]
fn Replay(event: EventView) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let busy = RwSignal::new(false);
    let id = event.summary.id;
    let was_looked_at = !event.runs.is_empty();
    let replay = move |versions: RuleVersions| {
        let navigate = navigate.clone();
        let how = ReplayEvent {
            versions,
            ..ReplayEvent::default()
        };
        run(busy, events::replay_event(id, &how), move |answer| match answer {
            Ok(made) => {
                toasts.done("Событие запущено ещё раз");
                navigate(&format!("/events/{}", made.event_id), Default::default());
            }
            Err(error) => toasts.problem(&error),
        });
    };
    view! {
        {when(move || store.may(Role::Editor), move || {
            let (now, then) = (replay.clone(), replay.clone());
            let then = was_looked_at.then(|| view! {
                <Button look=Look::Subtle loading=busy testid="replay-original" on_click=move |_| then(RuleVersions::Original)>
                    "По прежним версиям правил"
                </Button>
            });
            view! {
                <div class="row">
                    {then}
                    <Button
                        look=Look::Plain
                        glyph=Glyph::Refresh
                        loading=busy
                        testid="replay"
                        on_click=move |_| now(RuleVersions::Current)
                    >
                        "Запустить ещё раз"
                    </Button>
                </div>
            }.into_any()
        })}
    }
}
