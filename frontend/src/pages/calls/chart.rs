//! How many calls by day and by result, or by operator.

use api::call::{CallFigure, CallQuery};
use leptos::prelude::*;

use crate::api::calls;
use crate::call_chart::{By, Chart, chart as build};
use crate::text::{counted, number};
use crate::ui::{Choices, Remote, SelectField, loaded};

const HEIGHT: u64 = 120;

/// The chart of what is filtered.
pub(super) fn chart(wanted: Memo<CallQuery>) -> AnyView {
    let figures = Remote::new(move || calls::count_call_results(&wanted.get()));
    let by = RwSignal::new(By::Result);
    let choices: Choices = vec![
        ("result".to_owned(), "По результатам".to_owned()),
        ("operator".to_owned(), "По операторам".to_owned()),
    ];
    view! {
        <div class="limited">
            <SelectField
                label="Разбивка"
                value=Signal::derive(move || if by.get() == By::Result { "result" } else { "operator" }.to_owned())
                options=Signal::stored(choices)
                on_change=move |word: String| by.set(if word == "operator" { By::Operator } else { By::Result })
            />
        </div>
        {loaded(figures, move |figures: Vec<CallFigure>| move || draw(&build(&figures, by.get())).into_any())}
    }
    .into_any()
}

fn draw(chart: &Chart) -> AnyView {
    if chart.days.is_empty() {
        return view! { <p class="muted">"Под этим фильтром звонков нет."</p> }.into_any();
    }
    let top = chart
        .days
        .iter()
        .map(|day| day.parts.iter().sum::<u64>())
        .max()
        .unwrap_or(1)
        .max(1);
    let bars = chart
        .days
        .iter()
        .enumerate()
        .map(|(at, day)| {
            let x = at * 16;
            let mut y = HEIGHT;
            let parts = day
                .parts
                .iter()
                .enumerate()
                .filter(|(_, n)| **n > 0)
                .map(|(part, n)| {
                    let height = (n * HEIGHT / top).max(1);
                    y = y.saturating_sub(height);
                    view! { <rect class=format!("series-{}", part % 8) x=x + 2 y=y width="12" height=height></rect> }
                })
                .collect_view();
            let title = format!(
                "{}: {}",
                day.title,
                counted(day.parts.iter().sum(), "звонок", "звонка", "звонков")
            );
            view! {
                <g>
                    <title>{title}</title>
                    <rect class="hit" x=x y="0" width="16" height=HEIGHT></rect>
                    {parts}
                </g>
            }
        })
        .collect_view();
    let legend = chart
        .series
        .iter()
        .enumerate()
        .map(|(at, (name, n))| {
            view! {
                <span class=format!("key-series key-series-{}", at % 8)>
                    {name.clone()} " " <span class="number muted">{number(*n)}</span>
                </span>
            }
        })
        .collect_view();
    let summary = chart
        .series
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let edge = |day: Option<&crate::call_chart::Day>| day.map(|day| day.title.clone());
    view! {
        <figure class="chart" data-testid="call-chart">
            <div class="chart-plot" style=format!("--steps: {}", chart.days.len())>
                <svg
                    viewBox=format!("0 0 {} {HEIGHT}", chart.days.len() * 16)
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=summary
                >
                    {bars}
                </svg>
                <div class="chart-edges muted">
                    <span>{edge(chart.days.first())}</span>
                    {(chart.days.len() > 1).then(|| view! { <span>{edge(chart.days.last())}</span> })}
                </div>
            </div>
            <figcaption class="legend">{legend}</figcaption>
        </figure>
    }
    .into_any()
}
