//! Our own bodies of every kind, written after the contract: what each is read as.

use amocrm::AmocrmIntake;
use amocrm::convert::Entity;
use amocrm::convert::read::{field_info, stage_info};
use amocrm::wire::account::FieldDefinition;
use connector::{Intake, IntakeContext, IntakeError};
use domain::catalogue::Catalogue;
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Day, Stage, Value};
use proptest::prelude::*;
use serde_json::json;

const ACCOUNT: i64 = 31_000_007;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name))
    };
}

fn parse(body: &str, context: IntakeContext<'_>) -> Vec<Fact> {
    AmocrmIntake
        .parse("application/x-www-form-urlencoded", body.as_bytes(), context)
        .unwrap()
}

fn plain(body: &str) -> Vec<Fact> {
    parse(
        body,
        IntakeContext {
            account: Some(ACCOUNT),
            ..IntakeContext::default()
        },
    )
}

fn one(body: &str) -> Fact {
    let mut facts = plain(body);
    assert_eq!(facts.len(), 1, "{facts:?}");
    facts.remove(0)
}

pub fn catalogue() -> Catalogue {
    let field = |record, id: i64, kind: &str| {
        let definition: FieldDefinition = serde_json::from_value(json!({"id": id, "type": kind})).unwrap();
        field_info(record, definition)
    };
    let kinds = [
        (1, "text"),
        (2, "numeric"),
        (3, "checkbox"),
        (4, "select"),
        (5, "multiselect"),
        (6, "date"),
        (7, "date_time"),
        (8, "radiobutton"),
        (9, "tracking_data"),
        (10, "smart_address"),
    ];
    let pipeline = |id: i64, statuses: &[i64]| domain::catalogue::Pipeline {
        id,
        name: String::new(),
        stages: statuses
            .iter()
            .map(|id| stage_info(serde_json::from_value(json!({"id": id})).unwrap()))
            .collect(),
    };
    Catalogue {
        fields: kinds
            .iter()
            .map(|(id, kind)| field(Entity::Leads, *id, kind))
            .collect(),
        pipelines: vec![
            pipeline(10, &[1001, 1002, 142, 143]),
            pipeline(20, &[2001, 142, 143]),
        ],
        ..Catalogue::default()
    }
}

pub fn system(record: &Record, field: SystemField) -> Option<&Value> {
    record.get(field.into())
}

fn stage(pipeline: i64, status: i64) -> Value {
    Value::Stage(Stage { pipeline, status })
}

pub fn key(kind: RecordKind, id: i64) -> RecordKey {
    RecordKey::new(kind, id)
}

#[test]
fn added_lead() {
    let fact = one(fixture!("hook-lead-added.form"));
    assert_eq!(
        (fact.kind, &fact.key),
        (EventKind::DealCreated, &key(RecordKind::Deal, 501))
    );
    assert_eq!(fact.occurred_at, Some(Timestamp::from_secs(1_760_000_300)));
    assert_eq!(fact.author, Some(0));
    assert_eq!(system(&fact.record, SystemField::Name), Some(&Value::Empty));
    assert_eq!(
        system(&fact.record, SystemField::Price),
        Some(&Value::Number(0.into()))
    );
    assert_eq!(system(&fact.record, SystemField::Stage), Some(&stage(10, 1002)));
    assert_eq!(system(&fact.record, SystemField::Pipeline), Some(&Value::Id(10)));
    assert_eq!(
        system(&fact.record, SystemField::Responsible),
        Some(&Value::User(77))
    );
    assert_eq!(
        system(&fact.record, SystemField::CreatedBy),
        Some(&Value::User(78))
    );
    let made = Value::Instant(Timestamp::from_secs(1_760_000_000));
    assert_eq!(system(&fact.record, SystemField::CreatedAt), Some(&made));
    assert_eq!(
        system(&fact.record, SystemField::Tags),
        Some(&Value::Choices(vec![Choice::new(9, "сайт")]))
    );
    assert_eq!(system(&fact.record, SystemField::Contact), None);
}

