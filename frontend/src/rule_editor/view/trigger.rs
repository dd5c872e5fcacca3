//! КОГДА: the source, the kinds of events, and how the rule behaves.

use domain::connection::ConnectorKind;
use domain::event::EventKind;
use domain::field::{FieldPath, FieldType, SystemField};
use domain::record::RecordKind;
use leptos::prelude::*;
use serde_json::{Value, json};

use super::Editor;
use super::actions::connection;
use super::value::values_input;
use super::widgets::{line, tick, whole_at};

/// Kinds of events that a CRM sends, by the beginning of their words.
fn fits(kind: EventKind, side: Option<ConnectorKind>) -> bool {
    let word = kind.as_str();
    let lead = word.starts_with("lead_");
    let both = ["call_", "import_", "scheduled", "manual", "structure_"]
        .iter()
        .any(|start| word.starts_with(start));
    match side {
        Some(ConnectorKind::Amocrm) => !lead,
        Some(ConnectorKind::Lptracker) => lead || both,
        None => true,
    }
}

/// Source and kinds of events.
pub fn triggers(editor: Editor) -> AnyView {
    let side = editor.kind_at("/source".to_owned());
    let now = editor.at("/triggers");
    let has = move |word: &str| {
        now.with(|now| {
            let list = now.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().any(|one| one["kind"] == word)
        })
    };
    let ticks = move || {
        let side = side.get();
        let boxes: Vec<AnyView> = EventKind::ALL
            .iter()
            .filter(|kind| fits(**kind, side) || untrack(|| has(kind.as_str())))
            .map(|kind| {
                let word = kind.as_str();
                let change = Callback::new(move |wanted: bool| {
                    let mut list = now.get_untracked().as_array().cloned().unwrap_or_default();
                    list.retain(|one| one["kind"] != word);
                    if wanted {
                        list.push(if word == "scheduled" {
                            json!({ "kind": word, "schedule": { "every_minutes": 60, "stages": [] } })
                        } else {
                            json!({ "kind": word })
                        });
                    }
                    editor.set("/triggers", Value::Array(list));
                });
                tick(kind.title(), Signal::derive(move || has(word)), change)
            })
            .collect();
        boxes
    };
    let chosen = move || {
        let titles: Vec<&str> = EventKind::ALL
            .iter()
            .filter(|kind| has(kind.as_str()))
            .map(|kind| kind.title())
            .collect();
        if titles.is_empty() {
            "Выберите события".to_owned()
        } else {
            titles.join(", ")
        }
    };
    view! {
        <div class="act-row">
            <span class="act-label" aria-hidden="true">"Откуда событие"</span>
            <div class="act-control">{connection(editor, "/source".to_owned(), None)}{editor.findings_at("/source".to_owned(), Vec::new())}</div>
        </div>
        <div class="act-row">
            <span class="act-label" aria-hidden="true">"Что случилось"</span>
            <div class="act-control">
                <details class="fold" data-testid="triggers">
                    <summary>{chosen}</summary>
                    <div class="ticks columns">{ticks}</div>
                </details>
                {schedule(editor)}
                {editor.findings_at("/triggers".to_owned(), Vec::new())}
            </div>
        </div>
    }
    .into_any()
}

/// The timer of a trigger by schedule.
fn schedule(editor: Editor) -> AnyView {
    let at = Memo::new(move |_| {
        editor.look("/triggers", |draft| {
            let list = draft.at("/triggers")?.as_array()?;
            list.iter().position(|one| one.get("schedule").is_some())
        })
    });
    (move || {
        at.get().map(|at| {
            let cron = format!("/triggers/{at}/schedule/cron");
            let place = cron.clone();
            let on = Callback::new(move |text: String| {
                editor.set(place.clone(), if text.trim().is_empty() { Value::Null } else { text.into() });
            });
            let stages = editor.at(format!("/triggers/{at}/schedule/stages"));
            let shown = Signal::derive(move || {
                stages.with(|all| {
                    let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
                    all.iter().map(|stage| json!({ "type": "stage", "value": stage })).collect::<Vec<_>>()
                })
            });
            let place = format!("/triggers/{at}/schedule/stages");
            let set = Callback::new(move |list: Value| {
                let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
                let plain = list.iter().map(|one| one["value"].clone()).collect();
                editor.set(place.clone(), Value::Array(plain));
            });
            let record = match untrack(|| editor.kind_at("/source".to_owned()).get()) {
                Some(ConnectorKind::Lptracker) => RecordKind::Lead,
                _ => RecordKind::Deal,
            };
            let path = FieldPath::now(record, SystemField::Stage);
            view! {
                <div class="stack tight" data-testid="schedule">
                <div class="row">
                    <span>"каждые"</span>
                    {whole_at(editor, "Каждые столько минут", format!("/triggers/{at}/schedule/every_minutes"))}
                    <span>"минут, или cron"</span>
                    {line("Выражение cron", "text", "0 9 * * 1-5", editor.text(cron), on)}
                </div>
                <div class="row"><span>"записи на этапах"</span>{values_input(editor, "Этап".to_owned(), path, FieldType::Stage, shown, set)}</div>
                <div class="row">
                    <span>"не менявшиеся дней"</span>
                    {whole_at(editor, "Не менявшиеся столько дней, 0 — все", format!("/triggers/{at}/schedule/idle_days"))}
                </div>
                </div>
            }
        })
    })
    .into_any()
}

/// What the rule does besides its actions.
pub fn manners(editor: Editor) -> AnyView {
    let stop = editor.at("/stop");
    let on = Signal::derive(move || stop.with(|stop| stop.as_bool().unwrap_or_default()));
    let change = Callback::new(move |wanted: bool| editor.set("/stop", wanted.into()));
    let about = editor.setter("/description");
    let about =
        Callback::new(move |text: String| about.run(if text.is_empty() { Value::Null } else { text.into() }));
    view! {
        <div class="act-row">
            <span class="act-label" aria-hidden="true">"Зачем правило"</span>
            <div class="act-control">{line("Описание", "text", "необязательно", editor.text("/description"), about)}</div>
        </div>
        <div class="act-row">
            <span class="act-label" aria-hidden="true">"Ждать тишины, секунд"</span>
            <div class="act-control">
                {whole_at(editor, "Ждать тишины, секунд от 0 до 60", "/quiet_secs".to_owned())}
                {editor.findings_at("/quiet_secs".to_owned(), Vec::new())}
            </div>
        </div>
        {tick("Если правило сработало, следующие правила это событие не смотрят", on, change)}
    }
    .into_any()
}
