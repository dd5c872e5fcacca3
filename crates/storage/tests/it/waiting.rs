//! Events that wait to be looked at: which, in what order, and until when.

use crate::support::*;
use domain::id::EventId;
use domain::record::{RecordKey, RecordKind};
use storage::events::{self, EventState};
use storage::{Db, StorageError};

async fn waiting(db: &Db, now: i64) -> Vec<EventId> {
    let waiting = events::waiting(db, AMO, at(now), 100).await.unwrap();
    waiting.into_iter().map(|(id, _, _)| id).collect()
}

#[tokio::test]
async fn due_events_come_in_the_order_of_their_ids() {
    on_each(async |base| {
        let db = &base.db;
        let mut late = event_of(3, deal(3));
        late.due_at = at(100);
        let mut of_another = event_of(5, deal(5));
        of_another.event.connection = LPT;
        events::insert(db, &[event(4), late, event_of(2, deal(2)), event(1), of_another])
            .await
            .unwrap();

        assert_eq!(waiting(db, -1).await, []);
        assert_eq!(waiting(db, 0).await, [1, 2, 4].map(event_id));
        assert_eq!(waiting(db, 100).await, [1, 2, 4, 3].map(event_id));
        let first = events::waiting(db, AMO, at(100), 2).await.unwrap();
        assert_eq!(first.len(), 2);
        let mut connections = events::waiting_connections(db, NOW).await.unwrap();
        connections.sort();
        assert_eq!(connections, [AMO, LPT]);
        assert_eq!(events::waiting_connections(db, at(-1)).await.unwrap(), []);

        events::finish(db, OURS, event_id(5), EventState::Echo, 0, None, NOW)
            .await
            .unwrap();
        assert_eq!(events::waiting_connections(db, NOW).await.unwrap(), [AMO]);
        assert_eq!(events::waiting(db, LPT, NOW, 100).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn events_behind_a_postponed_one_of_their_record_wait_for_it() {
    on_each(async |base| {
        let db = &base.db;
        // The same number in another kind of record, connection or workspace is another record.
        let other_kind = event_of(11, RecordKey::new(RecordKind::Contact, 1));
        let (mut other_connection, mut other_workspace) = (event(12), event(13));
        other_connection.event.connection = LPT;
        other_workspace.event.workspace = THEIRS;
        let batch = [
            event(1),
            event(2),
            event(3),
            other_kind,
            other_connection,
            other_workspace,
        ];
        events::insert(db, &batch).await.unwrap();
        events::postpone(db, OURS, event_id(2), at(50), "ждём тишины")
            .await
            .unwrap();

        assert_eq!(waiting(db, 0).await, [1, 11, 13].map(event_id));
        assert_eq!(events::waiting(db, LPT, NOW, 9).await.unwrap()[0].0, event_id(12));
        let postponed = events::find(db, OURS, event_id(2)).await.unwrap();
        assert_eq!(postponed.outcome.as_deref(), Some("ждём тишины"));
        assert_eq!(postponed.state, EventState::New);

        // Due again, it comes before those that waited for it, even if only some fit into the batch.
        for id in [1, 11, 13] {
            let workspace = if id == 13 { THEIRS } else { OURS };
            events::finish(db, workspace, event_id(id), EventState::Dispatched, 0, None, NOW)
                .await
                .unwrap();
        }
        assert_eq!(waiting(db, 49).await, []);
        assert_eq!(waiting(db, 60).await, [event_id(2)]);
        assert_eq!(
            events::waiting(db, AMO, at(60), 1).await.unwrap()[0].0,
            event_id(2)
        );
        events::finish(db, OURS, event_id(2), EventState::Dispatched, 0, None, NOW)
            .await
            .unwrap();
        assert_eq!(waiting(db, 60).await, [event_id(3)]);
    })
    .await;
}

#[tokio::test]
async fn the_next_moment_is_that_of_an_event_something_can_be_done_about() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(events::next_due(db).await.unwrap(), None);
        let mut of_another = event(3);
        of_another.event.connection = LPT;
        of_another.due_at = at(70);
        events::insert(db, &[event(1), event(2), of_another])
            .await
            .unwrap();
        assert_eq!(events::next_due(db).await.unwrap(), Some(NOW));

        // The second is due, but only after the first.
        events::postpone(db, OURS, event_id(1), at(50), "").await.unwrap();
        assert_eq!(events::next_due(db).await.unwrap(), Some(at(50)));
        events::finish(db, OURS, event_id(1), EventState::Echo, 0, None, NOW)
            .await
            .unwrap();
        assert_eq!(events::next_due(db).await.unwrap(), Some(NOW));
        events::finish(db, OURS, event_id(2), EventState::Echo, 0, None, NOW)
            .await
            .unwrap();
        assert_eq!(events::next_due(db).await.unwrap(), Some(at(70)));
    })
    .await;
}

#[tokio::test]
async fn a_fact_that_does_not_parse_is_the_error_of_its_place() {
    on_each(async |base| {
        let db = &base.db;
        events::insert(db, &[event(1), event_of(2, deal(2)), event_of(3, deal(3))]).await.unwrap();
        base.tamper("UPDATE event SET fact = '{\"kind\":\"of tomorrow\"}' WHERE record_id = '2'").await;

        let waiting = events::waiting(db, AMO, NOW, 100).await.unwrap();
        let read: Vec<_> = waiting.iter().map(|(id, of, stored)| (*id, *of, stored.is_ok())).collect();
        let expected = [(1, true), (2, false), (3, true)].map(|(n, ok)| (event_id(n), OURS, ok));
        assert_eq!(read, expected);
        assert!(matches!(&waiting[1].2, Err(StorageError::Corrupt { table: "event", id }) if *id == uuid(2).to_string()));
        assert_corrupt(events::find(db, OURS, event_id(2)).await);

        // It can be set aside like any other.
        events::finish(db, OURS, event_id(2), EventState::Quarantined, 0, Some("повреждено"), NOW).await.unwrap();
        assert_eq!(events::waiting(db, AMO, NOW, 100).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_event_is_finished_once() {
    on_each(async |base| {
        let db = &base.db;
        events::insert(db, &[event(1)]).await.unwrap();
        assert_stale(events::finish(db, THEIRS, event_id(1), EventState::Echo, 0, None, NOW).await);
        events::finish(
            db,
            OURS,
            event_id(1),
            EventState::Dispatched,
            2,
            Some("два правила"),
            at(5),
        )
        .await
        .unwrap();
        assert_stale(events::finish(db, OURS, event_id(1), EventState::Echo, 9, None, at(6)).await);
        events::postpone(db, OURS, event_id(1), at(60), "поздно")
            .await
            .unwrap();

        let stored = events::find(db, OURS, event_id(1)).await.unwrap();
        assert_eq!(stored.state, EventState::Dispatched);
        assert_eq!(stored.n_matched, 2);
        assert_eq!(stored.outcome.as_deref(), Some("два правила"));
        assert_eq!(stored.dispatched_at, Some(at(5)));
        assert_eq!(waiting(db, 100).await, []);
    })
    .await;
}
