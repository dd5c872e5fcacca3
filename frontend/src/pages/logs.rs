//! «Логи»: who changed what.

use api::Page as ApiPage;
use api::audit::{AuditEntry, AuditQuery};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::api::workspace;
use crate::audit_text::{SUBJECTS, action, actor, subject};
use crate::clock;
use crate::filters::{self, order};
use crate::store::Store;
use crate::ui::{
    Ago, Badge, Card, Choices, Column, DataTable, Empty, Fold, Glyph, Moment, Page, Pager, Paging, Remote,
    SelectField, Sorting, TextField, by_time, loaded,
};
use crate::words::Tone;

/// The audit log. Its filters stand in the address.
#[component]
pub fn LogsPage() -> impl IntoView {
    let store = Store::expect();
    let query = use_query_map();
    let navigate = use_navigate();
    let of = move |name: &'static str| query.with(|query| query.get(name)).unwrap_or_default();
    let paging = Paging::new();
    let list = Remote::new(move || {
        let moment = |name| clock::from_control(&of(name), &store.zone()).map(|at| at.0);
        let filter = AuditQuery {
            cursor: paging.cursor(),
            subject_kind: Some(of("kind")).filter(|kind| !kind.is_empty()),
            from: moment("from"),
            to: moment("to"),
            order: order(&of("sort")),
            ..AuditQuery::default()
        };
        workspace::list_audit_entries(&filter)
    });
    let set = Callback::new(move |(name, value): (&'static str, String)| {
        let pairs = ["kind", "from", "to", "sort"].map(|other| {
            let value = if other == name {
                value.clone()
            } else {
                query.with_untracked(|query| query.get(other)).unwrap_or_default()
            };
            (other, value)
        });
        paging.reset();
        navigate(&format!("/logs{}", filters::query(pairs)), Default::default());
    });
    let kinds: Choices = std::iter::once((String::new(), "Всё".to_owned()))
        .chain(
            SUBJECTS
                .iter()
                .map(|(word, title)| ((*word).to_owned(), (*title).to_owned())),
        )
        .collect();
    let text = move |name: &'static str| {
        let shown = RwSignal::new(String::new());
        Effect::new(move |_| shown.set(of(name)));
        shown
    };
    let sorting = by_time(move || of("sort"), move |word| set.run(("sort", word)));
    view! {
        <Page title="Логи" about="Кто и что менял в кабинете. Секретов здесь нет.">
            <section class="filters" aria-label="Фильтры">
                <div class="form-grid">
                    <SelectField
                        label="Что меняли"
                        value=Signal::derive(move || of("kind"))
                        options=Signal::stored(kinds)
                        on_change=move |word: String| set.run(("kind", word))
                    />
                    <TextField
                        label="С"
                        kind="datetime-local"
                        value=text("from")
                        on_change=move |value: String| set.run(("from", value))
                    />
                    <TextField
                        label="До"
                        kind="datetime-local"
                        value=text("to")
                        on_change=move |value: String| set.run(("to", value))
                    />
                </div>
            </section>
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Log
                                title="Записей нет"
                                text="Здесь появится каждое изменение правил, подключений, ключей и участников. Если выбраны фильтры, уберите часть из них."
                            />
                        </Card>
                    }
                        .into_any();
                }
                view! { <Table list paging sorting /> }.into_any()
            })}
        </Page>
    }
}

#[component]
fn Table(list: Remote<ApiPage<AuditEntry>>, paging: Paging, sorting: Sorting) -> impl IntoView {
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
        })
        .sorted_by("when"),
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
            <DataTable caption="Записи журнала" columns rows id=|entry| entry.id.to_string() testid="audit" sorting />
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
