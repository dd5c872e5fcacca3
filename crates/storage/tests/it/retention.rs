use crate::runs::run;
use crate::support::*;
use domain::delivery::DeliveryState;
use domain::run::RunOutcome;
use storage::events::{self, EventState, Inbound};
use storage::retention::{self, Wish};
use storage::{PageOf, deliveries, runs};

const ALL: PageOf = PageOf {
    limit: 10_000,
    before: None,
};

async fn n_events(base: &Base) -> usize {
    let filter = events::EventFilter::default();
    events::list(&base.db, OURS, &filter, ALL).await.unwrap().len()
}

#[tokio::test]
async fn a_wish_is_remembered_and_can_be_taken_back() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(retention::find(db, OURS).await.unwrap(), Wish::default());
        let wish = Wish {
            bodies_days: Some(3),
            history_days: None,
        };
        retention::put(db, OURS, wish, NOW).await.unwrap();
        assert_eq!(retention::find(db, OURS).await.unwrap(), wish);
        assert_eq!(retention::find(db, THEIRS).await.unwrap(), Wish::default());
        retention::put(db, OURS, Wish::default(), at(1)).await.unwrap();
        assert_eq!(retention::find(db, OURS).await.unwrap(), Wish::default());
    })
    .await;
}

#[tokio::test]
async fn old_bodies_go_and_young_and_foreign_ones_stay() {
    on_each(async |base| {
        let body = |n: u128, workspace, received_at| Inbound {
            workspace,
            id: uuid(n),
            connection: AMO,
            received_at,
            content_type: "text/plain".to_owned(),
            body: "тело".to_owned(),
        };
        let mut bodies: Vec<Inbound> = (1..=300).map(|n| body(n, OURS, at(n as i64))).collect();
        bodies.push(body(1_000, THEIRS, at(0)));
        events::insert_inbound(&base.db, &bodies).await.unwrap();
        let mut gone = Vec::new();
        loop {
            let n = retention::prune_bodies(&base.db, OURS, at(290)).await.unwrap();
            gone.push(n);
            if n == 0 {
                break;
            }
        }
        assert_eq!(gone, [256, 33, 0]);
        assert_missing(events::inbound(&base.db, OURS, uuid(289)).await);
        assert!(events::inbound(&base.db, OURS, uuid(290)).await.is_ok());
        assert!(events::inbound(&base.db, THEIRS, uuid(1_000)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn old_history_goes_whole_and_what_waits_stays() {
    on_each(async |base| {
        let db = &base.db;
        // Received one millisecond after the other; the odd ones among the first ten still wait in some way.
        let news: Vec<_> = (1..=600)
            .map(|n| {
                let mut new = event(n);
                new.event.received_at = at(n as i64);
                new
            })
            .collect();
        events::insert(db, &news).await.unwrap();
        for n in 1..=600_u128 {
            if n != 1 {
                events::finish(db, OURS, event_id(n), EventState::Dispatched, 1, None, NOW)
                    .await
                    .unwrap();
            }
        }
        let made: Vec<_> = (1..=600)
            .map(|n| {
                let mut one = run(n, 1, RunOutcome::Matched, NOW);
                one.event = event_id(n);
                one
            })
            .collect();
        runs::insert(db, &made).await.unwrap();
        let planned: Vec<_> = (2..=600)
            .map(|n| {
                let mut one = delivery(n, &n.to_string());
                one.event = event_id(n);
                one.state = match n {
                    3 => DeliveryState::Pending,
                    5 => DeliveryState::Uncertain,
                    7 => DeliveryState::Dead,
                    _ => DeliveryState::Delivered,
                };
                one
            })
            .collect();
        deliveries::insert(db, &planned).await.unwrap();

        let (mut after, mut n_gone, mut n_steps) = (None, 0, 0);
        loop {
            let tx = db.begin().await.unwrap();
            let walked = retention::prune_history(&tx, OURS, at(550), after).await.unwrap();
            tx.commit().await.unwrap();
            n_gone += walked.n_events;
            n_steps += 1;
            after = walked.next;
            if after.is_none() {
                break;
            }
        }
        // 549 are old; 1 was not looked at yet, 3 and 5 wait for the CRM.
        assert_eq!((n_gone, n_steps), (546, 3));
        assert_eq!(n_events(base).await, 600 - 546);
        for n in [1, 3, 5, 550, 600] {
            assert!(events::find(db, OURS, event_id(n)).await.is_ok(), "{n}");
            assert_eq!(
                runs::of_event(db, OURS, event_id(n)).await.unwrap().len(),
                1,
                "{n}"
            );
        }
        for n in [2, 7, 549] {
            assert_missing(events::find(db, OURS, event_id(n)).await);
            assert!(runs::of_event(db, OURS, event_id(n)).await.unwrap().is_empty());
            assert_missing(deliveries::find(db, OURS, delivery_id(n)).await);
        }
        assert!(deliveries::find(db, OURS, delivery_id(3)).await.is_ok());

        let tx = db.begin().await.unwrap();
        let again = retention::prune_history(&tx, THEIRS, at(10_000), None)
            .await
            .unwrap();
        assert_eq!((again.n_events, again.next), (0, None));
    })
    .await;
}
