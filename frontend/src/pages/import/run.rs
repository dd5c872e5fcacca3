//! How an import goes, and how it ended.

use api::import::{ImportPurpose, ImportState, ImportView};
use domain::id::ImportId;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::{act, act_with, may_edit};
use crate::api::{download, imports};
use crate::progress::Progress;
use crate::store::present;
use crate::text::{counted, number, percent};
use crate::ui::{Button, Card, Confirm, Glyph, Icon, Look, Notice, Remote, Toasts, run};
use crate::words::Tone;

/// Rows are being read.
pub fn checking(remote: Remote<ImportView>) -> AnyView {
    let n = move || {
        remote.with(|import| import.map_or(0, |import| u64::try_from(import.summary.n_rows).unwrap_or(0)))
    };
    let (busy, toasts) = (RwSignal::new(false), Toasts::expect());
    view! {
        <Card title="Проверяем файл">
            <p aria-live="polite">{move || format!("Прочитано {}", counted(n(), "строка", "строки", "строк"))}</p>
            <div class="progress going"><div></div></div>
            {move || may_edit().then(|| view! {
                <div class="row">
                    <Button loading=busy on_click=move |_| act_with(remote, busy, "cancel", toasts)>"Отменить"</Button>
                </div>
            }).into_any()}
        </Card>
    }
    .into_any()
}

/// Rows are being handed over, or wait for a person.
pub fn running(remote: Remote<ImportView>) -> AnyView {
    let progress = RwSignal::new(Progress::default());
    Effect::new(move |_| {
        let Some(import) = remote.get() else { return };
        progress.update(|progress| progress.note(present(), import.summary.counts.n_ended()));
    });
    let is_running = Memo::new(move |_| {
        remote.with(|import| import.is_some_and(|import| import.summary.state == ImportState::Running))
    });
    let bar = move || {
        let counts = remote
            .with(|import| import.map(|import| import.summary.counts))
            .unwrap_or_default();
        let (ended, all) = (counts.n_ended(), counts.n_all());
        let width = format!("width: {}%", ended * 100 / all.max(1));
        let words = progress.with(|progress| progress.words(all - ended));
        view! {
            <div class="progress" role="progressbar" aria-label="Ход загрузки" aria-valuemin="0" aria-valuemax=all aria-valuenow=ended data-testid="progress">
                <div style=width></div>
            </div>
            <p>
                {format!("{} из {} ({})", number(ended), counted(all, "строки", "строк", "строк"), percent(ended, all))}
                <span class="muted">{words.map(|words| format!(" · {words}"))}</span>
            </p>
            <p class="soft">
                {format!(
                    "Выполнено {}, в работе {}, ждёт {}, ошибок {}",
                    number(counts.n_done),
                    number(counts.n_queued),
                    number(counts.n_accepted),
                    number(counts.n_failed),
                )}
            </p>
        }
    };
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let toasts = Toasts::expect();
    view! {
        <Card title="Загрузка">
            {move || bar().into_any()}
            {move || may_edit().then(|| view! {
                <div class="row">
                    {move || if is_running.get() {
                        view! { <Button loading=busy testid="pause" on_click=move |_| act_with(remote, busy, "pause", toasts)>"Пауза"</Button> }.into_any()
                    } else {
                        view! {
                            <Button look=Look::Primary glyph=Glyph::Play loading=busy testid="resume" on_click=move |_| act_with(remote, busy, "resume", toasts)>
                                "Продолжить"
                            </Button>
                        }.into_any()
                    }}
                    <Button look=Look::Danger testid="cancel" on_click=move |_| asking.set(true)>"Отменить загрузку"</Button>
                </div>
            }).into_any()}
            <Confirm
                title="Отменить загрузку?"
                text="Строки, которые ещё не начаты, будут пропущены. Уже сделанное в CRM останется."
                yes="Отменить загрузку"
                open=asking
                on_yes=move |()| act(remote, busy, "cancel")
            />
        </Card>
    }
    .into_any()
}

/// It is over.
pub fn ended(remote: Remote<ImportView>) -> AnyView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (busy, asking) = (RwSignal::new(false), RwSignal::new(false));
    let delete = move |()| {
        let Some(import) = remote.now() else { return };
        let navigate = navigate.clone();
        run(
            busy,
            imports::delete_import(import.summary.id),
            move |answer| match answer {
                Ok(()) => {
                    toasts.done("Загрузка удалена из истории");
                    navigate("/imports", Default::default());
                }
                Err(error) => toasts.problem(&error),
            },
        );
    };
    view! {
        {move || remote.get().map(|import| outcome(&import)).into_any()}
        {move || may_edit().then(|| view! {
            <div class="row">
                <Button loading=busy on_click=move |_| asking.set(true)>"Удалить из истории"</Button>
            </div>
        }).into_any()}
        <Confirm
            title="Удалить загрузку?"
            text="Удалятся строки файла и их состояния. Сделанное в CRM останется."
            yes="Удалить"
            open=asking
            on_yes=delete
        />
    }
    .into_any()
}

fn outcome(import: &ImportView) -> AnyView {
    let counts = import.summary.counts;
    let (tone, title) = match (import.summary.state, counts.n_failed) {
        (ImportState::Cancelled, _) => (Tone::Warn, "Загрузка отменена"),
        (_, 0) => (Tone::Good, "Загрузка завершена"),
        _ => (Tone::Warn, "Загрузка завершена, но не все строки прошли"),
    };
    let text = format!(
        "Выполнено {}, повторов {}, пропущено {}, ошибок {}.",
        number(counts.n_done),
        number(counts.n_duplicate),
        number(counts.n_skipped),
        number(counts.n_failed)
    );
    let failed = (counts.n_failed > 0).then(|| {
        view! {
            <p>"Скачайте строки с ошибками: в последнем столбце — причина. Исправьте и загрузите этот файл снова."</p>
            <div class="row">{failed_link(import.summary.id)}</div>
        }
    });
    let reason = import.summary.error.clone().map(|text| view! { <p>{text}</p> });
    let rule = import.rule_id.map(|id| {
        view! { <p>"Строки прошли через правило: " <a href=format!("/rules/{id}")>"посмотреть правило"</a></p> }
    });
    let results = (import.summary.purpose == ImportPurpose::Calls)
        .then(|| view! { <p><a href="/calls?source=import">"Смотреть результаты прозвонов"</a></p> });
    view! {
        <Notice tone title testid="outcome">
            <p>{text}</p>
            {reason}
            {failed}
            {rule}
            {results}
        </Notice>
    }
    .into_any()
}

/// Where the failed rows are downloaded.
pub fn failed_link(id: ImportId) -> AnyView {
    view! {
        <a class="button-link" href=download(&format!("/imports/{id}/failed-rows")) download="" data-testid="failed-rows">
            <Icon glyph=Glyph::Download />
            "Скачать строки с ошибками"
        </a>
    }
    .into_any()
}