#[test]
fn custom_fields_are_typed_by_the_catalogue() {
    let catalogue = catalogue();
    let zone = Zone::fixed("Asia/Yekaterinburg", 5 * 3600);
    let context = IntakeContext {
        catalogue: Some(&catalogue),
        zone: Some(&zone),
        ..IntakeContext::default()
    };
    let fact = &parse(fixture!("hook-lead-updated.form"), context)[0];
    let field = |id| fact.record.get(FieldKey::Custom(id)).cloned();
    assert_eq!(field(1), Some(Value::text("Казань & область")));
    assert_eq!(field(2), Some(Value::Number("12.5".parse().unwrap())));
    assert_eq!(field(3), Some(Value::Flag(true)));
    assert_eq!(field(4), Some(Value::Choice(Choice::new(41, "Сайт"))));
    assert_eq!(
        field(5),
        Some(Value::Choices(vec![
            Choice::new(51, "Окна"),
            Choice::new(52, "Двери")
        ]))
    );
    assert_eq!(
        field(6),
        Some(Value::Day(Day {
            year: 2025,
            month: 10,
            day: 9
        }))
    );
    assert_eq!(
        field(7),
        Some(Value::Instant(Timestamp::from_secs(1_760_034_600)))
    );
    assert_eq!(field(8), Some(Value::Choice(Choice::new(81, "муж"))));
    assert_eq!(field(9), Some(Value::Empty), "no values: known to be empty");
    assert!(matches!(field(10), Some(Value::Json(_))));
    assert_eq!(field(99), Some(Value::text("что-то")), "unknown to the catalogue");
    assert_eq!(field(11), None, "not mentioned: unknown");
    assert_eq!(fact.kind, EventKind::DealUpdated);
    assert_eq!(fact.before, [(SystemField::Stage.into(), stage(10, 1001))]);
}

#[test]
fn custom_fields_without_a_catalogue() {
    let fact = one(fixture!("hook-lead-updated.form"));
    let field = |id| fact.record.get(FieldKey::Custom(id)).cloned();
    assert_eq!(field(2), Some(Value::text("12.50")));
    assert_eq!(field(4), Some(Value::Choice(Choice::new(41, "Сайт"))));
    assert_eq!(field(6), Some(Value::text("1760032800")));
    assert_eq!(field(9), Some(Value::Empty));
}

#[test]
fn moved_lead() {
    let fact = one(fixture!("hook-lead-moved.form"));
    assert_eq!(fact.kind, EventKind::DealStageChanged);
    assert_eq!(fact.before, [(SystemField::Stage.into(), stage(10, 1001))]);
    assert_eq!(fact.changed.as_deref(), Some(&[SystemField::Stage.into()][..]));
    assert_eq!(system(&fact.record, SystemField::Stage), Some(&stage(10, 1002)));
}

#[test]
fn former_pipeline_is_found_by_the_status() {
    let catalogue = catalogue();
    let context = IntakeContext {
        catalogue: Some(&catalogue),
        ..IntakeContext::default()
    };
    let fact = &parse(fixture!("hook-lead-moved-from-other-pipeline.form"), context)[0];
    assert_eq!(fact.before, [(SystemField::Stage.into(), stage(20, 2001))]);
    let fact = one(fixture!("hook-stage.form"));
    assert_eq!(
        fact.before,
        [(SystemField::Stage.into(), stage(20, 2001))],
        "the Digital Pipeline tells it"
    );
    assert_eq!(system(&fact.record, SystemField::Stage), Some(&stage(10, 142)));
    assert_eq!(fact.occurred_at, None);
}

#[test]
fn given_deleted_and_restored_leads() {
    let fact = one(fixture!("hook-lead-given.form"));
    assert_eq!(fact.kind, EventKind::DealResponsibleChanged);
    assert_eq!(fact.before, [(SystemField::Responsible.into(), Value::User(76))]);
    for body in [
        fixture!("hook-lead-deleted.form"),
        fixture!("hook-lead-deleted-bare.form"),
    ] {
        let fact = one(body);
        assert_eq!(
            (fact.kind, fact.key),
            (EventKind::DealDeleted, key(RecordKind::Deal, 501))
        );
    }
    assert_eq!(
        one(fixture!("hook-lead-restored.form")).kind,
        EventKind::DealRestored
    );
}

#[test]
fn several_events_in_one_body() {
    let facts = plain(fixture!("hook-bundle.form"));
    let kinds: Vec<_> = facts
        .iter()
        .map(|fact| (fact.kind, fact.key.id.0.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (EventKind::ContactUpdated, "601"),
            (EventKind::CompanyUpdated, "602"),
            (EventKind::DealStageChanged, "501"),
            (EventKind::DealUpdated, "501"),
            (EventKind::DealUpdated, "502"),
        ]
    );
    let mut keys: Vec<_> = facts.iter().map(|fact| &fact.dedupe).collect();
    keys.dedup();
    assert_eq!(keys.len(), 5, "every event has a key of its own");
}

