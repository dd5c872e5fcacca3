use crate::support::*;
use domain::catalogue::{Catalogue, Pipeline};
use domain::connection::{ConnectionState, ConnectorKind};
use domain::id::ConnectionId;
use storage::{connections, credentials};

#[tokio::test]
async fn a_new_connection_comes_back_as_it_was_stored() {
    on_each(async |base| {
        let db = &base.db;
        let (amo, lpt) = (
            connection(AMO, ConnectorKind::Amocrm),
            connection(LPT, ConnectorKind::Lptracker),
        );
        connections::insert(db, &lpt).await.unwrap();
        connections::insert(db, &amo).await.unwrap();
        assert_conflict(connections::insert(db, &amo).await);

        assert_eq!(connections::find(db, OURS, AMO).await.unwrap(), amo);
        assert_missing(connections::find(db, THEIRS, AMO).await);
        assert_eq!(
            connections::list(db, OURS).await.unwrap(),
            [amo.clone(), lpt.clone()]
        );
        assert_eq!(connections::list(db, THEIRS).await.unwrap(), []);
        assert_eq!(connections::list_all(db).await.unwrap(), [amo, lpt]);
    })
    .await;
}

#[tokio::test]
async fn everything_noted_of_a_connection_is_read_back() {
    on_each(async |base| {
        let db = &base.db;
        let mut expected = connection(AMO, ConnectorKind::Amocrm);
        connections::insert(db, &expected).await.unwrap();
        connections::insert(db, &connection(LPT, ConnectorKind::Lptracker))
            .await
            .unwrap();

        let settings = serde_json::json!({"domain": "other.amocrm.ru"});
        connections::update(db, OURS, AMO, "Новое имя", &settings, at(1))
            .await
            .unwrap();
        connections::set_state(db, OURS, AMO, ConnectionState::Active, None)
            .await
            .unwrap();
        let card = serde_json::json!({"account": "Ромашка"});
        connections::set_card(db, OURS, AMO, &card, at(2)).await.unwrap();
        let subscription = serde_json::json!({"active": true});
        connections::set_subscription(db, OURS, AMO, &subscription, at(3))
            .await
            .unwrap();
        connections::note_failure(db, OURS, AMO, "тайм-аут", at(5))
            .await
            .unwrap();
        connections::note_event(db, OURS, AMO, at(6)).await.unwrap();
        connections::set_reconciled(db, OURS, AMO, at(7)).await.unwrap();

        expected.name = "Новое имя".to_owned();
        expected.settings = settings;
        expected.version = 2;
        expected.state = ConnectionState::Active;
        expected.state_reason = None;
        expected.card = Some(card);
        expected.last_success_at = Some(at(2));
        expected.subscription = Some(subscription);
        expected.subscription_at = Some(at(3));
        expected.last_failure_at = Some(at(5));
        expected.last_failure = Some("тайм-аут".to_owned());
        expected.last_event_at = Some(at(6));
        expected.reconciled_at = Some(at(7));
        assert_eq!(connections::find(db, OURS, AMO).await.unwrap(), expected);

        connections::note_success(db, OURS, AMO, at(8)).await.unwrap();
        expected.last_success_at = Some(at(8));
        assert_eq!(connections::find(db, OURS, AMO).await.unwrap(), expected);
        let other = connections::find(db, OURS, LPT).await.unwrap();
        assert_eq!(other, connection(LPT, ConnectorKind::Lptracker));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed() {
    on_each(async |base| {
        let db = &base.db;
        connections::insert(db, &connection(AMO, ConnectorKind::Amocrm))
            .await
            .unwrap();
        let json = serde_json::json!({});
        for (workspace, id) in [(THEIRS, AMO), (OURS, LPT)] {
            assert_missing(connections::update(db, workspace, id, "", &json, NOW).await);
            assert_missing(connections::set_state(db, workspace, id, ConnectionState::Active, None).await);
            assert_missing(connections::set_card(db, workspace, id, &json, NOW).await);
            assert_missing(connections::set_subscription(db, workspace, id, &json, NOW).await);
            assert_missing(connections::set_reconciled(db, workspace, id, NOW).await);
            assert_missing(connections::catalogue(db, workspace, id).await);
            let catalogue = Catalogue::default();
            assert_missing(connections::set_catalogue(db, workspace, id, &catalogue, None).await);
            assert_missing(connections::delete(db, workspace, id).await);
            connections::note_success(db, workspace, id, NOW).await.unwrap();
            connections::note_failure(db, workspace, id, "", NOW)
                .await
                .unwrap();
            connections::note_event(db, workspace, id, NOW).await.unwrap();
        }
        let untouched = connections::find(db, OURS, AMO).await.unwrap();
        assert_eq!(untouched, connection(AMO, ConnectorKind::Amocrm));
    })
    .await;
}

#[tokio::test]
async fn a_catalogue_is_kept_with_the_history_of_its_changes() {
    on_each(async |base| {
        let db = &base.db;
        connections::insert(db, &connection(AMO, ConnectorKind::Amocrm))
            .await
            .unwrap();
        assert_eq!(connections::catalogue(db, OURS, AMO).await.unwrap(), None);

        let mut catalogue = Catalogue {
            read_at: at(1),
            ..Catalogue::default()
        };
        connections::set_catalogue(db, OURS, AMO, &catalogue, None)
            .await
            .unwrap();
        for n in 2..=4_i64 {
            catalogue.read_at = at(n);
            catalogue.pipelines.push(Pipeline {
                id: n,
                name: "Воронка".to_owned(),
                stages: Vec::new(),
            });
            let change = serde_json::json!({"pipeline": n});
            let change = Some((uuid(n.unsigned_abs().into()), &change));
            connections::set_catalogue(db, OURS, AMO, &catalogue, change)
                .await
                .unwrap();
        }
        assert_eq!(
            connections::catalogue(db, OURS, AMO).await.unwrap(),
            Some(catalogue)
        );
        let found = connections::find(db, OURS, AMO).await.unwrap();
        assert_eq!(found.catalogue_at, Some(at(4)));
        let changes = connections::catalogue_changes(db, OURS, AMO, 2).await.unwrap();
        let changes: Vec<_> = changes.into_iter().map(|it| (it.at, it.changes)).collect();
        let expected = [4, 3].map(|n| (at(n), serde_json::json!({"pipeline": n})));
        assert_eq!(changes, expected);
        assert_eq!(
            connections::catalogue_changes(db, THEIRS, AMO, 2).await.unwrap(),
            []
        );
    })
    .await;
}

#[tokio::test]
async fn a_deleted_connection_takes_its_secrets_along() {
    on_each(async |base| {
        let db = &base.db;
        for (id, kind) in [(AMO, ConnectorKind::Amocrm), (LPT, ConnectorKind::Lptracker)] {
            connections::insert(db, &connection(id, kind)).await.unwrap();
            credentials::put(db, OURS, id, "sealed", None, NOW).await.unwrap();
            let hash = format!("hash of {id}");
            credentials::insert_hook_secret(db, OURS, id, &hash, "sealed", NOW)
                .await
                .unwrap();
            let change = serde_json::json!([]);
            connections::set_catalogue(db, OURS, id, &Catalogue::default(), Some((id.0, &change)))
                .await
                .unwrap();
        }
        connections::delete(db, OURS, AMO).await.unwrap();

        assert_missing(connections::find(db, OURS, AMO).await);
        assert_missing(credentials::find(db, OURS, AMO).await);
        assert_missing(credentials::hook_secret(db, OURS, AMO).await);
        assert_missing(credentials::hook_owner(db, &format!("hash of {AMO}"), NOW).await);
        assert_eq!(
            connections::catalogue_changes(db, OURS, AMO, 9).await.unwrap(),
            []
        );

        connections::find(db, OURS, LPT).await.unwrap();
        credentials::find(db, OURS, LPT).await.unwrap();
        credentials::hook_owner(db, &format!("hash of {LPT}"), NOW)
            .await
            .unwrap();
        assert_eq!(
            connections::catalogue_changes(db, OURS, LPT, 9)
                .await
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn an_unreadable_connection_does_not_hide_the_others_from_the_workers() {
    on_each(async |base| {
        let db = &base.db;
        let third = ConnectionId(uuid(0xC3));
        for id in [AMO, LPT, third] {
            connections::insert(db, &connection(id, ConnectorKind::Amocrm))
                .await
                .unwrap();
        }
        base.tamper("UPDATE connection SET settings = 'not json', name = 'broken' WHERE version = 1")
            .await;
        let fixed = serde_json::json!({});
        connections::update(db, OURS, LPT, "LPT", &fixed, NOW)
            .await
            .unwrap();
        connections::update(db, OURS, third, "third", &fixed, NOW)
            .await
            .unwrap();

        assert_corrupt(connections::find(db, OURS, AMO).await);
        let names: Vec<_> = connections::list_all(db)
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["LPT", "third"]);
    })
    .await;
}
