use crate::support::*;
use domain::case::{Expected, TestCase};
use domain::evaluate::{Calendar, Facts};
use domain::event::EventKind;
use domain::id::TestCaseId;
use domain::time::Zone;
use storage::rule_cases::{self, StoredCase};

fn case(name: &str, matches: bool) -> TestCase {
    TestCase {
        name: name.to_owned(),
        facts: Facts {
            kind: EventKind::DealUpdated,
            key: deal(7),
            records: Vec::new(),
            before: Vec::new(),
            changed: None,
            exists_in_other: None,
            now: NOW,
            zone: Zone::default(),
            calendar: Calendar::default(),
        },
        expected: Expected {
            matches,
            commands: matches.then(Vec::new),
        },
    }
}

fn id(n: u128) -> TestCaseId {
    TestCaseId(uuid(n))
}

#[tokio::test]
async fn cases_belong_to_one_rule_of_one_workspace() {
    on_each(async |base| {
        let db = &base.db;
        let (first, second) = (case("первая", true), case("вторая", false));
        rule_cases::insert(db, OURS, rule_id(1), id(2), &second, at(1))
            .await
            .unwrap();
        rule_cases::insert(db, OURS, rule_id(1), id(1), &first, NOW)
            .await
            .unwrap();
        let stored = StoredCase {
            id: id(1),
            rule: rule_id(1),
            case: first.clone(),
            created_at: NOW,
            updated_at: NOW,
        };
        assert_eq!(
            rule_cases::find(db, OURS, rule_id(1), id(1)).await.unwrap(),
            stored
        );
        let names = |all: Vec<StoredCase>| all.into_iter().map(|one| one.case.name).collect::<Vec<_>>();
        let ours = rule_cases::list(db, OURS, rule_id(1)).await.unwrap();
        assert_eq!(names(ours), ["первая", "вторая"]);
        assert!(rule_cases::list(db, THEIRS, rule_id(1)).await.unwrap().is_empty());
        assert!(rule_cases::list(db, OURS, rule_id(2)).await.unwrap().is_empty());
        assert_missing(rule_cases::find(db, THEIRS, rule_id(1), id(1)).await);
        assert_missing(rule_cases::update(db, OURS, rule_id(2), id(1), &second, NOW).await);
        assert_missing(rule_cases::delete(db, THEIRS, rule_id(1), id(1)).await);

        rule_cases::update(db, OURS, rule_id(1), id(1), &second, at(5))
            .await
            .unwrap();
        let changed = rule_cases::find(db, OURS, rule_id(1), id(1)).await.unwrap();
        assert_eq!((changed.case, changed.updated_at), (second, at(5)));
        rule_cases::delete(db, OURS, rule_id(1), id(1)).await.unwrap();
        assert_missing(rule_cases::delete(db, OURS, rule_id(1), id(1)).await);
        rule_cases::delete_all(db, OURS, rule_id(1)).await.unwrap();
        assert!(rule_cases::list(db, OURS, rule_id(1)).await.unwrap().is_empty());
    })
    .await;
}
