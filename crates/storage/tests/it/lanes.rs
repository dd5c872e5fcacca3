//! Lanes and leases when several processes work at the same time.

use crate::support::*;
use domain::command::{Operation, Upsert};
use domain::delivery::DeliveryState;
use domain::id::RuleId;
use domain::record::RecordKind;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use storage::deliveries::{self, Delivery};
use test_db::Kind;

/// What the workers did, as an outside observer sees it.
#[derive(Default)]
struct Seen {
    under_way: HashSet<String>,
    done: BTreeMap<String, Vec<u128>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_never_take_one_delivery_twice_nor_two_of_a_lane() {
    const LANES: u128 = 12;
    const PER_LANE: u128 = 8;
    on_each(async |base| {
        let batch: Vec<_> = (0..LANES * PER_LANE)
            .map(|n| delivery(n + 1, &(n % LANES).to_string()))
            .collect();
        deliveries::insert(&base.db, &batch).await.unwrap();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let pools = [base.db.clone(), base.another().await];
        let workers: Vec<_> = (0..6)
            .map(|n| {
                let (db, seen, owner) = (pools[n % 2].clone(), Arc::clone(&seen), format!("worker {n}"));
                // No account lease is held here: lanes must be safe without it.
                tokio::spawn(async move {
                    loop {
                        let leased = deliveries::lease(&db, Some(AMO), &owner, NOW, at(1), 3, &[])
                            .await
                            .unwrap();
                        for delivery in &leased {
                            let is_alone = seen.lock().unwrap().under_way.insert(delivery.lane.clone());
                            assert!(is_alone, "two of lane {} are under way", delivery.lane);
                        }
                        for mut delivery in leased {
                            {
                                let mut seen = seen.lock().unwrap();
                                let done = seen.done.entry(delivery.lane.clone()).or_default();
                                done.push(delivery.id.0.as_u128());
                                seen.under_way.remove(&delivery.lane);
                            }
                            delivery.state = DeliveryState::Delivered;
                            delivery.finished_at = Some(NOW);
                            release(&db, &delivery, &owner).await.unwrap();
                        }
                        if deliveries::due_connections(&db, NOW).await.unwrap().is_empty() {
                            return;
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let done = &seen.lock().unwrap().done;
        assert_eq!(done.len(), usize::try_from(LANES).unwrap());
        for (lane, done) in done {
            let lane: u128 = lane.parse().unwrap();
            let expected: Vec<_> = (0..PER_LANE).map(|n| n * LANES + lane + 1).collect();
            assert_eq!(*done, expected, "each once, in order");
        }
    })
    .await;
}

/// The interleaving that «read committed» allows: the second lease begins before the first is committed.
#[tokio::test]
async fn a_lease_passes_by_what_another_is_taking() {
    on_each(async |base| {
        if base.kind() == Kind::Sqlite {
            // There is one writer at a time: the second could only wait for the first.
            return;
        }
        let db = &base.db;
        deliveries::insert(
            db,
            &[
                delivery(1, "a"),
                delivery(2, "a"),
                delivery(3, "b"),
                delivery(4, "b"),
            ],
        )
        .await
        .unwrap();
        let first = db.begin().await.unwrap();
        let leased = deliveries::lease(&first, Some(AMO), "first", NOW, at(1), 1, &[])
            .await
            .unwrap();
        assert_eq!(leased[0].id, delivery_id(1));

        // Neither the locked head nor the one behind it, and no waiting either.
        let second = deliveries::lease(db, Some(AMO), "second", NOW, at(1), 10, &[])
            .await
            .unwrap();
        assert_eq!(
            second.iter().map(|it| it.id).collect::<Vec<_>>(),
            [delivery_id(3)]
        );
        first.commit().await.unwrap();
        let third = deliveries::lease(db, Some(AMO), "third", NOW, at(1), 10, &[])
            .await
            .unwrap();
        assert_eq!(third, []);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_is_not_committed_takes_nothing() {
    on_each(async |base| {
        let db = &base.db;
        deliveries::insert(db, &[delivery(1, "a")]).await.unwrap();
        let tx = db.begin().await.unwrap();
        assert_eq!(
            deliveries::lease(&tx, Some(AMO), "crashed", NOW, at(1), 1, &[])
                .await
                .unwrap()
                .len(),
            1
        );
        drop(tx);
        // PostgreSQL is told of it when the connection goes back to the pool, which nobody waits for.
        let mut leased = Vec::new();
        for _ in 0..20_000 {
            leased = deliveries::lease(db, Some(AMO), "me", NOW, at(1), 1, &[])
                .await
                .unwrap();
            if !leased.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(leased[0].n_attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_due_is_found_behind_any_number_of_blocked_ones() {
    on_each(async |base| {
        // A lane so deep that its blocked deliveries fill the whole window; its head is put off.
        let mut batch: Vec<_> = (1..=1_200).map(|n| delivery(n, "deep")).collect();
        batch[0].due_at = at(1_000_000);
        for n in [1_301, 1_302, 1_303] {
            let mut late = delivery(n, &n.to_string());
            late.due_at = at(10);
            batch.push(late);
        }
        deliveries::insert(&base.db, &batch).await.unwrap();
        let leased = deliveries::lease(&base.db, Some(AMO), "me", at(20), at(30), 2, &[])
            .await
            .unwrap();
        let ids: Vec<_> = leased.iter().map(|it| it.id).collect();
        assert_eq!(ids, [1_301, 1_302].map(delivery_id));
    })
    .await;
}

#[tokio::test]
async fn what_a_stopped_rule_wants_of_a_record_holds_no_other_rule_back() {
    on_each(async |base| {
        let of_rule = |n, lane: &str, rule| Delivery {
            rule: rule_id(rule),
            ..delivery(n, lane)
        };
        let mut creation = of_rule(5, "new", 1);
        creation.command.operation = Operation::Upsert(Upsert {
            kind: RecordKind::Deal,
            search: Default::default(),
            contact: Vec::new(),
            fields: Vec::new(),
            stage: None,
            responsible: None,
            tags: Vec::new(),
        });
        let batch = [
            of_rule(1, "old", 1),
            of_rule(2, "old", 2),
            of_rule(3, "old", 1),
            of_rule(4, "old", 2),
            creation,
            of_rule(6, "new", 2),
        ];
        deliveries::insert(&base.db, &batch).await.unwrap();
        let lease = async |held: &[RuleId]| {
            let leased = deliveries::lease(&base.db, Some(AMO), "me", NOW, at(30), 10, held).await;
            leased.unwrap().into_iter().map(|it| it.id).collect::<Vec<_>>()
        };
        let held = [rule_id(1)];
        assert_eq!(lease(&held).await, [delivery_id(2)], "a creation is waited for");
        assert_eq!(lease(&held).await, [], "those of one lane go one after the other");
        let mut done = deliveries::find(&base.db, OURS, delivery_id(2)).await.unwrap();
        done.state = DeliveryState::Delivered;
        release(&base.db, &done, "me").await.unwrap();
        let next = deliveries::next_due(&base.db, &[], &held).await.unwrap();
        assert_eq!(next, Some(NOW));
        assert_eq!(lease(&held).await, [delivery_id(4)]);
        done = deliveries::find(&base.db, OURS, delivery_id(4)).await.unwrap();
        done.state = DeliveryState::Delivered;
        release(&base.db, &done, "me").await.unwrap();
        assert_eq!(deliveries::next_due(&base.db, &[], &held).await.unwrap(), None);
        assert_eq!(
            lease(&[]).await,
            [1, 5].map(delivery_id),
            "once the stop is lifted, in order"
        );
    })
    .await;
}

/// Each in a lane of its own.
fn of_rule(rule: u128, n: u128) -> Delivery {
    Delivery {
        rule: rule_id(rule),
        ..delivery(n, &format!("lane {n}"))
    }
}

#[tokio::test]
async fn a_noisy_rule_delays_another_as_if_there_were_two_of_it() {
    on_each(async |base| {
        let db = &base.db;
        // A thousand fill what is looked at; twice as many hide the other rule behind it.
        for n_noisy in [40, 2_500] {
            let mut batch: Vec<_> = (1..=n_noisy).map(|n| of_rule(1, n)).collect();
            batch.extend((1..=5).map(|n| of_rule(2, 10_000 + n)));
            deliveries::insert(db, &batch).await.unwrap();
            let leased = deliveries::lease(db, Some(AMO), "me", NOW, at(1), 10, &[])
                .await
                .unwrap();
            let count = |rule| leased.iter().filter(|one| one.rule == rule_id(rule)).count();
            assert_eq!((count(1), count(2)), (5, 5), "{n_noisy}");
            let first = leased.iter().find(|one| one.rule == rule_id(1)).unwrap();
            assert_eq!(
                first.id,
                delivery_id(1),
                "within a rule what was due longest comes first"
            );
            base.tamper("DELETE FROM delivery").await;
        }
    })
    .await;
}
