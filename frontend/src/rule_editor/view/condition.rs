//! ЕСЛИ: the tree of conditions.

use domain::field::{FieldPath, FieldType};
use domain::types::{operator_use, operators};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::expression::field_picker_with;
use super::operand::operand;
use super::widgets::{drop_zone, handle, select, tick, tool};
use super::{Editor, each, focus_handle, items_of};
use crate::rule_editor::draft::Edit;
use crate::rule_editor::operands;
use crate::rule_editor::tree::{self, Core, Kind};
use crate::ui::{Glyph, Icon};
use crate::words;
use domain::evaluate::Verdict;

/// The whole tree.
pub fn conditions(editor: Editor) -> AnyView {
    node(editor, "/condition".to_owned())
}

/// A condition; drawn anew when it becomes something of another kind.
fn node(editor: Editor, at: String) -> AnyView {
    let place = at.clone();
    let core = Memo::new(move |_| editor.look(&place, |draft| tree::core(draft.document(), &place)));
    (move || match core.get() {
        Some(core) if core.kind == Kind::Compare => leaf(editor, at.clone(), core),
        Some(core) => group(editor, at.clone(), core),
        None => ().into_any(),
    })
    .into_any()
}

fn mark(editor: Editor, at: String, with_words: bool) -> AnyView {
    let mark = Memo::new(move |_| editor.marks.with(|marks| marks.get(&at).cloned()));
    (move || {
        mark.get().map(|mark| {
            let label = words::verdict(mark.verdict);
            let glyph = match mark.verdict {
                Verdict::True => Glyph::Tick,
                Verdict::False => Glyph::Close,
                Verdict::Unknown => Glyph::Warn,
            };
            view! {
                <span class=format!("mark tone-{}", label.tone.class()) data-verdict=label.tone.class()>
                    <Icon glyph />
                    <span class="visually-hidden">"На выбранном событии: " {label.word}</span>
                </span>
                {with_words.then(|| view! { <span class="held-words muted">{mark.held}</span> })}
            }
        })
    })
    .into_any()
}

fn group(editor: Editor, at: String, core: Core) -> AnyView {
    let list = core.inside();
    let any = core.kind == Kind::Any;
    let root = tree::split(&at).is_none();
    let folded = RwSignal::new(false);
    let (class, word) = if any { ("any", "ИЛИ") } else { ("all", "И") };
    let words = vec![
        ("all".to_owned(), "Выполнены все условия (И)".to_owned()),
        ("any".to_owned(), "Выполнено хотя бы одно (ИЛИ)".to_owned()),
    ];
    let place = core.pointer.clone();
    let join = select(
        "Как связаны условия группы",
        Signal::stored(words),
        Signal::stored(class.to_owned()),
        Callback::new(move |_| {
            editor.apply(Edit::Join { at: place.clone() });
        }),
    );
    let (first, last) = (list.clone(), list.clone());
    let counted = items_of(editor, list.clone());
    let n = Memo::new(move |_| counted().len());
    let children = move |item: String| {
        let (list, index) = tree::split(&item)
            .map(|(list, at)| (list.to_owned(), at))
            .unwrap_or_default();
        view! {
            {drop_zone(editor, list, index)}
            <li class="cond-item" data-word=(index > 0).then_some(word)>{node(editor, item)}</li>
        }
        .into_any()
    };
    let head = if root {
        ().into_any()
    } else {
        handle(editor, at.clone(), true)
    };
    view! {
        <div class=format!("cond-group cond-{class}") data-testid="group" data-at=at.clone()>
            <div class="cond-head">
                {head}
                {negation(editor, at.clone(), core.n_not)}
                {join}
                {mark(editor, at.clone(), false)}
                <span class="grow"></span>
                <button
                    type="button"
                    class="tool"
                    aria-expanded=move || (!folded.get()).to_string()
                    aria-label=move || if folded.get() { "Развернуть группу" } else { "Свернуть группу" }
                    data-testid="fold"
                    on:click=move |_| folded.update(|folded| *folded = !*folded)
                >
                    {move || view! { <Icon glyph=if folded.get() { Glyph::Right } else { Glyph::Down } /> }.into_any()}
                </button>
                {(!root).then(|| tools(editor, at.clone(), None))}
            </div>
            {editor.findings_at(core.pointer.clone(), vec![list.clone()])}
            {move || folded.get().then(|| view! { <p class="muted">"Условий: " {n.get()}</p> })}
            <ul class="cond-list" class:hidden=move || folded.get()>
                {each(items_of(editor, first), children)}
                {move || drop_zone(editor, last.clone(), n.get())}
            </ul>
            {move || (!folded.get()).then(|| adders(editor, list.clone(), n))}
        </div>
    }
    .into_any()
}

