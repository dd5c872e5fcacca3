//! «События»: what arrived, newest first. Filters stand in the address.

use api::Page as ApiPage;
use api::event::{DeliveryCounts, EventState, EventSummary};
use domain::event::EventKind;
use domain::record::RecordKind;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::api::{events, rules};
use crate::filters::EventFilter;
use crate::store::{Store, Topic};
use crate::ui::{
    Ago, Badge, Button, Card, Choices, Column, DataTable, Empty, Fold, Glyph, LabelledSwitch, Look, Page,
    Pager, Paging, Remote, SelectField, SideTag, Sorting, TextField, by_time, loaded, when,
};
use crate::words::{self, Tone};

/// The list of events.
#[component]
pub fn EventsPage() -> impl IntoView {
    let store = Store::expect();
    let query = use_query_map();
    let navigate = use_navigate();
    let filter = Memo::new(move |_| query.with(|query| EventFilter::read(|name| query.get(name))));
    let paging = Paging::new();
    let live = RwSignal::new(true);
    let set = Callback::new(move |(name, value): (&'static str, String)| {
        let mut filter = filter.get_untracked();
        filter.set(name, value);
        paging.reset();
        navigate(&format!("/events{}", filter.query()), Default::default());
    });
    let list = Remote::new(move || {
        let wanted = filter.with(|filter| filter.to_api(&store.zone(), paging.cursor()));
        events::list_events(&wanted)
    });
    // Only the newest page grows by itself; older ones stand still under the reader's eyes.
    store.follow(&[Topic::Events, Topic::Deliveries], move || {
        if live.get_untracked() && paging.is_first() {
            list.reload();
        }
    });
    let sorting = by_time(
        move || filter.with(|filter| filter.sort.clone()),
        move |word| set.run(("sort", word)),
    );
    let switch = view! { <LabelledSwitch label="Обновлять само" value=live /> };
    view! {
        <Page
            title="События"
            about="Всё, что пришло из CRM, и что с этим стало."
            actions=switch.into_any()
        >
            <Filters filter set />
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return empty(filter.with_untracked(EventFilter::is_empty), paging);
                }
                view! { <Table list paging sorting /> }.into_any()
            })}
        </Page>
    }
}

fn empty(unfiltered: bool, paging: Paging) -> AnyView {
    let (title, text) = if unfiltered {
        (
            "Событий пока нет",
            "Измените сделку в amoCRM или лид в LPTracker — событие появится здесь за пару секунд.",
        )
    } else {
        (
            "Ничего не найдено",
            "Под эти условия не подошло ни одно событие. Попробуйте убрать часть фильтров.",
        )
    };
    view! {
        <Card>
            <Empty glyph=Glyph::Inbox title text />
        </Card>
        <Pager paging next=Signal::stored(None::<String>) />
    }
    .into_any()
}

#[component]
fn Filters(filter: Memo<EventFilter>, set: Callback<(&'static str, String)>) -> impl IntoView {
    let store = Store::expect();
    let rules = Remote::new(rules::list_rules);
    let any = |title: &str| (String::new(), title.to_owned());
    let sources = Signal::derive(move || {
        let mut choices: Choices = vec![any("Все подключения")];
        choices.extend(
            store
                .connections()
                .into_iter()
                .map(|one| (one.id.to_string(), one.name)),
        );
        choices
    });
    let kinds: Choices = std::iter::once(any("Любое событие"))
        .chain(
            EventKind::ALL
                .iter()
                .map(|kind| (kind.as_str().to_owned(), kind.title().to_owned())),
        )
        .collect();
    let states: Choices = [
        any("Любое состояние"),
        ("matched".to_owned(), "Подошло правило".to_owned()),
        ("unmatched".to_owned(), "Ни одно правило не подошло".to_owned()),
    ]
    .into_iter()
    .chain(EventState::ALL.map(|state| (state.as_str().to_owned(), state.title().to_owned())))
    .collect();
    let records: Choices = std::iter::once(any("Любая запись"))
        .chain(RecordKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.title().to_owned())))
        .collect();
    let of_rules = Signal::derive(move || {
        let mut choices: Choices = vec![any("Любое правило")];
        let list = rules.get().map(|page| page.items).unwrap_or_default();
        choices.extend(list.into_iter().map(|rule| (rule.id.to_string(), rule.name)));
        choices
    });
    let value = move |of: fn(&EventFilter) -> &String| {
        Signal::derive(move || filter.with(|filter| of(filter).clone()))
    };
    let text = move |of: fn(&EventFilter) -> &String| {
        let shown = RwSignal::new(String::new());
        Effect::new(move |_| shown.set(filter.with(|filter| of(filter).clone())));
        shown
    };
    let change = move |name: &'static str| Callback::new(move |value: String| set.run((name, value)));
    let more = filter.with_untracked(|filter| {
        [&filter.rule, &filter.record_kind, &filter.from, &filter.to]
            .iter()
            .any(|text| !text.is_empty())
    });
    let navigate = use_navigate();
    view! {
        <section class="filters" aria-label="Фильтры">
            <div class="form-grid">
                <SelectField
                    label="Источник"
                    value=value(|filter| &filter.connection)
                    options=sources
                    on_change=change("connection")
                    testid="filter-connection"
                />
                <SelectField
                    label="Что случилось"
                    value=value(|filter| &filter.kind)
                    options=Signal::stored(kinds)
                    on_change=change("kind")
                    testid="filter-kind"
                />
                <SelectField
                    label="Состояние"
                    value=value(|filter| &filter.state)
                    options=Signal::stored(states)
                    on_change=change("state")
                    testid="filter-state"
                />
                <TextField
                    label="Номер записи в CRM"
                    value=text(|filter| &filter.record)
                    kind="search"
                    on_change=change("record")
                    testid="filter-record"
                />
                <TextField
                    label="Телефон"
                    value=text(|filter| &filter.phone)
                    kind="tel"
                    on_change=change("phone")
                    testid="filter-phone"
                />
            </div>
            <div class="row apart">
                <Fold title="Ещё фильтры" open=more>
                    <div class="form-grid">
                        <SelectField
                            label="Правило"
                            value=value(|filter| &filter.rule)
                            options=of_rules
                            on_change=change("rule")
                        />
                        <SelectField
                            label="Вид записи"
                            value=value(|filter| &filter.record_kind)
                            options=Signal::stored(records)
                            on_change=change("record_kind")
                        />
                        <TextField
                            label="С"
                            kind="datetime-local"
                            value=text(|filter| &filter.from)
                            on_change=change("from")
                        />
                        <TextField
                            label="До"
                            kind="datetime-local"
                            value=text(|filter| &filter.to)
                            on_change=change("to")
                        />
                    </div>
                </Fold>
                {when(move || filter.with(|filter| !filter.is_empty()), move || view! {
                    <Button
                        look=Look::Subtle
                        small=true
                        glyph=Glyph::Close
                        on_click={
                            let navigate = navigate.clone();
                            move |_| navigate("/events", Default::default())
                        }
                    >
                        "Сбросить"
                    </Button>
                }.into_any())}
            </div>
        </section>
    }
}

