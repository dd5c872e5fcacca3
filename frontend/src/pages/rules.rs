//! «Конструктор правил»: every rule in the order of evaluation.

pub(crate) mod travel;

use api::rule::{ReorderRules, RuleSummary};
use api::travel::ImportedRule;
use api::workspace::Role;
use domain::id::RuleId;
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use crate::api::rules::{self, Cycles};
use crate::parts::RuleStop;
use crate::rule_list::sort;
use crate::store::{Store, Topic};
use crate::ui::{
    Badge, Button, ButtonLink, Card, Column, DataTable, Empty, Glyph, Look, Page, Remote, SideTag, Sorting,
    Toasts, Toggle, loaded, run, when,
};
use crate::words::Tone;

use travel::{import_dialog, imported};

/// The list of rules.
#[component]
pub fn RulesPage() -> impl IntoView {
    let store = Store::expect();
    let list = Remote::new(rules::list_rules);
    let (loading, made) = (RwSignal::new(false), RwSignal::new(None::<ImportedRule>));
    store.follow(&[Topic::Rules, Topic::Events], move || list.reload());
    let add = move || {
        store.may(Role::Editor).then(|| {
            view! {
                <ButtonLink href="/rules/templates" glyph=Glyph::Copy testid="templates">"Готовые правила"</ButtonLink>
                <Button glyph=Glyph::Outbox testid="import" on_click=move |_| loading.set(true)>"Загрузить"</Button>
                <ButtonLink href="/rules/new" look=Look::Primary glyph=Glyph::Plus testid="new-rule">
                    "Новое правило"
                </ButtonLink>
            }
        })
    };
    let came = Callback::new(move |imported| {
        made.set(Some(imported));
        list.reload();
    });
    view! {
        <Page
            title="Конструктор правил"
            about="Каждое событие проходит правила сверху вниз. Работают только включённые и опубликованные."
            actions=add.into_any()
        >
            {import_dialog(loading, came)}
            {move || made.with(|made| made.as_ref().map(imported))}
            {loaded(list, move |page| {
                if page.items.is_empty() {
                    view! {
                        <Card>
                            <Empty
                                glyph=Glyph::Rule
                                title="Правил пока нет"
                                text="Правило говорит, что сделать в одной CRM, когда в другой что-то случилось."
                            >
                                <ButtonLink href="/rules/new" look=Look::Primary>"Создать правило"</ButtonLink>
                                <ButtonLink href="/rules/templates">"Взять готовое"</ButtonLink>
                            </Empty>
                        </Card>
                    }
                        .into_any()
                } else {
                    view! { <Table list /> }.into_any()
                }
            })}
        </Page>
    }
}

#[component]
fn Table(list: Remote<api::Page<RuleSummary>>) -> impl IntoView {
    let (by, sort_by) = query_signal::<String>("sort");
    let rows = Memo::new(move |_| {
        let mut rules = list.get().map(|page| page.items).unwrap_or_default();
        sort(&mut rules, &by.get().unwrap_or_default());
        rules
    });
    let sorting = Sorting::new(
        Signal::derive(move || by.get().unwrap_or_else(|| "place".to_owned())),
        Callback::new(move |word: String| sort_by.set(Some(word).filter(|word| word != "place"))),
    );
    let columns = vec![
        Column::new(
            "№",
            "tag nowrap",
            move |rule: &RuleSummary| view! { <Place list rule=rule.clone() /> },
        )
        .sorted_by("place"),
        Column::new("Правило", "lead", name).sorted_by("name"),
        Column::new(
            "Источник",
            "tag",
            |rule: &RuleSummary| view! { <SourceTag rule=rule.clone() /> },
        ),
        Column::new("Состояние", "tag", state),
        Column::new("За сутки", "nowrap", |rule: &RuleSummary| {
            let (matched, runs) = (rule.n_matched_day, rule.n_runs_day);
            view! {
                <span class="number" title="подошло / проверено событий">
                    <span class="visually-hidden">"подошло "</span>
                    {matched}
                    <span class="muted">" / " {runs}</span>
                </span>
            }
        })
        .sorted_by("matched"),
        Column::new("Включено", "above", move |rule: &RuleSummary| {
            view! {
                <span class="place">
                    <OnOff list rule=rule.clone() />
                    <RuleStop rule=rule.id name=rule.name.clone() />
                </span>
            }
        }),
    ];
    view! {
        <DataTable caption="Правила в порядке проверки" columns rows id=|rule| rule.id.to_string() testid="rules" sorting />
    }
}

#[component]
fn SourceTag(rule: RuleSummary) -> impl IntoView {
    let store = Store::expect();
    move || {
        let name = store
            .connection_name(rule.source)
            .unwrap_or_else(|| "удалено".to_owned());
        view! { <SideTag side=store.kind_of(rule.source) text=name /> }
    }
}

fn name(rule: &RuleSummary) -> impl IntoView + use<> {
    view! {
        <a class="row-link" href=format!("/rules/{}", rule.id)>{rule.name.clone()}</a>
        <p class="soft summary">{rule.summary.clone()}</p>
        {rule.attention.clone().map(|text| view! { <p class="problem">{text}</p> })}
    }
}

