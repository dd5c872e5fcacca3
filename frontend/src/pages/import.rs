//! One file: what its columns mean, what the check found, how it goes, what failed.

mod mapping;
mod report;
mod rows;
mod run;

use std::time::Duration;

use api::import::{ImportState, ImportView};
use api::workspace::Role;
use domain::id::ImportId;
use leptos::prelude::*;

use crate::api::imports;
use crate::store::Store;
use crate::ui::{ErrorBox, Notice, Page, Remote, StateBadge, Toasts, loaded};
use crate::words::{self, Tone};

/// How often something under way is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The page of an import.
pub fn page(id: ImportId) -> AnyView {
    let remote = Remote::new(move || imports::get_import(id));
    let timer = set_interval_with_handle(
        move || {
            let state = remote.now().map(|import| import.summary.state);
            if matches!(state, Some(ImportState::Checking | ImportState::Running)) {
                remote.reload();
            }
        },
        LOOK,
    );
    on_cleanup(move || {
        if let Ok(timer) = timer {
            timer.clear();
        }
    });
    let title = Signal::derive(move || {
        remote.with(|import| import.map_or_else(|| "Файл".to_owned(), |import| import.summary.name.clone()))
    });
    let tags = move || {
        remote.with(|import| import.map(|import| view! { <StateBadge label=words::import(import.summary.state) testid="import-state" /> }))
    };
    // Each step is drawn anew only when another begins: what is typed meanwhile stays.
    let state = Memo::new(move |_| remote.with(|import| import.map(|import| import.summary.state)));
    view! {
        <Page title above=("Загрузка контактов", "/imports") tags=tags.into_any()>
            {loaded(remote, |_| ())}
            {move || state.get().map(|state| step(state, remote)).into_any()}
        </Page>
    }
    .into_any()
}

fn step(state: ImportState, remote: Remote<ImportView>) -> AnyView {
    let error = move || {
        let text = remote.with(|import| import.and_then(|import| import.summary.error.clone()));
        text.map(|text| view! { <Notice tone=Tone::Bad title="Файл не загружен">{text}</Notice> })
    };
    match state {
        ImportState::Uploaded => mapping::form(remote),
        ImportState::Failed => view! { {error} {mapping::form(remote)} }.into_any(),
        ImportState::Checking => run::checking(remote),
        ImportState::Checked => view! { {report::report(remote)} {rows::rows(remote)} }.into_any(),
        ImportState::Running | ImportState::Paused => {
            view! { {run::running(remote)} {rows::rows(remote)} }.into_any()
        }
        ImportState::Done | ImportState::Cancelled => {
            view! { {run::ended(remote)} {rows::rows(remote)} }.into_any()
        }
    }
}

/// Whether this person may change anything here.
fn may_edit() -> bool {
    Store::expect().may(Role::Editor)
}

/// Carries an action out and shows what became of it.
fn act(remote: Remote<ImportView>, busy: RwSignal<bool>, verb: &'static str) {
    let toasts = Toasts::expect();
    act_with(remote, busy, verb, toasts);
}

fn act_with(remote: Remote<ImportView>, busy: RwSignal<bool>, verb: &'static str, toasts: Toasts) {
    let Some(id) = remote.now().map(|import| import.summary.id) else {
        return;
    };
    crate::ui::run(
        busy,
        imports::act_on_import(id, verb),
        move |answer| match answer {
            Ok(import) => remote.set(import),
            Err(error) => {
                toasts.problem(&error);
                remote.reload();
            }
        },
    );
}

/// A failure with its places, above a form.
fn failed(failure: RwSignal<Option<crate::problem::ApiError>>) -> AnyView {
    (move || failure.get().map(|error| view! { <ErrorBox error /> })).into_any()
}
