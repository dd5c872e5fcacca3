//! A rule document in words: when, if, then.

use domain::catalogues::Catalogues;
use domain::compile::{Diagnostic, Severity};
use domain::connection::ConnectorKind;
use domain::id::ConnectionId;
use domain::rule::Rule;
use leptos::prelude::*;

use crate::names::Names;
use crate::rule_text::{self, ActionText, Join, Leaf, MappingText, Node};
use crate::store::Store;
use crate::text::{counted, upper_first};
use crate::ui::{Badge, Glyph, Icon, Notice, SideTag};
use crate::words::Tone;

/// The whole rule.
#[component]
pub fn RuleText(rule: Rule) -> impl IntoView {
    let store = Store::expect();
    // Drawn again when the names arrive.
    move || {
        let others: Vec<_> = rule.actions.iter().filter_map(|card| card.connection).collect();
        let names = store.names(Some(rule.source), &others);
        let home = |id| Some((store.kind_of(id)?, store.connection_name(id)?));
        draw(&rule, &names, &home)
    }
}

/// A rule that brings its names with it: a template of the gallery.
pub fn rule_in_names(rule: &Rule, catalogues: &Catalogues) -> AnyView {
    let store = Store::expect();
    let others: Vec<_> = rule.actions.iter().filter_map(|card| card.connection).collect();
    let (zone, now) = untrack(|| (store.zone(), store.now()));
    let names = Names::around(catalogues, Some(rule.source), &others, zone, now);
    let home = |id| catalogues.get(id).map(|one| (one.kind, one.name.clone()));
    draw(rule, &names, &home)
}

/// What is known of a connection: its CRM and its name.
type Home<'a> = &'a dyn Fn(ConnectionId) -> Option<(ConnectorKind, String)>;

fn draw(rule: &Rule, names: &Names, home_of: Home<'_>) -> AnyView {
    let (home, source) = match home_of(rule.source) {
        Some((kind, name)) => (Some(kind), name),
        None => (None, "подключение удалено".to_owned()),
    };
    let triggers = rule
        .triggers
        .iter()
        .map(|trigger| view! { <li>{rule_text::trigger(trigger, names, home)}</li> })
        .collect_view();
    let never = rule.triggers.is_empty();
    let cards = rule
        .actions
        .iter()
        .enumerate()
        .map(|(at, card)| {
            let (side, place) = card.connection.and_then(home_of).unzip();
            action(at + 1, rule_text::action(card, side, names), place)
        })
        .collect_view();
    let idle = rule.actions.is_empty();
    let quiet = (rule.quiet_secs > 0).then(|| {
        let n = u64::from(rule.quiet_secs);
        view! {
            <p class="muted">
                "Ждать, пока запись не меняется " {counted(n, "секунду", "секунды", "секунд")} "."
            </p>
        }
    });
    view! {
        <div class="rule-text" data-testid="rule-text">
            {(!rule.description.is_empty()).then(|| view! { <p class="soft">{rule.description.clone()}</p> })}
            <section class="rule-part">
                <h2 class="rule-word">"КОГДА"</h2>
                <div class="stack tight">
                    <div class="row"><SideTag side=home text=source /></div>
                    <ul class="triggers">{triggers}</ul>
                    {never.then(|| view! { <p class="muted">"Событие не выбрано: правило не сработает."</p> })}
                    {quiet}
                </div>
            </section>
            <section class="rule-part">
                <h2 class="rule-word">"ЕСЛИ"</h2>
                <div>{condition(&rule_text::condition(&rule.condition, names), true)}</div>
            </section>
            <section class="rule-part">
                <h2 class="rule-word">"ТО"</h2>
                <div class="stack tight">
                    <ol class="actions">{cards}</ol>
                    {idle.then(|| view! { <p class="muted">"Действий нет."</p> })}
                    {rule
                        .stop
                        .then(|| {
                            view! {
                                <p class="soft">"После этого правила следующие правила событие не смотрят."</p>
                            }
                        })}
                </div>
            </section>
        </div>
    }
    .into_any()
}

