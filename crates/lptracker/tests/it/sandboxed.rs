//! What LPTracker does differently from other CRMs, tried against the sandbox.

use crate::harness::{NEW, PROJECT, fresh};
use connector::conformance::field;
use connector::{Connector, ConnectorError, ContactQuery, Look};
use domain::command::{FieldWrite, NewPayment, Write};
use domain::field::{FieldKey, FieldType, SystemField};
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};
use lptracker::LptrackerConnector;
use sandbox::FaultKind;
use sandbox::lptracker as lp;
use sandbox::lptracker::{CallOutcome, NewLead};

const PHONE: &str = "+7 999 000-00-01";

fn lead_key(id: i64) -> RecordKey {
    RecordKey::new(RecordKind::Lead, id)
}

async fn read(connector: &LptrackerConnector, key: &RecordKey) -> domain::record::Record {
    connector
        .read(key, false)
        .await
        .unwrap()
        .unwrap()
        .record(key.kind)
        .unwrap()
        .clone()
}

fn create_lead(contact: i64, fields: Vec<FieldWrite>) -> Write {
    Write::CreateRecord {
        kind: RecordKind::Lead,
        contact: Some(RecordId::from(contact)),
        fields,
        stage: Some(NEW),
        responsible: Some(lp::DEMO_LPTRACKER_STAFF_IGOR),
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn catalogue_of_one_project_and_of_all() {
    let lab = fresh();
    let catalogue = lab.ours().catalogue().await.unwrap();
    let [pipeline] = catalogue.pipelines.as_slice() else {
        panic!("one project")
    };
    assert_eq!(pipeline.id, PROJECT);
    assert!(pipeline.stages.iter().any(|stage| stage.name == "Отказ"));
    let type_of = |id: i64| {
        catalogue
            .field(RecordKind::Lead, id)
            .map(|field| field.field_type)
    };
    assert_eq!(type_of(lp::DEMO_LPTRACKER_FIELD_CITY), Some(FieldType::Text));
    assert_eq!(type_of(lp::DEMO_LPTRACKER_FIELD_SOURCE), Some(FieldType::Select));
    assert_eq!(
        type_of(lp::DEMO_LPTRACKER_FIELD_PRODUCTS),
        Some(FieldType::MultiSelect)
    );
    assert_eq!(
        type_of(lp::DEMO_LPTRACKER_FIELD_CALL_DATE),
        Some(FieldType::DateTime)
    );
    assert_eq!(type_of(lp::DEMO_LPTRACKER_FIELD_FUNNEL), None);
    assert_eq!(type_of(lp::DEMO_LPTRACKER_FIELD_OWNER), None);
    let source = catalogue
        .field(RecordKind::Lead, lp::DEMO_LPTRACKER_FIELD_SOURCE)
        .unwrap();
    assert!(
        source.options.iter().any(|option| option.name == "Сайт"),
        "{:?}",
        source.options
    );
    assert!(
        catalogue
            .fields
            .iter()
            .any(|field| field.record == RecordKind::LeadContact)
    );
    assert!(catalogue.user(0).is_some());

    let mut settings = lab.settings();
    settings.projects = Vec::new();
    let all = lab.connect(settings).catalogue().await.unwrap();
    assert_eq!(all.pipelines.len(), 2);
    let named = all
        .field(RecordKind::Lead, lp::DEMO_LPTRACKER_FIELD_CITY)
        .unwrap();
    assert_eq!(named.name, format!("Город · {}", pipeline.name));
}

#[tokio::test]
async fn check_warns_of_a_missing_project_and_refuses_when_none_is_left() {
    let lab = fresh();
    let mut settings = lab.settings();
    settings.projects = vec![PROJECT, 5];
    let card = lab.connect(settings.clone()).check().await.unwrap();
    assert_eq!(card.warnings, ["проект 5 не найден в аккаунте LPTracker"]);
    settings.projects = vec![5];
    let error = lab.connect(settings).check().await.unwrap_err();
    assert!(matches!(error, ConnectorError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn lead_is_made_without_a_call_and_with_every_kind_of_value() {
    let lab = fresh();
    lab.sandbox.world.lptracker().settings.callback_when_omitted = true;
    let connector = lab.ours();
    let (_, contact) = lab.lead("старый", PHONE);
    let at = Timestamp::from_secs(1_785_574_800);
    let custom = |id: i64, value: Value| field(FieldKey::Custom(id), value);
    let write = create_lead(
        contact,
        vec![
            field(SystemField::Name, Value::text("Забор")),
            field(SystemField::Source, Value::text("amoCRM")),
            custom(
                lp::DEMO_LPTRACKER_FIELD_AMOCRM_ID,
                Value::Number(34_567_890.into()),
            ),
            custom(lp::DEMO_LPTRACKER_FIELD_SOURCE, Value::Text(" сайт ".into())),
            custom(lp::DEMO_LPTRACKER_FIELD_CALL_DATE, Value::Instant(at)),
        ],
    );
    let key = connector.write(&write).await.unwrap().key.unwrap();
    assert_eq!(lab.sandbox.world.lptracker().pending_calls.len(), 0);
    let record = read(&connector, &key).await;
    let get = |field: SystemField| record.get(field.into());
    assert_eq!(get(SystemField::Stage), Some(&Value::Stage(NEW)));
    assert_eq!(
        get(SystemField::Responsible),
        Some(&Value::User(lp::DEMO_LPTRACKER_STAFF_IGOR))
    );
    assert_eq!(get(SystemField::Source), Some(&Value::text("amoCRM")));
    assert_eq!(get(SystemField::IsDeal), Some(&Value::Flag(false)));
    assert_eq!(get(SystemField::PaymentSum), Some(&Value::Number(0.into())));
    let custom = |id: i64| record.get(FieldKey::Custom(id));
    assert_eq!(
        custom(lp::DEMO_LPTRACKER_FIELD_AMOCRM_ID),
        Some(&Value::text("34567890"))
    );
    assert_eq!(
        custom(lp::DEMO_LPTRACKER_FIELD_SOURCE),
        Some(&Value::Choice(Choice::named("Сайт")))
    );
    assert_eq!(
        custom(lp::DEMO_LPTRACKER_FIELD_CALL_DATE),
        Some(&Value::Instant(at))
    );
    assert_eq!(custom(lp::DEMO_LPTRACKER_FIELD_PRODUCTS), Some(&Value::Empty));
    assert_eq!(custom(lp::DEMO_LPTRACKER_FIELD_FUNNEL), None);
}

#[tokio::test]
async fn unknown_category_is_refused_before_it_is_sent() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", PHONE);
    let key = FieldKey::Custom(lp::DEMO_LPTRACKER_FIELD_SOURCE);
    let write = Write::UpdateRecord {
        key: lead_key(lead),
        fields: vec![field(key, Value::text("Радио"))],
    };
    let error = lab.ours().write(&write).await.unwrap_err();
    assert!(
        matches!(&error, ConnectorError::Rejected { field: Some(field), .. } if *field == key.to_string())
    );
    assert_eq!(lab.requests("PUT", "/lead").len(), 0);
}

#[tokio::test]
async fn slim_leads_and_text_steps_are_completed() {
    let lab = fresh();
    let (first, contact) = lab.lead("Первый", PHONE);
    {
        let mut state = lab.sandbox.world.lptracker();
        state.settings.slim_contact_leads = true;
        state.settings.step_as_string = true;
    }
    let connector = lab.ours();
    let second = connector
        .write(&create_lead(
            contact,
            vec![field(SystemField::Name, Value::text("Второй"))],
        ))
        .await
        .unwrap();
    let leads = connector
        .records_of_contact(&RecordId::from(contact))
        .await
        .unwrap();
    let keys: Vec<RecordKey> = leads.iter().map(|lead| lead.key.clone()).collect();
    assert_eq!(keys, [second.key.unwrap(), lead_key(first)]);
    assert!(
        leads
            .iter()
            .all(|lead| lead.get(SystemField::Stage.into()) == Some(&Value::Stage(NEW)))
    );
}

#[tokio::test]
async fn leads_and_contacts_of_other_projects_are_not_ours() {
    let lab = fresh();
    let new = NewLead {
        project_id: lp::DEMO_LPTRACKER_SECOND_PROJECT,
        name: "чужой",
        phone: PHONE,
        ..NewLead::default()
    };
    let (lead, contact) = {
        let mut state = lab.sandbox.world.lptracker();
        let lead = state.ui_create(&new).unwrap();
        (lead, state.lead(lead).unwrap().contact_id)
    };
    let connector = lab.ours();
    assert_eq!(connector.read(&lead_key(lead), true).await.unwrap(), None);
    let contact = RecordKey::new(RecordKind::LeadContact, contact);
    assert_eq!(connector.read(&contact, false).await.unwrap(), None);
    assert_eq!(
        connector
            .find_contacts(&ContactQuery::Phone(PHONE.into()))
            .await
            .unwrap(),
        []
    );
    let stage = Stage {
        pipeline: lp::DEMO_LPTRACKER_SECOND_PROJECT,
        status: 1,
    };
    let write = Write::CreateContact {
        kind: RecordKind::LeadContact,
        fields: vec![field(SystemField::Phone, Value::text(PHONE))],
        pipeline: Some(stage.pipeline),
    };
    assert!(matches!(
        connector.write(&write).await,
        Err(ConnectorError::Rejected { .. })
    ));

    let mut settings = lab.settings();
    settings.projects = Vec::new();
    let all = lab.connect(settings);
    assert!(all.read(&lead_key(lead), true).await.unwrap().is_some());
    assert_eq!(
        all.find_contacts(&ContactQuery::Phone("89990000001".into()))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn contact_update_keeps_details() {
    let lab = fresh();
    let (_, contact) = lab.lead("Окна", PHONE);
    let connector = lab.ours();
    let key = RecordKey::new(RecordKind::LeadContact, contact);
    let phones = Value::Texts(vec![PHONE.into(), "8 999 000 00 02".into()]);
    let fields = vec![
        field(SystemField::Name, Value::text("Пётр Петров")),
        field(SystemField::Phone, phones),
        field(SystemField::Email, Value::text("petr@example.com")),
    ];
    let write = Write::UpdateRecord {
        key: key.clone(),
        fields,
    };
    assert_eq!(
        connector.look(&write, Timestamp(0)).await.unwrap(),
        Look::NotApplied
    );
    connector.write(&write).await.unwrap();
    assert!(matches!(
        connector.look(&write, Timestamp(0)).await.unwrap(),
        Look::Applied(_)
    ));
    let record = read(&connector, &key).await;
    let phones = Value::Texts(vec!["79990000001".into(), "79990000002".into()]);
    assert_eq!(record.get(SystemField::Phone.into()), Some(&phones));
    assert_eq!(
        record.get(SystemField::Name.into()),
        Some(&Value::text("Пётр Петров"))
    );
    let by_mail = connector
        .find_contacts(&ContactQuery::Email("PETR@example.com".into()))
        .await
        .unwrap();
    assert_eq!(by_mail[0].key, key);
    let details = lab
        .sandbox
        .world
        .lptracker()
        .contact(contact)
        .unwrap()
        .details
        .len();
    assert_eq!(details, 3);
}

#[tokio::test]
async fn lost_payment_and_call_are_looked_for() {
    let lab = fresh();
    let (lead, _) = lab.lead("Окна", PHONE);
    let connector = lab.ours();
    let payment = NewPayment {
        category: "Услуги".into(),
        purpose: "Предоплата".into(),
        sum: "1500.50".parse().unwrap(),
    };
    let write = Write::AddPayment {
        key: lead_key(lead),
        payment,
    };
    let since = Timestamp(lab.sandbox.world.clock.now_ms());
    assert_eq!(connector.look(&write, since).await.unwrap(), Look::NotApplied);
    lab.fault("POST", "/lead", FaultKind::CutAfterApply);
    assert!(connector.write(&write).await.unwrap_err().is_uncertain());
    assert!(matches!(
        connector.look(&write, since).await.unwrap(),
        Look::Applied(_)
    ));
    let record = read(&connector, &lead_key(lead)).await;
    assert_eq!(record.get(SystemField::IsDeal.into()), Some(&Value::Flag(true)));
    assert_eq!(
        record.get(SystemField::PaymentSum.into()),
        Some(&Value::Number("1500.5".parse().unwrap()))
    );

    let call = Write::StartCall { key: lead_key(lead) };
    connector.write(&call).await.unwrap();
    assert!(matches!(
        connector.look(&call, since).await.unwrap(),
        Look::Undecided { .. }
    ));
    let outcome = CallOutcome {
        duration: 42,
        ..CallOutcome::default()
    };
    lab.sandbox
        .world
        .lptracker()
        .ui_call_outcome(lead, &outcome)
        .unwrap();
    assert!(matches!(
        connector.look(&call, since).await.unwrap(),
        Look::Applied(_)
    ));
    let calls = connector.calls(&lead_key(lead).id).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        calls[0].get(SystemField::Disposition.into()),
        Some(&Value::text("ANSWER"))
    );
    assert_eq!(
        calls[0].get(SystemField::Duration.into()),
        Some(&Value::Number(42.into()))
    );
}

#[tokio::test]
async fn two_alike_leads_are_undecided() {
    let lab = fresh();
    let (_, contact) = lab.lead("старый", PHONE);
    let connector = lab.ours();
    let write = create_lead(contact, vec![field(SystemField::Name, Value::text("Забор"))]);
    let since = Timestamp(lab.sandbox.world.clock.now_ms());
    connector.write(&write).await.unwrap();
    connector.write(&write).await.unwrap();
    assert!(matches!(
        connector.look(&write, since).await.unwrap(),
        Look::Undecided { .. }
    ));
}
