//! A planned command in words.

use domain::command::Command;
use leptos::prelude::*;

use crate::command_text::{CommandText, WriteText, command};
use crate::store::Store;

/// What is to be done: settings and the fields to be written.
#[component]
pub fn CommandView(command_: Command) -> impl IntoView {
    let store = Store::expect();
    move || {
        let side = command_.connection.and_then(|id| store.kind_of(id));
        let others: Vec<_> = command_.connection.into_iter().collect();
        let names = store.names(command_.connection, &others);
        draw(command(&command_, side, &names))
    }
}

fn draw(text: CommandText) -> impl IntoView {
    let facts = text
        .facts
        .into_iter()
        .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
        .collect_view();
    view! {
        <div class="stack tight">
            <dl class="facts">{facts}</dl>
            {(!text.writes.is_empty()).then(|| writes(text.writes))}
        </div>
    }
}

fn writes(list: Vec<WriteText>) -> impl IntoView {
    let rows = list
        .into_iter()
        .map(|write| {
            view! {
                <li class="map-line">
                    <span class="map-to">
                        {write.field}
                        {write.note.map(|note| view! { <small>{note}</small> })}
                    </span>
                    <span class="map-arrow" aria-hidden="true">"="</span>
                    <span class="map-from">{write.value}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="mapping writes">{rows}</ul> }
}
