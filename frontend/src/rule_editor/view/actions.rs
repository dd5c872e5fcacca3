//! ТО: the cards, drawn from what [`crate::rule_editor::forms`] says of each action.

use std::sync::Arc;

use domain::connection::ConnectorKind;
use domain::field::{FieldPath, FieldType, SystemField};
use domain::record::RecordKind;
use leptos::prelude::*;
use serde_json::{Value, json};

use super::expression::{Purpose, expression};
use super::mapping::mapping;
use super::picker::{Chosen, Setup, chosen, picker};
use super::value::unknown;
use super::widgets::{drop_zone, handle, line, select, tick, tool, whole_at, word_at, word_button};
use super::{Editor, each, items_of};
use crate::command_text::command;
use crate::parts::CommandView;
use crate::rule_editor::choices::{self, Item};
use crate::rule_editor::draft::Edit;
use crate::rule_editor::forms::{self, FORMS, Field, Form, Input};
use crate::rule_editor::tree;
use crate::store::Store;
use crate::ui::{Glyph, Notice};
use crate::words::Tone;

const LIST: &str = "/actions";

/// Every card, and a button for the next.
pub fn cards(editor: Editor) -> AnyView {
    let n = items_of(editor, LIST.to_owned());
    let draw = move |at: String| {
        let index = tree::split(&at).map_or(0, |(_, index)| index);
        view! { {drop_zone(editor, LIST.to_owned(), index)} {card(editor, at, index)} }.into_any()
    };
    view! {
        <ol class="cards-list">{each(items_of(editor, LIST.to_owned()), draw)}</ol>
        {move || drop_zone(editor, LIST.to_owned(), n().len())}
        {adder(editor)}
    }
    .into_any()
}

fn adder(editor: Editor) -> AnyView {
    let store = Store::expect();
    let items = || {
        FORMS
            .iter()
            .zip(0_i64..)
            .map(|(form, at)| Item {
                value: at.into(),
                title: form.title.to_owned(),
                group: form.side.map_or("", ConnectorKind::title).to_owned(),
                hint: if form.own {
                    "сам Интегратор"
                } else {
                    ""
                },
                color: None,
            })
            .collect()
    };
    let on_pick = Callback::new(move |at: Value| {
        let Some(form) = at.as_u64().and_then(|at| FORMS.get(usize::try_from(at).ok()?)) else {
            return;
        };
        let home = editor.scope.with_untracked(|scope| scope.source());
        let other = |kind: ConnectorKind| {
            if kind == ConnectorKind::Amocrm {
                ConnectorKind::Lptracker
            } else {
                ConnectorKind::Amocrm
            }
        };
        let wanted = form.side.or(home.map(other));
        let connection = store
            .connections()
            .into_iter()
            .find(|one| Some(one.kind) == wanted)
            .map(|one| one.id.to_string());
        let mut item = forms::blank(form, connection.as_deref().filter(|_| !form.own));
        // An action in the CRM of the event is about the event's own record.
        if wanted == home && item.get("target").is_some() {
            item["target"] = json!("trigger");
        }
        editor.apply(Edit::Insert {
            list: LIST.to_owned(),
            at: usize::MAX,
            item,
        });
    });
    picker(Setup {
        label: "Добавить действие".to_owned(),
        blank: "+ Добавить действие",
        testid: "add-action",
        items: Arc::new(items),
        chosen: Signal::stored(Chosen::default()),
        free: None,
        on_pick,
        clears: false,
    })
}

fn card(editor: Editor, at: String, index: usize) -> AnyView {
    let now = editor.at(at.clone());
    let form = Memo::new(move |_| now.with(|now| forms::form_of(now).map(|form| form.title)));
    let enabled_at = format!("{at}/enabled");
    let enabled = editor.at(enabled_at.clone());
    let on = Signal::derive(move || enabled.with(|value| value.as_bool().unwrap_or(true)));
    let change = Callback::new(move |wanted: bool| editor.set(enabled_at.clone(), wanted.into()));
    let of = |edit: fn(String) -> Edit| {
        let at = at.clone();
        Callback::new(move |()| {
            editor.apply(edit(at.clone()));
        })
    };
    let body = {
        let at = at.clone();
        move || {
            let title = form.get()?;
            let form = FORMS.iter().find(|form| form.title == title)?;
            Some(fields(editor, at.clone(), form))
        }
    };
    view! {
        <li class="act" class:off=move || !on.get() data-testid="action" data-at=at.clone()>
            <div class="act-head">
                {handle(editor, at.clone(), false)}
                <span class="action-number number">{index + 1}</span>
                <h3 class="grow">{move || form.get().unwrap_or("Неизвестное действие")}</h3>
                {tick("Включено", on, change)}
                <div class="tools">
                    {tool("Сделать копию", Glyph::Copy, "duplicate", of(|at| Edit::Duplicate { at }))}
                    {tool("Удалить действие", Glyph::Bin, "remove", of(|at| Edit::Remove { at }))}
                </div>
            </div>
            {body}
            {sample(editor, index)}
        </li>
    }
    .into_any()
}

