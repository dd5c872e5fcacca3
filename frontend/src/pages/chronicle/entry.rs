//! One event of a chronicle with all that followed from it.

use api::chronicle::ChronicleEvent;
use api::delivery::DeliveryView;
use api::event::EventState;
use domain::id::EventId;
use domain::run::RunOutcome;
use leptos::prelude::*;

use crate::chronicle::{echoes_of, unmatched};
use crate::command_text::command;
use crate::pages::events::state_label;
use crate::parts::RecordLink;
use crate::store::Store;
use crate::text::upper_first;
use crate::ui::{Ago, Badge, Moment, SideTag, StateBadge, side_class};
use crate::words;

/// An event: what came, which rules matched, what they did, and for an echo what it is the echo of.
pub fn entry(told: &ChronicleEvent, all: &[ChronicleEvent]) -> AnyView {
    let store = Store::expect();
    let event = told.event.clone();
    let connection = event.connection_id;
    let side = store.kind_of(connection);
    let source = move || {
        let name = store
            .connection_name(connection)
            .unwrap_or_else(|| "подключение удалено".to_owned());
        view! { <SideTag side=store.kind_of(connection) text=name /> }
    };
    let (tone, word) = state_label(&event);
    let matched = told
        .runs
        .iter()
        .filter(|run| run.outcome == RunOutcome::Matched)
        .map(|run| {
            let href = format!("/rules/{}", run.rule_id);
            view! { <li>"Правило " <a href=href>{run.rule_name.clone()}</a></li> }
        })
        .collect_view();
    let rest = unmatched(told).filter(|_| event.state == EventState::Dispatched);
    let deliveries = told.deliveries.iter().map(|one| done(one, store)).collect_view();
    let echoes = echoes_of(all, event.id)
        .into_iter()
        .map(|id| view! { <li>"Вернулось эхом: " {anchor(id, all, "событие")}</li> })
        .collect_view();
    let cause = told.cause.map(|cause| match cause.event_id {
        Some(of) => {
            view! { <li>"Это эхо нашей записи по событию " {anchor(of, all, "открыть")}</li> }.into_any()
        }
        None => view! { <li>"Это эхо нашей записи; событие, из-за которого она сделана, уже удалено."</li> }
            .into_any(),
    });
    view! {
        <li
            class=format!("chronicle-entry {}", side_class(side))
            id=format!("e-{}", event.id)
            data-testid="chronicle-entry"
            data-state=event.state.as_str()
        >
            <p class="row">
                <span class="muted"><Moment at=event.received_at /> " · " <Ago at=event.received_at /></span>
                {source}
                <Badge tone word />
            </p>
            <h3><a href=format!("/events/{}", event.id)>{event.kind.title()}</a></h3>
            <p class="soft">{event.record.kind.title()} " " <RecordLink record=event.record.clone() /></p>
            <ul class="chronicle-then">
                {cause}
                {matched}
                {rest.map(|text| view! { <li class="muted">{upper_first(&text)}</li> })}
                {deliveries}
                {echoes}
            </ul>
        </li>
    }
    .into_any()
}

/// Leads to an event on this page when it is here, else to its own page.
fn anchor(id: EventId, all: &[ChronicleEvent], otherwise: &'static str) -> AnyView {
    match all.iter().find(|other| other.event.id == id) {
        Some(other) => {
            let title = other.event.kind.title();
            view! {
                <a href=format!("#e-{id}") rel="external">
                    "«" {title} "», " <Moment at=other.event.received_at />
                </a>
            }
            .into_any()
        }
        None => view! { <a href=format!("/events/{id}")>{otherwise}</a> }.into_any(),
    }
}

fn done(delivery: &DeliveryView, store: Store) -> AnyView {
    let planned = delivery.command.clone();
    let title = move || {
        let side = planned.connection.and_then(|id| store.kind_of(id));
        command(&planned, side, &store.names(planned.connection, &[])).title
    };
    let error = delivery.error.as_deref().map(upper_first);
    let record = delivery.record.clone();
    view! {
        <li data-testid="chronicle-delivery" data-state=delivery.state.as_str()>
            <span class="row">
                <span>{title}</span>
                <StateBadge label=words::delivery(delivery.state) />
                {record.map(|record| view! { <RecordLink record /> })}
            </span>
            {error.map(|error| view! { <p class="soft">{error}</p> })}
        </li>
    }
    .into_any()
}
