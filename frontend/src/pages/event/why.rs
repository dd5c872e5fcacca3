//! «Почему правило не сработало?»: any rule may be asked about the event, also one that never looked at it.

use api::event::EventView;
use api::rule::{DryRun, DryRunResult, RuleSummary};
use domain::id::RuleId;
use domain::rule::Rule;
use domain::run::RunOutcome;
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

use crate::api::rules;
use crate::parts::ReasonView;
use crate::store::Store;
use crate::ui::{Card, Choices, Remote, SelectField, StateBadge, loaded};
use crate::why_not::why_not;
use crate::words;

/// A choice of a rule, and the answer. The rule asked about stands in the address.
#[component]
pub fn WhyNot(event: EventView) -> impl IntoView {
    let all = Remote::new(rules::list_rules);
    let (asked, ask) = query_signal::<String>("rule");
    let options = Signal::derive(move || {
        let mut choices: Choices = vec![(String::new(), "Выберите правило".to_owned())];
        let list = all.get().map(|page| page.items).unwrap_or_default();
        choices.extend(list.into_iter().map(|rule| (rule.id.to_string(), rule.name)));
        choices
    });
    let event = StoredValue::new(event);
    let answer = move || {
        let wanted: RuleId = asked.get()?.parse().ok()?;
        let rule = all.get()?.items.into_iter().find(|rule| rule.id == wanted)?;
        Some(view! { <Answer event=event.get_value() rule /> }.into_any())
    };
    view! {
        <Card testid="why-not">
            <div class="limited">
                <SelectField
                    label="Почему правило не сработало?"
                    value=Signal::derive(move || asked.get().unwrap_or_default())
                    options
                    on_change=move |id: String| ask.set(Some(id).filter(|id| !id.is_empty()))
                    testid="why-rule"
                />
            </div>
            {answer}
        </Card>
    }
}

#[component]
fn Answer(event: EventView, rule: RuleSummary) -> impl IntoView {
    if let Some(run) = event.runs.iter().find(|run| run.rule_id == rule.id) {
        let label = words::run(run.outcome);
        let text = match run.outcome {
            RunOutcome::Matched => "Правило сработало на этом событии, его действия — ниже.",
            _ => "Правило смотрело на это событие. Раскройте его выше: там видно каждое условие.",
        };
        return view! { <p class="row" data-testid="why-answer"><StateBadge label /> {text}</p> }.into_any();
    }
    let (id, number) = (rule.id, rule.published_number);
    let event_id = event.summary.id;
    // What is in force answers, or the draft when nothing is.
    let tried = Remote::of(move || async move {
        let document = match number {
            Some(number) => in_force(id, number).await?,
            None => None,
        };
        let document = match document {
            Some(document) => document,
            None => rules::get_rule(id).send().await?.draft,
        };
        let form = DryRun {
            rule: document.clone(),
            event_id,
            rule_id: Some(id),
        };
        let result = rules::dry_run(&form).send().await?;
        Ok((document, result))
    });
    let summary = event.summary.clone();
    let why = move || {
        let document = tried.get().map(|(document, _)| document);
        why_not(&summary, &rule, document.as_ref().filter(|_| number.is_some()))
    };
    let source = event.summary.connection_id;
    view! {
        <p data-testid="why-answer">{why}</p>
        {loaded(tried, move |(document, result)| would(&document, result, source))}
        <p class="muted"><a href=format!("/rules/{id}")>"Открыть правило"</a></p>
    }
    .into_any()
}

async fn in_force(id: RuleId, number: i32) -> crate::api::Answer<Option<Rule>> {
    let list = rules::list_versions(id).send().await?;
    match list.items.into_iter().find(|version| version.number == number) {
        Some(version) => Ok(Some(rules::get_version(id, version.id).send().await?.document)),
        None => Ok(None),
    }
}

/// What the rule would make of the event now.
fn would(document: &Rule, result: DryRunResult, source: domain::id::ConnectionId) -> AnyView {
    let store = Store::expect();
    let label = words::run(result.evaluation.outcome);
    let condition = document.condition.clone();
    let explanation = result.evaluation.explanation;
    view! {
        <p class="row soft">"Условия на этом событии: " <StateBadge label /></p>
        {move || {
            let names = store.names(Some(source), &[]);
            let (condition, explanation) = (Some(condition.clone()), explanation.clone());
            view! { <ReasonView condition explanation names /> }.into_any()
        }}
    }
    .into_any()
}
