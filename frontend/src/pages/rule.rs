//! One rule: in words, as a document, tried on an event, its versions.

mod changes;
mod commands;
mod document;
mod starts;
mod versions;

use api::rule::RuleView;
use api::workspace::Role;
use domain::id::RuleId;
use leptos::prelude::*;
use leptos_router::hooks::{query_signal, use_navigate};

use crate::api::rules::{self, Cycles};
use crate::draft;
use crate::parts::RuleText;
use crate::problem::ApiError;
use crate::rule_editor::draft::Draft;
use crate::rule_editor::view::{Editor, Start, begin, constructor};
use crate::store::Store;
use crate::ui::{
    Badge, Button, ButtonLink, Card, Confirm, Empty, ErrorBox, Glyph, Look, Notice, Page, Remote, Tabs,
    Toasts, Toggle, loaded, run, when,
};
use crate::words::Tone;

use changes::{PublishDialog, circle_box, is_circle};
use commands::copy_and_export;
use document::document;
use starts::starts;
use versions::Versions;

/// A rule to be made.
#[component]
pub fn NewRulePage() -> impl IntoView {
    let store = Store::expect();
    let source = Memo::new(move |_| {
        store
            .connections()
            .first()
            .map(|connection| (connection.id, connection.kind))
    });
    view! {
        <Page title="Новое правило" above=("Конструктор правил", "/rules")>
            {move || match source.get() {
                Some((id, kind)) => {
                    let saved = serde_json::to_value(draft::blank(id, kind)).unwrap_or_default();
                    let start = Start { id: None, saved, version: None, remote: None };
                    let editor = begin(&start);
                    constructor(editor, start)
                }
                None => {
                    view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Plug
                                title="Сначала подключите CRM"
                                text="Правило смотрит на события одного из подключений."
                            >
                                <ButtonLink href="/connections">"К подключениям"</ButtonLink>
                            </Empty>
                        </Card>
                    }
                        .into_any()
                }
            }}
        </Page>
    }
}

/// The page of a rule.
#[component]
pub fn RulePage(id: RuleId) -> impl IntoView {
    let remote = Remote::new(move || rules::get_rule(id));
    let unsaved = RwSignal::new(false);
    let there = Memo::new(move |_| remote.with(|rule| rule.is_some()));
    let title = Signal::derive(move || {
        remote.with(|rule| rule.map_or("Правило".to_owned(), |rule| rule.summary.name.clone()))
    });
    view! {
        <Page title above=("Конструктор правил", "/rules")>
            {loaded(remote, move |rule| view! { <Head rule remote unsaved /> })}
            {move || there.get().then(|| remote.now().map(|rule| bench(id, &rule, remote, unsaved)))}
        </Page>
    }
}

/// Made once: an answer of the server must not replace what is under the person's hands.
fn bench(id: RuleId, rule: &RuleView, remote: Remote<RuleView>, unsaved: RwSignal<bool>) -> AnyView {
    let start = move |saved: serde_json::Value, version| Start {
        id: Some(id),
        saved,
        version,
        remote: Some(remote),
    };
    let saved = serde_json::to_value(&rule.draft).unwrap_or_default();
    let editor = begin(&start(saved, Some(rule.summary.version)));
    let dirty = Memo::new(move |_| editor.draft.with(Draft::is_dirty));
    Effect::new(move |_| unsaved.set(dirty.get()));
    // Publishing, restoring and switching make new versions: the draft follows, or learns of the conflict.
    Effect::new(move |_| {
        let newer = remote.with(|rule| {
            rule.map(|rule| {
                (
                    serde_json::to_value(&rule.draft).unwrap_or_default(),
                    rule.summary.version,
                )
            })
        });
        if let Some((theirs, version)) = newer {
            editor.change(|draft| draft.meets(theirs, version));
        }
    });
    let (chosen, choose) = query_signal::<String>("tab");
    let tab = Signal::derive(move || chosen.get().unwrap_or_else(|| "edit".to_owned()));
    let tabs = vec![
        ("edit", "Конструктор", None),
        ("read", "Словами", None),
        ("json", "Документ", None),
        ("versions", "Версии", None),
        ("starts", "Запуски", None),
    ];
    view! {
        <Tabs
            label="Разделы правила"
            tabs=Signal::stored(tabs)
            chosen=tab
            on_choose=move |word: String| choose.set(Some(word).filter(|word| word != "edit"))
        >
            {move || match tab.get().as_str() {
                "read" => in_words(editor),
                "json" => document(editor),
                "starts" => started(id, editor, remote),
                "versions" => view! { <Versions id remote /> }.into_any(),
                _ => {
                    let (saved, version) =
                        editor.draft.with_untracked(|draft| (draft.saved().clone(), draft.version()));
                    constructor(editor, start(saved, version))
                }
            }}
        </Tabs>
    }
    .into_any()
}

fn started(id: RuleId, editor: Editor, remote: Remote<RuleView>) -> AnyView {
    let is_published = remote
        .now()
        .is_some_and(|rule| rule.summary.published_number.is_some());
    let rule = editor.draft.with_untracked(Draft::rule).ok();
    let by_hand = is_published
        && rule.is_some_and(|rule| {
            rule.triggers
                .iter()
                .any(|one| one.kind == domain::event::EventKind::Manual)
        });
    let source = remote.now().map(|rule| rule.summary.source);
    let catalogues = untrack(|| Store::expect().catalogues());
    let known = source.and_then(|id| catalogues.get(id));
    let stages = known.map(|known| {
        let pipelines = known.catalogue.pipelines.iter();
        pipelines
            .flat_map(|pipeline| {
                pipeline.stages.iter().map(|stage| {
                    let place = domain::value::Stage {
                        pipeline: pipeline.id,
                        status: stage.id,
                    };
                    (place, format!("{} › {}", pipeline.name, stage.name))
                })
            })
            .collect()
    });
    starts(id, by_hand, stages.unwrap_or_default())
}

