use crate::support::*;
use domain::id::LinkId;
use domain::record::{RecordId, RecordKey, RecordKind};
use storage::links::{self, Link};
use storage::{Db, PageOf};

/// The link with this number; all four of its ids are told apart by their hundreds.
fn link(n: i64) -> Link {
    Link {
        workspace: OURS,
        id: LinkId(uuid(n.unsigned_abs().into())),
        amocrm: AMO,
        lptracker: LPT,
        deal: Some(RecordId::from(100 + n)),
        contact: Some(RecordId::from(200 + n)),
        lead: Some(RecordId::from(300 + n)),
        lead_contact: Some(RecordId::from(400 + n)),
        lane: format!("link/{n}"),
        created_at: NOW,
        updated_at: NOW,
    }
}

async fn numbers(db: &Db, record_id: Option<&str>, page: PageOf) -> Vec<u128> {
    let found = links::list(db, OURS, record_id, page).await.unwrap();
    found.iter().map(|it| it.id.0.as_u128()).collect()
}

#[tokio::test]
async fn a_link_is_found_from_each_of_its_records() {
    on_each(async |base| {
        let db = &base.db;
        links::save(db, &link(1)).await.unwrap();
        links::save(db, &link(2)).await.unwrap();
        let sides = [
            (AMO, RecordKind::Deal, 101),
            (AMO, RecordKind::Contact, 201),
            (LPT, RecordKind::Lead, 301),
            (LPT, RecordKind::LeadContact, 401),
        ];
        for (connection, kind, id) in sides {
            let key = RecordKey::new(kind, id);
            let found = links::of_record(db, OURS, connection, &key).await.unwrap();
            assert_eq!(found, [link(1)]);
            assert_eq!(found[0].id_of(kind), Some(&key.id));
            let other_side = if connection == AMO { LPT } else { AMO };
            assert_eq!(links::of_record(db, OURS, other_side, &key).await.unwrap(), []);
            assert_eq!(links::of_record(db, THEIRS, connection, &key).await.unwrap(), []);
        }
        // The number of one side means nothing on another.
        assert_eq!(links::of_record(db, OURS, AMO, &deal(201)).await.unwrap(), []);
        let company = RecordKey::new(RecordKind::Company, 101);
        assert_eq!(links::of_record(db, OURS, AMO, &company).await.unwrap(), []);
        assert_eq!(link(1).id_of(RecordKind::Company), None);
    })
    .await;
}

#[tokio::test]
async fn of_several_links_of_a_contact_the_latest_change_comes_first() {
    on_each(async |base| {
        let db = &base.db;
        for (n, changed) in [(1, 30), (2, 10), (3, 20)] {
            let mut link = link(n);
            link.contact = Some(RecordId::from(77));
            link.updated_at = at(changed);
            links::save(db, &link).await.unwrap();
        }
        let key = RecordKey::new(RecordKind::Contact, 77);
        let found = links::of_record(db, OURS, AMO, &key).await.unwrap();
        let order: Vec<_> = found.iter().map(|it| it.id.0.as_u128()).collect();
        assert_eq!(order, [1, 3, 2]);
    })
    .await;
}

#[tokio::test]
async fn saving_again_stores_what_is_new() {
    on_each(async |base| {
        let db = &base.db;
        let mut link = Link {
            lead: None,
            lead_contact: None,
            ..link(1)
        };
        links::save(db, &link).await.unwrap();
        assert_eq!(links::find(db, OURS, link.id).await.unwrap(), link);
        link.lead = Some(RecordId::from(9));
        link.contact = None;
        link.updated_at = at(5);
        links::save(db, &link).await.unwrap();
        // What the link was born with stays.
        let again = Link {
            lane: "another".to_owned(),
            created_at: at(9),
            ..link.clone()
        };
        links::save(db, &again).await.unwrap();
        assert_eq!(links::find(db, OURS, link.id).await.unwrap(), link);
        assert_eq!(numbers(db, None, PageOf::default()).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn a_deal_or_lead_has_one_link() {
    on_each(async |base| {
        let db = &base.db;
        links::save(db, &link(1)).await.unwrap();
        let same_deal = Link {
            deal: link(1).deal,
            ..link(2)
        };
        assert_conflict(links::save(db, &same_deal).await);
        let same_lead = Link {
            lead: link(1).lead,
            ..link(2)
        };
        assert_conflict(links::save(db, &same_lead).await);
        links::save(db, &link(2)).await.unwrap();
        let moved = Link {
            lead: link(1).lead,
            ..link(2)
        };
        assert_conflict(links::save(db, &moved).await);
        assert_eq!(links::find(db, OURS, link(2).id).await.unwrap(), link(2));

        // Elsewhere the same numbers are other records, and several may have no counterpart yet.
        links::save(
            db,
            &Link {
                workspace: THEIRS,
                ..link(1)
            },
        )
        .await
        .unwrap();
        links::save(
            db,
            &Link {
                id: LinkId(uuid(3)),
                amocrm: LPT,
                lptracker: AMO,
                ..link(1)
            },
        )
        .await
        .unwrap();
        for n in [4, 5] {
            links::save(
                db,
                &Link {
                    lead: None,
                    ..link(n)
                },
            )
            .await
            .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn links_are_listed_newest_first_and_by_any_record() {
    on_each(async |base| {
        let db = &base.db;
        for n in 1..=4 {
            links::save(db, &link(n)).await.unwrap();
        }
        links::save(
            db,
            &Link {
                workspace: THEIRS,
                ..link(5)
            },
        )
        .await
        .unwrap();
        assert_eq!(numbers(db, None, PageOf::default()).await, [4, 3, 2, 1]);
        let page = PageOf {
            limit: 2,
            before: Some(uuid(4)),
        };
        assert_eq!(numbers(db, None, page).await, [3, 2]);
        for id in ["102", "202", "302", "402"] {
            assert_eq!(numbers(db, Some(id), PageOf::default()).await, [2], "{id}");
        }
        assert_eq!(numbers(db, Some("999"), PageOf::default()).await, []);

        assert_missing(links::delete(db, THEIRS, link(1).id).await);
        links::delete(db, OURS, link(1).id).await.unwrap();
        assert_missing(links::find(db, OURS, link(1).id).await);
        assert_missing(links::delete(db, OURS, link(1).id).await);
        assert_eq!(numbers(db, None, PageOf::default()).await, [4, 3, 2]);
    })
    .await;
}
