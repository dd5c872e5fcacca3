use crate::support::*;
use domain::id::{RuleVersionId, UserId};
use storage::rules::{self, NewRule, PublishedMark, RuleVersion, RunCount, StoredRule};
use storage::{Db, runs};

async fn add(db: &Db, n: u128, name: &str) {
    let draft = document(name);
    let rule = NewRule {
        id: rule_id(n),
        draft: &draft,
        enabled: false,
    };
    rules::insert(db, OURS, rule, NOW).await.unwrap();
}

async fn order(db: &Db) -> Vec<u128> {
    let rules = rules::list(db, OURS).await.unwrap();
    rules.iter().map(|rule| rule.id.0.as_u128()).collect()
}

fn version_id(n: u128) -> RuleVersionId {
    RuleVersionId(uuid(n))
}

#[tokio::test]
async fn a_new_rule_stands_behind_all_others() {
    on_each(async |base| {
        let db = &base.db;
        for n in [3, 1, 2] {
            add(db, n, &n.to_string()).await;
        }
        assert_eq!(order(db).await, [3, 1, 2]);
        let expected = StoredRule {
            workspace: OURS,
            id: rule_id(1),
            name: "1".to_owned(),
            position: 2,
            enabled: false,
            source: AMO,
            draft: document("1"),
            version: 1,
            published: None,
            attention: None,
            created_at: NOW,
            updated_at: NOW,
        };
        assert_eq!(rules::find(db, OURS, rule_id(1)).await.unwrap(), expected);
        assert_missing(rules::find(db, THEIRS, rule_id(1)).await);
        let draft = document("x");
        let again = NewRule {
            id: rule_id(1),
            draft: &draft,
            enabled: true,
        };
        assert_conflict(rules::insert(db, OURS, again, NOW).await);
    })
    .await;
}

