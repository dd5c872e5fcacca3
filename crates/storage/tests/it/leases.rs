use crate::support::*;
use storage::leases;

#[tokio::test]
async fn a_lease_has_one_owner_until_it_ends() {
    on_each(async |base| {
        let db = &base.db;
        let acquire = async |owner, now: i64, until: i64| {
            leases::acquire(db, "connection/1", owner, at(now), at(until))
                .await
                .unwrap()
        };
        assert_eq!(acquire("a", 0, 10).await, Some(1));
        assert_eq!(acquire("b", 9, 19).await, None);
        assert_eq!(acquire("a", 9, 20).await, Some(1), "renewal keeps the fence");
        assert_eq!(acquire("b", 19, 29).await, None, "renewed");
        assert_eq!(
            acquire("b", 20, 30).await,
            Some(2),
            "the fence grows with the owner's change"
        );
        assert_eq!(acquire("a", 29, 39).await, None);
        assert_eq!(acquire("a", 30, 40).await, Some(3));
        assert_eq!(
            acquire("a", 99, 109).await,
            Some(3),
            "its own, though it had ended"
        );

        let other = leases::acquire(db, "connection/2", "b", at(0), at(10))
            .await
            .unwrap();
        assert_eq!(other, Some(1), "another name is another lease");
    })
    .await;
}

#[tokio::test]
async fn a_lease_given_back_can_be_taken_at_once() {
    on_each(async |base| {
        let db = &base.db;
        leases::acquire(db, "hub", "a", at(0), at(100)).await.unwrap();
        leases::release(db, "b").await.unwrap();
        assert_eq!(
            leases::acquire(db, "hub", "b", at(1), at(100)).await.unwrap(),
            None
        );
        leases::release(db, "a").await.unwrap();
        assert_eq!(
            leases::acquire(db, "hub", "b", at(1), at(100)).await.unwrap(),
            Some(2)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_one_gets_the_lease() {
    on_each(async |base| {
        let pools = [base.db.clone(), base.another().await];
        for round in 0..5_i64 {
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let db = pools[n % 2].clone();
                    let owner = format!("{round}/{n}");
                    tokio::spawn(async move {
                        leases::acquire(&db, "hub", &owner, at(round * 10), at(round * 10 + 10))
                            .await
                            .unwrap()
                    })
                })
                .collect();
            let mut fences = Vec::new();
            for task in tasks {
                fences.extend(task.await.unwrap());
            }
            assert_eq!(fences, [round + 1]);
        }
    })
    .await;
}

#[tokio::test]
async fn several_leases_are_taken_all_or_none() {
    on_each(async |base| {
        let db = &base.db;
        let names = ["budget/1".to_owned(), "connection/1".to_owned()];
        let acquire_all = async |owner, now| {
            leases::acquire_all(db, &names, owner, at(now), at(now + 10))
                .await
                .unwrap()
        };
        assert_eq!(
            leases::acquire(db, "connection/1", "a", at(0), at(10))
                .await
                .unwrap(),
            Some(1)
        );
        assert!(!acquire_all("b", 5).await);
        assert_eq!(
            leases::holder(db, "budget/1").await.unwrap(),
            None,
            "nobody sits on one while waiting for another"
        );
        assert!(acquire_all("a", 5).await, "one of them is its own already");
        assert!(!acquire_all("b", 14).await);
        assert!(acquire_all("b", 15).await);
    })
    .await;
}
