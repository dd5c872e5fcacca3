//! What works when nothing goes wrong.

use super::{Harness, field};
use crate::connector::{Connector, ContactQuery, Effect, Outgoing};
use domain::command::{NewCall, NewPayment, NewTask, Write};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordId, RecordKey};
use domain::value::{Choice, Stage, Value};

const PHONE: &str = "+7 900 555-01-02";
const PHONE_SPELLED_OTHERWISE: &str = "8 (900) 555 01 02";
const HOOK: &str = "https://hub.example.com/hooks/0123456789abcdef";

/// The write that makes a contact with a phone.
pub(super) fn new_contact(harness: &impl Harness, name: &str, phone: &str) -> Write {
    let can = harness.capabilities();
    Write::CreateContact {
        kind: can.contact,
        fields: vec![
            field(SystemField::Name, Value::text(name)),
            field(SystemField::Phone, Value::Texts(vec![phone.to_owned()])),
        ],
        pipeline: can.project,
    }
}

/// The write that makes a deal or lead on the first stage.
pub(super) fn new_record(harness: &impl Harness, contact: &RecordId, name: &str) -> Write {
    let can = harness.capabilities();
    Write::CreateRecord {
        kind: can.record,
        contact: Some(contact.clone()),
        fields: vec![
            field(SystemField::Name, Value::text(name)),
            field(FieldKey::Custom(can.text_field), Value::text("первое значение")),
        ],
        stage: Some(can.stages[0]),
        responsible: None,
        tags: Vec::new(),
    }
}

/// Key of what a creation made.
pub(super) fn made(effect: &Effect) -> RecordKey {
    effect.key.clone().expect("a creation tells its key")
}

/// A contact with a record, both made by a person.
pub(super) async fn seeded(harness: &impl Harness) -> (RecordId, RecordKey) {
    let contact = harness.contact_by_person("Пётр Сидоров", PHONE).await;
    let record = harness.record_by_person(&contact, "Ремонт кухни").await;
    (
        contact,
        RecordKey::new(harness.capabilities().record, record.0.as_str()),
    )
}

/// The record as the CRM holds it now.
pub(super) async fn read(connector: &dyn Connector, key: &RecordKey) -> Record {
    let snapshot = connector
        .read(key, false)
        .await
        .expect("a read works")
        .expect("the record is there");
    snapshot
        .record(key.kind)
        .expect("the asked record is in the snapshot")
        .clone()
}

fn stage(record: &Record) -> Stage {
    match record.get(SystemField::Stage.into()) {
        Some(Value::Stage(stage)) => *stage,
        other => panic!("no stage: {other:?}"),
    }
}

/// The check names the account and carries the credential's doubts as warnings, not as failures.
pub async fn check_tells_the_account(harness: &impl Harness) {
    let card = harness.connector().check().await.expect("the check passes");
    assert!(!card.name.is_empty());
}

/// Both stages, the text field and the user are in the catalogue.
pub async fn catalogue_has_the_stages(harness: &impl Harness) {
    let can = harness.capabilities();
    let catalogue = harness.connector().catalogue().await.expect("a catalogue");
    for stage in can.stages {
        let (pipeline, info) = catalogue.stage(stage).expect("the stage is known");
        assert!(!pipeline.name.is_empty() && !info.name.is_empty());
    }
    let info = catalogue
        .field(can.record, can.text_field)
        .expect("the text field is known");
    assert_eq!(info.field_type, domain::field::FieldType::Text);
    assert!(catalogue.user(can.user).is_some_and(|user| user.is_active));
}

/// Subscribing twice leaves one subscription; taking it away leaves none.
pub async fn subscription_comes_and_goes(harness: &impl Harness) {
    let connector = harness.connector();
    assert!(!connector.subscription(HOOK).await.expect("told").installed);
    connector.subscribe(HOOK).await.expect("subscribed");
    connector.subscribe(HOOK).await.expect("subscribed again");
    let state = connector.subscription(HOOK).await.expect("told");
    assert!(state.installed && !state.disabled);
    assert!(!state.foreign.iter().any(|url| url == HOOK));
    connector.unsubscribe(HOOK).await.expect("taken away");
    assert!(!connector.subscription(HOOK).await.expect("told").installed);
    connector
        .unsubscribe(HOOK)
        .await
        .expect("taking away nothing is no mistake");
}