fn state(rule: &RuleSummary) -> impl IntoView + use<> {
    let published = rule.published_number.map(|number| {
        let (tone, word) = if rule.enabled {
            (Tone::Good, format!("Версия {number}"))
        } else {
            (Tone::Muted, format!("Версия {number}, выключено"))
        };
        view! { <Badge tone word /> }
    });
    let draft = rule
        .published_number
        .is_none()
        .then(|| view! { <Badge tone=Tone::Muted word="Черновик" /> });
    let changed = (rule.has_changes && rule.published_number.is_some())
        .then(|| view! { <Badge tone=Tone::Warn word="Есть правки" /> });
    let attention = rule
        .attention
        .is_some()
        .then(|| view! { <Badge tone=Tone::Bad word="Проверьте" /> });
    let (store, id) = (Store::expect(), rule.id);
    let stopped = move || {
        store
            .is_rule_stopped(id)
            .then(|| view! { <Badge tone=Tone::Warn word="Остановлено" /> })
    };
    view! { <span class="badges">{published} {draft} {changed} {attention} {stopped}</span> }
}

/// Place in the order, with buttons that move the rule.
#[component]
fn Place(list: Remote<api::Page<RuleSummary>>, rule: RuleSummary) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let id = rule.id;
    let place = move || {
        list.with(|page| page.and_then(|page| page.items.iter().position(|other| other.id == id)))
            .unwrap_or(0)
    };
    let last = move || list.with(|page| page.map_or(0, |page| page.items.len().saturating_sub(1)));
    let shift = move |by: isize| {
        let Some(mut page) = list.now() else { return };
        let Some(order) = moved(&page.items, id, by) else {
            return;
        };
        let form = ReorderRules { rules: order.clone() };
        run(busy, rules::reorder_rules(&form), move |answer| match answer {
            Ok(()) => {
                page.items
                    .sort_by_key(|rule| order.iter().position(|of| *of == rule.id));
                list.set(page);
            }
            Err(error) => {
                toasts.problem(&error);
                list.reload();
            }
        });
    };
    let name = rule.name.clone();
    view! {
        <span class="place">
            <span class="number">{move || place() + 1}</span>
            {when(move || store.may(Role::Editor), move || view! {
                <span class="place-buttons">
                    <Button
                        look=Look::Subtle
                        small=true
                        glyph=Glyph::Up
                        label=format!("Выше: {name}")
                        disabled=Signal::derive(move || busy.get() || place() == 0)
                        on_click=move |_| shift(-1)
                    />
                    <Button
                        look=Look::Subtle
                        small=true
                        glyph=Glyph::Down
                        label=format!("Ниже: {name}")
                        disabled=Signal::derive(move || busy.get() || place() >= last())
                        on_click=move |_| shift(1)
                    />
                </span>
            }.into_any())}
        </span>
    }
}

fn moved(rules: &[RuleSummary], id: RuleId, by: isize) -> Option<Vec<RuleId>> {
    let mut order: Vec<RuleId> = rules.iter().map(|rule| rule.id).collect();
    let from = order.iter().position(|of| *of == id)?;
    let to = from.checked_add_signed(by).filter(|to| *to < order.len())?;
    order.swap(from, to);
    Some(order)
}

#[component]
fn OnOff(list: Remote<api::Page<RuleSummary>>, rule: RuleSummary) -> impl IntoView {
    let store = Store::expect();
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let on = RwSignal::new(rule.enabled);
    let (id, published) = (rule.id, rule.published_number.is_some());
    let name = rule.name.clone();
    let change = move |wanted: bool| {
        on.set(wanted);
        turn(
            toasts,
            busy,
            id,
            wanted,
            list,
            Callback::new(move |stands: bool| {
                on.try_set(stands);
            }),
        );
    };
    view! {
        <Toggle
            label=format!("Правило «{name}»")
            on=on
            disabled=Signal::derive(move || busy.get() || !published || !store.may(Role::Editor))
            on_change=change
            testid="rule-switch"
        />
    }
}

/// Switches a rule on or off; either is taken back by one press. `show` is told how it stands.
fn turn(
    toasts: Toasts,
    busy: RwSignal<bool>,
    id: RuleId,
    wanted: bool,
    list: Remote<api::Page<RuleSummary>>,
    show: Callback<bool>,
) {
    run(
        busy,
        rules::switch_rule(id, wanted, Cycles::Refused),
        move |answer| match answer {
            Ok(rule) => {
                let word = if wanted {
                    "включено"
                } else {
                    "выключено"
                };
                show.run(wanted);
                if let Some(mut page) = list.now() {
                    for row in page.items.iter_mut().filter(|row| row.id == id) {
                        *row = rule.summary.clone();
                    }
                    list.set(page);
                }
                let text = format!("Правило «{}» {word}", rule.summary.name);
                toasts.undoable(text, move || {
                    turn(toasts, RwSignal::new(false), id, !wanted, list, show)
                });
            }
            Err(error) => {
                show.run(!wanted);
                toasts.problem(&error);
            }
        },
    );
}
