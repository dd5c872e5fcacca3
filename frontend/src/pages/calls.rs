//! «Результаты прозвонов»: the table with its filters, chart, player; settings of results.

mod add;
mod chart;
mod row;
mod settings;

use api::Page as ApiPage;
use api::call::{CallOrder, CallQuery, CallResultView, CallSource, ExportFormat, SyncState};
use api::workspace::Role;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::api::{calls, download};
use crate::call_filter::{CallFilter, address};
use crate::store::Store;
use crate::text::counted;
use crate::ui::{
    Ago, Button, ButtonLink, Card, Choices, Column, Confirm, DataTable, Empty, Fold, Glyph, Icon, Look, Page,
    Pager, Paging, Remote, SelectField, TextField, Toasts, loaded, run, text, when,
};

/// Settings of results.
pub fn settings() -> AnyView {
    settings::page()
}

/// The table.
pub fn page() -> AnyView {
    let store = Store::expect();
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(|query| CallFilter::read(|name| query.get(name))));
    let paging = Paging::new();
    let wanted = Memo::new(move |_| filter.with(|filter| filter.to_api(&store.zone())));
    let list = Remote::new(move || {
        calls::list_call_results(&CallQuery {
            cursor: paging.cursor(),
            ..wanted.get()
        })
    });
    Effect::new(move |first: Option<()>| {
        store.now();
        if first.is_some() && paging.cursor().is_none() {
            list.reload();
        }
    });
    let adding = RwSignal::new(false);
    let actions = view! {
        {when(move || store.may(Role::Editor), move || view! {
            <Button glyph=Glyph::Plus testid="add-call" on_click=move |_| adding.set(true)>"Добавить"</Button>
        }.into_any())}
        <ButtonLink href="/calls/settings" glyph=Glyph::Gear>"Настройки результатов"</ButtonLink>
    };
    view! {
        <Page
            title="Результаты прозвонов"
            about="Один звонок — одна строка, откуда бы он ни пришёл: из LPTracker, из файла, по API или записанный вручную."
            actions=actions.into_any()
        >
            {filters(filter, paging)}
            <Fold title="Диаграмма">{chart::chart(wanted)}</Fold>
            {files(wanted, list)}
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return empty(filter.with_untracked(CallFilter::is_empty));
                }
                table(list, paging)
            })}
            {add::dialog(adding, list)}
        </Page>
    }
    .into_any()
}

fn empty(unfiltered: bool) -> AnyView {
    let (title, text) = if unfiltered {
        (
            "Результатов ещё нет",
            "Они появятся, когда в LPTracker закончится звонок, когда вы загрузите файл или добавите результат вручную.",
        )
    } else {
        ("Ничего не найдено", "Измените или сбросьте фильтры.")
    };
    view! { <Card><Empty glyph=Glyph::Phone title text /></Card> }.into_any()
}

fn words<T: Copy + 'static>(
    all: &'static [T],
    any: &str,
    word: fn(T) -> &'static str,
    title: fn(T) -> &'static str,
) -> Choices {
    std::iter::once((String::new(), any.to_owned()))
        .chain(all.iter().map(|it| (word(*it).to_owned(), title(*it).to_owned())))
        .collect()
}