/// A contact just made is found by its phone however it is written.
pub async fn contact_is_found_by_another_spelling(harness: &impl Harness) {
    let connector = harness.connector();
    let effect = connector
        .write(&new_contact(harness, "Анна Ким", PHONE))
        .await
        .expect("made");
    let query = ContactQuery::Phone(PHONE_SPELLED_OTHERWISE.to_owned());
    let found = connector.find_contacts(&query).await.expect("a search works");
    assert_eq!(
        found.iter().map(|record| record.key.clone()).collect::<Vec<_>>(),
        [made(&effect)]
    );
    assert!(matches!(found[0].get(SystemField::Phone.into()), Some(Value::Texts(list)) if list.len() == 1));
}

/// A phone that only resembles finds nobody.
pub async fn contact_is_not_found_by_a_foreign_phone(harness: &impl Harness) {
    harness.contact_by_person("Пётр Сидоров", PHONE).await;
    let query = ContactQuery::Phone("+7 900 555-01-03".to_owned());
    assert_eq!(
        harness
            .connector()
            .find_contacts(&query)
            .await
            .expect("a search works"),
        []
    );
}

/// A record just made is listed at its contact, with what the port promises of it.
pub async fn record_is_among_those_of_its_contact(harness: &impl Harness) {
    let connector = harness.connector();
    let can = harness.capabilities();
    let contact = made(
        &connector
            .write(&new_contact(harness, "Анна Ким", PHONE))
            .await
            .expect("made"),
    );
    assert_eq!(
        connector.records_of_contact(&contact.id).await.expect("a list"),
        []
    );
    let record = made(
        &connector
            .write(&new_record(harness, &contact.id, "Окна"))
            .await
            .expect("made"),
    );
    let listed = connector.records_of_contact(&contact.id).await.expect("a list");
    assert_eq!(
        listed.iter().map(|one| one.key.clone()).collect::<Vec<_>>(),
        [record]
    );
    assert_eq!(stage(&listed[0]), can.stages[0]);
    assert_eq!(
        listed[0].get(SystemField::Name.into()),
        Some(&Value::text("Окна"))
    );
    assert!(matches!(
        listed[0].get(SystemField::CreatedAt.into()),
        Some(Value::Instant(_))
    ));
}

/// What was written is read back.
pub async fn update_is_read_back(harness: &impl Harness) {
    let connector = harness.connector();
    let custom = FieldKey::Custom(harness.capabilities().text_field);
    let (_, key) = seeded(harness).await;
    let fields = vec![
        field(SystemField::Name, Value::text("Ремонт ванной")),
        field(custom, Value::text("Казань, ёлка")),
    ];
    connector
        .write(&Write::UpdateRecord {
            key: key.clone(),
            fields,
        })
        .await
        .expect("written");
    let record = read(&*connector, &key).await;
    assert_eq!(
        record.get(SystemField::Name.into()),
        Some(&Value::text("Ремонт ванной"))
    );
    assert_eq!(record.get(custom), Some(&Value::text("Казань, ёлка")));

    let fields = vec![field(custom, Value::Empty)];
    connector
        .write(&Write::UpdateRecord {
            key: key.clone(),
            fields,
        })
        .await
        .expect("cleared");
    let record = read(&*connector, &key).await;
    assert!(record.get(custom).is_none_or(Value::is_empty));
    assert_eq!(
        record.get(SystemField::Name.into()),
        Some(&Value::text("Ремонт ванной"))
    );
}

/// A move is read back.
pub async fn move_is_read_back(harness: &impl Harness) {
    let connector = harness.connector();
    let target = harness.capabilities().stages[1];
    let (_, key) = seeded(harness).await;
    let write = Write::Move {
        key: key.clone(),
        stage: target,
        loss_reason: None,
    };
    connector.write(&write).await.expect("moved");
    assert_eq!(stage(&read(&*connector, &key).await), target);
}

/// A responsible user is read back.
pub async fn responsible_is_read_back(harness: &impl Harness) {
    let connector = harness.connector();
    let user = harness.capabilities().user;
    let (_, key) = seeded(harness).await;
    connector
        .write(&Write::SetResponsible {
            key: key.clone(),
            user,
        })
        .await
        .expect("given");
    let record = read(&*connector, &key).await;
    assert_eq!(
        record.get(SystemField::Responsible.into()),
        Some(&Value::User(user))
    );
}