/// «Добавить условие», «Добавить группу».
fn adders(editor: Editor, list: String, n: Memo<usize>) -> AnyView {
    let group_list = list.clone();
    let add = move |list: &str, item: Value| {
        let at = n.get_untracked();
        if let Some(landed) = editor.apply(Edit::Insert {
            list: list.to_owned(),
            at,
            item,
        }) {
            focus_handle(landed);
        }
    };
    let start = move || {
        editor.scope.with_untracked(|scope| {
            let stage = ["deal.stage", "lead.stage", "contact.name"].iter().find(|path| {
                path.parse::<FieldPath>().is_ok_and(|path| {
                    domain::catalogues::home_of(path.record) == scope.source()
                        && scope.describe(path).is_some()
                })
            });
            let path = stage.copied().unwrap_or("event.at");
            let field_type = path.parse().ok().and_then(|path| scope.field_type(path));
            operands::blank_compare(path, field_type.unwrap_or(FieldType::DateTime))
        })
    };
    view! {
        <div class="adders">
            <button type="button" class="word-button" data-testid="add-condition" disabled=move || !editor.open.get()
                on:click=move |_| add(&list, start())>
                <Icon glyph=Glyph::Plus />"Условие"
            </button>
            <button type="button" class="word-button" data-testid="add-group" disabled=move || !editor.open.get()
                on:click=move |_| add(&group_list, json!({ "any": [] }))>
                <Icon glyph=Glyph::Plus />"Группа"
            </button>
        </div>
    }
    .into_any()
}

fn negation(editor: Editor, at: String, n_not: usize) -> AnyView {
    view! {
        <button
            type="button"
            class="not"
            aria-pressed=(n_not % 2 == 1).to_string()
            title="Условие должно не выполняться"
            data-testid="negate"
            disabled=move || !editor.open.get()
            on:click=move |_| {
                editor.apply(Edit::Negate { at: at.clone() });
            }
        >
            {if n_not > 1 { format!("НЕ ×{n_not}") } else { "НЕ".to_owned() }}
        </button>
    }
    .into_any()
}

/// What else may be done with a condition.
fn tools(editor: Editor, at: String, alike: Option<AnyView>) -> AnyView {
    let item = |words: &'static str, glyph, testid, on: Callback<()>| tool(words, glyph, testid, on);
    let of = |edit: fn(String) -> Edit| {
        let at = at.clone();
        Callback::new(move |()| {
            editor.apply(edit(at.clone()));
        })
    };
    view! {
        <div class="tools">
            {alike}
            {item("Сделать копию", Glyph::Copy, "duplicate", of(|at| Edit::Duplicate { at }))}
            {item("Поместить в новую группу", Glyph::Rule, "wrap", of(|at| Edit::Group { at }))}
            {item("Удалить условие", Glyph::Bin, "remove", of(|at| Edit::Remove { at }))}
        </div>
    }
    .into_any()
}