fn filters(filter: Memo<CallFilter>, paging: Paging) -> AnyView {
    let navigate = use_navigate();
    let change = Callback::new(move |(name, value): (&'static str, String)| {
        let mut filter = filter.get_untracked();
        filter.set(name, value);
        paging.reset();
        navigate(&format!("/calls{}", filter.query()), Default::default());
    });
    let of = move |pick: fn(&CallFilter) -> &String| {
        Signal::derive(move || filter.with(|filter| pick(filter).clone()))
    };
    let found = Remote::new(calls::get_call_settings);
    let results = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Любой".to_owned())];
        let known = found.with(|settings| settings.map(|settings| settings.results.clone()));
        choices.extend(
            known
                .unwrap_or_default()
                .into_iter()
                .map(|word| (word.clone(), word)),
        );
        choices
    });
    let sync = words(SyncState::ALL, "Любое", SyncState::as_str, SyncState::title);
    let sources = words(CallSource::ALL, "Любой", CallSource::as_str, CallSource::title);
    let orders: Choices = CallOrder::ALL
        .iter()
        .map(|it| {
            (
                if *it == CallOrder::Newest { "" } else { it.as_str() }.to_owned(),
                it.title().to_owned(),
            )
        })
        .collect();
    let field = move |label: &'static str,
                      name: &'static str,
                      kind: &'static str,
                      pick: fn(&CallFilter) -> &String| {
        let value = text("");
        Effect::new(move |_| value.set(filter.with(|filter| pick(filter).clone())));
        view! {
            <TextField label value kind on_change=move |value: String| change.run((name, value)) testid=match name {
                "text" => "filter-text",
                "operator" => "filter-operator",
                _ => "filter-moment",
            } />
        }
    };
    view! {
        <div class="filters">
            <div class="form-grid">
                {field("Телефон, имя, комментарий", "text", "search", |filter| &filter.text)}
                <SelectField label="Результат" value=of(|filter| &filter.result) options=results testid="filter-result"
                    on_change=move |value: String| change.run(("result", value)) />
                <SelectField label="Синхронизация" value=of(|filter| &filter.sync) options=Signal::stored(sync) testid="filter-sync"
                    on_change=move |value: String| change.run(("sync", value)) />
                <SelectField label="Источник" value=of(|filter| &filter.source) options=Signal::stored(sources)
                    on_change=move |value: String| change.run(("source", value)) />
                {field("Оператор", "operator", "text", |filter| &filter.operator)}
                {field("С", "from", "datetime-local", |filter| &filter.from)}
                {field("По", "to", "datetime-local", |filter| &filter.to)}
                <SelectField label="Порядок" value=of(|filter| &filter.order) options=Signal::stored(orders)
                    on_change=move |value: String| change.run(("order", value)) />
            </div>
        </div>
    }
    .into_any()
}

/// Downloads of exactly what is filtered; sending everything again.
fn files(wanted: Memo<CallQuery>, list: Remote<ApiPage<CallResultView>>) -> AnyView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let link = move |format: ExportFormat| {
        let href = move || {
            download(&format!(
                "/call-results/export{}",
                address(&CallQuery {
                    format: Some(format),
                    ..wanted.get()
                })
            ))
        };
        view! {
            <a class="button-link" href=href download="" data-testid=format!("export-{}", format.as_str())>
                <Icon glyph=Glyph::Download />
                {format.title()}
            </a>
        }
    };
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let resend = move |()| {
        run(
            busy,
            calls::resend_call_results(&wanted.get_untracked()),
            move |answer| match answer {
                Ok(sent) => {
                    toasts.done(format!(
                        "Отправлено снова: {}",
                        counted(sent.n_sent, "результат", "результата", "результатов")
                    ));
                    list.reload();
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! {
        <div class="row">
            {link(ExportFormat::Xlsx)}
            {link(ExportFormat::Csv)}
            {when(move || store.may(Role::Editor), move || view! {
                <Button look=Look::Plain glyph=Glyph::Refresh loading=busy testid="resend-all" on_click=move |_| asking.set(true)>
                    "Отправить снова всё, что не дошло"
                </Button>
            }.into_any())}
            <Confirm
                title="Отправить снова?"
                text="Все результаты под фильтром, которые не дошли до amoCRM и сейчас не в пути. Уже записанное второй раз не запишется."
                yes="Отправить"
                open=asking
                on_yes=resend
            />
        </div>
    }
    .into_any()
}

fn table(list: Remote<ApiPage<CallResultView>>, paging: Paging) -> AnyView {
    let rows = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = vec![
        Column::new(
            "Когда",
            "tag when",
            |call: &CallResultView| view! { <Ago at=call.at /> },
        ),
        Column::new("Контакт", "lead", row::contact),
        Column::new("Результат", "above", move |call: &CallResultView| {
            row::result(call, list)
        }),
        Column::new("Разговор", "above", row::talk),
        Column::new(
            "Синхронизация",
            "above",
            move |call: &CallResultView| row::sync(call, list),
        ),
    ];
    view! {
        <div>
            <DataTable caption="Результаты прозвонов" columns rows id=|call| call.id.to_string() testid="calls" />
            <Pager paging next />
        </div>
    }
    .into_any()
}
