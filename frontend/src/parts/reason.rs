//! Why a rule matched or not, node by node.

use domain::condition::Condition;
use domain::evaluate::{Explanation, Verdict};
use leptos::prelude::*;

use super::rule::group_class;
use crate::explain::{LeafReason, Reason, miss, reason};
use crate::names::Names;
use crate::rule_text::Join;
use crate::ui::{Glyph, Icon};
use crate::words;

/// The explanation of a run. With the condition of its version groups have their words.
#[component]
pub fn ReasonView(condition: Option<Condition>, explanation: Explanation, names: Names) -> impl IntoView {
    let tree = reason(condition.as_ref(), &explanation, &names);
    let nearest = miss(&tree).sentence();
    let always = matches!(&tree, Reason::Group { children, .. } if children.is_empty());
    view! {
        <div class="stack tight" data-testid="reason">
            {nearest.map(|sentence| view! { <p class="miss" data-testid="miss">{sentence}</p> })}
            {always.then(|| view! { <p class="muted">"Условий нет: подходит любое такое событие."</p> })}
            {(!always).then(|| node(&tree))}
        </div>
    }
}

fn mark(verdict: Verdict) -> impl IntoView {
    let label = words::verdict(verdict);
    let glyph = match verdict {
        Verdict::True => Glyph::Tick,
        Verdict::False => Glyph::Close,
        Verdict::Unknown => Glyph::Warn,
    };
    view! {
        <span class=format!("mark tone-{}", label.tone.class())>
            <Icon glyph />
            <span class="visually-hidden">{label.word}</span>
        </span>
    }
}

fn node(reason: &Reason) -> AnyView {
    match reason {
        Reason::Leaf(reason) => leaf(reason).into_any(),
        Reason::Group {
            join,
            verdict,
            children,
        } => {
            let items = children
                .iter()
                .map(|child| view! { <li>{node(child)}</li> })
                .collect_view();
            let title = join.map_or("Условия", Join::title);
            let class = join.map_or("all", group_class);
            let word = join.map_or("", Join::word);
            view! {
                <div class=format!("group group-{class}")>
                    <p class="group-title">{mark(*verdict)} {title}</p>
                    <ul data-word=word>{items}</ul>
                </div>
            }
            .into_any()
        }
    }
}

fn leaf(reason: &LeafReason) -> impl IntoView + use<> {
    let tone = words::verdict(reason.verdict).tone.class();
    let held = match (&reason.left, &reason.problem) {
        (Some(left), _) => format!("было {left}"),
        (None, Some(_)) => "значение неизвестно".to_owned(),
        (None, None) => "значения нет".to_owned(),
    };
    let compared = reason.right.clone().map(|right| format!("сравнивали с {right}"));
    view! {
        <div class=format!("reason tone-{tone}") data-verdict=tone>
            {mark(reason.verdict)}
            <div class="grow">
                <p class="leaf">
                    <b>{reason.field.clone()}</b> " " <span class="operator">{reason.operator}</span>
                    {reason.with.clone().map(|with| view! { " " <span class="operand">{with}</span> })}
                </p>
                <p class="held">
                    <span>{held}</span>
                    {compared.map(|text| view! { <span>{text}</span> })}
                    {reason.learnt.clone().map(|text| view! { <span class="muted">{text}</span> })}
                    {reason.problem.clone().map(|text| view! { <span class="problem">{text}</span> })}
                </p>
            </div>
        </div>
    }
}