fn leaf(editor: Editor, at: String, core: Core) -> AnyView {
    let compare = core.inside();
    let root = tree::split(&at).is_none();
    let field = editor.text(format!("{compare}/field"));
    let operator = editor.text(format!("{compare}/operator"));
    let known = Memo::new(move |_| {
        let path: FieldPath = field.get().parse().ok()?;
        let field_type = editor.scope.with(|scope| scope.field_type(path));
        Some((path, field_type))
    });
    let place = compare.clone();
    let on_field = Callback::new(move |value: Value| {
        let Some(path) = value.as_str() else { return };
        let (old, new) = editor.scope.with_untracked(|scope| {
            let of = |path: &str| path.parse().ok().and_then(|path| scope.field_type(path));
            (of(&field.get_untracked()), of(path))
        });
        let now = editor
            .draft
            .with_untracked(|draft| draft.at(&place).cloned())
            .unwrap_or_default();
        if let Some(new) = new {
            editor.set(place.clone(), operands::refit(&now, old, new, path));
        }
    });
    let place = compare.clone();
    let right = move || {
        let Some((path, Some(field_type))) = known.get() else {
            return ().into_any();
        };
        let options: Vec<_> = operators(field_type)
            .iter()
            .map(|entry| {
                (
                    entry.operator.as_str().to_owned(),
                    entry.operator.title().to_owned(),
                )
            })
            .collect();
        let at = place.clone();
        let on = Callback::new(move |word: String| {
            let Some(entry) = operators(field_type)
                .iter()
                .find(|entry| entry.operator.as_str() == word)
            else {
                return;
            };
            let mut now = editor
                .draft
                .with_untracked(|draft| draft.at(&at).cloned())
                .unwrap_or_default();
            let with = operands::kept(field_type, entry.operator, &now["with"]);
            now["operator"] = word.into();
            now["with"] = with;
            editor.set(at.clone(), now);
        });
        let entry = Memo::new(move |_| {
            let word = operator.get();
            operators(field_type)
                .iter()
                .find(|entry| entry.operator.as_str() == word)
                .and_then(|entry| operator_use(field_type, entry.operator))
                .copied()
        });
        let with = format!("{place}/with");
        view! {
            {select("Условие", Signal::stored(options), operator, on)}
            {move || entry.get().map(|entry| operand(editor, with.clone(), path, field_type, entry))}
        }
        .into_any()
    };
    let alike = Memo::new(move |_| {
        known
            .get()
            .and_then(|(_, field_type)| field_type)
            .map(switches)
            .unwrap_or_default()
    });
    let place = format!("{compare}/alike");
    let exact = move || {
        let list = alike.get();
        (!list.is_empty()).then(|| exactness(editor, place.clone(), list))
    };
    view! {
        <div class="cond-leaf" data-testid="leaf" data-at=at.clone()>
            <div class="cond-row">
                {if root { ().into_any() } else { handle(editor, at.clone(), true) }}
                {negation(editor, at.clone(), core.n_not)}
                {field_picker_with(editor, "Поле".to_owned(), field, on_field, None, true)}
                {right}
                <span class="grow"></span>
                {if root { root_tools(editor, at.clone()) } else { tools(editor, at.clone(), Some(exact.into_any())) }}
            </div>
            <div class="cond-mark">{mark(editor, at.clone(), true)}</div>
            {editor.findings_at(compare, Vec::new())}
        </div>
    }
    .into_any()
}

/// A rule whose condition is one comparison gets a group around it before more can be added.
fn root_tools(editor: Editor, at: String) -> AnyView {
    let on = Callback::new(move |()| {
        editor.apply(Edit::Group { at: at.clone() });
    });
    tool(
        "Поместить в группу, чтобы добавить ещё условия",
        Glyph::Rule,
        "wrap",
        on,
    )
}

/// Differences of spelling that a type knows.
fn switches(field_type: FieldType) -> Vec<(&'static str, &'static str)> {
    match field_type {
        FieldType::Text | FieldType::Email => vec![
            ("case", "регистр букв"),
            ("yo", "ё и е"),
            ("spaces", "лишние пробелы"),
        ],
        FieldType::Phone => vec![("phone", "запись номера")],
        _ => Vec::new(),
    }
}

fn exactness(editor: Editor, at: String, list: Vec<(&'static str, &'static str)>) -> AnyView {
    let ticks: Vec<AnyView> = list
        .into_iter()
        .map(|(member, title)| {
            let place = format!("{at}/{member}");
            let now = editor.at(place.clone());
            let on = Signal::derive(move || now.with(|now| now.as_bool().unwrap_or(true)));
            let whole = at.clone();
            let change = Callback::new(move |wanted: bool| {
                if editor.draft.with_untracked(|draft| draft.at(&whole).is_none()) {
                    editor.set(whole.clone(), json!({}));
                }
                editor.set(place.clone(), wanted.into());
            });
            tick(title, on, change)
        })
        .collect();
    view! {
        <details class="exact">
            <summary title="Какие различия написания не важны">"Aa"<span class="visually-hidden">": какие различия написания не важны"</span></summary>
            <div class="exact-box"><p class="muted">"Не различать:"</p>{ticks}</div>
        </details>
    }
    .into_any()
}
