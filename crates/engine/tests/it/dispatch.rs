//! Dispatch in batches: turns, quarantine, quiet windows.

use crate::house::{CALLING, CONFIRMED, House, LEAD_YES, NEW, to_lead};
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::run::RunOutcome;
use domain::value::Value;
use engine::replay::Again;
use storage::audit::Actor;
use storage::events::{self, EventState};
use storage::{quiet, runs};

async fn outcomes(house: &House, at: usize) -> Vec<RunOutcome> {
    let event = house.events().await[at].event.id;
    let runs = runs::of_event(house.engine.db(), house.workspace, event)
        .await
        .unwrap();
    runs.iter().map(|run| run.outcome).collect()
}

#[tokio::test]
async fn an_event_that_broke_the_worker_three_times_is_set_aside_and_may_run_again() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        for (id, contact, phone) in [(7, 70, "+79991234567"), (8, 80, "+79997654321")] {
            let deal = house
                .deal(id, contact, phone)
                .with(SystemField::Stage, Value::Stage(CALLING));
            house.changed(EventKind::DealStageChanged, deal).await;
        }
        let poison = house.events().await[0].event.id;
        for _ in 0..3 {
            events::count_crash(house.engine.db(), house.workspace, poison, None)
                .await
                .unwrap();
        }
        house.settle().await;
        let states: Vec<EventState> = house.events().await.iter().map(|event| event.state).collect();
        assert_eq!(
            states,
            [EventState::Quarantined, EventState::Dispatched],
            "the other goes on"
        );
        let reason = house.events().await[0].outcome.clone();
        assert!(reason.is_some_and(|reason| reason.contains("отложено")));
        house.only_lead();

        house
            .engine
            .replays()
            .event(house.workspace, &Actor::system(), poison, Again::default())
            .await
            .unwrap();
        house.settle().await;
        assert_eq!(house.lptracker.records(RecordKind::Lead).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_successor_of_a_dead_process_forgets_what_it_counted_when_the_look_ends() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let first = house.deal(7, 70, "+79991234567");
        house.changed(EventKind::DealStageChanged, first).await;
        house.settle().await;
        let second = house
            .deal(8, 80, "+79997654321")
            .with(SystemField::Stage, Value::Stage(CALLING));
        house.changed(EventKind::DealStageChanged, second.clone()).await;
        house
            .changed(
                EventKind::DealUpdated,
                second.with(SystemField::Price, Value::Number(1.into())),
            )
            .await;
        // The first process is never heard of again, and its lease ends.
        let successor = house.another_process();
        house.clock.advance(5_000);
        house.settle_with(&successor).await;
        let events = house.events().await;
        assert!(
            events
                .iter()
                .all(|event| event.state == EventState::Dispatched && event.n_crashes == 0)
        );
        house.only_lead();
    })
    .await;
}

#[tokio::test]
async fn a_quiet_window_asks_once_about_the_last_state() {
    House::each(async |house| {
        let mut rule = to_lead();
        rule["quiet_secs"] = 30.into();
        house.publish(rule).await;
        let deal = house.deal(7, 70, "+79991234567");
        for stage in [CALLING, CONFIRMED, CALLING] {
            house
                .changed(
                    EventKind::DealStageChanged,
                    deal.clone().with(SystemField::Stage, Value::Stage(stage)),
                )
                .await;
            house.engine.settle(5).await.unwrap();
            house.clock.advance(20_000);
            house.engine.settle(5).await.unwrap();
            assert!(
                house.deliveries().await.is_empty(),
                "the window begins anew with every event"
            );
        }
        // Another process finds what the first one left.
        let another = house.another_process();
        house.settle_with(&another).await;
        assert_eq!(house.states().await, [DeliveryState::Delivered]);
        house.only_lead();
        assert_eq!(outcomes(&house, 0).await, [RunOutcome::Quiet]);
        assert_eq!(
            outcomes(&house, 2).await,
            [RunOutcome::Quiet, RunOutcome::Matched]
        );
        assert_eq!(house.events().await[2].n_matched, 1);
        assert_eq!(quiet::next_due(house.engine.db()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn what_was_undone_within_a_quiet_window_is_no_change() {
    House::each(async |house| {
        let rule = serde_json::json!({
            "name": "Название изменилось", "source": "AMO", "triggers": [{"kind": "deal_updated"}], "quiet_secs": 10,
            "condition": {"compare": {"field": "deal.name", "operator": "changed", "with": "none"}},
            "actions": [{"connection": "AMO", "do": "add_note", "target": "trigger", "text": {"template": "изменилось"}}]
        });
        house.publish(rule).await;
        let deal = house.deal(7, 70, "+79991234567").with(SystemField::Stage, Value::Stage(NEW));
        let named = |name: &str| deal.clone().with(SystemField::Name, Value::text(name));
        house.changed(EventKind::DealUpdated, named("было")).await;
        house.settle().await;
        for name in ["стало", "было"] {
            house.changed(EventKind::DealUpdated, named(name)).await;
        }
        house.settle().await;
        assert_eq!(outcomes(&house, 2).await, [RunOutcome::Quiet, RunOutcome::NotMatched]);
        house.changed(EventKind::DealUpdated, named("стало")).await;
        house.settle().await;
        assert_eq!(outcomes(&house, 3).await, [RunOutcome::Quiet, RunOutcome::Matched]);
    })
    .await;
}

#[tokio::test]
async fn a_backlog_of_one_connection_delays_another_by_a_batch_at_most() {
    House::each(async |house| {
        let backlog: Vec<_> = (0..3_000)
            .map(|id| house.fact(EventKind::DealUpdated, Record::new(RecordKind::Deal, 1_000 + id)))
            .collect();
        for part in backlog.chunks(100) {
            house.hook(domain::connection::ConnectorKind::Amocrm, part).await;
        }
        let lead = Record::new(RecordKind::Lead, 9).with(SystemField::Stage, Value::Stage(LEAD_YES));
        house.changed(EventKind::LeadStageChanged, lead).await;
        let other = events::waiting(house.engine.db(), house.lpt, house.engine.clock().now(), 1)
            .await
            .unwrap()[0]
            .0;
        house.engine.step().await.unwrap();
        let other = events::find(house.engine.db(), house.workspace, other)
            .await
            .unwrap();
        assert_eq!(other.state, EventState::Dispatched);
        let left = events::waiting(house.engine.db(), house.amo, house.engine.clock().now(), 10_000)
            .await
            .unwrap();
        assert_eq!(left.len(), 3_000 - 256, "one batch, and no more in memory");
    })
    .await;
}
