//! «Логи»: who changed what.

use api::Page as ApiPage;
use api::audit::{AuditEntry, AuditQuery};
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use crate::api::workspace;
use crate::audit_text::{SUBJECTS, action, actor, subject};
use crate::store::Store;
use crate::ui::{
    Ago, Badge, Card, Choices, Column, DataTable, Empty, Fold, Glyph, Moment, Page, Pager, Paging, Remote,
    SelectField, loaded,
};
use crate::words::Tone;

/// The audit log.
#[component]
pub fn LogsPage() -> impl IntoView {
    let (kind, set_kind) = query_signal::<String>("kind");
    let paging = Paging::new();
    let list = Remote::new(move || {
        let filter = AuditQuery {
            cursor: paging.cursor(),
            subject_kind: kind.get().filter(|kind| !kind.is_empty()),
            ..AuditQuery::default()
        };
        workspace::list_audit_entries(&filter)
    });
    let kinds: Choices = std::iter::once((String::new(), "Всё".to_owned()))
        .chain(
            SUBJECTS
                .iter()
                .map(|(word, title)| ((*word).to_owned(), (*title).to_owned())),
        )
        .collect();
    view! {
        <Page title="Логи" about="Кто и что менял в кабинете. Секретов здесь нет.">
            <div class="limited">
                <SelectField
                    label="Что меняли"
                    value=Signal::derive(move || kind.get().unwrap_or_default())
                    options=Signal::stored(kinds)
                    on_change=move |word: String| {
                        paging.reset();
                        set_kind.set(Some(word).filter(|word| !word.is_empty()));
                    }
                />
            </div>
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Log
                                title="Записей нет"
                                text="Здесь появится каждое изменение правил, подключений, ключей и участников."
                            />
                        </Card>
                    }
                        .into_any();
                }
                view! { <Table list paging /> }.into_any()
            })}
        </Page>
    }
}

#[component]
fn Table(list: Remote<ApiPage<AuditEntry>>, paging: Paging) -> impl IntoView {
    let store = Store::expect();
    let rows = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = vec![
        Column::new("Когда", "tag when", |entry: &AuditEntry| {
            view! {
                <span class="badges">
                    <Moment at=entry.at />
                    <span class="muted"><Ago at=entry.at /></span>
                </span>
            }
        }),
        Column::new("Что", "lead", |entry: &AuditEntry| {
            view! {
                <b>{action(&entry.action)}</b>
                {details(entry)}
            }
        }),
        Column::new("Где", "", move |entry: &AuditEntry| {
            let name = entry
                .subject_id
                .parse()
                .ok()
                .filter(|_| entry.subject_kind == "connection")
                .and_then(|id| store.connection_name(id));
            let words = subject(&entry.subject_kind);
            let link = entry.subject_kind == "rule";
            let href = format!("/rules/{}", entry.subject_id);
            view! {
                <span>
                    {words}
                    {name.map(|name| format!(" «{name}»"))}
                    {link.then(|| view! { " · " <a href=href>"открыть"</a> })}
                </span>
            }
        }),
        Column::new("Кто", "", |entry: &AuditEntry| {
            view! {
                <span class="badges">
                    <span>{entry.actor_name.clone()}</span>
                    <Badge tone=Tone::Muted word=actor(&entry.actor_kind) plain=true />
                </span>
            }
        }),
    ];
    view! {
        <div>
            <DataTable caption="Записи журнала" columns rows id=|entry| entry.id.to_string() testid="audit" />
            <Pager paging next />
        </div>
    }
}

fn details(entry: &AuditEntry) -> impl IntoView + use<> {
    let part = |title: &'static str, value: &Option<serde_json::Value>| {
        value.as_ref().map(|value| {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            view! {
                <p class="muted">{title}</p>
                <pre class="body" tabindex="0">{text}</pre>
            }
        })
    };
    let (before, after) = (part("Было", &entry.before), part("Стало", &entry.after));
    let origin = [
        entry.address.as_ref().map(|address| format!("адрес {address}")),
        entry.request_id.as_ref().map(|id| format!("запрос {id}")),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    let some = before.is_some() || after.is_some() || !origin.is_empty();
    some.then(|| {
        view! {
            <Fold title="Подробности">
                <div class="stack tight">
                    {before}
                    {after}
                    <p class="muted">{origin}</p>
                </div>
            </Fold>
        }
    })
}
