//! Attempts with what was sent and answered.

use api::delivery::{AttemptView, ExchangeView};
use leptos::prelude::*;

use crate::clock;
use crate::pretty::pretty;
use crate::store::Store;
use crate::text::counted;
use crate::ui::{Badge, StateBadge};
use crate::words::{self, Tone};

/// Every try of a delivery, oldest first.
#[component]
pub fn Attempts(list: Vec<AttemptView>) -> impl IntoView {
    let store = Store::expect();
    let rows = list
        .into_iter()
        .map(|attempt| view! { <li>{draw(store, attempt)}</li> })
        .collect_view();
    view! { <ol class="attempts">{rows}</ol> }
}

fn draw(store: Store, attempt: AttemptView) -> impl IntoView {
    let took = u64::try_from(attempt.finished_at.0 - attempt.started_at.0).unwrap_or(0);
    let n = u64::try_from(attempt.exchanges.len()).unwrap_or(0);
    let requests = match n {
        0 => "без запросов".to_owned(),
        _ => counted(n, "запрос", "запроса", "запросов"),
    };
    let started = attempt.started_at;
    let exchanges = attempt
        .exchanges
        .into_iter()
        .map(|exchange| view! { <li>{one(store, exchange)}</li> })
        .collect_view();
    view! {
        <div class="attempt" data-testid="attempt">
            <div class="row">
                <b>"Попытка " <span class="number">{attempt.number}</span></b>
                <StateBadge label=words::outcome(attempt.outcome) />
                <span class="muted number">
                    {move || clock::time_exact(started, &store.zone())} " · " {clock::duration(took)} " · "
                    {requests}
                </span>
            </div>
            {attempt
                .error
                .map(|error| {
                    view! {
                        <p class="problem">
                            {error} {attempt.error_code.map(|code| view! { " " <code class="muted">{code}</code> })}
                        </p>
                    }
                })}
            <ul class="exchanges">{exchanges}</ul>
        </div>
    }
}

fn one(store: Store, exchange: ExchangeView) -> impl IntoView {
    let at = exchange.at;
    let took = clock::duration(u64::try_from(exchange.duration_ms).unwrap_or(0));
    let (tone, word) = match exchange.status {
        Some(status) if status < 400 => (Tone::Good, status.to_string()),
        Some(status) => (Tone::Bad, status.to_string()),
        None => (Tone::Bad, "нет ответа".to_owned()),
    };
    view! {
        <details class="exchange">
            <summary>
                <b class="mono">{exchange.method}</b>
                <code class="grow">{exchange.url}</code>
                <Badge tone=tone word=word plain=true />
                <span class="muted number nowrap">{took}</span>
            </summary>
            <div class="stack tight">
                <p class="muted">"Отправлено в " {move || clock::time_exact(at, &store.zone())}</p>
                {exchange.failure.map(|failure| view! { <p class="problem">{failure}</p> })}
                {exchange.sent.filter(|body| !body.is_empty()).map(|body| part("Запрос", &body))}
                {exchange.answered.filter(|body| !body.is_empty()).map(|body| part("Ответ", &body))}
            </div>
        </details>
    }
}

fn part(title: &'static str, body: &str) -> impl IntoView + use<> {
    let text = pretty(body);
    view! {
        <div>
            <p class="muted">{title}</p>
            <pre class="body" tabindex="0">{text}</pre>
        </div>
    }
}
