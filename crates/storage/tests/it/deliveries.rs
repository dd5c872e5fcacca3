use crate::support::*;
use domain::delivery::DeliveryState;
use domain::id::{ConnectionId, DeliveryId};
use storage::Db;
use storage::deliveries::{self, Delivery};

/// Leases of `connection` everything that `owner` can have at a moment.
pub(crate) async fn lease(
    db: &Db,
    connection: Option<ConnectionId>,
    owner: &str,
    now: i64,
) -> Vec<DeliveryId> {
    let leased = deliveries::lease(db, connection, owner, at(now), at(now + 1_000), 100, &[])
        .await
        .unwrap();
    leased.into_iter().map(|it| it.id).collect()
}

pub(crate) async fn find(db: &Db, n: u128) -> Delivery {
    deliveries::find(db, OURS, delivery_id(n)).await.unwrap()
}

/// Takes a leased delivery to a state.
pub(crate) async fn end(db: &Db, n: u128, owner: &str, state: DeliveryState) {
    let mut ended = find(db, n).await;
    ended.state = state;
    ended.finished_at = state.is_final().then_some(at(10));
    release(db, &ended, owner).await.unwrap();
}

#[tokio::test]
async fn a_delivery_comes_back_as_it_was_stored() {
    on_each(async |base| {
        let db = &base.db;
        deliveries::insert::<Delivery>(db, &[]).await.unwrap();
        let mut full = delivery(1, "lane");
        full.progress = serde_json::json!({"todo": [1, "Ё"]});
        full.record = Some(deal(5));
        full.replay_of = Some(delivery_id(9));
        full.chain = 4;
        full.n_attempts = 2;
        full.state = DeliveryState::Uncertain;
        let hub = Delivery {
            connection: None,
            ..delivery(2, "hub")
        };
        deliveries::insert(db, &[full.clone(), hub.clone()])
            .await
            .unwrap();
        assert_eq!(find(db, 1).await, full);
        assert_eq!(find(db, 2).await, hub);
        assert_missing(deliveries::find(db, THEIRS, delivery_id(1)).await);
        assert_conflict(deliveries::insert(db, &[hub]).await);

        let many: Vec<_> = (100..=1_000).map(|n| delivery(n, "long")).collect();
        deliveries::insert(db, &many).await.unwrap();
        assert_eq!(find(db, 1_000).await, many[900]);
    })
    .await;
}

