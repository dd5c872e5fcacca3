//! How the hub is told of changes: webhook receivers, webhooks, and lists of changes.

use crate::harness::{Lab, PROJECT, REFUSED, fresh};
use connector::{Connector, Intake, IntakeContext};
use domain::event::{EventKind, Fact};
use domain::field::SystemField;
use domain::time::Timestamp;
use domain::value::Value;
use lptracker::LptrackerIntake;
use sandbox::lptracker as lp;
use sandbox::lptracker::CallOutcome;
use serde_json::json;

const PHONE: &str = "+7 999 000-00-01";
const HOOK: &str = "https://hub.example.com/hooks/0123456789abcdef";

#[tokio::test]
async fn foreign_receivers_are_left_alone() {
    let lab = fresh();
    let foreign = "https://other.example.com/hook";
    let receivers = |lab: &Lab| {
        let state = lab.sandbox.world.lptracker();
        let urls = state
            .project(PROJECT)
            .unwrap()
            .callbacks
            .iter()
            .map(|one| one.url.clone());
        urls.collect::<Vec<_>>()
    };
    let connector = lab.ours();
    connector.subscribe(foreign).await.unwrap();
    connector.subscribe(HOOK).await.unwrap();
    assert_eq!(connector.subscription(HOOK).await.unwrap().foreign, [foreign]);
    let error = connector.unsubscribe(HOOK).await.unwrap_err();
    assert!(error.to_string().contains("чужие адреса"), "{error}");
    assert_eq!(receivers(&lab), [foreign, HOOK]);
    let puts = lab.requests("PUT", "/project");
    assert!(puts.iter().all(|put| !put.body.contains(r#""url":"""#)));
    assert_eq!(puts.len(), 4);
    assert!(puts[0].body.contains("CRM Интегратор"));
}

#[tokio::test]
async fn changes_page_through_leads_and_deals() {
    let lab = fresh();
    let mut expected = Vec::new();
    for at in 0..130 {
        expected.push(lab.lead(&format!("Лид {at}"), PHONE).0);
    }
    lab.lead("Сделка", PHONE);
    let deal = *lab.sandbox.world.lptracker().leads.keys().last().unwrap();
    let payment = json!({"category": "a", "purpose": "b", "sum": 1});
    lab.sandbox
        .world
        .lptracker()
        .ui_payment(deal, payment.as_object().unwrap())
        .unwrap();
    expected.push(deal);
    lab.sandbox.world.lptracker().settings.raw_array_list = true;
    let connector = lab.ours();
    let since = Timestamp(lab.sandbox.world.clock.now_ms() - 60_000);
    let (mut facts, mut cursor): (Vec<Fact>, Option<String>) = (Vec::new(), None);
    loop {
        let page = connector.changes(since, cursor.as_deref()).await.unwrap();
        facts.extend(page.facts);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(
        facts
            .iter()
            .all(|fact| fact.kind == EventKind::LeadUpdated && fact.occurred_at.is_some())
    );
    let mut keys: Vec<(i64, String)> = facts
        .iter()
        .map(|fact| (fact.key.id.number().unwrap(), fact.dedupe.clone()))
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.iter().map(|(id, _)| *id).collect::<Vec<_>>(), expected);

    let later = Timestamp(lab.sandbox.world.clock.now_ms() + 3_600_000);
    assert_eq!(connector.changes(later, None).await.unwrap().facts, []);
}

#[tokio::test]
async fn webhooks_of_the_sandbox_are_read() {
    let lab = fresh();
    let connector = lab.ours();
    connector.subscribe("http://127.0.0.1:9/hooks/x").await.unwrap();
    let mut hooks = lab.sandbox.world.journal.subscribe();
    let (lead, _) = lab.lead("Окна", PHONE);
    let outcome = CallOutcome {
        step: Some("Отказ".into()),
        ..CallOutcome::default()
    };
    {
        let mut state = lab.sandbox.world.lptracker();
        state.ui_call_outcome(lead, &outcome).unwrap();
        state.ui_owner(lead, lp::DEMO_LPTRACKER_STAFF_ANNA).unwrap();
        state.ui_delete(lead).unwrap();
        state.ui_step_add(PROJECT, "Новый шаг").unwrap();
    }
    let mut facts: Vec<Fact> = Vec::new();
    let context = IntakeContext {
        projects: &[PROJECT],
        ..IntakeContext::default()
    };
    for _ in 0..5 {
        let entry = loop {
            let entry = hooks.recv().await.unwrap();
            if entry.kind == sandbox::EntryKind::Webhook {
                break entry;
            }
        };
        let form = "application/x-www-form-urlencoded";
        facts.extend(
            LptrackerIntake
                .parse(form, entry.body.as_bytes(), context)
                .unwrap(),
        );
    }
    let of = |kind: EventKind| {
        facts
            .iter()
            .filter(move |fact| fact.kind == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(EventKind::LeadCreated).len(), 1);
    let moved = of(EventKind::LeadStageChanged);
    assert_eq!(moved.len(), 1);
    assert_eq!(
        moved[0].record.get(SystemField::Stage.into()),
        Some(&Value::Stage(REFUSED))
    );
    assert_eq!(of(EventKind::LeadOwnerChanged).len(), 1);
    assert_eq!(of(EventKind::LeadDeleted).len(), 1);
    assert_eq!(of(EventKind::StructureChanged).len(), 1);
    let calls = of(EventKind::CallFinished);
    assert!(!calls.is_empty() && calls.iter().all(|fact| fact.dedupe == calls[0].dedupe));
}
