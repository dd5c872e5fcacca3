//! Counts for the panel: `counts` and `figures`.

use crate::support::*;
use domain::delivery::DeliveryState;
use domain::id::ConnectionId;
use storage::counts::{self, DeliveryCount, OutboxCount, StepCount, Took};
use storage::deliveries::Delivery;
use storage::events::{self, EventState};
use storage::figures::{self, Figures};
use storage::{Db, deliveries};

/// A delivery in a state, with its end at a moment when it is at its end.
async fn put(base: &Base, n: u128, connection: Option<ConnectionId>, state: DeliveryState, end: i64) {
    let made = Delivery {
        connection,
        state,
        ..delivery(n, &n.to_string())
    };
    deliveries::insert(&base.db, &[made]).await.unwrap();
    if state.is_final() {
        let finished = at(end).0;
        base.tamper(&format!(
            "UPDATE delivery SET finished_at = {finished} WHERE lane = '{n}'"
        ))
        .await;
    }
}

async fn finish(db: &Db, n: u128, state: EventState, n_matched: usize) {
    events::finish(db, OURS, event_id(n), state, n_matched, None, NOW)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_outbox_is_counted_by_connection() {
    on_each(async |base| {
        assert_eq!(counts::outbox(&base.db, OURS).await.unwrap(), []);
        for (n, state) in (1..).zip(DeliveryState::ALL) {
            put(base, n, Some(AMO), state, 0).await;
        }
        put(base, 20, Some(AMO), DeliveryState::Dead, 0).await;
        put(base, 21, Some(LPT), DeliveryState::Dead, 0).await;
        put(base, 22, None, DeliveryState::Dead, 0).await;
        let expected =
            [(AMO, 3, 2), (LPT, 0, 1)].map(|(id, n_waiting, n_dead)| (id, OutboxCount { n_waiting, n_dead }));
        assert_eq!(counts::outbox(&base.db, OURS).await.unwrap(), expected);
        assert_eq!(counts::outbox(&base.db, THEIRS).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn deliveries_of_events_are_counted_by_where_they_stand() {
    on_each(async |base| {
        let db = &base.db;
        for (n, state) in (1..).zip(DeliveryState::ALL) {
            put(base, n, Some(AMO), state, 0).await;
        }
        let of_second = Delivery {
            event: event_id(2),
            ..delivery(30, "x")
        };
        deliveries::insert(db, &[of_second]).await.unwrap();
        let mut found = counts::of_events(db, OURS, &[1, 2, 3].map(event_id))
            .await
            .unwrap();
        found.sort_by_key(|(event, _)| *event);
        let first = DeliveryCount {
            waiting: 3,
            delivered: 1,
            skipped: 2,
            dead: 1,
        };
        let second = DeliveryCount {
            waiting: 1,
            ..DeliveryCount::default()
        };
        assert_eq!(found, [(event_id(1), first), (event_id(2), second)]);
        assert_eq!(counts::of_events(db, OURS, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_chart_counts_each_step() {
    on_each(async |base| {
        let db = &base.db;
        for (n, ms) in [(1, -1), (2, 0), (3, 99), (4, 100), (5, 299), (6, 300)] {
            let mut new = event(n);
            new.event.received_at = at(ms);
            events::insert(db, &[new]).await.unwrap();
        }
        put(base, 1, Some(AMO), DeliveryState::Delivered, 50).await;
        put(base, 2, Some(AMO), DeliveryState::Delivered, 250).await;
        put(base, 3, Some(AMO), DeliveryState::Dead, 250).await;
        put(base, 4, Some(AMO), DeliveryState::Skipped, 250).await;
        put(base, 5, Some(AMO), DeliveryState::Pending, 0).await;
        put(base, 6, Some(AMO), DeliveryState::Dead, 300).await;
        let expected =
            [(2, 1, 0, 0), (1, 0, 0, 0), (1, 1, 1, 1)].map(|(n_events, n_delivered, n_skipped, n_dead)| {
                StepCount {
                    n_events,
                    n_delivered,
                    n_skipped,
                    n_dead,
                }
            });
        assert_eq!(counts::steps(db, OURS, NOW, 100, 3).await.unwrap(), expected);
        let none = [StepCount::default(); 2];
        assert_eq!(counts::steps(db, THEIRS, NOW, 100, 2).await.unwrap(), none);
    })
    .await;
}

#[tokio::test]
async fn times_on_the_way_are_those_of_the_newest() {
    on_each(async |base| {
        let db = &base.db;
        events::insert(db, &[event(1)]).await.unwrap();
        for (n, end) in [(1, 10), (2, 700), (3, 300), (4, 500)] {
            put(base, n, Some(AMO), DeliveryState::Delivered, end).await;
        }
        put(base, 5, Some(AMO), DeliveryState::Dead, 900).await;
        let took = |ms| Took {
            finished_at: at(ms),
            ms,
        };
        assert_eq!(
            counts::latencies(db, OURS, at(300), 10).await.unwrap(),
            [500, 300, 700].map(took)
        );
        assert_eq!(
            counts::latencies(db, OURS, NOW, 2).await.unwrap(),
            [500, 300].map(took)
        );
        assert!(counts::latencies(db, THEIRS, NOW, 2).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_panel_shows_a_period_and_what_waits_now() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(figures::figures(db, OURS, NOW).await.unwrap(), Figures::default());
        for n in 1..=5 {
            let mut new = event(n);
            new.event.received_at = if n == 1 { at(-1) } else { NOW };
            events::insert(db, &[new]).await.unwrap();
        }
        finish(db, 1, EventState::Dispatched, 1).await;
        finish(db, 2, EventState::Dispatched, 2).await;
        finish(db, 3, EventState::Dispatched, 0).await;
        finish(db, 4, EventState::Echo, 0).await;
        for (n, state) in (1..).zip(DeliveryState::ALL) {
            put(base, n, Some(AMO), state, 40).await;
        }
        put(base, 20, Some(AMO), DeliveryState::Delivered, 70).await;
        put(base, 21, Some(AMO), DeliveryState::Delivered, 10).await;
        put(base, 22, Some(AMO), DeliveryState::Delivered, -1).await;
        let expected = Figures {
            n_events: 4,
            n_matched: 1,
            n_echoes: 1,
            n_delivered: 4,
            n_dead: 1,
            n_waiting: 2,
            n_uncertain: 1,
            median_ms: Some(40),
        };
        assert_eq!(figures::figures(db, OURS, NOW).await.unwrap(), expected);
        assert_eq!(
            figures::figures(db, THEIRS, NOW).await.unwrap(),
            Figures::default()
        );
    })
    .await;
}
