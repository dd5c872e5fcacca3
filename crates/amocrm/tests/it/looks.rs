//! Looking after uncertain writes, and reading what changed.

use crate::support::{Fake, id};
use connector::conformance::field;
use connector::{Connector, Look};
use domain::command::{NewCall, NewTask, Write};
use domain::field::SystemField;
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Stage, Value};
use sandbox::amocrm::Kind;

fn deal(number: i64) -> RecordKey {
    RecordKey::new(RecordKind::Deal, number)
}

fn rename(number: i64, name: &str) -> Write {
    Write::UpdateRecord {
        key: deal(number),
        fields: vec![field(SystemField::Name, Value::text(name))],
    }
}

fn now(fake: &Fake) -> Timestamp {
    Timestamp(fake.sandbox.world.clock.now_ms())
}

/// Long enough ago for «not there» to be believed.
fn settled(fake: &Fake) -> Timestamp {
    now(fake).plus_ms(-60_000)
}

#[tokio::test]
async fn calls_and_tasks_are_looked_for_by_what_they_are() {
    let fake = Fake::start();
    let number = fake.deal(None, "Сделка");
    let call = |unique: Option<&str>| Write::LogCall {
        key: deal(number),
        call: NewCall {
            incoming: true,
            phone: "+79000000001".to_owned(),
            duration: 60,
            recording: None,
            result: None,
            unique: unique.map(str::to_owned),
            at: Some(Timestamp::from_secs(1_700_000_000)),
        },
    };
    let task = |text: &str| Write::AddTask {
        key: deal(number),
        task: NewTask {
            text: text.to_owned(),
            task_type: Some(1),
            deadline: Timestamp::from_secs(1_900_000_000),
            responsible: None,
        },
    };
    let connector = fake.admin();
    for (made, missing) in [
        (call(Some("a")), call(Some("b"))),
        (call(None), call(Some("c"))),
        (task("Да"), task("Нет")),
    ] {
        let effect = connector.write(&made).await.unwrap();
        match connector.look(&made, settled(&fake)).await.unwrap() {
            Look::Applied(found) => assert_eq!(found.part, effect.part),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            connector.look(&missing, settled(&fake)).await.unwrap(),
            Look::NotApplied
        );
    }
}

#[tokio::test]
async fn absence_right_after_a_write_proves_nothing() {
    let fake = Fake::start();
    let number = fake.deal(None, "Сделка");
    let write = Write::AddNote {
        key: deal(number),
        text: "ещё в пути".to_owned(),
    };
    let look = fake.admin().look(&write, now(&fake)).await.unwrap();
    assert!(matches!(look, Look::Undecided { .. }), "{look:?}");
    // What may be repeated safely is decided at once.
    assert_eq!(
        fake.admin()
            .look(&rename(number, "Другое"), now(&fake))
            .await
            .unwrap(),
        Look::NotApplied
    );
    assert!(matches!(
        fake.admin()
            .look(&rename(number, "Сделка"), now(&fake))
            .await
            .unwrap(),
        Look::Applied(_)
    ));
}

#[tokio::test]
async fn two_that_fit_are_left_to_a_person() {
    let fake = Fake::start();
    let contact = fake.contact("Анна", "+79000000001");
    let write = Write::CreateRecord {
        kind: RecordKind::Deal,
        contact: Some(id(contact)),
        fields: vec![field(SystemField::Name, Value::text("Заявка"))],
        stage: None,
        responsible: None,
        tags: Vec::new(),
    };
    let since = settled(&fake);
    fake.deal(Some(contact), "Заявка");
    assert!(matches!(
        fake.admin().look(&write, since).await.unwrap(),
        Look::Applied(_)
    ));
    fake.deal(Some(contact), "Заявка");
    let look = fake.admin().look(&write, since).await.unwrap();
    assert!(matches!(look, Look::Undecided { .. }), "{look:?}");
}

#[tokio::test]
async fn changes_tell_former_values_and_deletions() {
    let fake = Fake::start();
    let connector = fake.admin();
    let number = fake.deal(None, "Сделка");
    let gone = fake.deal(None, "Лишняя");
    let since = now(&fake).plus_ms(-1_000);
    let stage = |status| Stage {
        pipeline: sandbox::PIPELINE_SALES,
        status,
    };
    let write = Write::Move {
        key: deal(number),
        stage: stage(sandbox::STATUS_TO_CALL),
        loss_reason: None,
    };
    connector.write(&write).await.unwrap();
    fake.sandbox
        .world
        .amocrm()
        .account()
        .delete(Kind::Lead, gone, sandbox::USER_IVAN);
    let mut facts = Vec::new();
    let mut cursor = None;
    loop {
        let page = connector.changes(since, cursor.as_deref()).await.unwrap();
        facts.extend(page.facts);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let moved = facts
        .iter()
        .find(|fact| fact.kind == domain::event::EventKind::DealStageChanged)
        .unwrap();
    assert_eq!(
        moved.before,
        [(
            SystemField::Stage.into(),
            Value::Stage(stage(sandbox::STATUS_NEW))
        )]
    );
    assert_eq!(moved.author, Some(sandbox::USER_ANNA));
    let deleted = facts
        .iter()
        .find(|fact| fact.kind == domain::event::EventKind::DealDeleted)
        .unwrap();
    assert_eq!(
        (&deleted.key, deleted.author),
        (&deal(gone), Some(sandbox::USER_IVAN))
    );
    let mut keys: Vec<&str> = facts.iter().map(|fact| fact.dedupe.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), facts.len());
    assert!(connector.changes(since, Some("чужое")).await.is_err());
}
