//! The constructor as a whole: toolbar, the three parts, the trial, what happens when somebody else saved.

use std::sync::Arc;
use std::time::Duration;

use api::rule::{RuleView, SaveRule};
use api::workspace::Role;
use domain::id::RuleId;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use serde_json::Value;

use super::Editor;
use super::actions::cards;
use super::condition::conditions;
use super::trial::panel;
use super::trigger::{manners, triggers};
use super::widgets::line;
use crate::api::rules;
use crate::problem::ApiError;
use crate::rule_editor::draft::Draft;
use crate::rule_editor::keep::{Kept, forget, keep, kept};
use crate::store::Store;
use crate::ui::{Button, ErrorBox, Glyph, Look, Notice, Remote, Toasts, run, when};
use crate::words::Tone;

/// What is typed is written to the browser's memory after a pause of this length.
const PAUSE: Duration = Duration::from_millis(300);

/// What the constructor begins with.
pub(crate) struct Start {
    /// The rule; none while it is new.
    pub id: Option<RuleId>,
    /// Its saved document.
    pub saved: Value,
    /// Its version.
    pub version: Option<i64>,
    /// Where the rest of the page learns what was saved.
    pub remote: Option<Remote<RuleView>>,
}

/// Makes the editor of a page: what was not saved the last time is there again.
pub(crate) fn begin(start: &Start) -> Editor {
    let store = Store::expect();
    let place = place(store, start.id);
    let mut draft = Draft::new(start.saved.clone(), start.version);
    if let Some(Kept {
        document,
        saved,
        version,
    }) = kept(&place)
    {
        if version == start.version {
            draft.replace(document);
        } else {
            // Somebody saved since: both texts are there, the person decides.
            draft = Draft::new(saved, version);
            draft.replace(document);
            if let Some(version) = start.version {
                draft.meets(start.saved.clone(), version);
            }
        }
    }
    let open = Signal::derive(move || store.may(Role::Editor));
    let editor = Editor::start(draft, open);
    keep_in_pauses(editor, place);
    editor
}

/// Keeps what is not saved: after a pause in typing, and when the page goes away before that.
fn keep_in_pauses(editor: Editor, place: String) {
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    // The first look changes nothing, so it writes nothing.
    let touched = |draft: &Draft| draft.can_undo() || draft.can_redo() || draft.conflict().is_some();
    let write = Arc::new(move || {
        waiting.try_set_value(None);
        editor.draft.try_with_untracked(|draft| {
            if draft.is_dirty() && touched(draft) {
                keep(&place, draft);
            } else {
                forget(&place);
            }
        });
    });
    let at_once = {
        let write = Arc::clone(&write);
        move || {
            if let Some(handle) = waiting.try_get_value().flatten() {
                handle.clear();
                write();
            }
        }
    };
    Effect::new(move |first: Option<()>| {
        if !editor.draft.with(touched) && first.is_none() {
            return;
        }
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        let write = Arc::clone(&write);
        waiting.set_value(set_timeout_with_handle(move || write(), PAUSE).ok());
    });
    let leaving = window_event_listener_untyped("pagehide", {
        let at_once = at_once.clone();
        move |_| at_once()
    });
    on_cleanup(move || {
        leaving.remove();
        at_once();
    });
}

fn place(store: Store, id: Option<RuleId>) -> String {
    let workspace = untrack(|| store.workspace())
        .map(|id| id.to_string())
        .unwrap_or_default();
    let rule = id.map_or_else(|| "new".to_owned(), |id| id.to_string());
    format!("rule-draft:{workspace}:{rule}")
}

