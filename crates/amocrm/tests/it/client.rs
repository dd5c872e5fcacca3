//! What is particular to amoCRM: refusals, arrays, kinds of phones, looks.

use crate::support::{Fake, http, id, memory};
use amocrm::AmocrmConnector;
use connector::conformance::field;
use connector::{Connector, ConnectorError, ContactQuery, Look, Verdict};
use domain::command::Write;
use domain::field::{FieldKey, SystemField};
use domain::record::{RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};
use sandbox::amocrm::Kind;
use sandbox::{Fault, FaultKind, Side};

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

fn fault(fake: &Fake, kind: FaultKind) {
    fake.sandbox.world.faults.add(Fault::once(Side::Amocrm, kind));
}

#[tokio::test]
async fn unpaid_and_banned_accounts_wait_for_a_person() {
    let fake = Fake::start();
    fake.sandbox.world.amocrm().account().unpaid = true;
    let error = fake.admin().check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Unpaid), "{error:?}");
    fake.sandbox.world.amocrm().account().unpaid = false;
    fake.sandbox.world.amocrm().set_banned(true);
    let error = fake.admin().check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Banned), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Suspend);
}

#[tokio::test]
async fn user_without_administrator_rights_is_warned() {
    let fake = Fake::start();
    let connector = fake.with_token(sandbox::DEMO_AMOCRM_MEMBER_TOKEN);
    let card = connector.check().await.unwrap();
    assert_eq!(
        (card.id, card.warnings.len()),
        (Some(sandbox::DEMO_AMOCRM_ACCOUNT), 1)
    );
    assert_eq!(fake.admin().check().await.unwrap().warnings, Vec::<String>::new());
    let catalogue = connector.catalogue().await.unwrap();
    assert!(catalogue.users.is_empty() && !catalogue.pipelines.is_empty());
    let error = connector
        .subscribe("https://hub.example.com/hooks/1")
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectorError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn catalogue_tells_everything() {
    let fake = Fake::start();
    let connector = fake.admin();
    let catalogue = connector.catalogue().await.unwrap();
    assert!(catalogue.field_by_code(RecordKind::Contact, "PHONE").is_some());
    assert!(catalogue.field_by_code(RecordKind::Company, "PHONE").is_some());
    let source = catalogue.field(RecordKind::Deal, sandbox::FIELD_SOURCE).unwrap();
    assert!(
        source
            .options
            .contains(&Choice::new(sandbox::ENUM_SOURCE_SITE, "Сайт"))
    );
    assert!(
        catalogue
            .users
            .iter()
            .any(|user| user.id == sandbox::USER_OLGA && !user.is_active)
    );
    assert!(
        catalogue
            .loss_reasons
            .iter()
            .any(|reason| reason.id == Some(sandbox::LOSS_EXPENSIVE))
    );
    assert!(catalogue.task_types.iter().any(|kind| kind.id == Some(1)));
    assert!(
        catalogue
            .pipelines
            .iter()
            .any(|pipeline| pipeline.id == sandbox::PIPELINE_REPEAT)
    );
    // From now on a field that an answer leaves out is known to be empty.
    let number = fake.deal(None, "Пустая");
    let read = connector.read(&deal(number), false).await.unwrap().unwrap();
    assert_eq!(
        read.records[0].get(FieldKey::Custom(sandbox::FIELD_CITY)),
        Some(&Value::Empty)
    );
    let fresh = fake.admin().read(&deal(number), false).await.unwrap().unwrap();
    assert_eq!(fresh.records[0].get(FieldKey::Custom(sandbox::FIELD_CITY)), None);
}

#[tokio::test]
async fn answer_that_is_no_json_is_told_as_such() {
    let fake = Fake::start();
    fault(&fake, FaultKind::NotJson);
    let error = fake.admin().check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn refusal_names_the_field() {
    let fake = Fake::start();
    let number = fake.deal(None, "Сделка");
    let fields = vec![
        field(FieldKey::Custom(sandbox::FIELD_CITY), Value::text("Казань")),
        field(
            FieldKey::Custom(sandbox::FIELD_SOURCE),
            Value::Choice(Choice::named("Такого нет")),
        ),
    ];
    let error = fake
        .admin()
        .write(&Write::UpdateRecord {
            key: deal(number),
            fields,
        })
        .await
        .unwrap_err();
    let ConnectorError::Rejected { code, field, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(code, "NotSupportedChoice");
    assert_eq!(field.as_deref(), Some("custom_fields_values.1.values.0.value"));
    assert_eq!(error.verdict(), Verdict::Permanent);
}

#[tokio::test]
async fn one_bad_item_spoils_no_other_and_costs_one_more_call() {
    let fake = Fake::start();
    let numbers: Vec<i64> = (0..20).map(|at| fake.deal(None, &format!("№{at}"))).collect();
    let stage = |at: usize| Stage {
        pipeline: sandbox::PIPELINE_SALES,
        // A status of another pipeline is refused.
        status: if at == 7 {
            sandbox::STATUS_REPEAT_OFFER
        } else {
            sandbox::STATUS_TO_CALL
        },
    };
    let writes: Vec<Write> = numbers
        .iter()
        .enumerate()
        .map(|(at, number)| Write::Move {
            key: deal(*number),
            stage: stage(at),
            loss_reason: None,
        })
        .collect();
    let results = fake.admin().write_all(&outgoing(&writes)).await;
    for (at, result) in results.iter().enumerate() {
        match result {
            Ok(effect) => assert_eq!(effect.key, Some(deal(numbers[at]))),
            Err(error) => assert!(
                at == 7 && matches!(error, ConnectorError::Rejected { .. }),
                "{at}: {error:?}"
            ),
        }
    }
    assert_eq!(fake.written(), ["PATCH /api/v4/leads", "PATCH /api/v4/leads"]);
}

#[tokio::test]
async fn many_writes_travel_in_arrays_of_fifty() {
    let fake = Fake::start();
    let numbers: Vec<i64> = (0..60).map(|at| fake.deal(None, &format!("№{at}"))).collect();
    let mut writes: Vec<Write> = numbers
        .iter()
        .map(|number| rename(*number, "Новое имя"))
        .collect();
    writes.extend(numbers.iter().map(|number| Write::AddNote {
        key: deal(*number),
        text: format!("к {number}"),
    }));
    let results = fake.admin().write_all(&outgoing(&writes)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let mut parts: Vec<_> = results[60..]
        .iter()
        .map(|result| result.as_ref().unwrap().part.clone().unwrap())
        .collect();
    parts.dedup();
    assert_eq!(parts.len(), 60);
    assert_eq!(fake.written().len(), 4, "{:?}", fake.written());
    let state = fake.sandbox.world.amocrm();
    for note in state.accounts[0].notes.values() {
        assert_eq!(
            note.params["text"],
            format!("к {}", note.entity.1),
            "each answer found its item"
        );
    }
}

#[tokio::test]
async fn heavy_array_is_halved_when_it_may_be_repeated() {
    let fake = Fake::start();
    let numbers: Vec<i64> = (0..4).map(|at| fake.deal(None, &format!("№{at}"))).collect();
    let writes: Vec<Write> = numbers.iter().map(|number| rename(*number, "Имя")).collect();
    fault(&fake, FaultKind::status(504));
    let results = fake.admin().write_all(&outgoing(&writes)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(fake.written().len(), 3);
}

#[tokio::test]
async fn heavy_array_of_additions_is_not_repeated() {
    let fake = Fake::start();
    let number = [fake.deal(None, "А"), fake.deal(None, "Б")];
    let writes = number.map(|number| Write::AddNote {
        key: deal(number),
        text: "раз".to_owned(),
    });
    fault(&fake, FaultKind::StatusAfterApply { code: 504 });
    let results = fake.admin().write_all(&outgoing(&writes)).await;
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().is_err_and(ConnectorError::is_uncertain)),
        "{results:?}"
    );
    assert_eq!(fake.written().len(), 1);
    for write in &writes {
        let look = fake.admin().look(write, settled(&fake)).await.unwrap();
        assert!(matches!(look, Look::Applied(_)), "{look:?}");
    }
}

#[tokio::test]
async fn kinds_of_phones_survive_an_added_phone() {
    let fake = Fake::start();
    let number = fake.contact("Анна", "+79000000001");
    let write = |phones: &[&str]| Write::UpdateRecord {
        key: RecordKey::new(RecordKind::Contact, number),
        fields: vec![field(
            SystemField::Phone,
            Value::Texts(phones.iter().map(|phone| (*phone).to_owned()).collect()),
        )],
    };
    let kinds = || {
        let state = fake.sandbox.world.amocrm();
        let values = &state.accounts[0].contacts[&number].values[&sandbox::FIELD_PHONE];
        values
            .iter()
            .map(|value| value["enum_id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    fake.admin()
        .write(&write(&["+79000000001", "+79000000002"]))
        .await
        .unwrap();
    assert_eq!(kinds(), [sandbox::ENUM_PHONE_MOB, sandbox::ENUM_PHONE_WORK]);
    let both = [
        write(&["+79000000002", "+79000000001"]),
        rename(fake.deal(None, "А"), "Б"),
    ];
    assert!(
        fake.admin()
            .write_all(&outgoing(&both))
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(kinds(), [sandbox::ENUM_PHONE_WORK, sandbox::ENUM_PHONE_MOB]);
}

#[tokio::test]
async fn contacts_are_found_oldest_first_and_without_the_bin() {
    let fake = Fake::start();
    let first = fake.contact("Анна Ким", "89000000001");
    let second = fake.contact("анна ким", "+79000000001");
    let binned = fake.contact("Анна Ким", "+79000000001");
    fake.sandbox
        .world
        .amocrm()
        .account()
        .delete(Kind::Contact, binned, sandbox::USER_ANNA);
    let find = async |query: ContactQuery| {
        let found = fake.admin().find_contacts(&query).await.unwrap();
        found
            .iter()
            .map(|record| record.key.id.number().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        find(ContactQuery::Phone("89000000001".to_owned())).await,
        [first, second]
    );
    assert_eq!(
        find(ContactQuery::Name("Анна Ким".to_owned())).await,
        [first, second]
    );
    assert!(find(ContactQuery::Name("Ким".to_owned())).await.is_empty());
    assert!(find(ContactQuery::Phone("12".to_owned())).await.is_empty());
    assert!(find(ContactQuery::Email(String::new())).await.is_empty());
}

#[tokio::test]
async fn phones_written_apart_are_found() {
    let fake = Fake::start();
    for (at, phone) in [
        "8 (900) 111-22-30",
        "+7 900 111 22 31",
        "79001112232",
        "+7(900)111-22-33 доб. 5",
    ]
    .iter()
    .enumerate()
    {
        let number = fake.contact("Анна", phone);
        // Long ago, so that neither the search nor the list of changed ones can be the other's stand-in.
        fake.sandbox
            .world
            .amocrm()
            .account()
            .contacts
            .get_mut(&number)
            .unwrap()
            .updated_at = 1_700_000_000;
        let query = ContactQuery::Phone(format!("+7900111223{at}"));
        let found = fake.admin().find_contacts(&query).await.unwrap();
        assert_eq!(
            found
                .iter()
                .map(|record| record.key.id.clone())
                .collect::<Vec<_>>(),
            [id(number)],
            "{phone}"
        );
    }
}

#[tokio::test]
async fn lost_deal_keeps_its_reason_and_fraction_of_its_price() {
    let fake = Fake::start();
    let number = fake.deal(None, "Сделка");
    let lost = Stage {
        pipeline: sandbox::PIPELINE_SALES,
        status: sandbox::STATUS_LOST,
    };
    let write = Write::Move {
        key: deal(number),
        stage: lost,
        loss_reason: Some(sandbox::LOSS_EXPENSIVE),
    };
    fake.admin().write(&write).await.unwrap();
    let price = Value::Number("1500.5".parse().unwrap());
    let fields = vec![field(SystemField::Price, price.clone())];
    fake.admin()
        .write(&Write::UpdateRecord {
            key: deal(number),
            fields,
        })
        .await
        .unwrap();
    let record = fake
        .admin()
        .read(&deal(number), false)
        .await
        .unwrap()
        .unwrap()
        .records
        .remove(0);
    assert_eq!(record.get(SystemField::Stage.into()), Some(&Value::Stage(lost)));
    assert_eq!(record.get(SystemField::Price.into()), Some(&price));
    let reason = Value::Choice(Choice::new(sandbox::LOSS_EXPENSIVE, "Слишком дорого"));
    assert_eq!(record.get(SystemField::LossReason.into()), Some(&reason));
    assert!(matches!(
        record.get(SystemField::ClosedAt.into()),
        Some(Value::Instant(_))
    ));
}

#[tokio::test]
async fn contact_of_a_deal_can_be_linked_later() {
    let fake = Fake::start();
    let number = fake.deal(None, "Без контакта");
    let contact = fake.contact("Анна", "+79000000001");
    let fields = vec![field(SystemField::Contact, Value::Id(contact))];
    fake.admin()
        .write(&Write::UpdateRecord {
            key: deal(number),
            fields,
        })
        .await
        .unwrap();
    let snapshot = fake.admin().read(&deal(number), true).await.unwrap().unwrap();
    assert_eq!(snapshot.record(RecordKind::Contact).unwrap().key.id, id(contact));
    assert_eq!(
        fake.written(),
        [format!("POST /api/v4/leads/{number}/link")],
        "an empty change is not sent"
    );
}

#[tokio::test]
async fn default_throttle_never_meets_a_refusal() {
    let fake = Fake::start();
    fake.sandbox
        .world
        .amocrm()
        .set(|settings| settings.rate_per_integration = Some(7));
    let connector = AmocrmConnector::new(
        http(),
        amocrm::default_throttle(),
        fake.settings(),
        memory(sandbox::DEMO_AMOCRM_TOKEN),
    );
    let number = fake.deal(None, "Сделка");
    let connector = std::sync::Arc::new(connector);
    let read = |_| {
        let connector = std::sync::Arc::clone(&connector);
        tokio::spawn(async move { connector.read(&deal(number), false).await.is_ok() })
    };
    let reads: Vec<_> = (0..16).map(read).collect();
    for read in reads {
        assert!(read.await.unwrap());
    }
    assert_eq!(fake.sandbox.world.journal.count_status(Side::Amocrm, 429), 0);
    assert!(fake.sandbox.world.journal.peak_rate(Side::Amocrm) <= 7);
}

#[tokio::test]
async fn cards_have_addresses() {
    let fake = Fake::start();
    let url = fake.admin().card_url(&deal(7)).unwrap();
    assert!(url.ends_with("/leads/detail/7"), "{url}");
    assert_eq!(fake.admin().card_url(&RecordKey::new(RecordKind::Note, 7)), None);
}

#[tokio::test]
async fn other_spellings_of_answers_are_read() {
    let fake = Fake::start();
    fake.sandbox.world.amocrm().set(|settings| {
        settings.empty_values_as_list = true;
        settings.wrapped_single_patch = true;
        settings.webhook_post_201 = true;
    });
    let connector = fake.admin();
    let number = fake.deal(None, "Сделка");
    let effect = connector.write(&rename(number, "Иначе")).await.unwrap();
    assert_eq!(effect.key, Some(deal(number)));
    assert!(effect.updated_at.is_some());
    let record = connector
        .read(&deal(number), true)
        .await
        .unwrap()
        .unwrap()
        .records
        .remove(0);
    assert_eq!(record.get(SystemField::Name.into()), Some(&Value::text("Иначе")));
    connector
        .subscribe("https://hub.example.com/hooks/1")
        .await
        .unwrap();
    fake.sandbox.world.amocrm().set(|settings| {
        settings.plain_429 = true;
        settings.rate_per_integration = Some(1);
    });
    let error = loop {
        if let Err(error) = connector.read(&deal(number), false).await {
            break error;
        }
    };
    assert!(
        matches!(error, ConnectorError::RateLimited { after: None }),
        "{error:?}"
    );
}

/// Writes that travel together.
pub(crate) fn outgoing(writes: &[Write]) -> Vec<connector::Outgoing> {
    writes.iter().cloned().map(connector::Outgoing::from).collect()
}
