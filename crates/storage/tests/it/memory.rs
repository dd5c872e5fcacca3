use crate::support::*;
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey, RecordKind};
use domain::value::{Choice, Value};
use storage::memory::{self, Echo, Snapshot};

fn echo(n: u128) -> Echo {
    Echo {
        workspace: OURS,
        id: uuid(n),
        connection: AMO,
        delivery: delivery_id(n),
        kind: RecordKind::Deal,
        record: Some(RecordId::from(1)),
        fields: vec![
            (SystemField::Name.into(), Value::Text("Имя".to_owned())),
            (FieldKey::Custom(12), Value::Choice(Choice::new(3, "Вариант"))),
        ],
        chain: 2,
        written_at: NOW,
        expires_at: at(100),
    }
}

#[tokio::test]
async fn the_last_known_state_of_a_record_replaces_the_one_before() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(memory::snapshot(db, OURS, AMO, &deal(1)).await.unwrap(), None);
        let record = Record::new(RecordKind::Deal, 1).with(SystemField::Name, Value::Empty);
        let contact = Record::new(RecordKind::Contact, 1);
        let elsewhere = Snapshot::new(Record::new(RecordKind::Deal, 1), NOW);
        let first = Snapshot::new(record.clone(), NOW);
        let others = Snapshot::new(contact.clone(), NOW);
        memory::save_snapshots(db, OURS, AMO, &[&first, &others])
            .await
            .unwrap();
        memory::save_snapshots(db, OURS, LPT, &[&elsewhere])
            .await
            .unwrap();

        let expected = Snapshot {
            record: record.with(FieldKey::Custom(5), Value::Flag(false)),
            seen_to: at(3),
            updated_at: at(7),
        };
        let tx = db.begin().await.unwrap();
        let before = memory::snapshots_to_change(&tx, OURS, AMO, &[deal(1)])
            .await
            .unwrap();
        assert_eq!(before, [first]);
        memory::save_snapshots(&tx, OURS, AMO, &[&expected])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            memory::snapshot(db, OURS, AMO, &deal(1)).await.unwrap(),
            Some(expected)
        );
        let other = memory::snapshot(db, OURS, AMO, &contact.key)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((other.record, other.updated_at), (contact, NOW));
        assert_eq!(memory::snapshot(db, THEIRS, AMO, &deal(1)).await.unwrap(), None);

        base.tamper("UPDATE snapshot SET record = 'null'").await;
        assert_corrupt(memory::snapshot(db, OURS, AMO, &deal(1)).await);
    })
    .await;
}

#[tokio::test]
async fn marks_explain_until_they_expire() {
    on_each(async |base| {
        let db = &base.db;
        let long = Echo {
            expires_at: at(200),
            ..echo(2)
        };
        let others = [
            Echo {
                record: Some(RecordId::from(2)),
                ..echo(3)
            },
            Echo {
                kind: RecordKind::Contact,
                ..echo(4)
            },
            Echo {
                connection: LPT,
                ..echo(5)
            },
            Echo {
                workspace: THEIRS,
                ..echo(6)
            },
        ];
        for mark in [echo(1), long.clone()].iter().chain(&others) {
            memory::insert_echoes(db, std::slice::from_ref(mark))
                .await
                .unwrap();
        }
        let echoes = async |now| memory::echoes(db, OURS, AMO, &[deal(1)], at(now)).await.unwrap();
        assert_eq!(echoes(99).await, [long.clone(), echo(1)], "newest first");
        assert_eq!(echoes(100).await, [long]);
        assert_eq!(echoes(200).await, []);

        assert_eq!(memory::sweep_echoes(db, at(99)).await.unwrap(), 0);
        assert_eq!(
            memory::sweep_echoes(db, at(100)).await.unwrap(),
            0,
            "kept for reconciliation, which finds late what we wrote long ago"
        );
        let days_later = at(100).plus_ms(48 * 3_600_000);
        assert_eq!(memory::sweep_echoes(db, days_later).await.unwrap(), 5);
        assert_eq!(echoes(0).await.len(), 1);
        memory::delete_echo(db, THEIRS, uuid(2)).await.unwrap();
        assert_eq!(echoes(0).await.len(), 1);
        memory::delete_echo(db, OURS, uuid(2)).await.unwrap();
        assert_eq!(echoes(0).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_creation_under_way_is_known_until_it_has_an_id() {
    on_each(async |base| {
        let db = &base.db;
        let under_way = async |kind, now| {
            memory::creations_under_way(db, OURS, AMO, at(now))
                .await
                .unwrap()
                .contains(&kind)
        };
        memory::insert_echoes(db, &[echo(1)]).await.unwrap();
        assert!(
            !under_way(RecordKind::Deal, 0).await,
            "a write to a known record creates nothing"
        );
        let mut creation = Echo {
            record: None,
            ..echo(2)
        };
        memory::insert_echoes(db, &[creation.clone()]).await.unwrap();
        assert!(under_way(RecordKind::Deal, 99).await);
        assert!(!under_way(RecordKind::Deal, 100).await, "expired");
        assert!(!under_way(RecordKind::Contact, 0).await);
        let of_another = memory::creations_under_way(db, OURS, LPT, NOW).await.unwrap();
        let of_theirs = memory::creations_under_way(db, THEIRS, AMO, NOW).await.unwrap();
        assert!(of_another.is_empty() && of_theirs.is_empty());

        // The answer came: the mark now explains events of the new record.
        creation.record = Some(RecordId::from(31));
        creation.expires_at = at(500);
        memory::insert_echoes(db, &[creation.clone()]).await.unwrap();
        assert!(!under_way(RecordKind::Deal, 0).await);
        let key = RecordKey::new(RecordKind::Deal, 31);
        assert_eq!(
            memory::echoes(db, OURS, AMO, std::slice::from_ref(&key), at(499))
                .await
                .unwrap(),
            [creation]
        );
    })
    .await;
}

#[tokio::test]
async fn a_phone_leads_to_the_contact_seen_last() {
    on_each(async |base| {
        let db = &base.db;
        let known = async |connection, phone| {
            memory::known_contact(db, OURS, connection, phone)
                .await
                .unwrap()
                .map(|id| id.0)
        };
        assert_eq!(known(AMO, "+79990000001").await, None);
        for contact in [5, 6] {
            memory::remember_contact(db, OURS, AMO, "+79990000001", &RecordId::from(contact), NOW)
                .await
                .unwrap();
        }
        memory::remember_contact(db, OURS, LPT, "+79990000001", &RecordId::from(7), NOW)
            .await
            .unwrap();
        assert_eq!(known(AMO, "+79990000001").await.as_deref(), Some("6"));
        assert_eq!(known(LPT, "+79990000001").await.as_deref(), Some("7"));
        assert_eq!(known(AMO, "+79990000002").await, None);
        let theirs = memory::known_contact(db, THEIRS, AMO, "+79990000001")
            .await
            .unwrap();
        assert_eq!(theirs, None);
    })
    .await;
}
