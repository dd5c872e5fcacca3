//! Columns over time, drawn by hand.

use std::sync::Arc;

use leptos::prelude::*;

use crate::clock;
use crate::figures::Columns;
use crate::store::Store;

const HEIGHT: u64 = 120;
const STEP: usize = 14;

/// Draws columns. `words` says a value; pointing at a step tells its figures, and so does the table below.
pub fn chart(columns: Columns, words: fn(u64) -> String, of_all: Option<String>) -> AnyView {
    let store = Store::expect();
    let top = columns.top();
    let columns = Arc::new(columns);
    let width = columns.moments.len().max(1) * STEP;
    let bars = (0..columns.moments.len())
        .map(|at| bar(&columns, at, top, words))
        .collect_view();
    let edge = move |at: Option<&domain::time::Timestamp>| {
        at.copied()
            .map(|at| move || clock::date_time(at, store.now(), &store.zone()))
    };
    let edges = (edge(columns.moments.first()), edge(columns.moments.last()));
    let legend = columns
        .series()
        .map(|one| view! { <span class=format!("key-{}", one.class)>{one.name}</span> })
        .collect_view();
    let summary = of_all.unwrap_or_else(|| {
        let parts: Vec<String> = columns
            .series()
            .map(|one| format!("{}: {}", one.name, words(one.values.iter().sum())))
            .collect();
        parts.join(", ")
    });
    let is_empty = columns.is_empty();
    view! {
        <figure class="chart">
            <div class="chart-top muted number">{(!is_empty).then(|| words(top))}</div>
            <div class="chart-plot" style=format!("--steps: {}", columns.moments.len())>
                <svg
                    viewBox=format!("0 0 {width} {HEIGHT}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=summary
                >
                    {bars}
                </svg>
                <div class="chart-edges muted">
                    <span>{edges.0}</span>
                    {(columns.moments.len() > 1).then(|| view! { <span>{edges.1}</span> })}
                </div>
            </div>
            <figcaption class="legend">
                {legend}
                {is_empty.then(|| view! { <span class="muted">"За этот период ничего не было."</span> })}
            </figcaption>
        </figure>
    }
    .into_any()
}

fn bar(columns: &Arc<Columns>, at: usize, top: u64, words: fn(u64) -> String) -> AnyView {
    let store = Store::expect();
    let x = at * STEP;
    let n = columns.stacks.len().max(1);
    let wide = (STEP - 4) / n;
    let mut rects: Vec<AnyView> = Vec::new();
    for (place, stack) in columns.stacks.iter().enumerate() {
        let mut below = 0;
        for one in stack {
            let value = one.values.get(at).copied().unwrap_or(0);
            // What happened at all is seen, however little it was.
            let height = (value * HEIGHT / top).max(u64::from(value > 0) * 2);
            let y = HEIGHT.saturating_sub(below + height);
            below += height;
            let left = x + 2 + place * wide;
            rects.push(
                view! { <rect class=format!("bar-{}", one.class) x=left y=y width=wide height=height rx="1"></rect> }
                    .into_any(),
            );
        }
    }
    let told = Arc::clone(columns);
    let title = move || {
        let when = clock::date_time(told.moments[at], store.now(), &store.zone());
        let parts: Vec<String> = told
            .series()
            .map(|one| {
                format!(
                    "{} — {}",
                    one.name,
                    words(one.values.get(at).copied().unwrap_or(0))
                )
            })
            .collect();
        format!("{when}: {}", parts.join(", "))
    };
    view! {
        <g>
            <title>{title}</title>
            <rect class="hit" x=x y="0" width=STEP height=HEIGHT></rect>
            {rects}
        </g>
    }
    .into_any()
}