fn condition(node: &Node, root: bool) -> AnyView {
    match node {
        Node::Leaf(leaf) => sentence(leaf).into_any(),
        Node::Group {
            join: Join::All,
            children,
            ..
        } if root && children.is_empty() => {
            view! { <p class="muted">"Без условий: подходит любое такое событие."</p> }.into_any()
        }
        Node::Group { join, children, .. } => {
            let word = join.word();
            let items = children
                .iter()
                .map(|child| view! { <li>{condition(child, false)}</li> })
                .collect_view();
            view! {
                <div class=format!("group group-{}", group_class(*join))>
                    <p class="group-title">{join.title()}</p>
                    <ul data-word=word>{items}</ul>
                </div>
            }
            .into_any()
        }
    }
}

/// Class of a group by how its members belong together.
pub(super) const fn group_class(join: Join) -> &'static str {
    match join {
        Join::All => "all",
        Join::Any => "any",
        Join::Not => "not",
    }
}

fn sentence(leaf: &Leaf) -> impl IntoView + use<> {
    view! {
        <p class="leaf">
            <b>{leaf.field.clone()}</b> " " <span class="operator">{leaf.operator}</span>
            {leaf.with.clone().map(|with| view! { " " <span class="operand">{with}</span> })}
        </p>
    }
}

fn action(number: usize, text: ActionText, place: Option<String>) -> impl IntoView {
    let facts = text
        .facts
        .into_iter()
        .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
        .collect_view();
    let off = !text.enabled;
    view! {
        <li class=if off { "action off" } else { "action" }>
            <header class="row">
                <span class="action-number number">{number}</span>
                <h3 class="grow">{text.title}</h3>
                {off.then(|| view! { <Badge tone=Tone::Muted word="Выключено" /> })}
                {match place {
                    Some(place) => view! { <SideTag side=text.side text=place /> }.into_any(),
                    None => view! { <SideTag side=text.side /> }.into_any(),
                }}
            </header>
            {text.warning.map(|warning| view! { <Notice tone=Tone::Warn>{warning}</Notice> })}
            <dl class="facts">{facts}</dl>
            {(!text.mapping.is_empty()).then(|| mapping(text.mapping))}
        </li>
    }
}

fn mapping(lines: Vec<MappingText>) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            let steps = line.convert.join(", ");
            view! {
                <li class="map-line">
                    <span class="map-from">
                        {line.from}
                        {(!steps.is_empty()).then(|| view! { <small>{steps}</small> })}
                    </span>
                    <span class="map-arrow"><Icon glyph=Glyph::Arrow /><span class="visually-hidden">"в"</span></span>
                    <span class="map-to">
                        {line.to}
                        {line.note.map(|note| view! { <small>{note}</small> })}
                    </span>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="stack tight">
            <p class="muted">"Заполнение полей"</p>
            <ul class="mapping">{rows}</ul>
        </div>
    }
}

/// What the compiler says of a document.
#[component]
pub fn DiagnosticList(list: Vec<Diagnostic>) -> impl IntoView {
    if list.is_empty() {
        return view! {
            <Notice tone=Tone::Good testid="diagnostics-clean">"Замечаний нет: правило можно опубликовать."</Notice>
        }
        .into_any();
    }
    let rows = list
        .into_iter()
        .map(|finding| {
            let (tone, word) = match finding.severity {
                Severity::Error => (Tone::Bad, "Ошибка"),
                Severity::Warning => (Tone::Warn, "Внимание"),
            };
            view! {
                <li class="finding" data-testid="diagnostic">
                    <Badge tone=tone word=word />
                    <div class="grow">
                        <p>{upper_first(&finding.text)}</p>
                        <code class="muted">{finding.pointer}</code>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="findings" data-testid="diagnostics">{rows}</ul> }.into_any()
}
