//! Ways to be let in: sessions, links that work once, API keys.

use crate::support::*;
use domain::id::{ApiKeyId, UserId};
use storage::api_keys::{self, ApiKey};
use storage::sessions::{self, Session};
use storage::sign_in_links::{self, UsedLink};

const ANNA: UserId = UserId(uuid::Uuid::from_u128(0x51));

fn session(key: &str) -> Session {
    Session {
        key_hash: key.to_owned(),
        id: None,
        user: None,
        state: "{}".to_owned(),
        address: Some("10.0.0.1".to_owned()),
        user_agent: None,
        created_at: NOW,
        last_seen_at: NOW,
        expires_at: at(100),
    }
}

#[tokio::test]
async fn a_session_lives_while_it_is_used() {
    on_each(async |base| {
        let db = &base.db;
        let mut mine = session("mine");
        sessions::insert(db, &mine).await.unwrap();
        sessions::insert(db, &session("other")).await.unwrap();
        assert_conflict(sessions::insert(db, &mine).await);
        assert_eq!(
            sessions::find(db, "mine", at(99)).await.unwrap(),
            Some(mine.clone())
        );
        assert_eq!(sessions::find(db, "mine", at(100)).await.unwrap(), None);
        assert_eq!(sessions::find(db, "nobody's", NOW).await.unwrap(), None);

        assert!(
            sessions::update(db, "mine", Some(ANNA), "{\"csrf\":\"x\"}")
                .await
                .unwrap()
        );
        assert!(!sessions::update(db, "nobody's", Some(ANNA), "").await.unwrap());
        sessions::touch(db, "mine", at(50), at(150)).await.unwrap();
        mine.user = Some(ANNA);
        mine.state = "{\"csrf\":\"x\"}".to_owned();
        mine.last_seen_at = at(50);
        mine.expires_at = at(150);
        assert_eq!(sessions::find(db, "mine", at(149)).await.unwrap(), Some(mine));

        assert_eq!(sessions::sweep(db, at(99)).await.unwrap(), 0);
        assert_eq!(sessions::sweep(db, at(100)).await.unwrap(), 1);
        assert!(sessions::find(db, "other", NOW).await.unwrap().is_none());
        assert!(sessions::find(db, "mine", NOW).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn sessions_end_one_by_one_or_all_of_a_person() {
    on_each(async |base| {
        let db = &base.db;
        for (key, user) in [
            ("1", Some(ANNA)),
            ("2", Some(ANNA)),
            ("3", Some(ANNA)),
            ("4", None),
        ] {
            sessions::insert(db, &Session { user, ..session(key) })
                .await
                .unwrap();
        }
        sessions::delete(db, "1").await.unwrap();
        assert!(sessions::find(db, "1", NOW).await.unwrap().is_none());
        assert!(!sessions::update(db, "1", None, "").await.unwrap());
        assert_eq!(sessions::delete_of_user(db, ANNA).await.unwrap(), 2);
        assert!(sessions::find(db, "2", NOW).await.unwrap().is_none());
        assert!(sessions::find(db, "4", NOW).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_for_its_purpose_and_time() {
    on_each(async |base| {
        let db = &base.db;
        sign_in_links::insert(db, "a", Some(ANNA), "sign_in", at(10))
            .await
            .unwrap();
        sign_in_links::insert(db, "b", None, "setup", at(10))
            .await
            .unwrap();
        assert_conflict(sign_in_links::insert(db, "a", None, "setup", at(10)).await);
        let take =
            async |token, purpose, now| sign_in_links::take(db, token, purpose, at(now)).await.unwrap();
        assert_eq!(take("a", "setup", 0).await, None);
        assert_eq!(take("a", "sign_in", 10).await, None, "expired");
        assert_eq!(take("x", "sign_in", 0).await, None);
        assert_eq!(take("a", "sign_in", 9).await, Some(UsedLink { user: Some(ANNA) }));
        assert_eq!(take("a", "sign_in", 9).await, None, "used");
        assert_eq!(take("b", "setup", 9).await, Some(UsedLink { user: None }));

        sign_in_links::insert(db, "c", None, "setup", at(10))
            .await
            .unwrap();
        sign_in_links::insert(db, "d", None, "sign_in", at(20))
            .await
            .unwrap();
        sign_in_links::revoke(db, "setup").await.unwrap();
        assert_eq!(take("c", "setup", 0).await, None);
        assert_eq!(
            sign_in_links::sweep(db, at(10)).await.unwrap(),
            2,
            "the used ones"
        );
        assert_eq!(take("d", "sign_in", 0).await, Some(UsedLink { user: None }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_link_at_once_one_gets_in() {
    on_each(async |base| {
        let pools = [base.db.clone(), base.another().await];
        for round in 0..5 {
            let token = format!("token {round}");
            sign_in_links::insert(&base.db, &token, Some(ANNA), "sign_in", at(10))
                .await
                .unwrap();
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let (db, token) = (pools[n % 2].clone(), token.clone());
                    tokio::spawn(
                        async move { sign_in_links::take(&db, &token, "sign_in", NOW).await.unwrap() },
                    )
                })
                .collect();
            let mut used = Vec::new();
            for task in tasks {
                used.extend(task.await.unwrap());
            }
            assert_eq!(used, [UsedLink { user: Some(ANNA) }]);
        }
    })
    .await;
}

#[tokio::test]
async fn an_api_key_works_until_it_expires_or_is_revoked() {
    on_each(async |base| {
        let db = &base.db;
        let key = |n: u128| ApiKey {
            workspace: OURS,
            id: ApiKeyId(uuid(n)),
            name: "Скрипт".to_owned(),
            prefix: "crm_ab".to_owned(),
            scopes: vec!["events:read".to_owned(), "rules:write".to_owned()],
            created_by: Some(ANNA),
            created_at: NOW,
            expires_at: (n == 1).then_some(at(10)),
            last_used_at: None,
        };
        api_keys::insert(db, &key(1), "hash 1").await.unwrap();
        api_keys::insert(db, &key(2), "hash 2").await.unwrap();
        api_keys::insert(
            db,
            &ApiKey {
                workspace: THEIRS,
                ..key(3)
            },
            "hash 3",
        )
        .await
        .unwrap();
        assert_eq!(api_keys::list(db, OURS).await.unwrap(), [key(2), key(1)]);
        assert_eq!(
            api_keys::find_by_token(db, "hash 1", at(9)).await.unwrap(),
            Some(key(1))
        );
        assert_eq!(api_keys::find_by_token(db, "hash 1", at(10)).await.unwrap(), None);
        assert_eq!(
            api_keys::find_by_token(db, "hash 2", at(9_999)).await.unwrap(),
            Some(key(2))
        );
        assert_eq!(api_keys::find_by_token(db, "hash", NOW).await.unwrap(), None);

        api_keys::note_used(db, OURS, key(2).id, at(7)).await.unwrap();
        api_keys::note_used(db, THEIRS, key(1).id, at(7)).await.unwrap();
        let used = ApiKey {
            last_used_at: Some(at(7)),
            ..key(2)
        };
        assert_eq!(api_keys::list(db, OURS).await.unwrap(), [used.clone(), key(1)]);
        assert_missing(api_keys::revoke(db, THEIRS, key(2).id, at(8)).await);
        assert_eq!(api_keys::revoke(db, OURS, key(2).id, at(8)).await.unwrap(), used);
        assert_missing(api_keys::revoke(db, OURS, key(2).id, at(8)).await);
        assert_eq!(api_keys::find_by_token(db, "hash 2", NOW).await.unwrap(), None);
        assert_eq!(api_keys::list(db, OURS).await.unwrap(), [key(1)]);
    })
    .await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_sessions() {
    on_each(async |base| {
        let db = &base.db;
        let of = |user, n: u128, key: &str| Session {
            user: Some(user),
            id: Some(uuid(n)),
            ..session(key)
        };
        let boris = UserId(uuid(0x52));
        for it in [
            of(ANNA, 1, "a"),
            of(ANNA, 2, "b"),
            of(ANNA, 3, "c"),
            of(boris, 4, "d"),
        ] {
            sessions::insert(db, &it).await.unwrap();
        }
        sessions::touch(db, "b", at(5), at(50)).await.unwrap();
        let ids = async |user, now| -> Vec<_> {
            let found = sessions::of_user(db, user, now).await.unwrap();
            found.into_iter().map(|it| it.id.unwrap().as_u128()).collect()
        };
        assert_eq!(ids(ANNA, NOW).await, [2, 1, 3]);
        assert_eq!(ids(ANNA, at(60)).await, [1, 3]);
        assert_missing(sessions::end(db, ANNA, uuid(4)).await);
        sessions::end(db, ANNA, uuid(3)).await.unwrap();
        assert_eq!(sessions::end_others(db, ANNA, Some(uuid(1))).await.unwrap(), 1);
        assert_eq!(ids(ANNA, NOW).await, [1]);
        assert_eq!(sessions::end_others(db, ANNA, None).await.unwrap(), 1);
        assert_eq!(ids(boris, NOW).await, [4]);
    })
    .await;
}