/// The three parts, with the trial beside them.
pub(crate) fn constructor(editor: Editor, start: Start) -> AnyView {
    let id = start.id;
    super::checks::ask(editor, id);
    let name = editor.setter("/name");
    let name = Callback::new(move |text: String| name.run(text.into()));
    let keys = move |event: KeyboardEvent| {
        if !(event.ctrl_key() || event.meta_key()) {
            return;
        }
        match (event.code().as_str(), event.shift_key()) {
            ("KeyZ", false) => editor.change(Draft::undo),
            ("KeyZ", true) | ("KeyY", _) => editor.change(Draft::redo),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div class="constructor" class:dragging=move || editor.dragged.with(Option::is_some) on:keydown=keys on:focusout=move |_| {
            // Leaving a field ends what was typed there as one step.
            editor.pause();
        }>
            <p class="visually-hidden" role="status">{move || editor.said.get()}</p>
            {toolbar(editor, start)}
            <div class="bench">
                <div class="stack">
                    <section class="part" aria-label="Название">
                        <div class="act-row">
                            <span class="act-label" aria-hidden="true">"Название"</span>
                            <div class="act-control">{line("Название правила", "text", "", editor.text("/name"), name)}{editor.findings_at("/name".to_owned(), Vec::new())}</div>
                        </div>
                    </section>
                    <section class="part" aria-labelledby="part-when"><h2 class="rule-word" id="part-when">"КОГДА"</h2>{triggers(editor)}</section>
                    <section class="part" aria-labelledby="part-if"><h2 class="rule-word" id="part-if">"ЕСЛИ"</h2>{conditions(editor)}</section>
                    <section class="part" aria-labelledby="part-then"><h2 class="rule-word" id="part-then">"ТО"</h2>{cards(editor)}{editor.findings_here("/actions")}</section>
                    <section class="part" aria-labelledby="part-how"><h2 class="rule-word" id="part-how">"ЕЩЁ"</h2>{manners(editor)}</section>
                </div>
                <aside class="bench-side" aria-label="Проба">{panel(editor, id)}</aside>
            </div>
        </div>
    }
    .into_any()
}

fn toolbar(editor: Editor, start: Start) -> AnyView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let store = Store::expect();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let Start { id, remote, .. } = start;
    let key = place(store, id);
    let stored = Callback::new(move |(sent, rule): (Value, RuleView)| {
        let version = rule.summary.version;
        editor.change(|draft| draft.was_saved(sent, version));
        forget(&key);
        if let Some(remote) = remote {
            remote.set(rule);
            toasts.done("Черновик сохранён. Чтобы он начал работать, опубликуйте правило.");
        } else {
            toasts.done("Черновик сохранён");
            navigate(&format!("/rules/{}", rule.summary.id), Default::default());
        }
    });
    let save = move |_| {
        failure.set(None);
        let sent = editor.draft.with_untracked(|draft| draft.document().clone());
        let rule = match editor.draft.with_untracked(Draft::rule) {
            Ok(rule) => rule,
            Err(_) => return toasts.fail("Документ правила не читается: отмените последнюю правку."),
        };
        let version = editor.draft.with_untracked(Draft::version);
        let form = SaveRule { draft: rule };
        let request = match (id, version) {
            (Some(id), Some(version)) => rules::update_rule(id, version, &form),
            _ => rules::create_rule(&form),
        };
        run(busy, request, move |answer| match answer {
            Ok(rule) => stored.run((sent, rule)),
            Err(error) if error.kind == Some(api::ProblemType::Stale) => meet(editor, id),
            Err(error) => failure.set(Some(error)),
        });
    };
    let dirty = Memo::new(move |_| editor.draft.with(Draft::is_dirty));
    let state = move || {
        if dirty.get() {
            "Есть несохранённые правки"
        } else {
            "Всё сохранено"
        }
    };
    let n_wrong = Memo::new(move |_| {
        editor.findings.with(|all| {
            all.iter()
                .filter(|found| found.severity == domain::compile::Severity::Error)
                .count()
        })
    });
    view! {
        <div class="bench-bar" data-testid="bench-bar">
            <Button look=Look::Subtle glyph=Glyph::Undo label="Отменить (Ctrl+Z)" testid="undo"
                disabled=Signal::derive(move || !editor.draft.with(Draft::can_undo))
                on_click=move |_| editor.change(Draft::undo) />
            <Button look=Look::Subtle glyph=Glyph::Redo label="Вернуть (Ctrl+Shift+Z)" testid="redo"
                disabled=Signal::derive(move || !editor.draft.with(Draft::can_redo))
                on_click=move |_| editor.change(Draft::redo) />
            <span class="grow muted" data-testid="draft-state">{state}</span>
            {move || (n_wrong.get() > 0).then(|| view! {
                <span class="badge tone-bad" data-testid="n-errors">"Ошибок: " {n_wrong.get()}</span>
            })}
            {when(move || editor.open.get(), move || view! {
                <Button look=Look::Primary loading=busy testid="save-rule" disabled=Signal::derive(move || !dirty.get()) on_click=save>
                    "Сохранить черновик"
                </Button>
            }.into_any())}
        </div>
        {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
        {move || editor.draft.with(|draft| draft.conflict().is_some()).then(|| conflict(editor))}
    }
    .into_any()
}

/// Reads what somebody else saved.
fn meet(editor: Editor, id: Option<RuleId>) {
    let Some(id) = id else { return };
    leptos::task::spawn_local(async move {
        if let Ok(rule) = rules::get_rule(id).send().await {
            let theirs = serde_json::to_value(&rule.draft).unwrap_or_default();
            editor.change(|draft| draft.meets(theirs, rule.summary.version));
        }
    });
}

fn conflict(editor: Editor) -> AnyView {
    view! {
        <Notice tone=Tone::Warn title="Правило тем временем сохранил кто-то ещё" testid="conflict">
            <p>"Ваши правки не потеряны. Решите, какой вариант остаётся в редакторе; сохранится он, только когда вы сохраните черновик."</p>
            <div class="row">
                <Button small=true testid="keep-mine" on_click=move |_| editor.change(Draft::keep_mine)>"Оставить мои правки"</Button>
                <Button small=true testid="take-theirs" on_click=move |_| editor.change(Draft::take_theirs)>"Взять сохранённый вариант"</Button>
            </div>
        </Notice>
    }
    .into_any()
}