#[test]
fn contact_with_phones() {
    let fact = one(fixture!("hook-contact-updated.form"));
    assert_eq!(fact.kind, EventKind::ContactUpdated);
    let phones = Value::Texts(vec!["+79000000001".to_owned(), "8 900 000-00-02".to_owned()]);
    assert_eq!(system(&fact.record, SystemField::Phone), Some(&phones));
    assert_eq!(fact.record.get(FieldKey::Custom(20)), Some(&phones));
    assert_eq!(system(&fact.record, SystemField::Email), Some(&Value::Empty));
    assert_eq!(fact.before, [(SystemField::Responsible.into(), Value::User(70))]);
    assert_eq!(
        fact.related.iter().map(|one| one.key.clone()).collect::<Vec<_>>(),
        [key(RecordKind::Deal, 501)]
    );
    let fact = one(fixture!("hook-company-deleted.form"));
    assert_eq!(
        (fact.kind, fact.key),
        (EventKind::CompanyDeleted, key(RecordKind::Company, 602))
    );
}

#[test]
fn tasks() {
    let fact = one(fixture!("hook-task-added.form"));
    assert_eq!(
        (fact.kind, &fact.key),
        (EventKind::TaskCreated, &key(RecordKind::Task, 701))
    );
    assert_eq!(fact.related[0].key, key(RecordKind::Deal, 501));
    assert_eq!(fact.author, Some(78));
    let deadline = Value::Instant(Timestamp::from_secs(1_760_129_940));
    assert_eq!(system(&fact.record, SystemField::Deadline), Some(&deadline));
    assert_eq!(
        system(&fact.record, SystemField::Kind),
        Some(&Value::Choice(Choice::new(1, "Связаться")))
    );
    assert_eq!(
        system(&fact.record, SystemField::IsDone),
        Some(&Value::Flag(false))
    );

    let fact = one(fixture!("hook-task-nested.form"));
    assert_eq!(fact.kind, EventKind::TaskUpdated);
    assert_eq!(
        fact.before,
        [(SystemField::Text.into(), Value::text("Позвонить"))]
    );

    let fact = one(fixture!("hook-task-closed.form"));
    assert_eq!(fact.kind, EventKind::TaskCompleted);
    assert_eq!(
        system(&fact.record, SystemField::IsDone),
        Some(&Value::Flag(true))
    );
    assert_eq!(
        system(&fact.record, SystemField::Comment),
        Some(&Value::text("договорились"))
    );
    assert!(fact.before.is_empty());
    assert_eq!(
        one(fixture!("hook-task-deleted.form")).kind,
        EventKind::TaskDeleted
    );
}

#[test]
fn notes() {
    let fact = one(fixture!("hook-note-added.form"));
    assert_eq!(
        (fact.kind, &fact.key),
        (EventKind::NoteAdded, &key(RecordKind::Note, 801))
    );
    assert_eq!(
        system(&fact.record, SystemField::Text),
        Some(&Value::text("Просил перезвонить <завтра>"))
    );
    assert_eq!(
        system(&fact.record, SystemField::Parent),
        Some(&Value::Json(json!({"kind": "deal", "id": "501"})))
    );
    assert_eq!(fact.related[0].key, key(RecordKind::Deal, 501));

    let fact = one(fixture!("hook-note-call.form"));
    assert_eq!(fact.related[0].key, key(RecordKind::Contact, 601));
    let call = &fact.related[1];
    assert_eq!(call.key, RecordKey::new(RecordKind::Call, "call-77"));
    assert_eq!(
        system(call, SystemField::Duration),
        Some(&Value::Number(61.into()))
    );
    assert_eq!(
        system(call, SystemField::Recording),
        Some(&Value::text("https://records.example.com/77.mp3"))
    );
    assert_eq!(
        system(call, SystemField::Phone),
        Some(&Value::Texts(vec!["+79000000001".to_owned()]))
    );
}

#[test]
fn unsorted() {
    let fact = one(fixture!("hook-unsorted-added.form"));
    assert_eq!(
        (fact.kind, &fact.key),
        (
            EventKind::UnsortedAdded,
            &RecordKey::new(RecordKind::Unsorted, "aa11")
        )
    );
    let related: Vec<_> = fact.related.iter().map(|one| one.key.clone()).collect();
    assert_eq!(
        related,
        [key(RecordKind::Deal, 503), key(RecordKind::Contact, 603)]
    );
    assert_eq!(
        fact.related[0].get(FieldKey::Custom(1)),
        Some(&Value::text("Казань"))
    );
    let fact = one(fixture!("hook-unsorted-accepted.form"));
    assert_eq!((fact.kind, fact.author), (EventKind::UnsortedAccepted, Some(77)));
    assert_eq!(fact.related[0].key, key(RecordKind::Deal, 503));
    assert_eq!(
        one(fixture!("hook-unsorted-declined.form")).kind,
        EventKind::UnsortedDeclined
    );
}