#[tokio::test]
async fn a_draft_is_saved_only_over_the_version_that_was_read() {
    on_each(async |base| {
        let db = &base.db;
        add(db, 1, "Было").await;
        let mut draft = document("Стало");
        draft.source = LPT;
        assert_eq!(
            rules::update_draft(db, OURS, rule_id(1), 1, &draft, at(5))
                .await
                .unwrap(),
            2
        );
        let other = document("Чужое");
        assert_stale(rules::update_draft(db, OURS, rule_id(1), 1, &other, at(6)).await);
        assert_missing(rules::update_draft(db, THEIRS, rule_id(1), 2, &other, at(6)).await);
        assert_missing(rules::update_draft(db, OURS, rule_id(9), 1, &other, at(6)).await);

        let stored = rules::find(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(stored.draft, draft);
        assert_eq!((stored.name.as_str(), stored.source), ("Стало", LPT));
        assert_eq!(
            (stored.version, stored.updated_at, stored.created_at),
            (2, at(5), NOW)
        );
    })
    .await;
}

#[tokio::test]
async fn publishing_numbers_the_versions_of_each_rule() {
    on_each(async |base| {
        let db = &base.db;
        add(db, 1, "Первое").await;
        add(db, 2, "Второе").await;
        rules::set_attention(db, OURS, rule_id(1), Some("поле исчезло"))
            .await
            .unwrap();
        let read = rules::find(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(read.attention.as_deref(), Some("поле исчезло"));
        let author = Some(UserId(uuid(0x51)));
        let number = rules::publish(db, &read, version_id(11), "Если … то …", author, at(3))
            .await
            .unwrap();
        assert_eq!(number, 1);

        let stored = rules::find(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!((stored.version, stored.attention.clone()), (2, None));
        let mark = PublishedMark {
            id: version_id(11),
            number: 1,
            document: document("Первое"),
        };
        assert_eq!(stored.published, Some(mark));

        // Published from what was read before: the draft may be another one by now.
        assert_stale(rules::publish(db, &read, version_id(12), "", None, at(4)).await);
        assert_eq!(rules::versions(db, OURS, rule_id(1)).await.unwrap().len(), 1);

        rules::update_draft(db, OURS, rule_id(1), 2, &document("Новое"), at(5))
            .await
            .unwrap();
        let read = rules::find(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(
            rules::publish(db, &read, version_id(13), "", None, at(6))
                .await
                .unwrap(),
            2
        );
        let second = rules::find(db, OURS, rule_id(2)).await.unwrap();
        assert_eq!(
            rules::publish(db, &second, version_id(14), "", None, at(6))
                .await
                .unwrap(),
            1
        );

        let first = RuleVersion {
            workspace: OURS,
            id: version_id(11),
            rule: rule_id(1),
            number: 1,
            document: document("Первое"),
            summary: "Если … то …".to_owned(),
            published_by: author,
            published_at: at(3),
        };
        let versions = rules::versions(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(versions.iter().map(|it| it.number).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(versions[0].document, document("Новое"));
        assert_eq!(versions[1], first);
        assert_eq!(
            rules::version(db, OURS, rule_id(1), version_id(11))
                .await
                .unwrap(),
            first
        );
        assert_missing(rules::version(db, OURS, rule_id(2), version_id(11)).await);
        assert_missing(rules::version(db, THEIRS, rule_id(1), version_id(11)).await);

        let ids = [11, 14, 99].map(version_id);
        let mut by_id = rules::versions_by_id(db, OURS, &ids).await.unwrap();
        by_id.sort_by_key(|it| it.id);
        assert_eq!(
            by_id.iter().map(|it| it.id).collect::<Vec<_>>(),
            [11, 14].map(version_id)
        );
        assert_eq!(rules::versions_by_id(db, OURS, &[]).await.unwrap(), []);
        assert_eq!(rules::versions_by_id(db, THEIRS, &ids).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_publish_at_once_one_is_stale() {
    on_each(async |base| {
        add(&base.db, 1, "Правило").await;
        let read = rules::find(&base.db, OURS, rule_id(1)).await.unwrap();
        let pools = [base.db.clone(), base.another().await];
        let tasks: Vec<_> = (0..6_u32)
            .map(|n| {
                let (db, read) = (pools[n as usize % 2].clone(), read.clone());
                tokio::spawn(async move {
                    let tx = db.begin().await.unwrap();
                    let number =
                        rules::publish(&tx, &read, version_id(100 + u128::from(n)), "", None, NOW).await;
                    tx.commit().await.unwrap();
                    number
                })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(number) => numbers.push(number),
                stale => assert_stale(stale),
            }
        }
        assert_eq!(numbers, [1]);
        assert_eq!(
            rules::versions(&base.db, OURS, rule_id(1)).await.unwrap().len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_order_holds_and_others_stay_behind() {
    on_each(async |base| {
        let db = &base.db;
        for n in 1..=5 {
            add(db, n, "").await;
        }
        let named = [5, 3, 1, 2, 4].map(rule_id);
        rules::reorder(db, OURS, &named, at(1)).await.unwrap();
        assert_eq!(order(db).await, [5, 3, 1, 2, 4]);
        rules::reorder(db, OURS, &[rule_id(4), rule_id(1)], at(2))
            .await
            .unwrap();
        assert_eq!(order(db).await, [4, 1, 5, 3, 2]);
        let positions: Vec<_> = rules::list(db, OURS)
            .await
            .unwrap()
            .iter()
            .map(|it| it.position)
            .collect();
        assert_eq!(positions, [1, 2, 3, 4, 5]);

        assert_missing(rules::reorder(db, OURS, &[rule_id(9)], at(3)).await);
        assert_missing(rules::reorder(db, THEIRS, &[rule_id(1)], at(3)).await);
        add(db, 6, "").await;
        assert_eq!(order(db).await.last(), Some(&6));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_rule_is_gone_but_its_history_stays() {
    on_each(async |base| {
        let db = &base.db;
        add(db, 1, "Удаляемое").await;
        add(db, 2, "Другое").await;
        let read = rules::find(db, OURS, rule_id(1)).await.unwrap();
        rules::publish(db, &read, version_id(11), "", None, NOW)
            .await
            .unwrap();
        let read = rules::find(db, OURS, rule_id(1)).await.unwrap();
        assert_missing(rules::delete(db, THEIRS, rule_id(1), NOW).await);
        rules::delete(db, OURS, rule_id(1), NOW).await.unwrap();

        assert_missing(rules::find(db, OURS, rule_id(1)).await);
        assert_missing(rules::delete(db, OURS, rule_id(1), NOW).await);
        assert_missing(rules::set_enabled(db, OURS, rule_id(1), true, NOW).await);
        assert_missing(rules::set_attention(db, OURS, rule_id(1), None).await);
        assert_missing(rules::update_draft(db, OURS, rule_id(1), read.version, &document(""), NOW).await);
        assert_stale(rules::publish(db, &read, version_id(12), "", None, NOW).await);
        assert_eq!(order(db).await, [2]);
        assert_eq!(rules::versions(db, OURS, rule_id(1)).await.unwrap().len(), 1);
        let mut names = rules::names(db, OURS).await.unwrap();
        names.sort();
        let expected = [(1, "Удаляемое"), (2, "Другое")].map(|(n, name)| (rule_id(n), name.to_owned()));
        assert_eq!(names, expected);
    })
    .await;
}

#[tokio::test]
async fn switches_and_marks_are_kept() {
    on_each(async |base| {
        let db = &base.db;
        add(db, 1, "").await;
        for enabled in [true, false] {
            rules::set_enabled(db, OURS, rule_id(1), enabled, NOW)
                .await
                .unwrap();
            assert_eq!(rules::find(db, OURS, rule_id(1)).await.unwrap().enabled, enabled);
        }
        rules::set_attention(db, OURS, rule_id(1), Some("!"))
            .await
            .unwrap();
        rules::set_attention(db, OURS, rule_id(1), None).await.unwrap();
        assert_eq!(rules::find(db, OURS, rule_id(1)).await.unwrap().attention, None);
        assert_missing(rules::set_enabled(db, THEIRS, rule_id(1), true, NOW).await);
        base.tamper("UPDATE rule SET draft = '[]'").await;
        assert_corrupt(rules::find(db, OURS, rule_id(1)).await);
    })
    .await;
}

#[tokio::test]
async fn runs_of_each_rule_are_counted_since_a_moment() {
    on_each(async |base| {
        let db = &base.db;
        use domain::run::RunOutcome::{Matched, NotMatched};
        let made = [
            (1, 1, Matched, 0),
            (2, 1, NotMatched, 5),
            (3, 1, Matched, 5),
            (4, 2, NotMatched, 5),
        ];
        let runs = made.map(|(n, rule, outcome, ms)| crate::runs::run(n, rule, outcome, at(ms)));
        runs::insert(db, &runs).await.unwrap();
        let mut counts = rules::run_counts(db, OURS, at(5)).await.unwrap();
        counts.sort_by_key(|(rule, _)| *rule);
        let expected = [(1, 2, 1), (2, 1, 0)]
            .map(|(rule, n_runs, n_matched)| (rule_id(rule), RunCount { n_runs, n_matched }));
        assert_eq!(counts, expected);
        assert_eq!(rules::run_counts(db, THEIRS, at(0)).await.unwrap(), []);
    })
    .await;
}
