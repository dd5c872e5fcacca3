//! «Загрузка контактов»: where files are dropped, and the history.

use api::Page as ApiPage;
use api::import::{ImportState, ImportSummary, UploadedFiles};
use api::workspace::Role;
use leptos::ev::DragEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use web_sys::{FileList, FormData};

use crate::api::imports;
use crate::problem::ApiError;
use crate::store::Store;
use crate::text::{counted, percent};
use crate::ui::{
    Ago, Button, Card, Column, DataTable, Empty, ErrorBox, Glyph, Icon, Look, Notice, Page, Pager, Paging,
    Remote, StateBadge, loaded, run, when,
};
use crate::words::{self, Tone};

/// The list of imports with the place for new files.
pub fn page() -> AnyView {
    let store = Store::expect();
    let paging = Paging::new();
    let list = Remote::new(move || imports::list_imports(paging.cursor()));
    Effect::new(move |first: Option<()>| {
        store.now();
        let going = list.now().is_some_and(|page| page.items.iter().any(is_going));
        if first.is_some() && going {
            list.reload();
        }
    });
    view! {
        <Page
            title="Загрузка контактов"
            about="Файлы с контактами, лидами или результатами прозвонов: XLSX, XLS, ODS или CSV. До запуска ничего не отправляется в CRM."
        >
            {when(move || store.may(Role::Editor), move || drop_zone(list))}
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    return view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Upload
                                title="Загрузок ещё не было"
                                text="Выберите файл: мы покажем первые строки и предложим, что означает каждый столбец."
                            />
                        </Card>
                    }
                    .into_any();
                }
                table(list, paging)
            })}
        </Page>
    }
    .into_any()
}

fn is_going(import: &ImportSummary) -> bool {
    matches!(import.state, ImportState::Checking | ImportState::Running)
}

fn drop_zone(list: Remote<ApiPage<ImportSummary>>) -> AnyView {
    let navigate = use_navigate();
    let (busy, over) = (RwSignal::new(false), RwSignal::new(false));
    let failure = RwSignal::new(None::<ApiError>);
    let refused = RwSignal::new(Vec::<(String, String)>::new());
    let input = NodeRef::<html::Input>::new();
    let send = Callback::new(move |files: FileList| {
        let Some(form) = form_of(&files) else { return };
        failure.set(None);
        refused.set(Vec::new());
        let navigate = navigate.clone();
        run(busy, imports::upload_files(form), move |answer| match answer {
            Ok(UploadedFiles { items }) => {
                let bad = items
                    .iter()
                    .filter_map(|item| Some((item.name.clone(), item.error.clone()?)));
                refused.set(bad.collect());
                list.reload();
                // One good file is what the person will go on with.
                if let [only] = items.as_slice()
                    && let Some(import) = &only.import
                {
                    navigate(&format!("/imports/{}", import.summary.id), Default::default());
                }
            }
            Err(error) => failure.set(Some(error)),
        });
    });
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        if let Some(files) = event.data_transfer().and_then(|data| data.files()) {
            send.run(files);
        }
    };
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            if let Some(files) = input.files() {
                send.run(files);
            }
            // The same file may be chosen again after it was corrected.
            input.set_value("");
        }
    };
    view! {
        <div
            class=move || if over.get() { "drop-zone over" } else { "drop-zone" }
            data-testid="drop-zone"
            on:dragover=move |event| {
                event.prevent_default();
                over.set(true);
            }
            on:dragleave=move |_| over.set(false)
            on:drop=dropped
        >
            <Icon glyph=Glyph::Upload />
            <p>"Перетащите файлы сюда или выберите их на компьютере"</p>
            <input
                type="file"
                class="visually-hidden"
                multiple=true
                accept=".xlsx,.xls,.ods,.csv,.txt"
                aria-label="Файлы для загрузки"
                data-testid="files"
                tabindex="-1"
                node_ref=input
                on:change=chosen
            />
            <Button
                look=Look::Primary
                loading=busy
                on_click=move |_| {
                    if let Some(input) = input.get_untracked() {
                        input.click();
                    }
                }
            >
                "Выбрать файлы"
            </Button>
            <p class="muted">"До 50 МБ и 500 000 строк в файле, если администратор не изменил пределы"</p>
        </div>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        {move || {
            let refused = refused.get();
            let lines = refused
                .into_iter()
                .map(|(name, error)| view! { <li><b>{name}</b> ": " {error}</li> })
                .collect::<Vec<_>>();
            (!lines.is_empty())
                .then(|| view! { <Notice tone=Tone::Bad title="Не приняты"><ul>{lines}</ul></Notice> })
        }
            .into_any()}
    }
    .into_any()
}

fn form_of(files: &FileList) -> Option<FormData> {
    let form = FormData::new().ok()?;
    let mut n_files = 0;
    for file in (0..files.length()).filter_map(|at| files.item(at)) {
        form.append_with_blob_and_filename("file", &file, &file.name())
            .ok()?;
        n_files += 1;
    }
    (n_files > 0).then_some(form)
}

fn table(list: Remote<ApiPage<ImportSummary>>, paging: Paging) -> AnyView {
    let rows = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = vec![
        Column::new(
            "Когда",
            "tag when",
            |import: &ImportSummary| view! { <Ago at=import.created_at /> },
        ),
        Column::new("Файл", "lead", |import: &ImportSummary| {
            view! {
                <a class="row-link" href=format!("/imports/{}", import.id)>{import.name.clone()}</a>
                <p class="soft">{import.purpose.title()}</p>
            }
        }),
        Column::new("Состояние", "tag", |import: &ImportSummary| {
            view! { <StateBadge label=words::import(import.state) /> }
        }),
        Column::new(
            "Строки",
            "tag",
            |import: &ImportSummary| view! { <span class="soft">{rows_of(import)}</span> },
        ),
    ];
    view! {
        <div>
            <DataTable caption="Загрузки" columns rows id=|import| import.id.to_string() testid="imports" />
            <Pager paging next />
        </div>
    }
    .into_any()
}

fn rows_of(import: &ImportSummary) -> String {
    let (counts, n) = (import.counts, import.counts.n_all());
    let all = counted(n, "строка", "строки", "строк");
    match import.state {
        ImportState::Running | ImportState::Paused => {
            format!("{all}, готово {}", percent(counts.n_ended(), n))
        }
        ImportState::Done | ImportState::Cancelled => {
            format!("{all}: выполнено {}, ошибок {}", counts.n_done, counts.n_failed)
        }
        ImportState::Uploaded => String::new(),
        _ => all,
    }
}
