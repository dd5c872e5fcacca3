//! A delivery: what was to be done, how it stands, every attempt.

use api::delivery::DeliveryView;
use api::workspace::Role;
use domain::delivery::DeliveryState;
use leptos::prelude::*;

use super::exchange::Attempts;
use super::{CommandView, NamedRecord};
use crate::api::deliveries;
use crate::command_text::command;
use crate::store::Store;
use crate::text::{counted, upper_first};
use crate::ui::{Ago, Button, Fold, Glyph, Look, SideTag, StateBadge, Toasts, run, when};
use crate::words;

/// The whole story of a delivery.
#[component]
pub fn DeliveryStory(
    delivery: DeliveryView,
    /// The plan is shown at once.
    #[prop(optional)]
    open: bool,
    /// A later delivery of the same event replays it.
    #[prop(optional)]
    replaced: bool,
    #[prop(into)] on_change: Callback<()>,
) -> impl IntoView {
    let store = Store::expect();
    let side = {
        let connection = delivery.connection_id;
        move || connection.and_then(|id| store.kind_of(id))
    };
    let planned = delivery.command.clone();
    let title = move || {
        let names = store.names(planned.connection, &[]);
        command(&planned, side(), &names).title
    };
    let place = {
        let connection = delivery.connection_id;
        move || {
            let name = connection.and_then(|id| store.connection_name(id));
            match name {
                Some(name) => view! { <SideTag side=side() text=name /> }.into_any(),
                None => view! { <SideTag side=side() /> }.into_any(),
            }
        }
    };
    let label = if replaced {
        words::REPLACED
    } else {
        words::delivery(delivery.state)
    };
    let n = u64::try_from(delivery.attempts.len()).unwrap_or(0);
    let trouble = matches!(delivery.state, DeliveryState::Dead | DeliveryState::Uncertain);
    let error_class = if trouble { "problem" } else { "soft" };
    let error = delivery.error.as_deref().map(upper_first);
    let record = delivery.record.clone();
    let due = delivery.due_at.filter(|_| !delivery.state.is_final());
    let attempts = delivery.attempts.clone();
    view! {
        <article class="delivery" data-testid="delivery" data-state=delivery.state.as_str()>
            <header class="row">
                <h3 class="grow">{title}</h3>
                {place}
                <StateBadge label testid="delivery-state" />
            </header>
            {error.map(|error| view! { <p class=error_class>{error}</p> })}
            <div class="row muted">
                {record.map(|record| view! { <NamedRecord record /> })}
                {due.map(|due| view! { <span>"следующая попытка " <Ago at=due /></span> })}
                {delivery.replay_of.map(|_| view! { <span>"повтор неудавшегося действия"</span> })}
            </div>
            <DeliveryActions delivery=delivery.clone() on_change />
            <Fold title="Что записать" open=open>
                <CommandView command_=delivery.command />
            </Fold>
            {(n > 0)
                .then(|| {
                    view! {
                        <Fold title=counted(n, "попытка", "попытки", "попыток") open=trouble>
                            <Attempts list=attempts />
                        </Fold>
                    }
                })}
        </article>
    }
}

/// What a person may do with a delivery: retry a dead one, take a waiting one back.
#[component]
pub fn DeliveryActions(delivery: DeliveryView, #[prop(into)] on_change: Callback<()>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let id = delivery.id;
    let is_dead = delivery.state == DeliveryState::Dead;
    let waits = delivery.state == DeliveryState::Pending;
    let retry = move |_| {
        run(
            busy,
            deliveries::replay_delivery(id),
            move |answer| match answer {
                Ok(_) => {
                    toasts.done("Действие поставлено в очередь ещё раз");
                    on_change.run(());
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    let cancel = move |_| {
        run(
            busy,
            deliveries::cancel_delivery(id),
            move |answer| match answer {
                Ok(_) => {
                    toasts.done("Действие отменено");
                    on_change.run(());
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! {
        {when(move || store.may(Role::Editor) && (is_dead || waits), move || view! {
            <div class="row">
                {when(move || is_dead, move || view! {
                    <Button small=true glyph=Glyph::Refresh loading=busy testid="retry" on_click=retry>
                        "Повторить"
                    </Button>
                }.into_any())}
                {when(move || waits, move || view! {
                    <Button small=true look=Look::Subtle loading=busy testid="cancel" on_click=cancel>
                        "Отменить"
                    </Button>
                }.into_any())}
            </div>
        }.into_any())}
    }
}
