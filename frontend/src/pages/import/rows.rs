//! The rows of a file, by state; one that was not handed over can be corrected here.

use api::import::{EditImportRow, ImportRowQuery, ImportRowView, ImportState, ImportView, RowState};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::may_edit;
use crate::api::imports;
use crate::ui::{
    Button, Card, Choices, Column, DataTable, Dialog, Look, Pager, Paging, Remote, SelectField, StateBadge,
    TextField, Toasts, loaded, run, text,
};
use crate::words;

/// The list of rows.
pub fn rows(remote: Remote<ImportView>) -> AnyView {
    let Some(import) = remote.now() else {
        return ().into_any();
    };
    let id = import.summary.id;
    let first = if import.summary.counts.n_failed > 0 {
        RowState::Failed.as_str()
    } else {
        ""
    };
    let state = RwSignal::new(first.to_owned());
    let paging = Paging::new();
    let list = Remote::new(move || {
        imports::list_import_rows(
            id,
            &ImportRowQuery {
                state: RowState::parse(&state.get()),
                cursor: paging.cursor(),
                limit: Some(50),
            },
        )
    });
    // The counts change exactly when rows do.
    let counts = Memo::new(move |_| remote.with(|import| import.map(|import| import.summary.counts)));
    Effect::new(move |first: Option<()>| {
        counts.track();
        if first.is_some() {
            list.reload();
        }
    });
    let choices: Choices = std::iter::once((String::new(), "Все строки".to_owned()))
        .chain(
            RowState::ALL
                .iter()
                .map(|state| (state.as_str().to_owned(), state.title().to_owned())),
        )
        .collect();
    let edited = RwSignal::new(None::<ImportRowView>);
    let can_edit = Memo::new(move |_| {
        may_edit()
            && remote.with(|import| import.is_some_and(|import| import.summary.state == ImportState::Checked))
    });
    let data = Memo::new(move |_| list.get().map(|page| page.items).unwrap_or_default());
    let next = Signal::derive(move || list.with(|page| page.and_then(|page| page.next.clone())));
    let columns = move || {
        vec![
            Column::new(
                "Строка",
                "tag",
                |row: &ImportRowView| view! { <span class="number">{row.number}</span> },
            ),
            Column::new(
                "Состояние",
                "tag",
                |row: &ImportRowView| view! { <StateBadge label=words::import_row(row.state) /> },
            ),
            Column::new("Данные", "lead", |row: &ImportRowView| {
                let cells = row
                    .cells
                    .iter()
                    .filter(|cell| !cell.is_empty())
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" · ");
                view! {
                    <span class="samples">{cells}</span>
                    {row.error.clone().map(|error| view! { <p class="problem">{error}</p> })}
                }
            }),
            Column::new("Команды", "above bare", move |row: &ImportRowView| {
                let event = row
                    .event_id
                    .map(|id| view! { <a href=format!("/events/{id}")>"событие"</a> });
                let row = row.clone();
                let edit = can_edit.get().then(|| view! {
                <Button small=true testid="edit-row" on_click=move |_| edited.set(Some(row.clone()))>"Исправить"</Button>
            });
                view! { {event} {edit} }
            }),
        ]
    };
    view! {
        <Card title="Строки файла">
            <div class="limited">
                <SelectField
                    label="Показать"
                    value=Signal::derive(move || state.get())
                    options=Signal::stored(choices)
                    testid="row-state"
                    on_change=move |word: String| {
                        paging.reset();
                        state.set(word);
                    }
                />
            </div>
            {loaded(list, move |page| if page.items.is_empty() {
                view! { <p class="muted">"Таких строк нет."</p> }.into_any()
            } else {
                view! {
                    <DataTable caption="Строки файла" columns=columns() rows=data id=|row| row.number.to_string() testid="import-rows" />
                    <Pager paging next />
                }.into_any()
            })}
        </Card>
        {editor(remote, edited)}
    }
    .into_any()
}

fn editor(remote: Remote<ImportView>, edited: RwSignal<Option<ImportRowView>>) -> AnyView {
    let open = RwSignal::new(false);
    // Setting a signal tells of it even when nothing changed: each of these two would wake the other for ever.
    Effect::new(move |_| {
        let wanted = edited.with(Option::is_some);
        if open.get_untracked() != wanted {
            open.set(wanted);
        }
    });
    Effect::new(move |_| {
        if !open.get() && edited.with_untracked(Option::is_some) {
            edited.set(None);
        }
    });
    view! {
        <Dialog title="Исправить строку" open testid="row-editor">
            {move || edited.get().map(|row| fields(remote, edited, row)).into_any()}
        </Dialog>
    }
    .into_any()
}

fn fields(
    remote: Remote<ImportView>,
    edited: RwSignal<Option<ImportRowView>>,
    row: ImportRowView,
) -> AnyView {
    let toasts = Toasts::expect();
    let Some(import) = remote.now() else {
        return ().into_any();
    };
    let (id, number) = (import.summary.id, row.number);
    let cells: Vec<RwSignal<String>> = import
        .columns
        .iter()
        .enumerate()
        .map(|(at, _)| text(row.cells.get(at).cloned().unwrap_or_default()))
        .collect();
    let inputs = import
        .columns
        .iter()
        .zip(&cells)
        .filter(|(column, _)| column.field.is_some())
        .map(|(column, value)| view! { <TextField label=column.name.clone() value=*value /> })
        .collect_view();
    let busy = RwSignal::new(false);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let form = EditImportRow {
            cells: cells.iter().map(|cell| cell.get_untracked()).collect(),
        };
        run(
            busy,
            imports::edit_import_row(id, number, &form),
            move |answer| match answer {
                Ok(row) => {
                    match row.error.filter(|_| row.state == RowState::Failed) {
                        Some(error) => toasts.fail(error),
                        None => {
                            toasts.done(format!("Строка {number} исправлена"));
                            edited.set(None);
                        }
                    }
                    remote.reload();
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! {
        <form class="form" on:submit=save>
            {row.error.map(|error| view! { <p class="problem">{error}</p> })}
            {inputs}
            <div class="dialog-actions">
                <Button on_click=move |_| edited.set(None)>"Закрыть"</Button>
                <Button look=Look::Primary submit=true loading=busy testid="save-row">"Сохранить"</Button>
            </div>
        </form>
    }
    .into_any()
}
