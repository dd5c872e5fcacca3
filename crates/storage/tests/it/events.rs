use crate::support::*;
use domain::evaluate::{Explanation, Verdict};
use domain::event::{EventKind, Origin};
use domain::id::{RuleVersionId, RunId};
use domain::record::{RecordKey, RecordKind};
use domain::run::RunOutcome;
use storage::events::{self, EventFilter, EventState, Inbound, StoredEvent};
use storage::{Db, Order, PageOf, runs};

async fn list(db: &Db, wanted: EventFilter) -> Vec<u128> {
    let found = events::list(db, OURS, &wanted, PageOf::default()).await.unwrap();
    found.into_iter().map(|it| it.event.id.0.as_u128()).collect()
}

#[tokio::test]
async fn an_event_comes_back_as_it_was_stored() {
    on_each(async |base| {
        let db = &base.db;
        let mut new = event(1);
        new.event.origin = Origin::Replay;
        new.event.chain = 3;
        new.inbound = Some(uuid(70));
        new.replay_of = Some(event_id(71));
        new.only_rule = Some(rule_id(72));
        new.as_then = true;
        assert_eq!(events::insert(db, &[new.clone()]).await.unwrap(), [event_id(1)]);
        let expected = StoredEvent {
            event: new.event,
            state: EventState::New,
            outcome: None,
            inbound: Some(uuid(70)),
            replay_of: Some(event_id(71)),
            only_rule: Some(rule_id(72)),
            as_then: true,
            n_matched: 0,
            n_crashes: 0,
            dispatched_at: None,
        };
        assert_eq!(events::find(db, OURS, event_id(1)).await.unwrap(), expected);
        assert_missing(events::find(db, THEIRS, event_id(1)).await);
        assert_missing(events::find(db, OURS, event_id(2)).await);
    })
    .await;
}

#[tokio::test]
async fn only_facts_that_are_new_are_stored() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(events::insert::<events::NewEvent>(db, &[]).await.unwrap(), []);
        assert_eq!(events::insert(db, &[event(1), event(2)]).await.unwrap().len(), 2);

        let (mut known, mut of_another, mut of_theirs) = (event(3), event(4), event(5));
        for repeated in [&mut known, &mut of_another, &mut of_theirs] {
            repeated.key = "1".to_owned();
        }
        of_another.event.connection = LPT;
        of_theirs.event.workspace = THEIRS;
        let (mut twice, fresh) = (event(7), event(6));
        twice.key = "6".to_owned();
        let mut stored = events::insert(db, &[known, of_another, of_theirs, fresh, twice])
            .await
            .unwrap();
        stored.sort();
        assert_eq!(stored, [4, 5, 6].map(event_id));
        assert_missing(events::find(db, OURS, event_id(3)).await);
        assert_missing(events::find(db, OURS, event_id(7)).await);
    })
    .await;
}

