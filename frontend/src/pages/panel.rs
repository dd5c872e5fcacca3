//! «Панель управления»: what needs a person first, then the connections, then the figures.

mod chart;

use api::connection::Connection;
use api::delivery::DeliveryView;
use api::panel::{Panel, Period};
use api::rule::RuleSummary;
use domain::connection::{ConnectionState, ConnectorKind};
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use crate::api::{connections, rules, workspace};
use crate::clock;
use crate::command_text::command;
use crate::figures;
use crate::parts::ConnectionCard;
use crate::store::{Store, Topic};
use crate::text::{number, percent};
use crate::ui::{Ago, Badge, ButtonLink, Card, Empty, Glyph, Icon, Look, Page, Remote, Tabs, loaded};
use crate::words::{self, Tone};

use chart::chart;

const PERIODS: [(&str, &str, Period); 4] = [
    ("hour", "Час", Period::Hour),
    ("day", "Сутки", Period::Day),
    ("week", "7 дней", Period::Week),
    ("month", "30 дней", Period::Month),
];

/// The panel. The period stands in the address.
#[component]
pub fn PanelPage() -> impl IntoView {
    let store = Store::expect();
    let (chosen, choose) = query_signal::<String>("period");
    let period = Memo::new(move |_| {
        let word = chosen.get().unwrap_or_default();
        PERIODS
            .iter()
            .find(|(of, ..)| *of == word)
            .map_or(Period::Day, |(_, _, period)| *period)
    });
    let panel = Remote::new(move || workspace::get_panel(period.get()));
    let all = Remote::new(connections::list_connections);
    let rules = Remote::new(rules::list_rules);
    Effect::new(move |_| {
        if let Some(page) = all.get() {
            store.set_connections(page.items);
        }
    });
    store.follow(
        &[Topic::Events, Topic::Deliveries, Topic::Connections],
        move || {
            panel.reload();
            all.reload();
        },
    );
    store.follow(&[Topic::Rules], move || rules.reload());
    let word = Signal::derive(move || {
        let period = period.get();
        PERIODS
            .iter()
            .find(|(_, _, of)| *of == period)
            .map_or("day", |(word, ..)| *word)
            .to_owned()
    });
    let tabs = PERIODS.map(|(word, title, _)| (word, title, None)).to_vec();
    view! {
        <Page title="Панель управления">
            {move || attention(panel.get(), all.get().map(|page| page.items), rules.get().map(|page| page.items))}
            <section class="stack" aria-label="Подключения">
                {loaded(all, |page| cards(page.items))}
            </section>
            <Tabs
                label="Период"
                tabs=Signal::stored(tabs)
                chosen=word
                on_choose=move |word: String| choose.set(Some(word).filter(|word| word != "day"))
            >
                {loaded(panel, figures)}
            </Tabs>
        </Page>
    }
}

fn cards(list: Vec<Connection>) -> AnyView {
    if list.is_empty() {
        return view! {
            <Card>
                <Empty
                    glyph=Glyph::Plug
                    title="Подключите обе CRM"
                    text="Интегратор начнёт получать события, как только будет подключена хотя бы одна."
                >
                    <ButtonLink href="/connections/new/amocrm" look=Look::Primary>"Подключить amoCRM"</ButtonLink>
                    <ButtonLink href="/connections/new/lptracker">"Подключить LPTracker"</ButtonLink>
                </Empty>
            </Card>
        }
        .into_any();
    }
    let other = [
        (
            ConnectorKind::Amocrm,
            "/connections/new/amocrm",
            "Подключите и amoCRM",
            "Подключить amoCRM",
        ),
        (
            ConnectorKind::Lptracker,
            "/connections/new/lptracker",
            "Подключите и LPTracker",
            "Подключить LPTracker",
        ),
    ]
    .into_iter()
    .find(|(kind, ..)| list.iter().all(|connection| connection.kind != *kind));
    let missing = other.map(|(_, href, title, button)| {
        let text = "Правила переносят данные между двумя CRM: пока подключена только одна.";
        view! {
            <Card>
                <Empty glyph=Glyph::Plug title text>
                    <ButtonLink href=href look=Look::Primary>{button}</ButtonLink>
                </Empty>
            </Card>
        }
    });
    let cards = list
        .into_iter()
        .map(|connection| view! { <ConnectionCard connection linked=true /> })
        .collect_view();
    view! { <div class="cards">{cards} {missing}</div> }.into_any()
}

fn figure(
    name: &'static str,
    value: String,
    note: Option<String>,
    tone: Tone,
    href: &'static str,
) -> impl IntoView {
    view! {
        <a class=format!("figure tone-{}", tone.class()) href=href data-testid="figure">
            <span class="figure-name">{name}</span>
            <span class="figure-value number">{value}</span>
            <span class="figure-note">{note}</span>
        </a>
    }
}

