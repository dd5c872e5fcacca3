use crate::support::*;
use domain::catalogue::Catalogue;
use domain::connection::ConnectorKind;
use domain::id::RuleVersionId;
use storage::rules::NewRule;
use storage::{Db, connections, published, rules};

async fn add(db: &Db, n: u128, name: &str) {
    let draft = document(name);
    let rule = NewRule {
        id: rule_id(n),
        draft: &draft,
        enabled: true,
    };
    rules::insert(db, OURS, rule, NOW).await.unwrap();
}

async fn publish(db: &Db, n: u128, version: u128) {
    let rule = rules::find(db, OURS, rule_id(n)).await.unwrap();
    let id = RuleVersionId(uuid(version));
    rules::publish(db, &rule, id, "", None, NOW).await.unwrap();
}

async fn in_force(db: &Db) -> Vec<(u128, String)> {
    let published = published::published(db, OURS).await.unwrap();
    let named = published.into_iter().map(|rule| {
        let rule = rule.unwrap();
        (rule.version.0.as_u128(), rule.document.name)
    });
    named.collect()
}

#[tokio::test]
async fn rules_that_are_on_are_in_force_as_published() {
    on_each(async |base| {
        let db = &base.db;
        for n in 1..=4 {
            add(db, n, &format!("Правило {n}")).await;
        }
        assert_eq!(in_force(db).await, [], "a draft is not in force");
        for n in 1..=4 {
            publish(db, n, 10 + n).await;
        }
        rules::update_draft(db, OURS, rule_id(1), 2, &document("Черновик"), NOW)
            .await
            .unwrap();
        rules::set_enabled(db, OURS, rule_id(2), false, NOW)
            .await
            .unwrap();
        rules::delete(db, OURS, rule_id(3), NOW).await.unwrap();
        rules::reorder(db, OURS, &[rule_id(4), rule_id(1)], NOW)
            .await
            .unwrap();
        let named = |n: u128| (10 + n, format!("Правило {n}"));
        assert_eq!(in_force(db).await, [named(4), named(1)]);

        publish(db, 1, 21).await;
        assert_eq!(in_force(db).await, [named(4), (21, "Черновик".to_owned())]);
        assert_eq!(published::published(db, THEIRS).await.unwrap().len(), 0);

        base.tamper("UPDATE rule_version SET document = '{}' WHERE summary = '' AND number = 2")
            .await;
        let published = published::published(db, OURS).await.unwrap();
        assert_eq!(published[0].as_ref().unwrap().rule, rule_id(4));
        assert_corrupt(published[1].clone_error());
    })
    .await;
}

/// Lets the error of one place be looked at beside the others.
trait CloneError {
    fn clone_error(&self) -> Result<(), storage::StorageError>;
}

impl<T> CloneError for Result<T, storage::StorageError> {
    fn clone_error(&self) -> Result<(), storage::StorageError> {
        match self {
            Err(storage::StorageError::Corrupt { table, id }) => Err(storage::StorageError::Corrupt {
                table,
                id: id.clone(),
            }),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn the_revision_tells_of_every_change() {
    on_each(async |base| {
        let db = &base.db;
        let mut seen = vec![published::revision(db, OURS).await.unwrap()];
        macro_rules! changes {
            ($what:expr, $change:expr) => {{
                $change;
                let revision = published::revision(db, OURS).await.unwrap();
                assert!(
                    !seen.contains(&revision),
                    "{} is not told: {revision:?} in {seen:?}",
                    $what
                );
                assert_eq!(
                    published::revision(db, OURS).await.unwrap(),
                    revision,
                    "nothing changed since"
                );
                seen.push(revision);
            }};
        }
        // All at the same moment by the clock.
        changes!("a new rule", add(db, 1, "Первое").await);
        changes!("a second rule", add(db, 2, "Второе").await);
        changes!("publishing", publish(db, 1, 11).await);
        changes!("publishing another", publish(db, 2, 12).await);
        changes!("publishing again", publish(db, 1, 13).await);
        changes!(
            "off",
            rules::set_enabled(db, OURS, rule_id(1), false, NOW)
                .await
                .unwrap()
        );
        changes!(
            "on",
            rules::set_enabled(db, OURS, rule_id(1), true, NOW).await.unwrap()
        );
        let order = [rule_id(2), rule_id(1)];
        changes!(
            "a new order",
            rules::reorder(db, OURS, &order, NOW).await.unwrap()
        );
        changes!(
            "deleting",
            rules::delete(db, OURS, rule_id(2), NOW).await.unwrap()
        );
        changes!(
            "the clock set back",
            rules::set_enabled(db, OURS, rule_id(1), false, at(-99_999))
                .await
                .unwrap()
        );

        connections::insert(db, &connection(AMO, ConnectorKind::Amocrm))
            .await
            .unwrap();
        connections::insert(db, &connection(LPT, ConnectorKind::Lptracker))
            .await
            .unwrap();
        let read = async |id, ms| {
            let catalogue = Catalogue {
                read_at: at(ms),
                ..Catalogue::default()
            };
            connections::set_catalogue(db, OURS, id, &catalogue, None)
                .await
                .unwrap();
        };
        changes!("the first catalogue", read(AMO, 100).await);
        changes!("a catalogue read earlier and stored later", read(LPT, 50).await);
        changes!("a refresh that is not the newest", read(LPT, 60).await);
        changes!("a refresh", read(AMO, 110).await);
        changes!(
            "a connection gone",
            connections::delete(db, OURS, LPT).await.unwrap()
        );

        assert_eq!(published::revision(db, THEIRS).await.unwrap(), (0, None, None));
    })
    .await;
}

/// Under «read committed» two changes may be made at once and come to light one after the other.
#[tokio::test]
async fn a_change_committed_after_a_later_one_is_told() {
    on_each(async |base| {
        if base.kind() == test_db::Kind::Sqlite {
            // There is one writer at a time.
            return;
        }
        let db = &base.db;
        add(db, 1, "Первое").await;
        add(db, 2, "Второе").await;
        let slow = db.begin().await.unwrap();
        rules::set_enabled(&slow, OURS, rule_id(1), false, at(1))
            .await
            .unwrap();
        rules::set_enabled(db, OURS, rule_id(2), false, at(1))
            .await
            .unwrap();
        let between = published::revision(db, OURS).await.unwrap();
        slow.commit().await.unwrap();
        assert_ne!(published::revision(db, OURS).await.unwrap(), between);
    })
    .await;
}