#[tokio::test]
async fn a_batch_of_any_size_is_stored() {
    on_each(async |base| {
        let mut batch: Vec<_> = (1..=1_201).map(event).collect();
        assert_eq!(events::insert(&base.db, &batch).await.unwrap().len(), 1_201);
        batch.extend((2_000..2_010).map(event));
        let mut stored = events::insert(&base.db, &batch).await.unwrap();
        stored.sort();
        assert_eq!(stored, (2_000..2_010).map(event_id).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_facts_from_many_sides_are_stored_once() {
    on_each(async |base| {
        let pools = [base.db.clone(), base.another().await];
        let tasks: Vec<_> = (0..8_u128)
            .map(|n| {
                let db = pools[usize::try_from(n % 2).unwrap()].clone();
                let mut batch: Vec<_> = (0..60_u128)
                    .map(|key| {
                        let mut new = event(1_000 * (n + 1) + key);
                        new.key = key.to_string();
                        new
                    })
                    .collect();
                // Each names them in another order, as retries of a webhook may.
                batch.rotate_left(usize::try_from(n * 7).unwrap());
                tokio::spawn(async move {
                    let tx = db.begin().await.unwrap();
                    let stored = events::insert(&tx, &batch).await.unwrap();
                    tx.commit().await.unwrap();
                    stored.len()
                })
            })
            .collect();
        let mut n_stored = 0;
        for task in tasks {
            n_stored += task.await.unwrap();
        }
        assert_eq!(n_stored, 60);
        let page = PageOf {
            limit: 1_000,
            before: None,
        };
        let all = events::list(&base.db, OURS, &EventFilter::default(), page)
            .await
            .unwrap();
        assert_eq!(all.len(), 60);
    })
    .await;
}

/// A transaction that holds a key and comes for another is not in the way of one that brings both.
#[tokio::test]
async fn facts_that_arrive_in_another_order_do_not_wait_in_a_circle() {
    on_each(async |base| {
        if base.kind() == test_db::Kind::Sqlite {
            // There is one writer at a time.
            return;
        }
        let keyed = |n: u128, key: &str| {
            let mut new = event(n);
            new.key = key.to_owned();
            new
        };
        let first = base.db.begin().await.unwrap();
        events::insert(&first, &[keyed(1, "a")]).await.unwrap();
        let other = base.another().await;
        let both = [keyed(2, "b"), keyed(3, "a")];
        let second = tokio::spawn(async move { events::insert(&other, &both).await });
        base.until_somebody_waits_for_a_row().await;
        assert_eq!(
            events::insert(&first, &[keyed(4, "b")]).await.unwrap(),
            [event_id(4)]
        );
        first.commit().await.unwrap();
        assert_eq!(second.await.unwrap().unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_unfinished_transaction_leaves_nothing() {
    on_each(async |base| {
        let db = &base.db;
        let tx = db.begin().await.unwrap();
        events::insert(&tx, &[event(1)]).await.unwrap();
        events::find(&tx, OURS, event_id(1)).await.unwrap();
        drop(tx);
        assert_missing(events::find(db, OURS, event_id(1)).await);
        assert_eq!(events::insert(db, &[event(1)]).await.unwrap(), [event_id(1)]);
    })
    .await;
}

#[tokio::test]
async fn a_body_is_kept_as_it_came() {
    on_each(async |base| {
        let db = &base.db;
        let body = Inbound {
            workspace: OURS,
            id: uuid(1),
            connection: AMO,
            received_at: NOW,
            content_type: "application/x-www-form-urlencoded".to_owned(),
            body: "leads[update][0][id]=1&имя=Ёж 🦔 'x'".to_owned(),
        };
        let another = Inbound {
            id: uuid(2),
            body: String::new(),
            ..body.clone()
        };
        events::insert_inbound::<Inbound>(db, &[]).await.unwrap();
        events::insert_inbound(db, &[body.clone(), another.clone()])
            .await
            .unwrap();
        assert_eq!(events::inbound(db, OURS, uuid(1)).await.unwrap(), body);
        assert_eq!(events::inbound(db, OURS, uuid(2)).await.unwrap(), another);
        assert_missing(events::inbound(db, THEIRS, uuid(1)).await);
    })
    .await;
}

#[tokio::test]
async fn each_filter_picks_its_events() {
    on_each(async |base| {
        let db = &base.db;
        let mut of_another = event_of(2, deal(2));
        of_another.event.connection = LPT;
        let mut created = event_of(3, deal(3));
        created.event.fact.kind = EventKind::DealCreated;
        let contact = event_of(4, RecordKey::new(RecordKind::Contact, 1));
        let mut later = event_of(5, deal(5));
        later.event.received_at = at(1_000);
        let mut theirs = event(6);
        theirs.event.workspace = THEIRS;
        events::insert(db, &[event(1), of_another, created, contact, later, theirs])
            .await
            .unwrap();
        events::finish(db, OURS, event_id(3), EventState::Dispatched, 1, None, NOW)
            .await
            .unwrap();
        let run = |n: u128, event: u128, rule: u128, outcome: RunOutcome| runs::Run {
            workspace: OURS,
            id: RunId(uuid(n)),
            event: event_id(event),
            rule: rule_id(rule),
            version: RuleVersionId(uuid(1)),
            outcome,
            explanation: Explanation {
                verdict: Verdict::True,
                compared: None,
                children: Vec::new(),
            },
            notes: Vec::new(),
            n_commands: 0,
            at: NOW,
        };
        let matched = run(1, 3, 7, RunOutcome::Matched);
        let not_matched = run(2, 4, 7, RunOutcome::NotMatched);
        let of_other_rule = run(3, 5, 8, RunOutcome::Matched);
        runs::insert(db, &[matched, not_matched, of_other_rule])
            .await
            .unwrap();

        let any = EventFilter::default;
        assert_eq!(list(db, any()).await, [5, 4, 3, 2, 1]);
        let cases: [(EventFilter, &[u128]); 12] = [
            (
                EventFilter {
                    connection: Some(LPT),
                    ..any()
                },
                &[2],
            ),
            (
                EventFilter {
                    kind: Some(EventKind::DealCreated),
                    ..any()
                },
                &[3],
            ),
            (
                EventFilter {
                    state: Some(EventState::Dispatched),
                    ..any()
                },
                &[3],
            ),
            (
                EventFilter {
                    state: Some(EventState::New),
                    ..any()
                },
                &[5, 4, 2, 1],
            ),
            (
                EventFilter {
                    record: Some(deal(1)),
                    ..any()
                },
                &[1],
            ),
            (
                EventFilter {
                    record_id: Some("1".to_owned()),
                    ..any()
                },
                &[4, 1],
            ),
            (
                EventFilter {
                    rule: Some(rule_id(7)),
                    ..any()
                },
                &[3],
            ),
            (
                EventFilter {
                    matched: Some(true),
                    ..any()
                },
                &[3],
            ),
            (
                EventFilter {
                    matched: Some(false),
                    ..any()
                },
                &[5, 4, 2, 1],
            ),
            (
                EventFilter {
                    from: Some(at(1_000)),
                    ..any()
                },
                &[5],
            ),
            (
                EventFilter {
                    to: Some(at(1_000)),
                    ..any()
                },
                &[4, 3, 2, 1],
            ),
            (
                EventFilter {
                    connection: Some(AMO),
                    to: Some(at(1)),
                    record_id: Some("1".to_owned()),
                    ..any()
                },
                &[4, 1],
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(list(db, filter.clone()).await, expected, "{filter:?}");
        }
        let page = PageOf {
            limit: 2,
            before: Some(uuid(4)),
        };
        let page = events::list(db, OURS, &any(), page).await.unwrap();
        let page: Vec<_> = page.into_iter().map(|it| it.event.id).collect();
        assert_eq!(page, [3, 2].map(event_id));
        let oldest = EventFilter {
            order: Order::Oldest,
            ..any()
        };
        let after = PageOf {
            limit: 2,
            before: Some(uuid(2)),
        };
        let page = events::list(db, OURS, &oldest, after).await.unwrap();
        let page: Vec<_> = page.into_iter().map(|it| it.event.id).collect();
        assert_eq!(page, [3, 4].map(event_id));
    })
    .await;
}
