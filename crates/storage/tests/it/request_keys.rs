//! Request keys and settings: what several processes agree on by who was first.

use crate::support::*;
use storage::request_keys::{self, Known};
use storage::settings;

#[tokio::test]
async fn a_request_key_is_reserved_once_and_answers_twice() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(request_keys::find(db, OURS, "k").await.unwrap(), None);
        assert!(
            request_keys::reserve(db, OURS, "k", "create_rule", "hash", NOW)
                .await
                .unwrap()
        );
        assert!(
            !request_keys::reserve(db, OURS, "k", "create_rule", "other", at(1))
                .await
                .unwrap()
        );
        assert!(
            request_keys::reserve(db, THEIRS, "k", "create_rule", "hash", NOW)
                .await
                .unwrap()
        );
        let mut known = Known {
            operation: "create_rule".to_owned(),
            body_hash: "hash".to_owned(),
            status: 0,
            response: String::new(),
            created_at: NOW,
        };
        assert_eq!(
            request_keys::find(db, OURS, "k").await.unwrap(),
            Some(known.clone())
        );
        request_keys::finish(db, OURS, "k", 201, "{\"id\":1}")
            .await
            .unwrap();
        known.status = 201;
        known.response = "{\"id\":1}".to_owned();
        assert_eq!(request_keys::find(db, OURS, "k").await.unwrap(), Some(known));
        assert_eq!(
            request_keys::find(db, THEIRS, "k").await.unwrap().unwrap().status,
            0
        );

        // A request that failed may be tried again.
        request_keys::release(db, THEIRS, "k").await.unwrap();
        assert!(
            request_keys::reserve(db, THEIRS, "k", "create_rule", "new", at(9))
                .await
                .unwrap()
        );
        assert_eq!(request_keys::sweep(db, NOW).await.unwrap(), 0);
        assert_eq!(request_keys::sweep(db, at(9)).await.unwrap(), 1);
        assert_eq!(request_keys::find(db, OURS, "k").await.unwrap(), None);
        assert!(request_keys::find(db, THEIRS, "k").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_with_one_key_one_is_the_first() {
    on_each(async |base| {
        let pools = [base.db.clone(), base.another().await];
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let db = pools[n % 2].clone();
                tokio::spawn(async move {
                    request_keys::reserve(&db, OURS, "k", "op", "hash", NOW)
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut n_first = 0;
        for task in tasks {
            n_first += usize::from(task.await.unwrap());
        }
        assert_eq!(n_first, 1);
    })
    .await;
}

#[tokio::test]
async fn a_setting_is_replaced_or_kept_as_asked() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(settings::find(db, "installation").await.unwrap(), None);
        assert_eq!(
            settings::put_if_absent(db, "installation", "a", NOW)
                .await
                .unwrap(),
            "a"
        );
        assert_eq!(
            settings::put_if_absent(db, "installation", "b", NOW)
                .await
                .unwrap(),
            "a"
        );
        settings::put(db, "installation", "c", at(1)).await.unwrap();
        settings::put(db, "other", "d", at(1)).await.unwrap();
        assert_eq!(
            settings::find(db, "installation").await.unwrap().as_deref(),
            Some("c")
        );
        assert_eq!(
            settings::put_if_absent(db, "installation", "e", NOW)
                .await
                .unwrap(),
            "c"
        );
    })
    .await;
}
