//! The status card of a connection.

use api::connection::Connection;
use domain::connection::{ConnectionState, ConnectorKind};
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::checklist::{is_done, steps};
use crate::text::{counted, upper_first};
use crate::ui::{Ago, Facts, Glyph, Icon, SideTag, StateBadge};
use crate::words::{self, Tone};

/// State, last success and failure, expiry, subscription, last event. `linked` makes the name lead to its page.
#[component]
pub fn ConnectionCard(connection: Connection, #[prop(optional)] linked: bool) -> impl IntoView {
    let kind = connection.kind;
    let side = match kind {
        ConnectorKind::Amocrm => "side-amocrm",
        ConnectorKind::Lptracker => "side-lptracker",
    };
    let name = connection.name.clone();
    let heading = if linked {
        view! { <h2><a href=format!("/connections/{}", connection.id)>{name}</a></h2> }.into_any()
    } else {
        view! { <h2>"Состояние"</h2> }.into_any()
    };
    let reason = connection.state_reason.clone().or_else(|| {
        (connection.state != ConnectionState::Active)
            .then(|| words::connection_advice(connection.state))
            .flatten()
            .map(str::to_owned)
    });
    let warnings = connection
        .account
        .as_ref()
        .map(|account| account.warnings.clone())
        .unwrap_or_default();
    view! {
        <section
            class=format!("card side {side}")
            data-testid="connection-card"
            data-kind=kind.as_str()
            data-state=connection.state.as_str()
        >
            <header>
                <div class="row">
                    {linked.then(|| view! { <SideTag side=Some(kind) /> })}
                    {heading}
                </div>
                <StateBadge label=words::connection(connection.state) testid="connection-state" />
            </header>
            {reason.map(|reason| view! { <p class="problem">{upper_first(&reason)}</p> })}
            {warnings.into_iter().map(|text| view! { <p class="soft">{text}</p> }).collect_view()}
            {(!linked || !is_done(&connection)).then(|| set_up(&connection))}
            <Facts facts=facts(&connection) />
        </section>
    }
}

/// The steps of setting up, each red, green or not known yet.
fn set_up(connection: &Connection) -> AnyView {
    let rows = steps(connection)
        .into_iter()
        .map(|step| {
            let (glyph, word) = match step.tone {
                Tone::Good => (Glyph::Done, "готово"),
                Tone::Bad => (Glyph::Fail, "не работает"),
                _ => (Glyph::Info, "ещё нет"),
            };
            view! {
                <li data-testid="setup-step" data-tone=step.tone.class()>
                    <Icon glyph />
                    <span>
                        <b>{step.title}</b>
                        <span class="visually-hidden">": " {word} "."</span>
                        <span class="soft">" " {step.text}</span>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="checklist" aria-label="Настройка">{rows}</ol> }.into_any()
}

fn moment(at: Option<Timestamp>) -> AnyView {
    match at {
        Some(at) => view! { <Ago at /> }.into_any(),
        None => view! { <span class="muted">"ещё не было"</span> }.into_any(),
    }
}

fn facts(connection: &Connection) -> Vec<(&'static str, AnyView)> {
    let status = &connection.status;
    let mut facts: Vec<(&'static str, AnyView)> = Vec::new();
    if let Some(account) = &connection.account {
        let name = account.name.clone();
        let shown = match account.url.clone() {
            Some(url) => view! {
                <a href=url target="_blank" rel="noopener noreferrer">{name} " ↗"</a>
            }
            .into_any(),
            None => view! { <span>{name}</span> }.into_any(),
        };
        let title = if connection.kind == ConnectorKind::Lptracker {
            "Проект"
        } else {
            "Аккаунт"
        };
        facts.push((title, shown));
    }
    facts.push(("Последний успех", moment(status.last_success_at)));
    if status.last_failure_at.is_some() {
        let why = status.last_failure.clone();
        let when = moment(status.last_failure_at);
        let shown = view! { {when} {why.map(|why| view! { <span class="soft">" — " {why}</span> })} };
        facts.push(("Последняя ошибка", shown.into_any()));
    }
    facts.push(("Последнее событие", moment(status.last_event_at)));
    if let Some(expires) = connection.account.as_ref().and_then(|account| account.expires_at) {
        facts.push(("Доступ истекает", view! { <Ago at=expires /> }.into_any()));
    }
    let (hook, class) = match &connection.subscription {
        Some(subscription) if subscription.disabled => ("отключена самой CRM", "problem"),
        Some(subscription) if subscription.installed => ("установлена", ""),
        Some(_) => ("не установлена", "problem"),
        None => ("ещё не проверялась", "muted"),
    };
    facts.push((
        "Подписка на события",
        view! { <span class=class>{hook}</span> }.into_any(),
    ));
    if status.n_waiting > 0 || status.n_dead > 0 {
        let waiting =
            (status.n_waiting > 0).then(|| counted(status.n_waiting, "действие", "действия", "действий"));
        let between = (status.n_waiting > 0 && status.n_dead > 0).then_some(", ");
        let dead = (status.n_dead > 0).then(|| {
            let href = format!("/deliveries?connection={}", connection.id);
            view! { <a href=href>"не выполнено " {status.n_dead}</a> }
        });
        facts.push(("В очереди", view! { {waiting} {between} {dead} }.into_any()));
    }
    facts
}
