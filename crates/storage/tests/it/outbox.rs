//! What waits in the outbox and what was tried: due connections, lists, counts, attempts.

use crate::deliveries::{end, find, lease};
use crate::support::*;
use domain::delivery::{DeliveryState, Outcome};
use domain::id::{AttemptId, ConnectionId};
use storage::PageOf;
use storage::deliveries::{self, Attempt, Delivery, DeliveryFilter};

#[tokio::test]
async fn connections_with_something_due_are_known() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(deliveries::due_connections(db, NOW).await.unwrap(), []);
        let of = |n: u128, connection: u128, state, due: i64| Delivery {
            connection: Some(ConnectionId(uuid(connection))),
            state,
            due_at: at(due),
            ..delivery(n, &n.to_string())
        };
        let batch = [
            of(1, 1, DeliveryState::Pending, 0),
            of(2, 1, DeliveryState::Pending, 0),
            of(3, 2, DeliveryState::Leased, 0),
            of(4, 3, DeliveryState::Uncertain, 0),
            of(5, 4, DeliveryState::Delivered, 0),
            of(6, 5, DeliveryState::Dead, 0),
            of(7, 6, DeliveryState::Pending, 50),
        ];
        deliveries::insert(db, &batch).await.unwrap();
        let due = async |now| {
            let mut due = deliveries::due_connections(db, at(now)).await.unwrap();
            due.sort();
            due.into_iter()
                .map(|id| id.map(|id| id.0.as_u128()))
                .collect::<Vec<_>>()
        };
        assert_eq!(due(-1).await, []);
        assert_eq!(due(0).await, [Some(1), Some(2), Some(3)]);
        assert_eq!(due(50).await, [Some(1), Some(2), Some(3), Some(6)]);
        deliveries::insert(
            db,
            &[Delivery {
                connection: None,
                ..delivery(8, "hub")
            }],
        )
        .await
        .unwrap();
        assert_eq!(due(0).await, [None, Some(1), Some(2), Some(3)]);
    })
    .await;
}

#[tokio::test]
async fn the_next_moment_is_that_of_the_first_of_a_lane() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), None);
        let due = |n, lane: &str, connection, ms| Delivery {
            connection,
            due_at: at(ms),
            ..delivery(n, lane)
        };
        deliveries::insert(db, &[due(1, "a", Some(AMO), 300), due(2, "a", Some(AMO), 0)])
            .await
            .unwrap();
        assert_eq!(
            deliveries::next_due(db, &[], &[]).await.unwrap(),
            Some(at(300)),
            "the second is behind the first"
        );
        deliveries::insert(db, &[due(3, "b", Some(LPT), 200)])
            .await
            .unwrap();
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), Some(at(200)));
        deliveries::insert(db, &[due(4, "c", None, 100)]).await.unwrap();
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), Some(at(100)));

        lease(db, None, "me", 100).await;
        lease(db, Some(LPT), "me", 200).await;
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), Some(at(300)));
        lease(db, Some(AMO), "me", 300).await;
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), None);
        end(db, 1, "me", DeliveryState::Dead).await;
        assert_eq!(deliveries::next_due(db, &[], &[]).await.unwrap(), Some(NOW));
    })
    .await;
}

