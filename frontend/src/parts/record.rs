//! Records of the CRMs with the way to their cards.

use api::event::RecordRef;
use domain::catalogues::home_of;
use leptos::prelude::*;

use crate::ui::{Glyph, Icon, SideTag};

fn name(record: &RecordRef) -> Option<&String> {
    record.name.as_ref().filter(|name| !name.trim().is_empty())
}

fn words(record: &RecordRef) -> String {
    name(record).map_or_else(
        || format!("{} № {}", record.kind.title(), record.id),
        Clone::clone,
    )
}

/// «Сделка: Кухня на заказ» or «Сделка № 12»: what it is and which, with the way to its card.
#[component]
pub fn NamedRecord(record: RecordRef) -> impl IntoView {
    let kind = name(&record).map(|_| format!("{}: ", record.kind.title()));
    view! { <span>{kind} <RecordLink record /></span> }
}

/// A record: its name, leading to its card in the CRM when it has one.
#[component]
pub fn RecordLink(record: RecordRef) -> impl IntoView {
    let text = words(&record);
    let about = format!("{} № {}", record.kind.title(), record.id);
    match record.url {
        Some(url) => view! {
            <a href=url target="_blank" rel="noopener noreferrer" title=about>
                {text} <span aria-hidden="true">" ↗"</span>
                <span class="visually-hidden">"(откроется в новой вкладке)"</span>
            </a>
        }
        .into_any(),
        None => view! { <span title=about>{text}</span> }.into_any(),
    }
}

/// A record in a row of its own, with its CRM.
#[component]
pub fn RecordRow(record: RecordRef) -> impl IntoView {
    let side = home_of(record.kind);
    let kind = record.kind.title();
    let id = record.id.to_string();
    let text = words(&record);
    let body = view! {
        <SideTag side=side />
        <span class="grow">
            <b>{text}</b>
            <span class="muted">{kind} " № " {id}</span>
        </span>
    };
    match record.url {
        Some(url) => view! {
            <a class="record" href=url target="_blank" rel="noopener noreferrer" data-testid="record">
                {body}
                <Icon glyph=Glyph::Out />
                <span class="visually-hidden">"Открыть карточку в новой вкладке"</span>
            </a>
        }
        .into_any(),
        None => view! { <div class="record" data-testid="record">{body}</div> }.into_any(),
    }
}
