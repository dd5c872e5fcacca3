//! One rule: in words, as a document, tried on an event, its versions.

mod editor;
mod trial;
mod versions;

use api::rule::{RuleView, SaveRule};
use api::workspace::Role;
use domain::id::RuleId;
use leptos::prelude::*;
use leptos_router::hooks::{query_signal, use_navigate};

use crate::api::rules;
use crate::draft;
use crate::parts::{DiagnosticList, RuleText};
use crate::problem::ApiError;
use crate::store::Store;
use crate::ui::{
    Badge, Button, ButtonLink, Card, Confirm, Empty, ErrorBox, Glyph, Look, Notice, Page, Remote, Tabs,
    Toasts, Toggle, loaded, run, when,
};
use crate::words::Tone;

use editor::Editor;
use trial::Trial;
use versions::Versions;

/// A rule to be made.
#[component]
pub fn NewRulePage() -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let save = Callback::new(move |rule: domain::rule::Rule| {
        let form = SaveRule { draft: rule };
        let navigate = navigate.clone();
        failure.set(None);
        run(busy, rules::create_rule(&form), move |answer| match answer {
            Ok(rule) => {
                toasts.done("Черновик сохранён");
                navigate(&format!("/rules/{}", rule.summary.id), Default::default());
            }
            Err(error) => failure.set(Some(error)),
        });
    });
    let source = Memo::new(move |_| {
        store
            .connections()
            .first()
            .map(|connection| (connection.id, connection.kind))
    });
    view! {
        <Page
            title="Новое правило"
            above=("Конструктор правил", "/rules")
            about="Опишите правило документом JSON. Замечания показываются сразу, пока вы пишете."
        >
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
            {move || match source.get() {
                Some((id, kind)) => {
                    let text = draft::to_text(&draft::blank(id, kind));
                    view! { <Editor initial=text busy on_save=save /> }.into_any()
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
    let (chosen, choose) = query_signal::<String>("tab");
    let tab = Signal::derive(move || chosen.get().unwrap_or_else(|| "read".to_owned()));
    let title = Signal::derive(move || {
        remote.with(|rule| rule.map_or("Правило".to_owned(), |rule| rule.summary.name.clone()))
    });
    let tabs = vec![
        ("read", "Правило", None),
        ("json", "Документ", None),
        ("trial", "Проба", None),
        ("versions", "Версии", None),
    ];
    view! {
        <Page title above=("Конструктор правил", "/rules")>
            {loaded(remote, move |rule| view! { <Head rule remote /> })}
            <Tabs
                label="Разделы правила"
                tabs=Signal::stored(tabs)
                chosen=tab
                on_choose=move |word: String| choose.set(Some(word).filter(|word| word != "read"))
            >
                {move || match tab.get().as_str() {
                    "json" => view! { <Document id remote /> }.into_any(),
                    "trial" => loaded(remote, |rule| view! { <Trial rule=rule.draft /> }).into_any(),
                    "versions" => view! { <Versions id remote /> }.into_any(),
                    _ => loaded(remote, reading).into_any(),
                }}
            </Tabs>
        </Page>
    }
}

fn reading(rule: RuleView) -> impl IntoView {
    view! {
        <div class="stack">
            {(!rule.diagnostics.is_empty()).then(|| view! { <DiagnosticList list=rule.diagnostics.clone() /> })}
            <RuleText rule=rule.draft.clone() />
        </div>
    }
}

/// State of the rule and what may be done with it.
#[component]
fn Head(rule: RuleView, remote: Remote<RuleView>) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (busy, deleting) = (RwSignal::new(false), RwSignal::new(false));
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    let summary = rule.summary.clone();
    let (id, version) = (summary.id, summary.version);
    let on = RwSignal::new(summary.enabled);
    let is_published = summary.published_number.is_some();
    let publish = move |_| {
        failure.set(None);
        run(
            busy,
            rules::publish_rule(id, version),
            move |answer| match answer {
                Ok(rule) => {
                    let number = rule.summary.published_number.unwrap_or_default();
                    toasts.done(format!("Опубликована версия {number}"));
                    remote.set(rule);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    };
    let switch = move |wanted: bool| {
        on.set(wanted);
        run(busy, rules::switch_rule(id, wanted), move |answer| match answer {
            Ok(rule) => {
                toasts.done(if wanted {
                    "Правило включено"
                } else {
                    "Правило выключено"
                });
                remote.set(rule);
            }
            Err(error) => {
                on.try_set(!wanted);
                toasts.problem(&error);
            }
        });
    };
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
                                on_click=publish
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
            {move || failure.get().map(|error| view! { <ErrorBox error /> }).into_any()}
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

/// The draft as a document; saving does not put it in force.
#[component]
fn Document(id: RuleId, remote: Remote<RuleView>) -> impl IntoView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<ApiError>);
    // The text is the person's: an answer of the server must not replace it under their hands.
    let first = Memo::new(move |_| remote.with(|rule| rule.map(|rule| rule.draft.clone())));
    let initial = Memo::new(move |before: Option<&Option<String>>| {
        before
            .and_then(Clone::clone)
            .or_else(|| first.with(|rule| rule.as_ref().map(draft::to_text)))
    });
    let save = Callback::new(move |rule: domain::rule::Rule| {
        let Some(version) = remote.now().map(|rule| rule.summary.version) else {
            return;
        };
        let form = SaveRule { draft: rule };
        failure.set(None);
        run(
            busy,
            rules::update_rule(id, version, &form),
            move |answer| match answer {
                Ok(rule) => {
                    toasts.done("Черновик сохранён. Чтобы он начал работать, опубликуйте правило.");
                    remote.set(rule);
                }
                Err(error) => failure.set(Some(error)),
            },
        );
    });
    view! {
        <div class="stack">
            {move || ({
                failure
                    .get()
                    .map(|error| {
                        let stale = error.kind == Some(api::ProblemType::Stale);
                        view! {
                            <ErrorBox error />
                            {stale
                                .then(|| {
                                    view! {
                                        <div class="row">
                                            <p class="soft grow">
                                                "Правило тем временем изменил кто-то ещё. Ваш текст не потерян: скопируйте его,
                                                загрузите свежий документ и внесите правки снова."
                                            </p>
                                            <Button small=true on_click=move |_| {
                                                let _ = window().location().reload();
                                            }>"Загрузить свежий документ"</Button>
                                        </div>
                                    }
                                })}
                        }
                    })
            }).into_any()}
            {move || initial.get().map(|initial| view! { <Editor initial busy on_save=save /> }).into_any()}
        </div>
    }
}