/// What the card would send for the chosen event.
fn sample(editor: Editor, index: usize) -> AnyView {
    let store = Store::expect();
    let planned = Memo::new(move |_| {
        editor
            .sample
            .with(|all| all.iter().find(|one| one.action == index).cloned())
    });
    (move || {
        planned.get().map(|planned| {
            let side = planned.connection.and_then(|id| store.kind_of(id));
            let others: Vec<_> = planned.connection.into_iter().collect();
            let title = command(&planned, side, &store.names(planned.connection, &others)).title;
            view! {
                <details class="fold sample">
                    <summary>"На выбранном событии: " {title}</summary>
                    <div><CommandView command_=planned /></div>
                </details>
            }
        })
    })
    .into_any()
}

fn fields(editor: Editor, card: String, form: &'static Form) -> AnyView {
    let places: Vec<String> = form
        .fields
        .iter()
        .map(|field| format!("{card}/{}", field.member))
        .collect();
    let mut rows: Vec<AnyView> = Vec::new();
    if !form.own {
        rows.push(labelled(
            "Где",
            connection(editor, format!("{card}/connection"), form.side),
            &[],
        ));
    }
    for field in form.fields {
        let at = format!("{card}/{}", field.member);
        let below = match field.input {
            Input::Mapping => ().into_any(),
            _ => editor.findings_at(at.clone(), Vec::new()),
        };
        let control = control(editor, &card, at, *field);
        rows.push(labelled(
            field.label,
            view! { {control} {below} }.into_any(),
            &[field.input],
        ));
    }
    let warning = (form.word == "start_call").then(|| {
        view! {
            <Notice tone=Tone::Warn>
                "Это настоящий телефонный звонок клиенту. Карточка выключена, пока вы не включите её сами."
            </Notice>
        }
    });
    view! { <div class="act-body">{warning}{rows}{editor.findings_at(card, places)}</div> }.into_any()
}

fn labelled(label: &'static str, control: AnyView, input: &[Input]) -> AnyView {
    let wide = matches!(input, [Input::Mapping | Input::Body]);
    view! {
        <div class="act-row" class:wide=wide>
            <span class="act-label" aria-hidden="true">{label}</span>
            <div class="act-control">{control}</div>
        </div>
    }
    .into_any()
}

/// A connection by its name.
pub fn connection(editor: Editor, at: String, kind: Option<ConnectorKind>) -> AnyView {
    let store = Store::expect();
    let items = move || choices::connections(&store.catalogues(), kind);
    let value = editor.at(at.clone());
    let shown = Memo::new(move |_| {
        let id = value.with(|value| value.as_str().and_then(|id| id.parse().ok()));
        Chosen {
            title: id.and_then(|id| store.connection_name(id)).unwrap_or_default(),
            ..Chosen::default()
        }
    });
    picker(Setup {
        label: "Подключение".to_owned(),
        blank: "выберите подключение",
        testid: "connection-picker",
        items: Arc::new(items),
        chosen: shown.into(),
        free: None,
        on_pick: editor.setter(at),
        clears: false,
    })
}

