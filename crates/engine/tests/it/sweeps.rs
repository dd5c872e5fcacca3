//! Timers, starts by hand and great replays: one event for each record, once, however many processes look.

use crate::house::{CALLING, House, NEW, to_lead};
use connector::ConnectorError;
use connector::scripted::{Call, Fault, On};
use domain::event::{EventKind, Origin};
use domain::field::SystemField;
use domain::id::RuleId;
use domain::record::{Record, RecordId, RecordKind};
use domain::rule::Schedule;
use domain::value::Value;
use engine::EngineError;
use engine::clock::Clock;
use engine::sweeps::{Chosen, EventsChosen};
use serde_json::json;
use storage::audit::Actor;
use storage::sweeps::{Sweep, SweepState};
use storage::{rules, schedules, sweeps};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Notes every deal that a timer or a person brings.
fn noting(trigger: serde_json::Value) -> serde_json::Value {
    json!({
        "name": "Напомнить", "source": "AMO", "triggers": [trigger], "condition": {"all": []},
        "actions": [{"connection": "AMO", "do": "add_note", "target": "trigger", "text": {"template": "пора"}}]
    })
}

fn hourly(more: &serde_json::Value) -> serde_json::Value {
    let mut schedule = json!({"every_minutes": 60, "stages": [CALLING]});
    for (key, value) in more.as_object().unwrap() {
        schedule[key] = value.clone();
    }
    json!({"kind": "scheduled", "schedule": schedule})
}

fn put(house: &House, id: i64, stage: domain::value::Stage, idle_ms: i64) {
    let changed = house.clock.now().plus_ms(-idle_ms);
    house.amocrm.put(
        Record::new(RecordKind::Deal, id)
            .with(SystemField::Name, Value::text("Сделка"))
            .with(SystemField::Stage, Value::Stage(stage))
            .with(SystemField::UpdatedAt, Value::Instant(changed)),
    );
}

async fn only_rule(house: &House) -> RuleId {
    rules::list(house.engine.db(), house.workspace).await.unwrap()[0].id
}

async fn all(house: &House) -> Vec<Sweep> {
    let mut all = sweeps::list(house.engine.db(), house.workspace, None, 50)
        .await
        .unwrap();
    all.reverse();
    all
}

async fn records(house: &House, origin: Origin) -> Vec<String> {
    let events = house.events().await;
    let of = events.iter().filter(|stored| stored.event.origin == origin);
    of.map(|stored| stored.event.fact.key.id.0.clone()).collect()
}

/// Sweeps and works until nothing of it is left.
async fn through(house: &House) {
    for _ in 0..50 {
        let n = house.engine.sweep().await.unwrap();
        house.settle().await;
        if n == 0 {
            return;
        }
    }
    panic!("обход не кончается");
}

