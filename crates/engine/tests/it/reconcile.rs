//! What webhooks did not tell is found by reading, once; what they told, or we wrote, is not found again.

use crate::house::{CALLING, House, LEAD_ROBOT, LEAD_YES, NEW, back_to_deal, to_lead};
use connector::ConnectorError;
use connector::scripted::{Fault, On};
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::{EventKind, Fact, Origin};
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::time::Timestamp;
use domain::value::Value;
use engine::clock::Clock;
use storage::events::EventState;
use storage::{connections, reconciliations};

const HOUR_MS: i64 = 3_600_000;

/// A row of a list, as reading finds it.
fn row(house: &House, kind: EventKind, record: Record) -> Fact {
    let at = house.clock.now();
    let record = record.with(SystemField::UpdatedAt, Value::Instant(at));
    Fact {
        occurred_at: Some(at),
        dedupe: format!("list|{}|{}", record.key, at.secs()),
        ..house.fact(kind, record)
    }
}

/// The same change as its webhook tells it.
fn hook(house: &House, kind: EventKind, record: &Record) -> Fact {
    let at = house.clock.now();
    Fact {
        occurred_at: Some(at),
        ..house.fact(
            kind,
            record.clone().with(SystemField::UpdatedAt, Value::Instant(at)),
        )
    }
}

fn moved(house: &House, record: &Record) -> Fact {
    Fact {
        occurred_at: Some(house.clock.now()),
        before: vec![(SystemField::Stage.into(), Value::Stage(NEW))],
        changed: Some(vec![SystemField::Stage.into()]),
        ..house.fact(
            EventKind::DealStageChanged,
            Record::new(record.key.kind, record.key.id.clone()).with(
                SystemField::Stage,
                record.get(SystemField::Stage.into()).unwrap().clone(),
            ),
        )
    }
}

async fn kinds(house: &House) -> Vec<(Origin, EventKind)> {
    let events = house.events().await;
    events
        .iter()
        .map(|stored| (stored.event.origin, stored.event.fact.kind))
        .collect()
}

#[tokio::test]
async fn a_lost_webhook_is_found_once_and_a_told_one_is_not() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.engine.reconcile().await.unwrap();
        house.clock.advance(HOUR_MS);
        let deal = house
            .deal(7, 70, "8 (999) 123-45-67")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.amocrm.put(deal.clone());
        let told = house.deal(8, 80, "8 (999) 123-45-68");
        house
            .hook(
                ConnectorKind::Amocrm,
                &[hook(&house, EventKind::DealUpdated, &told)],
            )
            .await;
        house.amocrm.set_changes(vec![
            row(&house, EventKind::DealUpdated, deal.clone()),
            row(&house, EventKind::DealUpdated, told),
            moved(&house, &deal),
        ]);
        house.engine.reconcile().await.unwrap();
        for _ in 0..3 {
            house.clock.advance(HOUR_MS);
            house.engine.reconcile().await.unwrap();
            house.settle().await;
        }
        assert_eq!(
            kinds(&house).await,
            [
                (Origin::Webhook, EventKind::DealUpdated),
                (Origin::Poll, EventKind::DealUpdated),
                (Origin::Poll, EventKind::DealStageChanged)
            ]
        );
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_late_webhook_of_what_was_read_moves_nobody_twice() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let deal = house
            .deal(7, 70, "8 (999) 123-45-67")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.amocrm.put(deal.clone());
        let told = moved(&house, &deal);
        house.amocrm.set_changes(vec![told.clone()]);
        house.engine.reconcile().await.unwrap();
        house.settle().await;
        house.clock.advance(900_000);
        let late = Fact {
            dedupe: "по вебхуку".to_owned(),
            ..told
        };
        house.hook(ConnectorKind::Amocrm, &[late]).await;
        house.settle().await;
        let events = house.events().await;
        assert_eq!(
            events.last().unwrap().outcome.as_deref(),
            Some("уже найдено сверкой с CRM")
        );
        assert_eq!(house.states().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn our_own_write_is_not_news_hours_later() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.engine.reconcile().await.unwrap();
        let deal = house
            .deal(7, 70, "8 (999) 123-45-67")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        let lead = house.only_lead();
        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead.clone())]);
        house.clock.advance(3 * HOUR_MS);
        storage::memory::sweep_echoes(house.engine.db(), house.clock.now())
            .await
            .unwrap();
        house.engine.reconcile().await.unwrap();
        assert_eq!(house.events().await.len(), 1, "наша запись не новость");

        // A person moves it: a step is a step, however it was learnt.
        let lead = lead.with(SystemField::Stage, Value::Stage(LEAD_YES));
        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead)]);
        house.clock.advance(HOUR_MS);
        house.engine.reconcile().await.unwrap();
        assert_eq!(
            kinds(&house).await[1..],
            [
                (Origin::Poll, EventKind::LeadUpdated),
                (Origin::Poll, EventKind::LeadStageChanged)
            ]
        );
        house.settle().await;
        assert!(
            house
                .events()
                .await
                .iter()
                .all(|stored| stored.state == EventState::Dispatched)
        );
    })
    .await;
}