fn in_words(editor: Editor) -> AnyView {
    (move || {
        editor
            .draft
            .with(Draft::rule)
            .ok()
            .map(|rule| view! { <RuleText rule /> })
    })
    .into_any()
}

/// State of the rule and what may be done with it.
#[component]
fn Head(rule: RuleView, remote: Remote<RuleView>, unsaved: RwSignal<bool>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (busy, deleting) = (RwSignal::new(false), RwSignal::new(false));
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let summary = rule.summary.clone();
    let (id, version) = (summary.id, summary.version);
    let name = summary.name.clone();
    let on = RwSignal::new(summary.enabled);
    let is_published = summary.published_number.is_some();
    let publishing = RwSignal::new(false);
    let ask = move |_| {
        if unsaved.get_untracked() {
            toasts.fail("Сначала сохраните черновик: публикуется то, что сохранено.");
        } else {
            failure.set(None);
            publishing.set(true);
        }
    };
    // What was refused stays shown until there is an answer: the button that was pressed stands in it.
    let publish = move |cycles: Cycles| {
        run(
            busy,
            rules::publish_rule(id, version, cycles),
            move |answer| match answer {
                Ok(rule) => {
                    let number = rule.summary.published_number.unwrap_or_default();
                    failure.set(None);
                    publishing.set(false);
                    toasts.done(format!("Опубликована версия {number}"));
                    remote.set(rule);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let circle = RwSignal::new(None::<ApiError>);
    let put = Callback::new(move |(wanted, cycles): (bool, Cycles)| {
        on.set(wanted);
        run(
            busy,
            rules::switch_rule(id, wanted, cycles),
            move |answer| match answer {
                Ok(rule) => {
                    circle.set(None);
                    toasts.done(if wanted {
                        "Правило включено"
                    } else {
                        "Правило выключено"
                    });
                    remote.set(rule);
                }
                Err(error) => {
                    on.try_set(!wanted);
                    if is_circle(&error) {
                        circle.set(Some(error));
                    } else {
                        toasts.problem(&error);
                    }
                }
            },
        );
    });
    let switch = move |wanted: bool| put.run((wanted, Cycles::Refused));
    let delete = move |()| {
        let navigate = navigate.clone();
        run(
            deleting,
            rules::delete_rule(id, version),
            move |answer| match answer {
                Ok(()) => {
                    toasts.done("Правило удалено");
                    navigate("/rules", Default::default());
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let published = summary.published_number.map(|number| {
        let tone = if summary.enabled { Tone::Good } else { Tone::Muted };
        view! { <Badge tone word=format!("В работе версия {number}") /> }
    });
    let needs_publishing = summary.has_changes || !is_published;
    view! {
        <div class="stack">
            <div class="row apart">
                <div class="row">
                    {published}
                    {(!is_published).then(|| view! { <Badge tone=Tone::Muted word="Черновик, не опубликован" /> })}
                    {(summary.has_changes && is_published)
                        .then(|| view! { <Badge tone=Tone::Warn word="Есть неопубликованные правки" /> })}
                    <a href=format!("/events?rule={id}")>"События этого правила"</a>
                    {move || copy_and_export(id, name.clone(), store.may(Role::Editor))}
                </div>
                {when(move || store.may(Role::Editor), move || view! {
                    <div class="row">
                        <label class="row">
                            <span class="soft" aria-hidden="true">"Включено"</span>
                            <Toggle
                                label="Правило включено"
                                on=on
                                disabled=Signal::derive(move || busy.get() || !is_published)
                                on_change=switch
                                testid="rule-switch"
                            />
                        </label>
                        {when(move || needs_publishing, move || view! {
                            <Button
                                look=Look::Primary
                                glyph=Glyph::Tick
                                loading=busy
                                testid="publish"
                                on_click=ask
                            >
                                "Опубликовать"
                            </Button>
                        }.into_any())}
                        <Button
                            look=Look::Danger
                            glyph=Glyph::Bin
                            label="Удалить правило"
                            loading=deleting
                            testid="delete-rule"
                            on_click=move |_| asking.set(true)
                        />
                    </div>
                }.into_any())}
            </div>
            {summary.attention.map(|text| view! { <Notice tone=Tone::Warn title="Проверьте правило">{text}</Notice> })}
            {move || failure.get().filter(|_| !publishing.get()).map(|error| view! { <ErrorBox error /> }).into_any()}
            {move || circle.get().map(|error| circle_box(error, "Включить всё равно", busy, Callback::new(move |()| put.run((true, Cycles::Accepted)))))}
            <PublishDialog rule=rule.clone() open=publishing busy failure on_yes=Callback::new(publish) />
            <Confirm
                title="Удалить правило?"
                text="Правило перестанет работать. Его прошлые срабатывания останутся в событиях."
                yes="Удалить"
                open=asking
                on_yes=delete
            />
        </div>
    }
}
