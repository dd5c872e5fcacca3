//! What the dead deliveries died of: each cause once, with one button that retries all of it.

use api::delivery::{DeliveryCause, ReplayDeliveries};
use api::workspace::Role;
use leptos::prelude::*;

use crate::api::deliveries;
use crate::filters::DeliveryFilter;
use crate::store::Store;
use crate::text::{counted, upper_first};
use crate::ui::{Ago, Button, Card, Confirm, Glyph, Look, Remote, SideTag, Toasts, run, when};

/// Causes, the most frequent first. Nothing when nothing is dead.
pub fn causes(list: Remote<api::Page<DeliveryCause>>, on_change: Callback<()>) -> AnyView {
    let rows = move || {
        let causes = list.get().map(|page| page.items).unwrap_or_default();
        (!causes.is_empty()).then(|| {
            let rows = causes
                .into_iter()
                .map(|cause| view! { <Cause cause on_change /> })
                .collect_view();
            view! {
                <Card title="По причинам" class="flush" testid="causes">
                    <ul class="attention">{rows}</ul>
                </Card>
            }
        })
    };
    rows.into_any()
}

#[component]
fn Cause(cause: DeliveryCause, on_change: Callback<()>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let connection = cause.connection_id;
    let place = move || {
        let side = connection.and_then(|id| store.kind_of(id));
        match connection.and_then(|id| store.connection_name(id)) {
            Some(name) => view! { <SideTag side text=name /> }.into_any(),
            None => view! { <SideTag side /> }.into_any(),
        }
    };
    let filter = DeliveryFilter {
        connection: connection.map(|id| id.to_string()).unwrap_or_default(),
        error_code: cause.error_code.clone().unwrap_or_default(),
        ..DeliveryFilter::default()
    };
    let href = format!("/deliveries{}", filter.query());
    let error = upper_first(cause.error.as_deref().unwrap_or("причина не записана"));
    let dead = counted(cause.n_dead, "действие", "действия", "действий");
    let rules = counted(cause.n_rules, "правила", "правил", "правил");
    let which = ReplayDeliveries {
        connection,
        error_code: cause.error_code,
        ..ReplayDeliveries::default()
    };
    let go = move |()| {
        run(
            busy,
            deliveries::replay_deliveries(&which),
            move |answer| match answer {
                Ok(made) => {
                    let n = counted(made.n_replayed, "действие", "действия", "действий");
                    toasts.done(format!("Поставлено в очередь: {n}"));
                    on_change.run(());
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    let title = format!("Повторить {dead}?");
    view! {
        <li class="cause" data-testid="cause">
            <span class="grow">
                <a href=href><b>{error}</b></a>
                <span class="soft row">
                    {place}
                    <span>{dead} ", от " {rules}</span>
                    {cause.last_at.map(|at| view! { <span>"последнее " <Ago at /></span> })}
                </span>
            </span>
            {when(move || store.may(Role::Editor), move || view! {
                <Button small=true glyph=Glyph::Refresh look=Look::Plain loading=busy testid="retry-cause" on_click=move |_| asking.set(true)>
                    "Повторить все"
                </Button>
            }.into_any())}
            <Confirm
                title=title
                text="Каждое действие с этой причиной будет отправлено в CRM ещё раз. Сначала устраните причину, иначе они не выполнятся снова."
                yes="Повторить"
                open=asking
                on_yes=go
            />
        </li>
    }
}
