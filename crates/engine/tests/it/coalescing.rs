//! Deliveries that wait for one account travel together, and nothing of what one alone is promised is lost by it.

use crate::house::{CALLING, CONFIRMED, House, NEW};
use connector::ConnectorError;
use connector::scripted::{Call, Fault, On};
use domain::command::Write;
use domain::connection::ConnectorKind;
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::value::Value;
use engine::clock::Clock;
use std::collections::BTreeMap;

/// A rule over changed deals with these actions.
fn rule(name: &str, actions: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "name": name, "source": "AMO", "triggers": [{"kind": "deal_stage_changed"}],
        "condition": {"all": []}, "actions": actions
    })
}

fn note(text: &str) -> serde_json::Value {
    serde_json::json!({"connection": "AMO", "do": "add_note", "target": "trigger", "text": {"template": text}})
}

fn moved() -> serde_json::Value {
    serde_json::json!({"connection": "AMO", "do": "move", "target": "trigger", "stage": CONFIRMED})
}

/// So many deals change their stage at the same moment.
async fn change(house: &House, n_deals: i64) {
    house.amocrm.set_now(house.clock.now());
    let deals = (1..=n_deals).map(|id| {
        Record::new(RecordKind::Deal, id)
            .with(SystemField::Name, Value::text(format!("Сделка {id}")))
            .with(
                SystemField::Stage,
                Value::Stage(if id % 2 == 0 { NEW } else { CALLING }),
            )
    });
    let facts: Vec<_> = deals
        .map(|deal| {
            house.amocrm.put(deal.clone());
            house.fact(EventKind::DealStageChanged, deal)
        })
        .collect();
    house.hook(ConnectorKind::Amocrm, &facts).await;
}

/// How many writes each call carried, and how many looks there were.
fn calls(house: &House) -> (Vec<usize>, usize, usize) {
    let calls = house.amocrm.take_calls();
    let arrays = calls.iter().filter_map(|call| match call {
        Call::WriteAll(n) => Some(*n),
        _ => None,
    });
    let mut arrays: Vec<usize> = arrays.collect();
    arrays.sort_unstable_by_key(|n| std::cmp::Reverse(*n));
    let n_looks = calls.iter().filter(|call| matches!(call, Call::Look(_))).count();
    let reads = calls
        .iter()
        .filter(|call| matches!(call, Call::Read(_) | Call::ReadAll(_)));
    (arrays, n_looks, reads.count())
}

/// How often each write took effect.
fn n_applied(house: &House) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for applied in house.amocrm.applied() {
        *counts.entry(format!("{:?}", applied.write)).or_default() += 1;
    }
    counts
}

fn assert_each_once(house: &House, n_writes: usize) {
    let counts = n_applied(house);
    assert_eq!(counts.len(), n_writes);
    assert!(counts.values().all(|n| *n == 1), "{counts:?}");
}

async fn assert_all(house: &House, state: DeliveryState, n_deliveries: usize) {
    let states = house.states().await;
    assert_eq!(states.len(), n_deliveries);
    assert!(states.iter().all(|it| *it == state), "{states:?}");
}

#[tokio::test]
async fn writes_of_many_deliveries_travel_in_arrays() {
    House::each(async |house| {
        house
            .publish(rule("Примечание", serde_json::json!([note("Проверено")])))
            .await;
        change(&house, 120).await;
        house.amocrm.take_calls();
        house.settle().await;
        assert_eq!(calls(&house), (vec![50, 50, 20], 0, 0));
        assert_each_once(&house, 120);
        assert_all(&house, DeliveryState::Delivered, 120).await;
    })
    .await;
}