fn figures(panel: Panel) -> AnyView {
    let latency = panel.latency_p50_ms.map(|ms| {
        let text = |ms: i64| clock::duration(u64::try_from(ms).unwrap_or(0));
        let slow = panel
            .latency_p95_ms
            .map(|ms| format!("; 95 из 100 — не дольше {}", text(ms)));
        format!(
            "Обычно от события до результата проходит {}{}.",
            text(ms),
            slow.unwrap_or_default()
        )
    });
    let share = (panel.n_events > 0).then(|| format!("{} событий", percent(panel.n_matched, panel.n_events)));
    let done = if panel.n_delivered > 0 {
        Tone::Good
    } else {
        Tone::Muted
    };
    let dead = if panel.n_dead > 0 { Tone::Bad } else { Tone::Muted };
    let waiting = if panel.n_waiting > 0 {
        Tone::Busy
    } else {
        Tone::Muted
    };
    let zone = Store::expect().zone();
    let latency_text = latency.clone();
    let throughput = chart(figures::throughput(&panel.steps), number, None);
    let times = chart(figures::latency(&panel.steps), clock::duration, latency);
    let days = chart(figures::by_day(&panel.steps, &zone), number, None);
    let failures = chart(figures::failures(&panel.steps), number, None);
    view! {
        <div class="stack">
            <div class="figures">
                {figure("Событий", number(panel.n_events), None, Tone::Muted, "/events")}
                {figure("Подошли правила", number(panel.n_matched), share, Tone::Muted, "/events?state=matched")}
                {figure("Действий выполнено", number(panel.n_delivered), None, done, "/deliveries?state=delivered")}
                {figure("Не выполнено", number(panel.n_dead), None, dead, "/deliveries")}
                {figure("Ожидает сейчас", number(panel.n_waiting), None, waiting, "/deliveries?state=pending")}
            </div>
            <div class="charts" data-testid="charts">
                <Card title="События и действия">{throughput}</Card>
                <Card title="Время от события до результата">
                    {times}
                    {latency_text.map(|text| view! { <p class="soft">{text}</p> })}
                </Card>
                <Card title="Результаты по дням">{days}</Card>
                <Card title="Не выполнено">{failures}</Card>
            </div>
        </div>
    }
    .into_any()
}

fn attention(
    panel: Option<Panel>,
    connections: Option<Vec<Connection>>,
    rules: Option<Vec<RuleSummary>>,
) -> Option<impl IntoView> {
    let mut rows: Vec<AnyView> = Vec::new();
    for connection in connections.unwrap_or_default() {
        if matches!(connection.state, ConnectionState::Active) {
            continue;
        }
        let label = words::connection(connection.state);
        let why = connection
            .state_reason
            .or_else(|| words::connection_advice(connection.state).map(str::to_owned))
            .unwrap_or_default();
        let href = format!("/connections/{}", connection.id);
        rows.push(row(label.tone, label.word, href, connection.name, why, None));
    }
    for rule in rules.unwrap_or_default() {
        if let Some(why) = rule.attention {
            let href = format!("/rules/{}", rule.id);
            rows.push(row(Tone::Warn, "Правило", href, rule.name, why, None));
        }
    }
    for delivery in panel.map(|panel| panel.failures).unwrap_or_default() {
        rows.push(failure(delivery));
    }
    (!rows.is_empty()).then(|| {
        view! {
            <Card title="Требует внимания" class="flush" testid="attention">
                <ul class="attention">{rows}</ul>
            </Card>
        }
    })
}

fn failure(delivery: DeliveryView) -> AnyView {
    let store = Store::expect();
    let side = delivery.connection_id.and_then(|id| store.kind_of(id));
    let title = command(&delivery.command, side, &store.names(delivery.connection_id, &[])).title;
    let href = format!("/events/{}", delivery.event_id);
    let why = delivery.error.unwrap_or_else(|| "причина не записана".to_owned());
    let label = words::delivery(delivery.state);
    let when = delivery.finished_at.unwrap_or(delivery.created_at);
    row(
        label.tone,
        label.word,
        href,
        format!("{} — {title}", delivery.rule_name),
        why,
        Some(when),
    )
}

fn row(
    tone: Tone,
    word: &'static str,
    href: String,
    name: String,
    why: String,
    at: Option<domain::time::Timestamp>,
) -> AnyView {
    view! {
        <li>
            <a class="attention-row" href=href>
                <Badge tone=tone word=word />
                <span class="grow">
                    <b>{name}</b>
                    <span class="soft">{why}</span>
                </span>
                {at.map(|at| view! { <span class="muted"><Ago at /></span> })}
                <Icon glyph=Glyph::Right />
            </a>
        </li>
    }
    .into_any()
}