fn control(editor: Editor, card: &str, at: String, field: Field) -> AnyView {
    let label = field.label;
    let side = editor.kind_at(format!("{card}/connection"));
    match field.input {
        Input::Line => {
            let on = editor.setter(at.clone());
            line(
                label,
                "text",
                "",
                editor.text(at),
                Callback::new(move |text: String| on.run(text.into())),
            )
        }
        Input::Expression => expression(editor, label.to_owned(), at, Purpose::text()),
        Input::MaybeExpression => maybe(editor, label, at),
        Input::UserExpression => {
            let path = move || match side.get_untracked() {
                Some(ConnectorKind::Lptracker) => RecordKind::Lead,
                _ => RecordKind::Deal,
            };
            (move || {
                side.track();
                let path = FieldPath::now(path(), SystemField::Responsible);
                let purpose = Purpose {
                    path,
                    field_type: FieldType::User,
                    many: false,
                };
                expression(editor, label.to_owned(), at.clone(), purpose)
            })
            .into_any()
        }
        Input::TagExpressions => tag_expressions(editor, label, at),
        Input::Word(words) => word_at(editor, label, at, words),
        Input::Words(words) => words_in_order(editor, at, words),
        Input::Stage(optional) => from_catalogue(
            editor,
            label,
            at,
            side,
            choices::stages,
            "выберите этап",
            optional,
        ),
        Input::User => from_catalogue(editor, label, at, side, choices::users, "не менять", true),
        Input::TaskType => from_catalogue(
            editor,
            label,
            at,
            side,
            |all| by_id(&all.task_types),
            "обычная",
            true,
        ),
        Input::LossReason => from_catalogue(
            editor,
            label,
            at,
            side,
            |all| by_id(&all.loss_reasons),
            "не указывать",
            true,
        ),
        Input::Tags => tags(editor, label, at, side),
        Input::Minutes => minutes(editor, label, at),
        Input::Pick => pick(editor, label, at, side),
        Input::Body => body(editor, at),
        Input::Mapping => mapping(editor, card),
    }
}

fn by_id(list: &[domain::value::Choice]) -> Vec<Item> {
    choices::options(list)
        .into_iter()
        .map(|item| Item {
            value: item.value["id"].clone(),
            ..item
        })
        .collect()
}

type OfCatalogue = fn(&domain::catalogue::Catalogue) -> Vec<Item>;

fn from_catalogue(
    editor: Editor,
    label: &str,
    at: String,
    side: Signal<Option<ConnectorKind>>,
    list: OfCatalogue,
    blank: &'static str,
    clears: bool,
) -> AnyView {
    let items: Arc<dyn Fn() -> Vec<Item> + Send + Sync> = Arc::new(move || {
        let kind = side.get();
        editor.scope.with(|scope| {
            let found = kind.and_then(|kind| scope.side(kind));
            found.map(|(_, catalogue)| list(catalogue)).unwrap_or_default()
        })
    });
    let value = editor.at(at.clone());
    let place = at;
    picker(Setup {
        label: label.to_owned(),
        blank,
        testid: "choice-picker",
        chosen: chosen(value, Arc::clone(&items), unknown),
        items,
        free: None,
        on_pick: editor.setter(place),
        clears,
    })
}

fn maybe(editor: Editor, label: &'static str, at: String) -> AnyView {
    let now = editor.at(at.clone());
    let there = Memo::new(move |_| now.with(|now| !now.is_null()));
    let place = at.clone();
    let change = Callback::new(move |wanted: bool| {
        let to = if wanted {
            json!({ "template": "" })
        } else {
            Value::Null
        };
        editor.set(place.clone(), to);
    });
    view! {
        {tick("Указать", there.into(), change)}
        {move || there.get().then(|| expression(editor, label.to_owned(), at.clone(), Purpose::text()))}
    }
    .into_any()
}

fn tag_expressions(editor: Editor, label: &'static str, list: String) -> AnyView {
    let rows = items_of(editor, list.clone());
    let purpose = Purpose {
        path: FieldPath::now(RecordKind::Deal, SystemField::Tags),
        field_type: FieldType::Tags,
        many: false,
    };
    let draw = move |at: String| {
        let gone = at.clone();
        let remove = Callback::new(move |()| {
            editor.apply(Edit::Remove { at: gone.clone() });
        });
        view! {
            <div class="first-row">
                {expression(editor, label.to_owned(), at, purpose)}
                {tool("Убрать тег", Glyph::Close, "remove-tag", remove)}
            </div>
        }
        .into_any()
    };
    let add = Callback::new(move |()| {
        let item = json!({ "constant": { "type": "empty" } });
        editor.apply(Edit::Insert {
            list: list.clone(),
            at: usize::MAX,
            item,
        });
    });
    view! { <div class="stack tight">{each(rows, draw)}{word_button("Тег", Some(Glyph::Plus), "add-tag", add)}</div> }.into_any()
}

