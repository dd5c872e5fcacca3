use crate::support::*;
use domain::id::{AuditEntryId, UserId};
use storage::PageOf;
use storage::audit::{self, Actor, ActorKind, AuditFilter, Entry, NewEntry};

fn entry(subject_kind: &'static str, subject_id: &str) -> NewEntry<'static> {
    NewEntry {
        action: "rule.published",
        subject_kind,
        subject_id: subject_id.to_owned(),
        before: None,
        after: Some(serde_json::json!({"name": "Ёлка"})),
    }
}

#[tokio::test]
async fn what_was_done_is_told_newest_first() {
    on_each(async |base| {
        let db = &base.db;
        let anna = Actor {
            kind: ActorKind::User,
            id: Some(uuid(0x51)),
            name: "Анна".to_owned(),
            request_id: Some("req".to_owned()),
            address: Some("10.0.0.1".to_owned()),
        };
        assert_eq!(anna.user(), Some(UserId(uuid(0x51))));
        assert_eq!(Actor::system().user(), None);
        let made = [
            (1, &anna, entry("rule", "1")),
            (2, &Actor::system(), entry("rule", "2")),
            (3, &anna, entry("connection", "1")),
        ];
        for (n, actor, entry) in made {
            audit::insert(db, OURS, AuditEntryId(uuid(n)), actor, entry, at(5))
                .await
                .unwrap();
        }
        audit::insert(
            db,
            THEIRS,
            AuditEntryId(uuid(4)),
            &anna,
            entry("rule", "1"),
            at(5),
        )
        .await
        .unwrap();

        let list = async |kind: Option<&str>, id: Option<&str>, page| {
            let wanted = AuditFilter {
                subject_kind: kind.map(str::to_owned),
                subject_id: id.map(str::to_owned),
                ..AuditFilter::default()
            };
            audit::list(db, OURS, &wanted, page).await.unwrap()
        };
        let numbers = |found: &[Entry]| found.iter().map(|it| it.id.0.as_u128()).collect::<Vec<_>>();
        let all = list(None, None, PageOf::default()).await;
        assert_eq!(numbers(&all), [3, 2, 1]);
        let expected = Entry {
            id: AuditEntryId(uuid(1)),
            at: at(5),
            actor_kind: "user".to_owned(),
            actor_name: "Анна".to_owned(),
            action: "rule.published".to_owned(),
            subject_kind: "rule".to_owned(),
            subject_id: "1".to_owned(),
            before: None,
            after: Some(serde_json::json!({"name": "Ёлка"})),
            request_id: Some("req".to_owned()),
            address: Some("10.0.0.1".to_owned()),
        };
        assert_eq!(all[2], expected);
        assert_eq!(
            (all[1].actor_kind.as_str(), all[1].address.as_deref()),
            ("system", None)
        );
        assert_eq!(
            numbers(&list(Some("rule"), None, PageOf::default()).await),
            [2, 1]
        );
        assert_eq!(
            numbers(&list(Some("rule"), Some("1"), PageOf::default()).await),
            [1]
        );
        assert_eq!(numbers(&list(None, Some("1"), PageOf::default()).await), [3, 1]);
        let page = PageOf {
            limit: 1,
            before: Some(uuid(3)),
        };
        assert_eq!(numbers(&list(None, None, page).await), [2]);
    })
    .await;
}

#[tokio::test]
async fn an_entry_goes_with_the_change_it_tells_of() {
    on_each(async |base| {
        let tx = base.db.begin().await.unwrap();
        let id = AuditEntryId(uuid(1));
        audit::insert(&tx, OURS, id, &Actor::system(), entry("rule", "1"), NOW)
            .await
            .unwrap();
        drop(tx);
        let all = audit::list(&base.db, OURS, &AuditFilter::default(), PageOf::default())
            .await
            .unwrap();
        assert_eq!(all, []);
    })
    .await;
}