#[tokio::test]
async fn each_filter_picks_its_deliveries() {
    on_each(async |base| {
        let db = &base.db;
        let batch = [
            delivery(1, "a"),
            Delivery {
                connection: Some(LPT),
                ..delivery(2, "b")
            },
            Delivery {
                state: DeliveryState::Dead,
                ..delivery(3, "c")
            },
            Delivery {
                rule: rule_id(9),
                event: event_id(2),
                ..delivery(4, "d")
            },
            Delivery {
                record: Some(deal(55)),
                state: DeliveryState::Skipped,
                ..delivery(5, "e")
            },
            Delivery {
                workspace: THEIRS,
                ..delivery(6, "f")
            },
        ];
        deliveries::insert(db, &batch).await.unwrap();
        deliveries::lease(db, Some(AMO), "me", NOW, at(1), 1, &[])
            .await
            .unwrap();
        let mut refused = find(db, 1).await;
        refused.error_code = Some("rejected".to_owned());
        refused.state = DeliveryState::Dead;
        release(db, &refused, "me").await.unwrap();

        let any = DeliveryFilter::default;
        use DeliveryState::{Dead, Pending, Skipped};
        let cases: [(DeliveryFilter, &[u128]); 8] = [
            (any(), &[5, 4, 3, 2, 1]),
            (
                DeliveryFilter {
                    connection: Some(LPT),
                    ..any()
                },
                &[2],
            ),
            (
                DeliveryFilter {
                    states: vec![Dead],
                    ..any()
                },
                &[3, 1],
            ),
            (
                DeliveryFilter {
                    states: vec![Skipped, Pending],
                    ..any()
                },
                &[5, 4, 2],
            ),
            (
                DeliveryFilter {
                    rule: Some(rule_id(9)),
                    ..any()
                },
                &[4],
            ),
            (
                DeliveryFilter {
                    error_code: Some("rejected".to_owned()),
                    ..any()
                },
                &[1],
            ),
            (
                DeliveryFilter {
                    record_id: Some("55".to_owned()),
                    ..any()
                },
                &[5],
            ),
            (
                DeliveryFilter {
                    connection: Some(AMO),
                    states: vec![Dead],
                    error_code: Some("x".to_owned()),
                    ..any()
                },
                &[],
            ),
        ];
        let numbers = |found: Vec<Delivery>| found.iter().map(|it| it.id.0.as_u128()).collect::<Vec<_>>();
        for (filter, expected) in cases {
            let found = deliveries::list(db, OURS, &filter, PageOf::default())
                .await
                .unwrap();
            assert_eq!(numbers(found), expected, "{filter:?}");
        }
        let page = PageOf {
            limit: 2,
            before: Some(uuid(5)),
        };
        assert_eq!(
            numbers(deliveries::list(db, OURS, &any(), page).await.unwrap()),
            [4, 3]
        );

        let of_event = deliveries::of_event(db, OURS, event_id(1)).await.unwrap();
        assert_eq!(numbers(of_event), [1, 2, 3, 5]);
        let mut counts = deliveries::counts(db, OURS, &[event_id(1), event_id(2), event_id(3)])
            .await
            .unwrap();
        counts.sort_by_key(|(event, state, _)| (*event, state.as_str()));
        let expected = [(1, Dead, 2), (1, Pending, 1), (1, Skipped, 1), (2, Pending, 1)];
        assert_eq!(
            counts,
            expected.map(|(event, state, n)| (event_id(event), state, n))
        );
        assert_eq!(deliveries::counts(db, OURS, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn attempts_are_kept_in_order() {
    on_each(async |base| {
        let db = &base.db;
        let attempt = |n: u128, of: u128| Attempt {
            workspace: OURS,
            id: AttemptId(uuid(n)),
            delivery: delivery_id(of),
            number: u32::try_from(n).unwrap(),
            outcome: if n == 1 { Outcome::Unknown } else { Outcome::Done },
            error_code: (n == 1).then(|| "timed_out".to_owned()),
            error: (n == 1).then(|| "Нет ответа".to_owned()),
            exchanges: serde_json::json!([{"status": 200, "body": "Ё"}]),
            started_at: at(1),
            finished_at: at(2),
        };
        let batch = [(3, 1), (1, 1), (2, 2), (4, 3)].map(|(n, of)| attempt(n, of));
        deliveries::insert_attempts(db, &batch).await.unwrap();
        let found = deliveries::attempts(db, OURS, &[1, 2].map(delivery_id))
            .await
            .unwrap();
        assert_eq!(found, [attempt(1, 1), attempt(2, 2), attempt(3, 1)]);
        assert_eq!(deliveries::attempts(db, OURS, &[]).await.unwrap(), []);
        assert_eq!(
            deliveries::attempts(db, THEIRS, &[delivery_id(1)]).await.unwrap(),
            []
        );
        base.tamper("UPDATE attempt SET exchanges = '[' WHERE number = 4")
            .await;
        assert_corrupt(deliveries::attempts(db, OURS, &[delivery_id(3)]).await);
    })
    .await;
}
