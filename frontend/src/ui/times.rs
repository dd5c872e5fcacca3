//! Moments: how long ago, with the exact time on pointing.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::clock;
use crate::store::{Store, present};

/// «5 минут назад», growing older by itself; the exact moment stands in the tooltip.
#[component]
pub fn Ago(at: Timestamp) -> impl IntoView {
    let store = Store::expect();
    view! {
        <time class="nowrap" title=move || clock::date_time_full(at, &store.zone())>
            {move || {
                // The store's clock says when to look again; the age is counted to this very moment.
                store.now();
                clock::relative(at, present())
            }}
        </time>
    }
}

/// «23 нояб., 12:41».
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let store = Store::expect();
    view! {
        <time class="nowrap number" title=move || clock::date_time_full(at, &store.zone())>
            {move || clock::date_time(at, store.now(), &store.zone())}
        </time>
    }
}