#[tokio::test]
async fn only_the_first_of_each_lane_is_leased() {
    on_each(async |base| {
        let db = &base.db;
        let mut late = delivery(4, "late");
        late.due_at = at(50);
        let mut of_another = delivery(6, "other");
        of_another.connection = Some(LPT);
        let mut theirs = delivery(7, "a");
        theirs.workspace = THEIRS;
        let batch = [
            delivery(2, "a"),
            delivery(1, "a"),
            delivery(3, "b"),
            late,
            delivery(5, "late"),
            of_another,
            theirs,
        ];
        deliveries::insert(db, &batch).await.unwrap();

        assert_eq!(lease(db, Some(AMO), "me", -1).await, []);
        // The lane of the same name in another workspace is another lane.
        assert_eq!(lease(db, Some(AMO), "me", 5).await, [1, 3, 7].map(delivery_id));
        let leased = find(db, 1).await;
        assert_eq!(leased.state, DeliveryState::Leased);
        assert_eq!(leased.n_attempts, 1);
        assert_eq!(leased.first_at, Some(at(5)));
        assert_eq!(lease(db, Some(AMO), "me", 6).await, []);

        // The one behind a postponed one waits for it, though it is due itself.
        end(db, 3, "me", DeliveryState::Delivered).await;
        assert_eq!(lease(db, Some(AMO), "me", 49).await, []);
        assert_eq!(lease(db, Some(AMO), "me", 50).await, [delivery_id(4)]);
        assert_eq!(lease(db, Some(LPT), "me", 0).await, [delivery_id(6)]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_goes_on_when_its_first_is_at_its_end() {
    on_each(async |base| {
        let db = &base.db;
        let batch: Vec<_> = (1..=6).map(|n| delivery(n, "lane")).collect();
        deliveries::insert(db, &batch).await.unwrap();
        let ends = [
            DeliveryState::Delivered,
            DeliveryState::Skipped,
            DeliveryState::Dead,
            DeliveryState::Cancelled,
        ];
        for (n, state) in (1..).zip(ends) {
            assert_eq!(lease(db, Some(AMO), "me", 0).await, [delivery_id(n)]);
            end(db, n, "me", state).await;
        }
        // Not at its end: whether the write was applied is not known yet.
        assert_eq!(lease(db, Some(AMO), "me", 0).await, [delivery_id(5)]);
        end(db, 5, "me", DeliveryState::Uncertain).await;
        assert_eq!(lease(db, Some(AMO), "me", 7).await, [delivery_id(5)]);
        let again = find(db, 5).await;
        assert_eq!((again.n_attempts, again.first_at), (2, Some(NOW)));
    })
    .await;
}

#[tokio::test]
async fn the_hubs_own_operations_are_leased_apart() {
    on_each(async |base| {
        let db = &base.db;
        let hub = |n, lane: &str| Delivery {
            connection: None,
            ..delivery(n, lane)
        };
        deliveries::insert(db, &[hub(1, "a"), hub(2, "a"), hub(3, "b"), delivery(4, "c")])
            .await
            .unwrap();
        let mut due = deliveries::due_connections(db, NOW).await.unwrap();
        due.sort();
        assert_eq!(due, [None, Some(AMO)]);
        assert_eq!(lease(db, None, "me", 0).await, [1, 3].map(delivery_id));
        assert_eq!(deliveries::recover(db, None, at(1)).await.unwrap(), 2);
        assert_eq!(lease(db, Some(AMO), "me", 0).await, [delivery_id(4)]);
    })
    .await;
}

#[tokio::test]
async fn those_due_longest_are_leased_first() {
    on_each(async |base| {
        let db = &base.db;
        let batch: Vec<_> = (1..=5)
            .map(|n| Delivery {
                due_at: at(-i64::try_from(n).unwrap()),
                ..delivery(n, &n.to_string())
            })
            .collect();
        deliveries::insert(db, &batch).await.unwrap();
        let leased = deliveries::lease(db, Some(AMO), "me", NOW, at(9), 2, &[])
            .await
            .unwrap();
        let ids: Vec<_> = leased.iter().map(|it| it.id).collect();
        assert_eq!(ids, [4, 5].map(delivery_id));
        assert_eq!(leased[0].progress, serde_json::json!({}));
        assert_eq!(leased[0].state, DeliveryState::Leased);
    })
    .await;
}

#[tokio::test]
async fn one_that_does_not_parse_dies_and_holds_up_nobody() {
    on_each(async |base| {
        let db = &base.db;
        deliveries::insert(db, &[delivery(1, "a"), delivery(2, "a"), delivery(3, "b")])
            .await
            .unwrap();
        base.tamper("UPDATE delivery SET command = '{\"do\":\"of tomorrow\"}', chain = 1 WHERE lane = 'a'")
            .await;
        base.tamper("UPDATE delivery SET lane = 'a' WHERE lane = 'b'")
            .await;

        assert_eq!(lease(db, Some(AMO), "me", 0).await, []);
        assert_eq!(lease(db, Some(AMO), "me", 0).await, []);
        assert_eq!(lease(db, Some(AMO), "me", 0).await, [delivery_id(3)]);
        let counts = deliveries::counts(db, OURS, &[event_id(1)]).await.unwrap();
        assert!(
            counts.contains(&(event_id(1), DeliveryState::Dead, 2)),
            "{counts:?}"
        );
        assert_corrupt(deliveries::find(db, OURS, delivery_id(1)).await);
    })
    .await;
}

#[tokio::test]
async fn what_a_dead_owner_left_is_taken_over() {
    on_each(async |base| {
        let db = &base.db;
        let mut of_another = delivery(5, "e");
        of_another.connection = Some(LPT);
        let batch = [delivery(1, "a"), delivery(2, "b"), delivery(3, "c"), of_another];
        deliveries::insert(db, &batch).await.unwrap();
        let leased = deliveries::lease(db, Some(AMO), "dead", NOW, at(1), 2, &[])
            .await
            .unwrap();
        assert_eq!(leased.len(), 2);
        lease(db, Some(LPT), "dead", 0).await;
        let mut sent = leased[0].clone();
        sent.progress = serde_json::json!({
            "contact": null, "n_done": 0, "sent": {"at": 1, "write": {"text": "x"}}, "todo": []
        });
        save_progress(db, &sent, "dead").await.unwrap();
        let mut not_sent = leased[1].clone();
        not_sent.progress = serde_json::json!({"todo": [{"text": "\"sent\":{"}], "sent": null});
        save_progress(db, &not_sent, "dead").await.unwrap();

        assert_eq!(deliveries::recover(db, Some(AMO), at(3)).await.unwrap(), 2);
        let (first, second) = (find(db, 1).await, find(db, 2).await);
        assert_eq!((first.state, first.due_at), (DeliveryState::Uncertain, at(3)));
        assert_eq!(first.progress, sent.progress);
        assert_eq!((second.state, second.due_at), (DeliveryState::Pending, at(3)));
        assert_eq!(find(db, 3).await.state, DeliveryState::Pending);
        assert_eq!(
            find(db, 5).await.state,
            DeliveryState::Leased,
            "of another connection"
        );
        assert_eq!(deliveries::recover(db, Some(AMO), at(3)).await.unwrap(), 0);

        // Whatever the dead owner still does comes too late.
        assert_stale(save_progress(db, &sent, "dead").await);
        assert_stale(release(db, &sent, "dead").await);
        assert_eq!(lease(db, Some(AMO), "me", 3).await, [1, 2, 3].map(delivery_id));
        assert_stale(save_progress(db, &sent, "dead").await);
        assert_stale(release(db, &sent, "dead").await);
        save_progress(db, &sent, "me").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn progress_and_the_end_are_kept() {
    on_each(async |base| {
        let db = &base.db;
        deliveries::insert(db, &[delivery(1, "a")]).await.unwrap();
        assert_stale(save_progress(db, &delivery(1, "a"), "me").await);
        assert_stale(release(db, &delivery(1, "a"), "me").await);
        lease(db, Some(AMO), "me", 0).await;
        let mut mine = find(db, 1).await;
        mine.progress = serde_json::json!({"n_done": 1});
        mine.record = Some(deal(77));
        save_progress(db, &mine, "me").await.unwrap();
        assert_eq!(find(db, 1).await, mine);

        mine.state = DeliveryState::Pending;
        mine.error_code = Some("timed_out".to_owned());
        mine.error = Some("amoCRM не ответила".to_owned());
        mine.due_at = at(500);
        mine.progress = serde_json::json!({"n_done": 2});
        release(db, &mine, "me").await.unwrap();
        assert_eq!(find(db, 1).await, mine);
        assert_stale(release(db, &mine, "me").await);

        assert_eq!(lease(db, Some(AMO), "me", 499).await, []);
        assert_eq!(lease(db, Some(AMO), "me", 500).await, [delivery_id(1)]);
        end(db, 1, "me", DeliveryState::Delivered).await;
        assert_eq!(find(db, 1).await.finished_at, Some(at(10)));
        assert_eq!(lease(db, Some(AMO), "me", 9_999).await, []);
    })
    .await;
}

#[tokio::test]
async fn waiting_and_dead_deliveries_can_be_taken_back() {
    on_each(async |base| {
        let db = &base.db;
        let in_state = |n, state| Delivery {
            state,
            ..delivery(n, &n.to_string())
        };
        let batch: Vec<_> = (1..)
            .zip(DeliveryState::ALL)
            .map(|(n, state)| in_state(n, state))
            .collect();
        deliveries::insert(db, &batch).await.unwrap();
        assert_stale(deliveries::cancel(db, THEIRS, delivery_id(1), NOW).await);
        for (n, state) in (1..).zip(DeliveryState::ALL) {
            let cancelled = deliveries::cancel(db, OURS, delivery_id(n), at(8)).await;
            if matches!(state, DeliveryState::Pending | DeliveryState::Dead) {
                cancelled.unwrap();
                let found = find(db, n).await;
                assert_eq!(
                    (found.state, found.finished_at),
                    (DeliveryState::Cancelled, Some(at(8)))
                );
            } else {
                assert_stale(cancelled);
                assert_eq!(find(db, n).await.state, state);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn authorising_again_wakes_what_waits() {
    on_each(async |base| {
        let db = &base.db;
        let later = |n, state, connection| Delivery {
            state,
            connection: Some(connection),
            due_at: at(900),
            ..delivery(n, &n.to_string())
        };
        let batch = [
            later(1, DeliveryState::Pending, AMO),
            later(2, DeliveryState::Uncertain, AMO),
            later(3, DeliveryState::Leased, AMO),
            later(4, DeliveryState::Dead, AMO),
            later(5, DeliveryState::Pending, LPT),
            delivery(6, "due"),
        ];
        deliveries::insert(db, &batch).await.unwrap();
        assert_eq!(deliveries::wake(db, AMO, at(1)).await.unwrap(), 2);
        for (n, due_at) in [
            (1, at(1)),
            (2, at(1)),
            (3, at(900)),
            (4, at(900)),
            (5, at(900)),
            (6, NOW),
        ] {
            assert_eq!(find(db, n).await.due_at, due_at, "{n}");
        }
    })
    .await;
}
