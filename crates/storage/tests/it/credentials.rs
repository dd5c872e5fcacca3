use crate::support::*;
use domain::connection::ConnectorKind;
use storage::connections;
use storage::credentials::{self, Credential, HookOwner};

#[tokio::test]
async fn a_credential_given_by_a_person_replaces_whatever_was_there() {
    on_each(async |base| {
        let db = &base.db;
        assert_missing(credentials::find(db, OURS, AMO).await);
        credentials::put(db, OURS, AMO, "first", Some(at(10)), NOW)
            .await
            .unwrap();
        credentials::put(db, OURS, LPT, "of another", None, NOW)
            .await
            .unwrap();
        let first = credentials::find(db, OURS, AMO).await.unwrap();
        let expected = Credential {
            sealed: "first".to_owned(),
            previous: None,
            expires_at: Some(at(10)),
            version: 1,
        };
        assert_eq!(first, expected);

        let rotated = Credential {
            sealed: "rotated".to_owned(),
            ..first
        };
        assert!(credentials::rotate(db, OURS, AMO, &rotated, NOW).await.unwrap());
        credentials::put(db, OURS, AMO, "second", None, NOW)
            .await
            .unwrap();
        let expected = Credential {
            sealed: "second".to_owned(),
            previous: None,
            expires_at: None,
            version: 3,
        };
        assert_eq!(credentials::find(db, OURS, AMO).await.unwrap(), expected);
        assert_missing(credentials::find(db, THEIRS, AMO).await);
        assert_eq!(
            credentials::find(db, OURS, LPT).await.unwrap().sealed,
            "of another"
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_rotations_of_one_credential_the_first_wins() {
    on_each(async |base| {
        let db = &base.db;
        credentials::put(db, OURS, AMO, "old", Some(at(10)), NOW)
            .await
            .unwrap();
        let read = credentials::find(db, OURS, AMO).await.unwrap();
        let rotated = |sealed: &str| Credential {
            sealed: sealed.to_owned(),
            expires_at: Some(at(20)),
            ..read.clone()
        };
        assert!(
            !credentials::rotate(db, THEIRS, AMO, &rotated("stranger"), NOW)
                .await
                .unwrap()
        );
        assert!(
            credentials::rotate(db, OURS, AMO, &rotated("quick"), NOW)
                .await
                .unwrap()
        );
        assert!(
            !credentials::rotate(db, OURS, AMO, &rotated("slow"), NOW)
                .await
                .unwrap()
        );
        let expected = Credential {
            sealed: "quick".to_owned(),
            previous: Some("old".to_owned()),
            expires_at: Some(at(20)),
            version: 2,
        };
        assert_eq!(credentials::find(db, OURS, AMO).await.unwrap(), expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_rotations_at_once_one_is_stored() {
    on_each(async |base| {
        credentials::put(&base.db, OURS, AMO, "old", None, NOW)
            .await
            .unwrap();
        let read = credentials::find(&base.db, OURS, AMO).await.unwrap();
        let pools = [base.db.clone(), base.another().await];
        let tasks = (0..8).map(|n| {
            let (db, mut mine) = (pools[n % 2].clone(), read.clone());
            mine.sealed = n.to_string();
            tokio::spawn(async move { credentials::rotate(&db, OURS, AMO, &mine, NOW).await.unwrap() })
        });
        let mut winners = Vec::new();
        for (n, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
            if task.await.unwrap() {
                winners.push(n.to_string());
            }
        }
        let stored = credentials::find(&base.db, OURS, AMO).await.unwrap();
        assert_eq!(winners, [stored.sealed]);
        assert_eq!(stored.version, 2);
    })
    .await;
}

#[tokio::test]
async fn an_old_hook_secret_works_until_its_end_beside_the_new_one() {
    on_each(async |base| {
        let db = &base.db;
        connections::insert(db, &connection(AMO, ConnectorKind::Amocrm))
            .await
            .unwrap();
        connections::insert(db, &connection(LPT, ConnectorKind::Lptracker))
            .await
            .unwrap();
        credentials::insert_hook_secret(db, OURS, AMO, "old", "sealed old", at(1))
            .await
            .unwrap();
        credentials::insert_hook_secret(db, OURS, LPT, "other", "sealed other", at(1))
            .await
            .unwrap();
        assert_conflict(credentials::insert_hook_secret(db, OURS, LPT, "old", "", at(1)).await);
        assert_eq!(
            credentials::hook_secret(db, OURS, AMO).await.unwrap(),
            "sealed old"
        );

        credentials::insert_hook_secret(db, OURS, AMO, "new", "sealed new", at(2))
            .await
            .unwrap();
        credentials::expire_hook_secrets(db, OURS, AMO, "new", at(100))
            .await
            .unwrap();
        assert_eq!(
            credentials::hook_secret(db, OURS, AMO).await.unwrap(),
            "sealed new"
        );
        let owner = HookOwner {
            workspace: OURS,
            connection: AMO,
            kind: ConnectorKind::Amocrm,
        };
        for secret in ["old", "new"] {
            assert_eq!(credentials::hook_owner(db, secret, at(99)).await.unwrap(), owner);
        }
        assert_missing(credentials::hook_owner(db, "old", at(100)).await);
        assert_eq!(credentials::hook_owner(db, "new", at(100)).await.unwrap(), owner);
        assert_missing(credentials::hook_owner(db, "unknown", NOW).await);

        // A later rotation does not give the old one more time.
        credentials::insert_hook_secret(db, OURS, AMO, "newest", "sealed newest", at(3))
            .await
            .unwrap();
        credentials::expire_hook_secrets(db, OURS, AMO, "newest", at(200))
            .await
            .unwrap();
        assert_missing(credentials::hook_owner(db, "old", at(100)).await);
        assert_eq!(credentials::hook_owner(db, "new", at(199)).await.unwrap(), owner);
        let other = credentials::hook_owner(db, "other", at(10_000)).await.unwrap();
        assert_eq!((other.connection, other.kind), (LPT, ConnectorKind::Lptracker));
    })
    .await;
}
