//! Our own bodies of the API, written after the contract: what each is read as.

use crate::bodies::{catalogue, key, system};
use amocrm::convert::Entity;
use amocrm::convert::read::{Reader, field_info, stage_info};
use amocrm::wire::account::{Account, FieldDefinition, Pipeline};
use amocrm::wire::entity::{Contact, Lead, Task};
use amocrm::wire::note::Note;
use amocrm::wire::page;
use domain::catalogue::StageKind;
use domain::field::{FieldKey, FieldType, SystemField};
use domain::record::RecordKind;
use domain::time::Zone;
use domain::value::{Choice, Day, Value};
use serde_json::{Value as Json, json};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name))
    };
}

#[test]
fn account_pipelines_and_fields() {
    let account: Account = serde_json::from_str(fixture!("account.json")).unwrap();
    assert_eq!(account.embedded.task_types.len(), 2);
    let settings = account.embedded.datetime_settings.unwrap();
    assert_eq!(settings.timezone.as_deref(), Some("Asia/Yekaterinburg"));

    let json: Json = serde_json::from_str(fixture!("pipelines.json")).unwrap();
    let pipelines: Vec<Pipeline> = page::list(&json, "pipelines").unwrap();
    let kinds: Vec<_> = pipelines[0]
        .embedded
        .statuses
        .iter()
        .map(|status| stage_info(status.clone()).kind)
        .collect();
    assert_eq!(
        kinds,
        [
            StageKind::Lost,
            StageKind::Unsorted,
            StageKind::Open,
            StageKind::Won
        ]
    );

    let json: Json = serde_json::from_str(fixture!("fields.json")).unwrap();
    let fields: Vec<FieldDefinition> = page::list(&json, "custom_fields").unwrap();
    let fields: Vec<_> = fields
        .into_iter()
        .map(|field| field_info(Entity::Contacts, field))
        .collect();
    assert_eq!(fields[0].field_type, FieldType::Phone);
    assert!(fields[0].options.is_empty());
    assert_eq!(
        fields[1].options,
        [Choice::new(41, "Сайт"), Choice::new(42, "Звонок")]
    );
    assert_eq!(
        (fields[2].field_type, fields[2].raw_type.as_str()),
        (FieldType::Opaque, "hologram")
    );
}

#[test]
fn entities() {
    let zone = Zone::fixed("Asia/Yekaterinburg", 5 * 3600);
    let known = catalogue();
    let reader = Reader {
        zone: &zone,
        catalogue: Some(&known),
    };
    let json: Json = serde_json::from_str(fixture!("leads-page.json")).unwrap();
    assert!(page::has_next(&json));
    let leads: Vec<Lead> = page::list(&json, "leads").unwrap();
    let lead = reader.lead(&leads[0]);
    assert_eq!(
        lead,
        reader.lead(&serde_json::from_str(fixture!("lead.json")).unwrap())
    );
    assert_eq!(
        system(&lead, SystemField::Price),
        Some(&Value::Number("100.5".parse().unwrap()))
    );
    assert_eq!(
        system(&lead, SystemField::Contact),
        Some(&Value::Id(601)),
        "the main one"
    );
    assert_eq!(system(&lead, SystemField::Company), Some(&Value::Empty));
    assert_eq!(
        system(&lead, SystemField::LossReason),
        Some(&Value::Choice(Choice::new(5, "Дорого")))
    );
    assert_eq!(
        lead.get(FieldKey::Custom(6)),
        Some(&Value::Day(Day {
            year: 2025,
            month: 10,
            day: 9
        }))
    );
    assert_eq!(
        lead.get(FieldKey::Custom(12)),
        Some(&Value::Json(json!([{"value": {"x": 1}}])))
    );
    assert_eq!(
        lead.get(FieldKey::Custom(1)),
        Some(&Value::Empty),
        "the catalogue knows it, the answer is silent"
    );
    let bare = reader.lead(&leads[1]);
    for field in [
        SystemField::Name,
        SystemField::Price,
        SystemField::ClosedAt,
        SystemField::LossReason,
    ] {
        assert_eq!(system(&bare, field), Some(&Value::Empty));
    }
    for field in [
        SystemField::Stage,
        SystemField::Responsible,
        SystemField::Contact,
        SystemField::CreatedAt,
    ] {
        assert_eq!(system(&bare, field), None, "absent stays absent");
    }
    let unknown = Reader {
        zone: &zone,
        catalogue: None,
    };
    assert_eq!(unknown.lead(&leads[0]).get(FieldKey::Custom(1)), None);

    let contact: Contact = serde_json::from_str(fixture!("contact.json")).unwrap();
    let contact = reader.contact(&contact);
    assert_eq!(
        system(&contact, SystemField::Phone),
        Some(&Value::Texts(vec!["+79000000001".to_owned()]))
    );
    assert_eq!(system(&contact, SystemField::Email), Some(&Value::Empty));
    assert_eq!(system(&contact, SystemField::Company), Some(&Value::Id(700)));

    let task: Task = serde_json::from_str(fixture!("task.json")).unwrap();
    let (task, parent) = reader.task(&task);
    assert_eq!(parent, Some(key(RecordKind::Deal, 501)));
    assert_eq!(
        system(&task, SystemField::Comment),
        Some(&Value::text("договорились"))
    );

    let json: Json = serde_json::from_str(fixture!("notes.json")).unwrap();
    let notes: Vec<Note> = page::list(&json, "notes").unwrap();
    assert_eq!(notes.len(), 3);
    let (call, _) = reader.note(Entity::Leads, &notes[1]);
    assert_eq!(
        system(&call, SystemField::Phone),
        Some(&Value::Texts(vec!["79000000001".to_owned()]))
    );
}

#[test]
fn token_answer_reads_its_numbers_in_any_spelling() {
    let token: amocrm::wire::token::TokenAnswer = serde_json::from_str(fixture!("token.json")).unwrap();
    assert_eq!(token.expires_in.map(|secs| secs.0), Some(86_400));
}