#[tokio::test]
async fn the_moment_moves_on_only_with_its_events() {
    House::each(async |house| {
        house.engine.reconcile().await.unwrap();
        let db = house.engine.db();
        let reconciled = async || {
            connections::find(db, house.workspace, house.amo)
                .await
                .unwrap()
                .reconciled_at
        };
        let first = reconciled().await;
        assert_eq!(first, Some(house.clock.now()));
        house.clock.advance(HOUR_MS);
        let down = ConnectorError::Unavailable {
            status: 503,
            uncertain: false,
        };
        house.amocrm.fail_next(On::Read, Fault::Fail(down));
        house.engine.reconcile().await.unwrap();
        assert_eq!(reconciled().await, first);
        let walk = reconciliations::find(db, house.workspace, house.amo)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(walk.n_failures, 1);
        assert!(walk.failure.is_some() && walk.due_at > house.clock.now());

        // What was made meanwhile is found when the CRM answers again, by another process.
        let deal = house.deal(9, 90, "8 (999) 000-00-00");
        house
            .amocrm
            .set_changes(vec![row(&house, EventKind::DealCreated, deal)]);
        house.clock.advance(HOUR_MS);
        storage::leases::release(db, &house.engine.context().owner)
            .await
            .unwrap();
        let other = house.another_process();
        assert_eq!(other.reconcile().await.unwrap(), 1);
        assert_eq!(
            reconciled().await,
            walk.started_at,
            "up to where the walk that failed had begun"
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_subscription_is_restored_and_its_gap_read() {
    House::each(async |house| {
        let connections = house.engine.connections();
        connections.subscribe(house.workspace, house.amo).await.unwrap();
        house.engine.reconcile().await.unwrap();
        let url = connections.hook_url(house.workspace, house.amo).await.unwrap();
        connector::Connector::unsubscribe(&house.amocrm, &url)
            .await
            .unwrap();
        connector::Connector::subscribe(&house.amocrm, "https://foreign.example/hook")
            .await
            .unwrap();
        house.clock.advance(120_000);
        let deal = house.deal(9, 90, "8 (999) 000-00-00");
        house
            .amocrm
            .set_changes(vec![row(&house, EventKind::DealCreated, deal)]);
        house.clock.advance(120_000);
        assert_eq!(house.engine.reconcile().await.unwrap(), 0, "ещё не время");
        connections.repair_subscriptions().await.unwrap();
        assert_eq!(
            house.amocrm.subscriptions(),
            ["https://foreign.example/hook".to_owned(), url]
        );
        assert_eq!(house.engine.reconcile().await.unwrap(), 1);
        let shown = storage::connections::find(house.engine.db(), house.workspace, house.amo)
            .await
            .unwrap();
        assert_eq!(shown.subscription.unwrap()["installed"], true);
    })
    .await;
}

#[tokio::test]
async fn the_first_walk_remembers_leads_that_are_older_than_the_connection() {
    House::each(async |house| {
        let lead = Record::new(RecordKind::Lead, 9)
            .with(SystemField::Name, Value::text("Давний лид"))
            .with(SystemField::Stage, Value::Stage(LEAD_ROBOT));
        let long_ago = house.clock.now().plus_ms(-30 * 24 * HOUR_MS);
        let mut old = row(&house, EventKind::LeadUpdated, lead.clone());
        old.occurred_at = Some(long_ago);
        house.lptracker.set_changes(vec![old]);
        house.engine.reconcile().await.unwrap();
        assert!(house.events().await.is_empty(), "давнее не новость");

        // Its first change after that is known for what it is.
        house.clock.advance(HOUR_MS);
        let lead = lead.with(SystemField::Stage, Value::Stage(LEAD_YES));
        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead)]);
        house.engine.reconcile().await.unwrap();
        assert_eq!(
            kinds(&house).await,
            [
                (Origin::Poll, EventKind::LeadUpdated),
                (Origin::Poll, EventKind::LeadStageChanged)
            ]
        );
    })
    .await;
}

/// As LPTracker tells a change: the whole lead and the moment of the act, but not when the lead was changed.
fn told(house: &House, kind: EventKind, lead: &Record, at: Timestamp, changed: SystemField) -> Fact {
    Fact {
        occurred_at: Some(at),
        changed: Some(vec![changed.into()]),
        ..house.fact(kind, lead.clone())
    }
}

/// Whenever a lead comes to the step.
fn on_a_step() -> serde_json::Value {
    serde_json::json!({
        "name": "Интерес", "source": "LPT",
        "triggers": [{"kind": "lead_updated"}],
        "condition": {"compare": {"field": "lead.stage", "operator": "changed_to",
            "with": {"value": {"type": "stage", "value": LEAD_YES}}}},
        "actions": [{"connection": "LPT", "do": "add_note", "target": "trigger",
            "text": {"template": "Пришёл интерес"}}]
    })
}

#[tokio::test]
async fn a_step_told_by_lptracker_is_not_found_again() {
    House::each(async |house| {
        house.publish(on_a_step()).await;
        let lead = Record::new(RecordKind::Lead, 9).with(SystemField::Stage, Value::Stage(LEAD_ROBOT));
        let mut old = row(&house, EventKind::LeadUpdated, lead.clone());
        old.occurred_at = Some(house.clock.now().plus_ms(-24 * HOUR_MS));
        house.lptracker.set_changes(vec![old]);
        house.engine.reconcile().await.unwrap();

        house.clock.advance(HOUR_MS);
        let lead = lead.with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.lptracker.put(lead.clone());
        let moved_at = house.clock.now();
        house
            .hook(
                ConnectorKind::Lptracker,
                &[told(
                    &house,
                    EventKind::LeadUpdated,
                    &lead,
                    moved_at,
                    SystemField::Stage,
                )],
            )
            .await;
        house.settle().await;
        assert_eq!(house.states().await.len(), 1, "правило сработало");

        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead)]);
        for _ in 0..3 {
            house.clock.advance(HOUR_MS);
            house.engine.reconcile().await.unwrap();
            house.settle().await;
        }
        assert_eq!(kinds(&house).await, [(Origin::Webhook, EventKind::LeadUpdated)]);
        assert_eq!(house.states().await.len(), 1, "и только раз");
    })
    .await;
}

