//! Columns over time.

use api::panel::PanelStep;
use leptos::prelude::*;

use crate::clock;
use crate::store::Store;
use crate::text::counted;

const HEIGHT: u64 = 120;

/// Events above, done and failed deliveries below, step by step. Pointing at a step tells its figures.
#[component]
pub fn Chart(steps: Vec<PanelStep>) -> impl IntoView {
    let store = Store::expect();
    let top = steps
        .iter()
        .map(|step| step.n_events.max(step.n_delivered + step.n_dead))
        .max()
        .unwrap_or(0)
        .max(1);
    let height = move |n: u64| n * HEIGHT / top;
    let nothing = steps
        .iter()
        .all(|step| step.n_events == 0 && step.n_delivered == 0 && step.n_dead == 0);
    let total = |of: fn(&PanelStep) -> u64| steps.iter().map(of).sum::<u64>();
    let summary = format!(
        "За период: {}, {}, не выполнено {}",
        counted(total(|step| step.n_events), "событие", "события", "событий"),
        counted(
            total(|step| step.n_delivered),
            "выполненное действие",
            "выполненных действия",
            "выполненных действий"
        ),
        total(|step| step.n_dead),
    );
    let (first, last) = (
        steps.first().map(|step| step.from),
        steps.last().map(|step| step.from),
    );
    let width = steps.len() * 14;
    let bars = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            let (events, done, dead) = (height(step.n_events), height(step.n_delivered), height(step.n_dead));
            let x = at * 14;
            let title = move || {
                format!(
                    "{}: {}, выполнено {}, не выполнено {}",
                    clock::date_time(step.from, store.now(), &store.zone()),
                    counted(step.n_events, "событие", "события", "событий"),
                    step.n_delivered,
                    step.n_dead,
                )
            };
            view! {
                <g>
                    <title>{title}</title>
                    <rect class="hit" x=x y="0" width="14" height=HEIGHT></rect>
                    <rect class="bar-events" x=x + 2 y=HEIGHT - events width="5" height=events rx="1.5"></rect>
                    <rect class="bar-done" x=x + 7 y=HEIGHT - done width="5" height=done rx="1.5"></rect>
                    <rect
                        class="bar-dead"
                        x=x + 7
                        y=HEIGHT.saturating_sub(done + dead)
                        width="5"
                        height=dead
                        rx="1.5"
                    ></rect>
                </g>
            }
        })
        .collect_view();
    let edge = move |at: Option<domain::time::Timestamp>| {
        at.map(|at| move || clock::date_time(at, store.now(), &store.zone()))
    };
    view! {
        <figure class="chart">
            <svg
                viewBox=format!("0 0 {} {HEIGHT}", width.max(14))
                preserveAspectRatio="none"
                role="img"
                aria-label=summary
            >
                {bars}
            </svg>
            <div class="chart-edges muted">
                <span>{edge(first)}</span>
                <span>{edge(last)}</span>
            </div>
            <figcaption class="legend">
                <span class="key-events">"События"</span>
                <span class="key-done">"Выполненные действия"</span>
                <span class="key-dead">"Не выполненные"</span>
                {nothing.then(|| view! { <span class="muted">"За этот период ничего не было."</span> })}
            </figcaption>
        </figure>
    }
}