fn words_in_order(editor: Editor, at: String, words: &'static [(&'static str, &'static str)]) -> AnyView {
    let now = editor.at(at.clone());
    let chosen = move || -> Vec<String> {
        now.with(|now| {
            let words = now.as_array().map(Vec::as_slice).unwrap_or_default();
            words
                .iter()
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect()
        })
    };
    let ticks: Vec<AnyView> = words
        .iter()
        .map(|(word, title)| {
            let on = Signal::derive(move || chosen().iter().any(|one| one == word));
            let number = move || chosen().iter().position(|one| one == word).map(|at| format!("{}. ", at + 1));
            let place = at.clone();
            let change = Callback::new(move |wanted: bool| {
                let mut list = untrack(chosen);
                list.retain(|one| one != word);
                if wanted {
                    list.push((*word).to_owned());
                }
                editor.set(place.clone(), json!(list));
            });
            view! { <span class="ordered"><span class="number muted">{number}</span>{tick(*title, on, change)}</span> }.into_any()
        })
        .collect();
    view! { <div class="ticks">{ticks}</div> }.into_any()
}

fn tags(editor: Editor, label: &str, at: String, side: Signal<Option<ConnectorKind>>) -> AnyView {
    let now = editor.at(at.clone());
    // The same chips as for values; the document holds the bare tags here.
    let values = Signal::derive(move || {
        now.with(|now| {
            let list = now.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter()
                .map(|tag| json!({ "type": "choice", "value": tag }))
                .collect::<Vec<_>>()
        })
    });
    let set = Callback::new(move |list: Value| {
        let list = list.as_array().cloned().unwrap_or_default();
        let bare: Vec<Value> = list.into_iter().map(|mut value| value["value"].take()).collect();
        editor.set(at.clone(), Value::Array(bare));
    });
    let record = match side.get_untracked() {
        Some(ConnectorKind::Lptracker) => RecordKind::Lead,
        _ => RecordKind::Deal,
    };
    let path = FieldPath::now(record, SystemField::Tags);
    super::value::values_input(editor, label.to_owned(), path, FieldType::Tags, values, set)
}

fn minutes(editor: Editor, label: &str, at: String) -> AnyView {
    let now = editor.at(at.clone());
    let words = move || {
        let n = now.with(Value::as_i64).unwrap_or_default();
        match (n % 1440, n % 60) {
            (0, _) if n > 0 => format!("минут = {} сут.", n / 1440),
            (_, 0) if n > 0 => format!("минут = {} ч", n / 60),
            _ => "минут".to_owned(),
        }
    };
    view! { <div class="row">{whole_at(editor, label, at)}<span class="muted">{words}</span></div> }
        .into_any()
}

fn pick(editor: Editor, label: &str, at: String, side: Signal<Option<ConnectorKind>>) -> AnyView {
    let word = editor.text(format!("{at}/pick"));
    let words = [
        ("newest_open", "Самую новую открытую"),
        ("in_pipeline", "Самую новую открытую в воронке"),
        ("single", "Спросить человека"),
    ];
    let options = words
        .map(|(word, title)| (word.to_owned(), title.to_owned()))
        .to_vec();
    let place = at.clone();
    let on = Callback::new(move |word: String| {
        let to = if word == "in_pipeline" {
            json!({ "pick": word, "pipeline": 0 })
        } else {
            json!({ "pick": word })
        };
        editor.set(place.clone(), to);
    });
    let needs = Memo::new(move |_| word.with(|word| word == "in_pipeline"));
    view! {
        <div class="row">
            {select(label, Signal::stored(options), word, on)}
            {move || needs.get().then(|| {
                from_catalogue(editor, "Воронка", format!("{at}/pipeline"), side, choices::pipelines, "выберите воронку", false)
            })}
        </div>
    }
    .into_any()
}

fn body(editor: Editor, list: String) -> AnyView {
    let rows = items_of(editor, list.clone());
    let draw = move |at: String| {
        let gone = at.clone();
        let remove = Callback::new(move |()| {
            editor.apply(Edit::Remove { at: gone.clone() });
        });
        let name = format!("{at}/0");
        let on = editor.setter(name.clone());
        view! {
            <div class="pair">
                {line("Имя", "text", "имя", editor.text(name), Callback::new(move |text: String| on.run(text.into())))}
                {expression(editor, "Значение".to_owned(), format!("{at}/1"), Purpose::text())}
                {tool("Убрать", Glyph::Close, "remove-member", remove)}
            </div>
        }
        .into_any()
    };
    let add = Callback::new(move |()| {
        let item = json!(["", { "template": "" }]);
        editor.apply(Edit::Insert {
            list: list.clone(),
            at: usize::MAX,
            item,
        });
    });
    view! { <div class="pairs">{each(rows, draw)}{word_button("Поле", Some(Glyph::Plus), "add-member", add)}</div> }.into_any()
}
