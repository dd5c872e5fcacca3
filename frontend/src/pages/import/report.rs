//! What the check found, before anything is sent.

use api::import::{ImportColumn, ImportPurpose, ImportView};
use leptos::prelude::*;

use super::{act_with, may_edit};
use crate::api::imports;
use crate::text::{counted, number};
use crate::ui::{Button, Card, Glyph, Look, Notice, Remote, Toasts, run};
use crate::words::Tone;

/// Figures, errors by column, the buttons that go on or back.
pub fn report(remote: Remote<ImportView>) -> AnyView {
    let toasts = Toasts::expect();
    let (starting, backing) = (RwSignal::new(false), RwSignal::new(false));
    let back = move |_| {
        let Some(import) = remote.now() else { return };
        let Some(connection_id) = import.connection_id else {
            return;
        };
        let form = api::import::DescribeImport {
            purpose: import.summary.purpose,
            sheet: import.sheet.clone(),
            connection_id,
            columns: Some(import.columns.iter().map(|column| column.field.clone()).collect()),
            place: import.place,
            duplicates: import.duplicates,
        };
        run(
            backing,
            imports::describe_import(import.summary.id, &form),
            move |answer| match answer {
                Ok(import) => remote.set(import),
                Err(error) => toasts.problem(&error),
            },
        );
    };
    let nothing = Signal::derive(move || {
        remote.with(|import| import.is_none_or(|import| import.summary.counts.n_accepted == 0))
    });
    view! {
        <div class="stack">
            {move || remote.get().map(|import| figures(&import)).into_any()}
            {move || remote.get().map(|import| by_column(&import)).into_any()}
            {move || may_edit().then(|| view! {
                <div class="row">
                    <Button
                        look=Look::Primary
                        glyph=Glyph::Play
                        loading=starting
                        disabled=nothing
                        testid="start"
                        on_click=move |_| act_with(remote, starting, "start", toasts)
                    >
                        "Начать загрузку"
                    </Button>
                    <Button loading=backing testid="back-to-columns" on_click=back>"Изменить столбцы"</Button>
                    {move || remote.with(|import| import.is_some_and(|import| import.summary.counts.n_failed > 0))
                        .then(|| remote.now().map(|import| super::run::failed_link(import.summary.id))).into_any()}
                </div>
            }).into_any()}
        </div>
    }
    .into_any()
}

fn figure(name: &'static str, n: u64, note: String, tone: Tone) -> impl IntoView {
    view! {
        <div class=format!("figure tone-{}", tone.class()) data-testid="report-figure">
            <span class="figure-name">{name}</span>
            <span class="figure-value number">{number(n)}</span>
            <span class="figure-note">{note}</span>
        </div>
    }
}

fn figures(import: &ImportView) -> AnyView {
    let counts = import.summary.counts;
    let doubles = match (import.n_in_file, import.n_earlier) {
        (0, 0) => "повторов нет".to_owned(),
        (in_file, 0) => format!("{in_file} — внутри файла"),
        (0, earlier) => format!("{earlier} — из прежних загрузок"),
        (in_file, earlier) => format!("{in_file} — внутри файла, {earlier} — из прежних загрузок"),
    };
    let bad = if counts.n_failed > 0 {
        Tone::Bad
    } else {
        Tone::Muted
    };
    view! {
        <div class="figures" data-testid="report">
            {figure("Будет загружено", counts.n_accepted, "строк без ошибок".to_owned(), Tone::Good)}
            {figure("С ошибками", counts.n_failed, "их можно исправить здесь или в файле".to_owned(), bad)}
            {figure("Повторы", import.n_in_file + import.n_earlier, doubles, Tone::Muted)}
            {(import.summary.purpose == ImportPurpose::Contacts).then(|| {
                figure("Уже есть в CRM", import.n_known, "насколько мы помним; остальных найдём при загрузке".to_owned(), Tone::Muted)
            })}
        </div>
    }
    .into_any()
}

fn by_column(import: &ImportView) -> AnyView {
    let bad: Vec<&ImportColumn> = import
        .columns
        .iter()
        .filter(|column| column.n_errors > 0)
        .collect();
    if bad.is_empty() {
        return view! { <Notice tone=Tone::Good title="Ошибок в столбцах нет">"Можно начинать загрузку."</Notice> }.into_any();
    }
    let columns = bad
        .into_iter()
        .map(|column| {
            let examples = column
                .examples
                .iter()
                .map(|one| view! { <li>"строка " {one.row} ": " {one.text.clone()}</li> })
                .collect_view();
            view! {
                <div class="column-errors">
                    <p>
                        <b>{column.name.clone()}</b>
                        " — "
                        {counted(column.n_errors, "ошибка", "ошибки", "ошибок")}
                        <span class="muted">
                            " из "
                            {counted(column.n_filled, "заполненной ячейки", "заполненных ячеек", "заполненных ячеек")}
                        </span>
                    </p>
                    <ul class="steps soft">{examples}</ul>
                </div>
            }
        })
        .collect_view();
    view! { <Card title="Ошибки по столбцам" testid="column-errors">{columns}</Card> }.into_any()
}
