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
        let tx = db.begin().await.unwrap();
        for (n, actor, entry) in made {
            audit::insert(&tx, OURS, AuditEntryId(uuid(n)), actor, entry, at(5))
                .await
                .unwrap();
        }
        audit::insert(
            &tx,
            THEIRS,
            AuditEntryId(uuid(4)),
            &anna,
            entry("rule", "1"),
            at(5),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();

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
        let by = async |wanted: AuditFilter| {
            numbers(&audit::list(db, OURS, &wanted, PageOf::default()).await.unwrap())
        };
        let of_anna = AuditFilter {
            actor_id: Some(uuid(0x51)),
            action: Some("rule.".to_owned()),
            from: Some(at(5)),
            to: Some(at(6)),
            ..AuditFilter::default()
        };
        assert_eq!(by(of_anna.clone()).await, [3, 1]);
        let later = AuditFilter {
            from: Some(at(6)),
            ..of_anna.clone()
        };
        assert_eq!(by(later).await, [0; 0]);
        let other = AuditFilter {
            action: Some("rule.p_".to_owned()),
            ..of_anna
        };
        assert_eq!(by(other).await, [0; 0], "an action is not a pattern");
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

#[tokio::test]
async fn tampering_with_the_log_shows() {
    for (n, tampering) in [
        "UPDATE audit_entry SET actor_name = 'Борис' WHERE number = 3",
        "UPDATE audit_entry SET \"after\" = NULL WHERE number = 3",
        "DELETE FROM audit_entry WHERE number = 3",
        "DELETE FROM audit_entry WHERE number = 5",
        "UPDATE audit_entry SET number = 13 - number WHERE number IN (3, 4)",
    ]
    .into_iter()
    .enumerate()
    {
        on_each(async |base| {
            for n in 1..=5 {
                let tx = base.db.begin().await.unwrap();
                let id = AuditEntryId(uuid(n));
                audit::insert(&tx, OURS, id, &Actor::system(), entry("rule", "1"), NOW)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
            let whole = audit::verify(&base.db, OURS).await.unwrap();
            assert_eq!((whole.n_entries, whole.broken_at), (5, None));
            assert_eq!(whole.head.len(), 64);
            assert_eq!(audit::verify(&base.db, THEIRS).await.unwrap().n_entries, 0);
            base.tamper(tampering).await;
            let broken = audit::verify(&base.db, OURS).await.unwrap().broken_at;
            assert_eq!(broken, Some(if n == 3 { 5 } else { 3 }), "{tampering}");
        })
        .await;
    }
}

/// Two processes write at once: the chain stays one.
#[tokio::test]
async fn entries_written_at_once_are_one_chain() {
    on_each(async |base| {
        let write = async |n: u128| {
            let tx = base.db.begin().await.unwrap();
            let id = AuditEntryId(uuid(n));
            audit::insert(&tx, OURS, id, &Actor::system(), entry("rule", "1"), NOW)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        };
        futures_join(write).await;
        let whole = audit::verify(&base.db, OURS).await.unwrap();
        assert_eq!((whole.n_entries, whole.broken_at), (4, None));
    })
    .await;
}

async fn futures_join(write: impl AsyncFn(u128)) {
    tokio::join!(write(1), write(2), write(3), write(4));
}