/// Notes, tags, tasks, calls and payments: accepted where the CRM has them, `Unsupported` where not.
pub async fn additions_are_accepted(harness: &impl Harness) {
    let connector = harness.connector();
    let can = harness.capabilities();
    let (_, key) = seeded(harness).await;
    let tags = Write::ChangeTags {
        key: key.clone(),
        add: vec![Choice::named("хаб")],
        remove: Vec::new(),
    };
    let task = NewTask {
        text: "Перезвонить".to_owned(),
        task_type: Some(1),
        deadline: harness.now().plus_ms(3_600_000),
        responsible: None,
    };
    let call = NewCall {
        incoming: true,
        phone: PHONE.to_owned(),
        duration: 42,
        recording: Some("https://records.example.com/1.mp3".to_owned()),
        result: Some("Заинтересован".to_owned()),
        unique: Some("call-1".to_owned()),
        at: Some(harness.now()),
    };
    let payment = NewPayment {
        category: "Услуги".to_owned(),
        purpose: "Предоплата".to_owned(),
        sum: 1500.into(),
    };
    let tries = [
        (
            true,
            Write::AddNote {
                key: key.clone(),
                text: "Клиент просил\nвторую строку".to_owned(),
            },
        ),
        (can.tags, tags),
        (
            can.tasks,
            Write::AddTask {
                key: key.clone(),
                task,
            },
        ),
        (
            can.call_log,
            Write::LogCall {
                key: key.clone(),
                call,
            },
        ),
        (
            can.payments,
            Write::AddPayment {
                key: key.clone(),
                payment,
            },
        ),
    ];
    for (possible, write) in tries {
        match (possible, connector.write(&write).await) {
            (true, Ok(_)) | (false, Err(crate::ConnectorError::Unsupported { .. })) => {}
            (_, result) => panic!("{write:?}: {result:?}"),
        }
    }
    if can.tags {
        let record = read(&*connector, &key).await;
        assert!(matches!(record.get(SystemField::Tags.into()),
            Some(Value::Choices(tags)) if tags.iter().any(|tag| tag.name == "хаб")));
    }
}

/// Reading with surroundings brings the contact with its phone.
pub async fn related_contact_is_read(harness: &impl Harness) {
    let (contact, key) = seeded(harness).await;
    let snapshot = harness
        .connector()
        .read(&key, true)
        .await
        .expect("a read works")
        .expect("it is there");
    assert_eq!(snapshot.records[0].key, key);
    let around = snapshot
        .record(harness.capabilities().contact)
        .expect("its contact");
    assert_eq!(around.key.id, contact);
    assert!(matches!(around.get(SystemField::Phone.into()), Some(Value::Texts(list)) if !list.is_empty()));
}

/// A record that is not there is `None`, not a failure.
pub async fn missing_record_is_none(harness: &impl Harness) {
    let key = RecordKey::new(harness.capabilities().record, 987_654_321);
    assert_eq!(
        harness.connector().read(&key, true).await.expect("a read works"),
        None
    );
}

/// Many writes at once: one result for each in order, a bad one spoils no other.
pub async fn several_writes_answer_in_order(harness: &impl Harness) {
    let connector = harness.connector();
    let can = harness.capabilities();
    let (contact, first) = seeded(harness).await;
    let second = harness.record_by_person(&contact, "Вторая").await;
    let second = RecordKey::new(can.record, second.0.as_str());
    let missing = RecordKey::new(can.record, 987_654_321);
    let rename = |key: &RecordKey, name: &str| Write::UpdateRecord {
        key: key.clone(),
        fields: vec![field(SystemField::Name, Value::text(name))],
    };
    let writes = [
        rename(&first, "А"),
        rename(&missing, "Б"),
        Write::AddNote {
            key: second.clone(),
            text: "В пачке".to_owned(),
        },
        rename(&second, "В"),
        Write::Move {
            key: first.clone(),
            stage: can.stages[1],
            loss_reason: None,
        },
        rename(&first, "Г"),
    ];
    let results = connector.write_all(&outgoing(&writes)).await;
    assert_eq!(results.len(), writes.len());
    for (at, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), at != 1, "{at}: {result:?}");
    }
    let record = read(&*connector, &first).await;
    assert_eq!(record.get(SystemField::Name.into()), Some(&Value::text("Г")));
    assert_eq!(stage(&record), can.stages[1]);
    assert_eq!(
        read(&*connector, &second).await.get(SystemField::Name.into()),
        Some(&Value::text("В"))
    );
}

/// Reconciliation tells a record made since.
pub async fn changes_hold_what_was_made(harness: &impl Harness) {
    let connector = harness.connector();
    let since = harness.now().plus_ms(-2_000);
    let (_, key) = seeded(harness).await;
    let mut cursor = None;
    let mut facts = Vec::new();
    loop {
        let page = connector.changes(since, cursor.as_deref()).await.expect("a page");
        assert!(
            page.facts
                .windows(2)
                .all(|pair| pair[0].occurred_at <= pair[1].occurred_at)
        );
        facts.extend(page.facts);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(facts.iter().any(|fact| fact.key == key), "{facts:?}");
}

fn outgoing(writes: &[Write]) -> Vec<Outgoing> {
    writes.iter().cloned().map(Outgoing::from).collect()
}
