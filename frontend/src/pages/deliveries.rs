//! «Недоставленное»: dead letters first; every other delivery by filter.

mod causes;

use api::Page as ApiPage;
use api::delivery::{DeliveryQuery, DeliveryView, ReplayDeliveries};
use api::workspace::Role;
use domain::delivery::DeliveryState;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::api::deliveries;
use crate::command_text::command;
use crate::filters::{DeliveryFilter, order};
use crate::parts::{DeliveryActions, RecordLink};
use crate::store::{Store, Topic};
use crate::text::{counted, upper_first};
use crate::ui::{
    Ago, Button, Card, Choices, Column, Confirm, DataTable, Empty, Glyph, Look, Page, Pager, Paging, Remote,
    SelectField, SideTag, Sorting, StateBadge, Toasts, by_time, loaded, run, when,
};
use crate::words;

/// The list of deliveries.
#[component]
pub fn DeliveriesPage() -> impl IntoView {
    let store = Store::expect();
    let query = use_query_map();
    let navigate = use_navigate();
    let filter = Memo::new(move |_| query.with(|query| DeliveryFilter::read(|name| query.get(name))));
    let paging = Paging::new();
    let list = Remote::new(move || {
        let wanted = filter.with(|filter| DeliveryQuery {
            cursor: paging.cursor(),
            state: filter.wanted(),
            connection: filter.connection.parse().ok(),
            rule: filter.rule.parse().ok(),
            error_code: Some(filter.error_code.clone()).filter(|code| !code.is_empty()),
            order: order(&filter.sort),
            ..DeliveryQuery::default()
        });
        deliveries::list_deliveries(&wanted)
    });
    let by_cause = Remote::new(deliveries::list_delivery_causes);
    let again = move || {
        by_cause.reload();
        if paging.is_first() {
            list.reload();
        }
    };
    store.follow(&[Topic::Deliveries], again);
    let change = Callback::new(move |(name, value): (&str, String)| {
        let mut filter = filter.get_untracked();
        filter.set(name, value);
        if name == "state" {
            // Only what is dead has a cause.
            filter.set("error_code", String::new());
        }
        paging.reset();
        navigate(&format!("/deliveries{}", filter.query()), Default::default());
    });
    let states: Choices = [(String::new(), "Не выполненные".to_owned())]
        .into_iter()
        .chain(
            DeliveryState::ALL
                .into_iter()
                .filter(|state| *state != DeliveryState::Dead)
                .map(|state| (state.as_str().to_owned(), words::delivery(state).word.to_owned())),
        )
        .chain([("all".to_owned(), "Все".to_owned())])
        .collect();
    let places = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Все подключения".to_owned())];
        choices.extend(
            store
                .connections()
                .into_iter()
                .map(|one| (one.id.to_string(), one.name)),
        );
        choices
    });
    let sorting = by_time(
        move || filter.with(|filter| filter.sort.clone()),
        move |word| change.run(("sort", word)),
    );
    let is_all = Memo::new(move |_| {
        filter.with(|filter| filter.wanted() == Some(DeliveryState::Dead) && filter.error_code.is_empty())
    });
    let coded = Memo::new(move |_| filter.with(|filter| !filter.error_code.is_empty()));
    let is_dead = Memo::new(move |_| filter.with(|filter| filter.wanted() == Some(DeliveryState::Dead)));
    view! {
        <Page
            title="Недоставленное"
            about="Действия, которые CRM не приняла, и всё, что ещё в пути. Устраните причину и повторите."
        >
            <div class="row apart">
                <div class="form-grid grow limited">
                    <SelectField
                        label="Состояние"
                        value=Signal::derive(move || filter.with(|filter| filter.state.clone()))
                        options=Signal::stored(states)
                        on_change=move |value: String| change.run(("state", value))
                        testid="filter-state"
                    />
                    <SelectField
                        label="Куда"
                        value=Signal::derive(move || filter.with(|filter| filter.connection.clone()))
                        options=places
                        on_change=move |value: String| change.run(("connection", value))
                    />
                </div>
                {when(move || is_dead.get(), move || view! { <RetryAll filter list /> }.into_any())}
            </div>
            {when(move || coded.get(), move || view! {
                <p class="row soft">
                    "Показаны действия с одной причиной."
                    <Button small=true look=Look::Subtle glyph=Glyph::Close on_click=move |_| change.run(("error_code", String::new()))>
                        "Все причины"
                    </Button>
                </p>
            }.into_any())}
            {when(move || is_all.get(), move || causes::causes(by_cause, Callback::new(move |()| again())))}
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return empty(is_dead.get_untracked());
                }
                view! { <Table list paging sorting /> }.into_any()
            })}
        </Page>
    }
}