#[test]
fn what_is_not_understood_is_passed_over() {
    assert_eq!(plain(fixture!("hook-unknown.form")), []);
}

#[test]
fn foreign_account_and_wrong_bodies_are_refused() {
    let read = |kind: &str, body: &[u8], account| {
        AmocrmIntake.parse(
            kind,
            body,
            IntakeContext {
                account,
                ..IntakeContext::default()
            },
        )
    };
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    let good = fixture!("hook-lead-added.form").as_bytes();
    assert_eq!(read(form, good, Some(1)), Err(IntakeError::WrongAccount));
    assert_eq!(read(form, good, Some(ACCOUNT)).map(|facts| facts.len()), Ok(1));
    assert_eq!(read(form, good, None).map(|facts| facts.len()), Ok(1));
    let malformed = |kind: &str, body: &[u8]| {
        let result = read(kind, body, None);
        assert!(matches!(result, Err(IntakeError::Malformed { .. })), "{result:?}");
    };
    malformed("application/json", b"{}");
    malformed(form, b"");
    malformed(form, b"junk=1");
    malformed(form, b"account[id]=5");
    malformed(form, b"leads[add][0][name]=nobody");
    malformed(form, "мусор".as_bytes());
    assert!(matches!(
        read(form, &[b'a'; 2 << 20], None),
        Err(IntakeError::TooLarge { .. })
    ));
}

#[test]
fn half_a_body_is_refused_or_says_less() {
    let body = fixture!("hook-bundle.form").as_bytes();
    let whole = plain(fixture!("hook-bundle.form"));
    for length in 0..body.len() {
        if let Ok(facts) = AmocrmIntake.parse(
            "application/x-www-form-urlencoded",
            &body[..length],
            IntakeContext::default(),
        ) {
            assert!(facts.len() <= whole.len());
        }
    }
}

#[test]
fn repeats_have_one_key_and_changes_several() {
    let body = fixture!("hook-lead-moved.form");
    let key = |body: &str| one(body).dedupe;
    assert_eq!(key(body), key(body));
    // The account block may stand at either end.
    let (entity, account) = body.split_at(body.find("&account%5B").unwrap());
    assert_eq!(key(&format!("{account}&{entity}")), key(body));
    assert_eq!(
        key(&body.replace("%5D%5B0%5D%5B", "%5D%5B7%5D%5B")),
        key(body),
        "the index says nothing"
    );
    assert_ne!(key(&body.replace("150000", "150001")), key(body));
}

proptest! {
    #[test]
    fn junk_never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _facts = AmocrmIntake.parse("", &body, IntakeContext::default());
    }

    #[test]
    fn spoilt_hooks_never_panic(at in 0usize..4000, byte in any::<u8>(), cut in 0usize..4000) {
        let catalogue = catalogue();
        for whole in [fixture!("hook-bundle.form"), fixture!("hook-lead-updated.form"), fixture!("hook-note-call.form")] {
            let mut body = whole.as_bytes().to_vec();
            let length = body.len();
            body[at % length] = byte;
            body.truncate(cut.max(1));
            let context = IntakeContext { catalogue: Some(&catalogue), ..IntakeContext::default() };
            let _facts = AmocrmIntake.parse("", &body, context);
        }
    }

    #[test]
    fn keys_of_known_words_never_panic(
        pairs in proptest::collection::vec((
            prop_oneof![Just("leads"), Just("contacts"), Just("task"), Just("unsorted"), Just("account")],
            prop_oneof![Just("add"), Just("update"), Just("note"), Just("delete"), Just("status")],
            proptest::collection::vec(prop_oneof![
                Just("0"), Just("1"), Just("id"), Just("note"), Just("custom_fields"), Just("values"),
                Just("value"), Just("tags"), Just("data"), Just("leads"), Just("text"), Just("element_type")
            ], 0..6),
            "[0-9a-z{\"&;:]{0,8}"), 1..12)
    ) {
        let body: Vec<String> = pairs.iter().map(|(section, action, path, value)| {
            let path: String = path.iter().map(|step| format!("[{step}]")).collect();
            format!("{section}[{action}]{path}={}", value.replace('&', "%26"))
        }).collect();
        let _facts = AmocrmIntake.parse("", body.join("&").as_bytes(), IntakeContext::default());
    }
}