#[tokio::test]
async fn records_are_compared_by_one_read_for_all() {
    House::each(async |house| {
        house.publish(rule("Переход", serde_json::json!([moved()]))).await;
        let there = Record::new(RecordKind::Deal, 500).with(SystemField::Stage, Value::Stage(CONFIRMED));
        house.amocrm.put(there.clone());
        let fact = house.fact(EventKind::DealStageChanged, there);
        house.hook(ConnectorKind::Amocrm, &[fact]).await;
        change(&house, 40).await;
        house.amocrm.take_calls();
        house.settle().await;
        let (arrays, _, n_reads) = calls(&house);
        assert_eq!((arrays, n_reads), (vec![40], 1));
        assert_each_once(&house, 40);
        let states = house.states().await;
        let n_skipped = states.iter().filter(|it| **it == DeliveryState::Skipped).count();
        assert_eq!(n_skipped, 1, "what is as wanted is not written");
    })
    .await;
}

#[tokio::test]
async fn one_refusal_spoils_nothing_for_the_others() {
    House::each(async |house| {
        house
            .publish(rule("Примечание", serde_json::json!([note("Проверено")])))
            .await;
        change(&house, 30).await;
        let refused = ConnectorError::Rejected {
            code: "NotSupportedChoice".to_owned(),
            field: None,
            message: "не то".to_owned(),
        };
        house.amocrm.fail_next(On::Write, Fault::Fail(refused));
        house.settle().await;
        assert_each_once(&house, 29);
        let states = house.states().await;
        let n_dead = states.iter().filter(|it| **it == DeliveryState::Dead).count();
        let n_done = states
            .iter()
            .filter(|it| **it == DeliveryState::Delivered)
            .count();
        assert_eq!((n_dead, n_done), (1, 29));
    })
    .await;
}

#[tokio::test]
async fn after_a_lost_answer_each_is_looked_for_and_none_is_repeated_blindly() {
    House::each(async |house| {
        house
            .publish(rule("Примечание", serde_json::json!([note("Проверено")])))
            .await;
        change(&house, 20).await;
        house.amocrm.take_calls();
        // Of one array: some applied, some not, and no answer for any.
        for n in 0..20 {
            let fault = if n % 3 == 0 {
                Fault::AnswerLost
            } else {
                Fault::Fail(ConnectorError::NoAnswer {
                    uncertain: true,
                    cause: "обрыв".to_owned(),
                })
            };
            house.amocrm.fail_next(On::Write, fault);
        }
        house.settle().await;
        let (arrays, n_looks, _) = calls(&house);
        assert_eq!((arrays, n_looks), (vec![20, 13], 20));
        assert_each_once(&house, 20);
        assert_all(&house, DeliveryState::Delivered, 20).await;
    })
    .await;
}

#[tokio::test]
async fn actions_on_one_record_keep_their_order() {
    House::each(async |house| {
        let actions = serde_json::json!([note("первое"), moved(), note("второе"), note("третье")]);
        house.publish(rule("По порядку", actions)).await;
        change(&house, 25).await;
        house.settle().await;
        assert_each_once(&house, 100);
        let mut of_record: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for applied in house.amocrm.applied() {
            let (key, what) = match applied.write {
                Write::AddNote { key, text } => (key, text),
                Write::Move { key, .. } => (key, "переход".to_owned()),
                other => panic!("{other:?}"),
            };
            of_record.entry(key.id.to_string()).or_default().push(what);
        }
        for (record, order) in of_record {
            assert_eq!(order, ["первое", "переход", "второе", "третье"], "{record}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_round_that_was_cut_is_taken_up_by_its_own_process() {
    House::each(async |house| {
        house
            .publish(rule("Примечание", serde_json::json!([note("Проверено")])))
            .await;
        change(&house, 10).await;
        // The rounds break off at every await in turn, and the process goes on.
        for polls in 1..80 {
            let mut step = std::pin::pin!(house.engine.step());
            let mut left = polls;
            std::future::poll_fn(|context| {
                left -= 1;
                match step.as_mut().poll(context) {
                    std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                    _ => std::task::Poll::Ready(()),
                }
            })
            .await;
        }
        house.clock.advance(60_000);
        house.amocrm.set_now(house.clock.now());
        house.settle().await;
        assert_each_once(&house, 10);
        assert_all(&house, DeliveryState::Delivered, 10).await;
    })
    .await;
}