fn empty(dead: bool) -> AnyView {
    let (glyph, title, text) = if dead {
        (
            Glyph::Done,
            "Всё доставлено",
            "Нет действий, которые требуют вашего решения.",
        )
    } else {
        (
            Glyph::Outbox,
            "Здесь пусто",
            "Действий в этом состоянии сейчас нет.",
        )
    };
    view! {
        <Card>
            <Empty glyph title text />
        </Card>
    }
    .into_any()
}

#[component]
fn Table(list: Remote<ApiPage<DeliveryView>>, paging: Paging, sorting: Sorting) -> impl IntoView {
    let rows = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = vec![
        Column::new("Когда", "tag when", |delivery: &DeliveryView| {
            view! { <Ago at=delivery.finished_at.unwrap_or(delivery.created_at) /> }
        })
        .sorted_by("when"),
        Column::new(
            "Действие",
            "lead",
            |delivery: &DeliveryView| view! { <What delivery=delivery.clone() /> },
        ),
        Column::new(
            "Куда",
            "above tag",
            |delivery: &DeliveryView| view! { <Where delivery=delivery.clone() /> },
        ),
        Column::new("Состояние", "tag", |delivery: &DeliveryView| {
            let n = u64::try_from(delivery.n_attempts).unwrap_or(0);
            view! {
                <span class="badges">
                    <StateBadge label=words::delivery(delivery.state) />
                    <span class="muted">{counted(n, "попытка", "попытки", "попыток")}</span>
                </span>
            }
        }),
        Column::new("Команды", "above bare", move |delivery: &DeliveryView| {
            view! { <DeliveryActions delivery=delivery.clone() on_change=move |()| list.reload() /> }
        }),
    ];
    view! {
        <div>
            <DataTable caption="Действия" columns rows id=|delivery| delivery.id.to_string() testid="deliveries" sorting />
            <Pager paging next />
        </div>
    }
}

#[component]
fn What(delivery: DeliveryView) -> impl IntoView {
    let store = Store::expect();
    let planned = delivery.command.clone();
    let title = move || {
        let side = planned.connection.and_then(|id| store.kind_of(id));
        command(&planned, side, &store.names(planned.connection, &[])).title
    };
    view! {
        <a class="row-link" href=format!("/events/{}", delivery.event_id)>{title}</a>
        <p class="soft">{delivery.rule_name.clone()}</p>
        {delivery.error.as_deref().map(upper_first).map(|error| view! { <p class="problem">{error}</p> })}
    }
}

#[component]
fn Where(delivery: DeliveryView) -> impl IntoView {
    let store = Store::expect();
    let tag = move || {
        let side = delivery.connection_id.and_then(|id| store.kind_of(id));
        match delivery.connection_id.and_then(|id| store.connection_name(id)) {
            Some(name) => view! { <SideTag side text=name /> }.into_any(),
            None => view! { <SideTag side /> }.into_any(),
        }
    };
    view! {
        <span class="badges">
            {tag}
            {delivery.record.clone().map(|record| view! { <RecordLink record /> })}
        </span>
    }
}

/// Lets everything dead under the present filter run again.
#[component]
fn RetryAll(filter: Memo<DeliveryFilter>, list: Remote<ApiPage<DeliveryView>>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let asking = RwSignal::new(false);
    let go = move |()| {
        let which = filter.with_untracked(|filter| ReplayDeliveries {
            connection: filter.connection.parse().ok(),
            rule: filter.rule.parse().ok(),
            error_code: Some(filter.error_code.clone()).filter(|code| !code.is_empty()),
            ..ReplayDeliveries::default()
        });
        run(
            busy,
            deliveries::replay_deliveries(&which),
            move |answer| match answer {
                Ok(made) => {
                    toasts.done(format!(
                        "Поставлено в очередь: {}",
                        counted(made.n_replayed, "действие", "действия", "действий")
                    ));
                    list.reload();
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    let some = Memo::new(move |_| list.with(|page| page.is_some_and(|page| !page.items.is_empty())));
    view! {
        {when(move || store.may(Role::Editor) && some.get(), move || view! {
            <Button look=Look::Plain glyph=Glyph::Refresh loading=busy testid="retry-all" on_click=move |_| asking.set(true)>
                "Повторить все"
            </Button>
        }.into_any())}
        <Confirm
            title="Повторить все не выполненные?"
            text="Каждое действие этого списка, на всех страницах, будет отправлено в CRM ещё раз."
            yes="Повторить"
            open=asking
            on_yes=go
        />
    }
}