#[tokio::test]
async fn webhooks_that_overtake_each_other_repeat_nothing() {
    House::each(async |house| {
        house.publish(on_a_step()).await;
        house.engine.reconcile().await.unwrap();
        house.clock.advance(HOUR_MS);
        let before = Record::new(RecordKind::Lead, 9)
            .with(SystemField::Stage, Value::Stage(LEAD_ROBOT))
            .with(SystemField::Responsible, Value::User(1));
        let lead = before.clone().with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.lptracker.put(lead.clone());
        let at = house.clock.now();
        let hooks = [
            (&before, 0, SystemField::Name),
            (&lead, 20, SystemField::Stage),
            // Caused before the step was changed, and comes after it.
            (&before, 10, SystemField::Responsible),
            (&lead, 30, SystemField::Name),
        ];
        for (lead, later_ms, changed) in hooks {
            let fact = told(
                &house,
                EventKind::LeadUpdated,
                lead,
                at.plus_ms(later_ms),
                changed,
            );
            house.hook(ConnectorKind::Lptracker, &[fact]).await;
            house.settle().await;
        }
        assert_eq!(
            house.states().await.len(),
            1,
            "одна перемена шага — одно примечание"
        );
        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead)]);
        house.clock.advance(HOUR_MS);
        house.engine.reconcile().await.unwrap();
        house.settle().await;
        assert_eq!(house.states().await.len(), 1, "сверка знает её тоже");
    })
    .await;
}

