//! The subscription, and hooks as the sandbox puts them on the wire.

use crate::support::Fake;
use amocrm::AmocrmIntake;
use connector::conformance::field;
use connector::{Connector, Intake, IntakeContext};
use domain::command::Write;
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{RecordKey, RecordKind};
use domain::value::{Choice, Stage, Value};
use sandbox::{EntryKind, Side};

const HOOK: &str = "https://hub.example.com/hooks/0123456789abcdef";

#[tokio::test]
async fn switched_off_subscription_is_made_anew_and_others_stay() {
    let fake = Fake::start();
    let connector = fake.admin();
    connector
        .subscribe("https://other.example.com/hook")
        .await
        .unwrap();
    connector.subscribe(HOOK).await.unwrap();
    let switch_off = || {
        let mut state = fake.sandbox.world.amocrm();
        state
            .account()
            .hooks
            .iter_mut()
            .find(|hook| hook.destination == HOOK)
            .unwrap()
            .disabled = true;
    };
    switch_off();
    assert!(connector.subscription(HOOK).await.unwrap().disabled);
    connector.subscribe(HOOK).await.unwrap();
    let state = connector.subscription(HOOK).await.unwrap();
    assert!(state.installed && !state.disabled);
    assert_eq!(state.foreign, ["https://other.example.com/hook"]);
    // Ours with a piece missing is not installed.
    fake.sandbox
        .world
        .amocrm()
        .account()
        .hooks
        .iter_mut()
        .for_each(|hook| {
            hook.settings.retain(|code| code != "status_lead");
        });
    assert!(!connector.subscription(HOOK).await.unwrap().installed);
    connector.unsubscribe(HOOK).await.unwrap();
    assert_eq!(connector.subscription(HOOK).await.unwrap().foreign.len(), 1);
}

/// Bodies sent to the hook after `act`, until `n` came; the address refuses, the journal has them anyway.
async fn sent(fake: &Fake, n: usize, act: impl AsyncFnOnce()) -> Vec<String> {
    let mut live = fake.sandbox.world.journal.subscribe();
    act().await;
    let mut bodies = Vec::new();
    while bodies.len() < n {
        let entry = live.recv().await.expect("the journal goes on");
        if entry.side == Side::Amocrm && entry.kind == EntryKind::Webhook && entry.attempt == 1 {
            bodies.push(entry.body);
        }
    }
    bodies
}

fn read(fake: &Fake, bodies: &[String], catalogue: Option<&domain::catalogue::Catalogue>) -> Vec<Fact> {
    let account = Some(fake.sandbox.world.amocrm().account().id);
    let context = IntakeContext {
        account,
        catalogue,
        ..IntakeContext::default()
    };
    let parse = |body: &String| {
        AmocrmIntake
            .parse("application/x-www-form-urlencoded", body.as_bytes(), context)
            .expect(body)
    };
    bodies.iter().flat_map(parse).collect()
}

#[tokio::test]
async fn hooks_of_our_own_writes_say_what_was_written() {
    let fake = Fake::start();
    let connector = fake.admin();
    let catalogue = connector.catalogue().await.unwrap();
    let contact = fake.contact("Анна", "+79000000001");
    let deal = RecordKey::new(RecordKind::Deal, fake.deal(Some(contact), "Сделка"));
    // Nobody listens there: refused at once, and written down.
    connector.subscribe("http://127.0.0.1:1/hook").await.unwrap();
    let stage = |status| Stage {
        pipeline: sandbox::PIPELINE_SALES,
        status,
    };
    let city = FieldKey::Custom(sandbox::FIELD_CITY);
    let source = FieldKey::Custom(sandbox::FIELD_SOURCE);
    let choice = Value::Choice(Choice::new(sandbox::ENUM_SOURCE_SITE, "Сайт"));
    let bodies = sent(&fake, 4, async || {
        let fields = vec![
            field(SystemField::Price, Value::Number(500.into())),
            field(city, Value::text("Орёл & Курск")),
            field(source, choice.clone()),
        ];
        connector
            .write(&Write::UpdateRecord {
                key: deal.clone(),
                fields,
            })
            .await
            .unwrap();
        let target = stage(sandbox::STATUS_TO_CALL);
        connector
            .write(&Write::Move {
                key: deal.clone(),
                stage: target,
                loss_reason: None,
            })
            .await
            .unwrap();
        connector
            .write(&Write::AddNote {
                key: deal.clone(),
                text: "a < b & c".to_owned(),
            })
            .await
            .unwrap();
    })
    .await;
    let facts = read(&fake, &bodies, Some(&catalogue));
    let of = |kind| {
        facts
            .iter()
            .find(|fact| fact.kind == kind)
            .unwrap_or_else(|| panic!("{kind:?}: {facts:?}"))
    };
    let updated = of(EventKind::DealUpdated);
    assert_eq!(updated.key, deal);
    assert_eq!(updated.record.get(city), Some(&Value::text("Орёл & Курск")));
    assert_eq!(updated.record.get(source), Some(&choice));
    assert_eq!(
        updated.record.get(SystemField::Price.into()),
        Some(&Value::Number(500.into()))
    );
    let moved = of(EventKind::DealStageChanged);
    assert_eq!(
        moved.before,
        [(
            SystemField::Stage.into(),
            Value::Stage(stage(sandbox::STATUS_NEW))
        )]
    );
    assert_eq!(moved.author, Some(sandbox::USER_ANNA));
    let note = of(EventKind::NoteAdded);
    assert_eq!(note.related[0].key, deal);
    assert_eq!(
        note.record.get(SystemField::Text.into()),
        Some(&Value::text("a < b & c"))
    );
}

#[tokio::test]
async fn several_facts_of_one_request_come_in_one_body() {
    let fake = Fake::start();
    fake.sandbox.world.amocrm().set(|settings| {
        settings.bundle_hooks = true;
        settings.account_block_last = true;
    });
    let connector = fake.admin();
    let deals = [fake.deal(None, "А"), fake.deal(None, "Б")].map(|id| RecordKey::new(RecordKind::Deal, id));
    connector.subscribe("http://127.0.0.1:1/hook").await.unwrap();
    let bodies = sent(&fake, 1, async || {
        let writes = deals.clone().map(|key| Write::Move {
            key,
            stage: Stage {
                pipeline: sandbox::PIPELINE_SALES,
                status: sandbox::STATUS_TO_CALL,
            },
            loss_reason: None,
        });
        assert!(
            connector
                .write_all(&crate::client::outgoing(&writes))
                .await
                .iter()
                .all(Result::is_ok)
        );
    })
    .await;
    let facts = read(&fake, &bodies, None);
    for key in &deals {
        for kind in [EventKind::DealStageChanged, EventKind::DealUpdated] {
            assert!(
                facts.iter().any(|fact| fact.kind == kind && fact.key == *key),
                "{kind:?} {key}"
            );
        }
    }
}