#[component]
fn Table(list: Remote<ApiPage<EventSummary>>, paging: Paging, sorting: Sorting) -> impl IntoView {
    let rows = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = vec![
        Column::new(
            "Когда",
            "tag when",
            |event: &EventSummary| view! { <Ago at=event.received_at /> },
        )
        .sorted_by("when"),
        Column::new("Событие", "lead", what),
        Column::new(
            "Источник",
            "tag",
            |event: &EventSummary| view! { <SourceTag event=event.clone() /> },
        ),
        Column::new("Состояние", "tag", state),
        Column::new("Действия", "tag", |event: &EventSummary| {
            counts(event.deliveries)
        }),
    ];
    view! {
        <div>
            <DataTable caption="События" columns rows id=|event| event.id.to_string() testid="events" sorting />
            <Pager paging next />
        </div>
    }
}

fn what(event: &EventSummary) -> impl IntoView + use<> {
    let record = match &event.record.name {
        Some(name) if !name.trim().is_empty() => format!("{} «{name}»", event.record.kind.title()),
        _ => format!("{} № {}", event.record.kind.title(), event.record.id),
    };
    view! {
        <a class="row-link" href=format!("/events/{}", event.id)>{event.kind.title()}</a>
        <p class="soft">{record}</p>
    }
}

#[component]
fn SourceTag(event: EventSummary) -> impl IntoView {
    let store = Store::expect();
    let id = event.connection_id;
    let tag = move || {
        let name = store.connection_name(id).unwrap_or_else(|| "удалено".to_owned());
        view! { <SideTag side=store.kind_of(id) text=name /> }
    };
    view! { <span class="badges">{tag} <span class="muted">{words::origin(event.origin)}</span></span> }
}

fn state(event: &EventSummary) -> impl IntoView + use<> {
    let (tone, word) = state_label(event);
    view! {
        <span class="badges">
            <Badge tone word />
        </span>
    }
}

/// State of an event as a badge: what matters is whether a rule matched.
pub fn state_label(event: &EventSummary) -> (Tone, String) {
    match event.state {
        EventState::New => (Tone::Busy, "В очереди".to_owned()),
        EventState::Failed => (
            Tone::Bad,
            event.outcome.clone().unwrap_or_else(|| "Ошибка".to_owned()),
        ),
        EventState::Echo => (Tone::Muted, "Наше изменение".to_owned()),
        EventState::Dispatched if event.n_matched > 0 => (
            Tone::Good,
            match event.n_matched {
                1 => "Подошло правило".to_owned(),
                n => format!("Подошло правил: {n}"),
            },
        ),
        EventState::Dispatched => (Tone::Muted, "Правила не подошли".to_owned()),
    }
}

/// Deliveries of an event by how they stand, each with a word.
pub fn counts(counts: DeliveryCounts) -> impl IntoView {
    let parts: Vec<_> = [
        (counts.delivered, Tone::Good, "выполнено"),
        (counts.waiting, Tone::Busy, "ожидает"),
        (counts.dead, Tone::Bad, "не выполнено"),
        (counts.skipped, Tone::Muted, "не потребовалось"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, tone, word)| view! { <Badge tone word=format!("{word} {n}") plain=true /> })
    .collect();
    if parts.is_empty() {
        return None;
    }
    Some(view! { <span class="badges">{parts}</span> })
}