#[tokio::test]
async fn a_forged_time_does_not_make_everything_after_it_old() {
    House::each(async |house| {
        house.publish(on_a_step()).await;
        house.engine.reconcile().await.unwrap();
        let before = Record::new(RecordKind::Lead, 9).with(SystemField::Stage, Value::Stage(LEAD_ROBOT));
        let far = house.clock.now().plus_ms(1_000_000 * HOUR_MS);
        let forged = told(&house, EventKind::LeadUpdated, &before, far, SystemField::Name);
        house.hook(ConnectorKind::Lptracker, &[forged]).await;
        house.settle().await;
        house.clock.advance(HOUR_MS);
        let lead = before.with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.lptracker.put(lead.clone());
        for name in ["раз", "два"] {
            let lead = lead.clone().with(SystemField::Name, Value::text(name));
            let at = house.clock.now();
            let fact = Fact {
                changed: None,
                ..told(&house, EventKind::LeadUpdated, &lead, at, SystemField::Name)
            };
            house.hook(ConnectorKind::Lptracker, &[fact]).await;
            house.settle().await;
            house.clock.advance(1_000);
        }
        assert_eq!(house.states().await.len(), 1, "перемена услышана, и один раз");
    })
    .await;
}

#[tokio::test]
async fn a_step_chosen_after_our_write_is_not_found_again_beside_its_mark() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.publish(back_to_deal()).await;
        house.engine.reconcile().await.unwrap();
        house.clock.advance(HOUR_MS);
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, deal).await;
        house.settle().await;
        let made = house.only_lead();
        let lead = made.clone().with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.lptracker.put(lead.clone());
        let at = house.clock.now();
        let hooks = [
            told(&house, EventKind::LeadCreated, &made, at, SystemField::Name),
            told(
                &house,
                EventKind::LeadStageChanged,
                &lead,
                at.plus_ms(500),
                SystemField::Stage,
            ),
        ];
        house.hook(ConnectorKind::Lptracker, &hooks).await;
        house.settle().await;
        let n_done = house.states().await.len();

        // Lists are told to the minute, so the row looks as old as our write.
        let mut listed = row(&house, EventKind::LeadUpdated, lead);
        listed.occurred_at = Some(at.plus_ms(-30_000));
        house.lptracker.set_changes(vec![listed]);
        house.clock.advance(HOUR_MS);
        house.engine.reconcile().await.unwrap();
        house.settle().await;
        let found = kinds(&house).await;
        assert!(
            found.iter().all(|(origin, _)| *origin == Origin::Webhook),
            "{found:?}"
        );
        assert_eq!(house.states().await.len(), n_done);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_comes_late_takes_nothing_back_that_was_told_meanwhile() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        house.publish(back_to_deal()).await;
        house.engine.reconcile().await.unwrap();
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.lptracker.fail_next(On::Write, Fault::AnswerLost);
        house.lptracker.fail_next(On::Write, Fault::AnswerLost);
        for _ in 0..2 {
            house.lptracker.fail_next(On::Look, Fault::Undecided);
        }
        house.changed(EventKind::DealStageChanged, deal).await;
        while house.lptracker.records(RecordKind::Lead).is_empty() {
            house.engine.step().await.unwrap();
            house.pass(500);
        }
        // An operator is quicker than the answer that tells us that there is a lead.
        let lead = house.only_lead().with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.lptracker.put(lead.clone());
        house.pass(500);
        let at = house.clock.now();
        let fact = told(&house, EventKind::LeadStageChanged, &lead, at, SystemField::Stage);
        house.hook(ConnectorKind::Lptracker, &[fact]).await;
        house.settle().await;
        let states = house.states().await;
        assert!(
            states.iter().all(|state| *state == DeliveryState::Delivered),
            "{states:?}: что ждёт связи, дожидается её"
        );
        let n_done = states.len();

        house
            .lptracker
            .set_changes(vec![row(&house, EventKind::LeadUpdated, lead)]);
        house.clock.advance(HOUR_MS);
        house.engine.reconcile().await.unwrap();
        house.settle().await;
        let found = kinds(&house).await;
        assert!(
            found.iter().all(|(origin, _)| *origin == Origin::Webhook),
            "{found:?}"
        );
        assert_eq!(house.states().await.len(), n_done);
    })
    .await;
}