#[tokio::test]
async fn a_tick_makes_one_event_for_each_record_that_sits_there() {
    House::each(async |house| {
        house.publish(noting(hourly(&json!({})))).await;
        for (id, stage) in [(1, CALLING), (2, CALLING), (3, NEW)] {
            put(&house, id, stage, 0);
        }
        assert_eq!(house.engine.sweep().await.unwrap(), 0, "nothing is due yet");
        house.clock.advance(HOUR_MS);
        through(&house).await;
        assert_eq!(records(&house, Origin::Schedule).await, ["1", "2"]);
        assert_eq!(house.amocrm.applied().len(), 2, "a note for each");
        let made = all(&house).await;
        assert_eq!(
            (made.len(), made[0].state, made[0].n_events),
            (1, SweepState::Done, 2)
        );
        assert_eq!(made[0].n_missed, 0);
        through(&house).await;
        assert_eq!(all(&house).await.len(), 1, "the next tick is an hour away");
        house.clock.advance(HOUR_MS);
        through(&house).await;
        assert_eq!(records(&house, Origin::Schedule).await, ["1", "2", "1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn only_records_that_are_idle_for_long_enough_are_brought() {
    House::each(async |house| {
        house
            .publish(noting(hourly(&json!({"stages": [], "idle_days": 3}))))
            .await;
        put(&house, 1, CALLING, 4 * DAY_MS);
        put(&house, 2, NEW, 4 * DAY_MS);
        put(&house, 3, CALLING, DAY_MS);
        house.clock.advance(HOUR_MS);
        through(&house).await;
        assert_eq!(records(&house, Origin::Schedule).await, ["1", "2"]);
        assert_eq!(all(&house).await[0].n_seen, 3);
    })
    .await;
}

#[tokio::test]
async fn missed_ticks_are_told_and_not_piled_up() {
    House::each(async |house| {
        house.publish(noting(hourly(&json!({})))).await;
        put(&house, 1, CALLING, 0);
        house.clock.advance(5 * HOUR_MS);
        through(&house).await;
        let made = all(&house).await;
        assert_eq!((made.len(), made[0].n_missed), (1, 4));
        assert_eq!(records(&house, Origin::Schedule).await, ["1"]);
    })
    .await;
}

#[tokio::test]
async fn two_processes_make_each_event_of_a_tick_once() {
    House::each(async |house| {
        house.publish(noting(hourly(&json!({})))).await;
        for id in 1..=5 {
            put(&house, id, CALLING, 0);
        }
        house.clock.advance(HOUR_MS);
        let other = house.another_process();
        let (first, second) = tokio::join!(house.engine.sweep(), other.sweep());
        first.unwrap();
        second.unwrap();
        through(&house).await;
        assert_eq!(all(&house).await.len(), 1);
        assert_eq!(records(&house, Origin::Schedule).await, ["1", "2", "3", "4", "5"]);
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_is_off_has_no_timer_and_one_that_is_on_again_has_a_new_one() {
    House::each(async |house| {
        house.publish(noting(hourly(&json!({})))).await;
        put(&house, 1, CALLING, 0);
        let id = only_rule(&house).await;
        let (db, actor) = (house.engine.db(), Actor::system());
        house
            .engine
            .rules()
            .disable(house.workspace, &actor, id)
            .await
            .unwrap();
        assert!(
            schedules::of_rule(db, house.workspace, id)
                .await
                .unwrap()
                .is_empty()
        );
        house.clock.advance(2 * HOUR_MS);
        through(&house).await;
        assert!(all(&house).await.is_empty());
        let consent = engine::rules::Consent::Withheld;
        house
            .engine
            .rules()
            .enable(house.workspace, &actor, id, consent)
            .await
            .unwrap();
        let timers = schedules::of_rule(db, house.workspace, id).await.unwrap();
        assert!(timers[0].due_at > house.clock.now());
    })
    .await;
}

#[tokio::test]
async fn a_crm_that_is_away_is_asked_again_and_nothing_is_lost() {
    House::each(async |house| {
        house.publish(noting(hourly(&json!({})))).await;
        put(&house, 1, CALLING, 0);
        house.clock.advance(HOUR_MS);
        let away = ConnectorError::Unavailable {
            status: 503,
            uncertain: false,
        };
        house.amocrm.fail_next(On::Read, Fault::Fail(away));
        assert_eq!(house.engine.sweep().await.unwrap(), 0);
        let made = all(&house).await;
        assert_eq!((made[0].state, made[0].n_failures), (SweepState::Running, 1));
        assert!(made[0].failure.is_some());
        house.clock.advance(60_000);
        through(&house).await;
        assert_eq!(records(&house, Origin::Schedule).await, ["1"]);
        assert_eq!(all(&house).await[0].failure, None);
    })
    .await;
}

#[tokio::test]
async fn a_person_starts_a_rule_on_records_and_on_a_stage() {
    House::each(async |house| {
        house.publish(noting(json!({"kind": "manual"}))).await;
        for id in 1..=3 {
            put(&house, id, CALLING, 0);
        }
        let (sweeps, actor, rule) = (house.engine.sweeps(), Actor::system(), only_rule(&house).await);
        let named = Chosen::Records(vec![RecordId::from("2")]);
        let preview = sweeps
            .preview(house.workspace, rule, named.clone())
            .await
            .unwrap();
        assert_eq!((preview.n, preview.is_complete), (1, true));
        sweeps.start(house.workspace, &actor, rule, named).await.unwrap();
        through(&house).await;
        assert_eq!(records(&house, Origin::Manual).await, ["2"]);
        let sitting = Chosen::Sitting(Schedule {
            every_minutes: 0,
            cron: None,
            stages: vec![CALLING],
            idle_days: 0,
        });
        assert_eq!(
            sweeps
                .preview(house.workspace, rule, sitting.clone())
                .await
                .unwrap()
                .n,
            3
        );
        assert_eq!(
            records(&house, Origin::Manual).await.len(),
            1,
            "counting starts nothing"
        );
        sweeps
            .start(house.workspace, &actor, rule, sitting)
            .await
            .unwrap();
        through(&house).await;
        assert_eq!(records(&house, Origin::Manual).await, ["2", "1", "2", "3"]);
        assert_eq!(house.amocrm.applied().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn only_a_rule_with_that_trigger_is_started_by_hand() {
    House::each(async |house| {
        house.publish(to_lead()).await;
        let rule = only_rule(&house).await;
        let start = |chosen| {
            let (sweeps, workspace) = (house.engine.sweeps(), house.workspace);
            async move { sweeps.start(workspace, &Actor::system(), rule, chosen).await }
        };
        let refused = start(Chosen::Records(vec![RecordId::from("1")])).await;
        assert!(matches!(refused, Err(EngineError::Invalid { .. })), "{refused:?}");
        assert!(all(&house).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn earlier_events_run_again_behind_live_ones_and_can_be_stopped() {
    House::each(async |house| {
        let deal = house
            .deal(7, 70, "+79991234567")
            .with(SystemField::Stage, Value::Stage(CALLING));
        for n in 0..120_i64 {
            let deal = deal.clone().with(SystemField::Price, Value::Number(n.into()));
            house.changed(EventKind::DealUpdated, deal).await;
        }
        house.settle().await;
        let sweeps = house.engine.sweeps();
        let actor = Actor::system();
        let sweep = sweeps
            .replay(house.workspace, &actor, EventsChosen::default())
            .await
            .unwrap();
        assert_eq!(house.engine.sweep().await.unwrap(), 50, "a page");
        // The page waits for dispatch: the next one gives way to it, and to whatever is live.
        assert_eq!(house.engine.sweep().await.unwrap(), 0);
        let stopped = sweeps.cancel(house.workspace, &actor, sweep.id).await.unwrap();
        assert_eq!((stopped.state, stopped.n_events), (SweepState::Cancelled, 50));
        assert!(
            sweeps.cancel(house.workspace, &actor, sweep.id).await.is_err(),
            "once is enough"
        );
        through(&house).await;
        assert_eq!(records(&house, Origin::Replay).await.len(), 50);
        let again = EventsChosen {
            kind: Some(EventKind::DealUpdated),
            ..EventsChosen::default()
        };
        sweeps.replay(house.workspace, &actor, again).await.unwrap();
        through(&house).await;
        let replays = records(&house, Origin::Replay).await.len();
        assert_eq!(replays, 50 + 120, "replays are not replayed");
        let calls = house.amocrm.take_calls();
        assert!(!calls.iter().any(|call| matches!(call, Call::Sitting(_))));
    })
    .await;
}
