use crate::support::*;
use domain::id::SweepId;
use domain::record::RecordId;
use storage::schedules::{self, Timer};
use storage::sweeps::{self, Sweep, SweepKind, SweepState, Wanted};

fn sweep(n: u128, tick: i64) -> Sweep {
    Sweep {
        workspace: OURS,
        id: SweepId(uuid(n)),
        kind: SweepKind::Schedule,
        rule: Some(rule_id(1)),
        connection: Some(AMO),
        tick_at: at(tick),
        wanted: Wanted::Records(vec![RecordId::from("7")]),
        cursor: None,
        state: SweepState::Running,
        n_seen: 0,
        n_events: 0,
        n_missed: 2,
        n_failures: 0,
        failure: None,
        actor_name: "Расписание".to_owned(),
        due_at: NOW,
        created_at: NOW,
        finished_at: None,
    }
}

#[tokio::test]
async fn a_tick_makes_one_sweep() {
    on_each(async |base| {
        let db = &base.db;
        assert!(sweeps::insert(db, &sweep(1, 0)).await.unwrap());
        assert!(!sweeps::insert(db, &sweep(2, 0)).await.unwrap(), "the same tick");
        assert!(sweeps::insert(db, &sweep(3, 60)).await.unwrap());
        assert_eq!(
            sweeps::find(db, OURS, SweepId(uuid(1))).await.unwrap(),
            sweep(1, 0)
        );
        assert_missing(sweeps::find(db, THEIRS, SweepId(uuid(1))).await);
        let ids = |all: Vec<Sweep>| all.into_iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>();
        assert_eq!(
            ids(sweeps::list(db, OURS, Some(rule_id(1)), 9).await.unwrap()),
            [3, 1]
        );
        assert!(
            sweeps::list(db, OURS, Some(rule_id(2)), 9)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(sweeps::list(db, THEIRS, None, 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_sweep_is_due_until_it_ends_and_then_changes_no_more() {
    on_each(async |base| {
        let db = &base.db;
        sweeps::insert(db, &sweep(1, 0)).await.unwrap();
        let of_any = Sweep {
            connection: None,
            due_at: at(10),
            ..sweep(2, 60)
        };
        sweeps::insert(db, &of_any).await.unwrap();
        assert_eq!(sweeps::due(db, NOW).await.unwrap(), [Some(AMO)]);
        assert_eq!(sweeps::due(db, at(10)).await.unwrap().len(), 2);
        assert_eq!(sweeps::next_due(db).await.unwrap(), Some(NOW));
        let mut first = sweeps::first_due(db, Some(AMO), NOW).await.unwrap().unwrap();
        assert_eq!(sweeps::first_due(db, None, NOW).await.unwrap(), None);
        assert!(sweeps::running(db, OURS, rule_id(1)).await.unwrap().is_some());
        first.cursor = Some("7.1".to_owned());
        first.n_events = 5;
        sweeps::save(db, &first).await.unwrap();
        assert_eq!(sweeps::find(db, OURS, first.id).await.unwrap(), first);
        first.state = SweepState::Cancelled;
        first.finished_at = Some(at(3));
        sweeps::save(db, &first).await.unwrap();
        assert_stale(sweeps::save(db, &first).await);
        assert_eq!(sweeps::next_due(db).await.unwrap(), Some(at(10)));
    })
    .await;
}

#[tokio::test]
async fn a_timer_is_advanced_by_one() {
    on_each(async |base| {
        let db = &base.db;
        let timer = Timer {
            workspace: OURS,
            rule: rule_id(1),
            place: 0,
            due_at: at(60),
        };
        schedules::insert(db, timer).await.unwrap();
        assert!(schedules::due(db, NOW, 9).await.unwrap().is_empty());
        assert_eq!(schedules::due(db, at(60), 9).await.unwrap(), [timer]);
        assert_eq!(schedules::next_due(db).await.unwrap(), Some(at(60)));
        assert!(schedules::advance(db, timer, at(120)).await.unwrap());
        assert!(
            !schedules::advance(db, timer, at(180)).await.unwrap(),
            "somebody was quicker"
        );
        assert_eq!(
            schedules::of_rule(db, OURS, rule_id(1)).await.unwrap()[0].due_at,
            at(120)
        );
        assert!(
            schedules::of_rule(db, THEIRS, rule_id(1))
                .await
                .unwrap()
                .is_empty()
        );
        schedules::delete(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(schedules::next_due(db).await.unwrap(), None);
    })
    .await;
}
