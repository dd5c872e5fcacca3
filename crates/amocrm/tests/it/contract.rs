//! Every file of the contract's folder, read in place. The folder is not part of the repository: where it is
//! absent, that is said aloud, and our own bodies of every kind stand in.

use amocrm::AmocrmIntake;
use amocrm::convert::value;
use amocrm::convert::write::plan;
use amocrm::error::read_failure;
use amocrm::wire::account::{Account, FieldDefinition, Hook, LossReason, Pipeline, Tag, User};
use amocrm::wire::entity::{Contact, Lead, Link, Task};
use amocrm::wire::event::Event;
use amocrm::wire::note::Note;
use amocrm::wire::page;
use amocrm::wire::token::TokenAnswer;
use connector::http::Response;
use connector::{Intake, IntakeContext};
use domain::command::{FieldWrite, NewCall, NewTask, Write, WriteMode};
use domain::field::{FieldKey, SystemField};
use domain::record::{RecordId, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Stage, Value};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use std::path::Path;

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/contracts/amocrm-fixtures"
);

/// Bodies of requests and answers that this client has no use for, and texts for people.
const NOT_READ: [&str; 14] = [
    "README.md",
    "calls-post-request.json",
    "calls-post-response.json",
    "events-types.json",
    "leads-complex-request.json",
    "leads-complex-response.json",
    "leads-complex-response-merged.json",
    "oauth-account-subdomain-response.json",
    "oauth-callback-examples.txt",
    "oauth-uninstall-hook.txt",
    "unsorted-forms-request.json",
    "unsorted-sip-request.json",
    "unsorted-post-response.json",
    "webhook-headers.txt",
];

#[test]
fn every_file_of_the_contract_is_read() {
    let Ok(folder) = std::fs::read_dir(FOLDER) else {
        println!("ВНИМАНИЕ: папки {FOLDER} нет, файлы контракта не проверены");
        return;
    };
    let mut n_read = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if NOT_READ.contains(&name.as_str()) {
            continue;
        }
        check(&path, &name);
        n_read += 1;
    }
    assert!(n_read > 80, "{n_read}");
}

fn check(path: &Path, name: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    if name.ends_with(".form") {
        return hook(name, &text);
    }
    if let Some(rest) = name.strip_prefix("error-") {
        return error(name, rest[..3].parse().unwrap(), &text);
    }
    let json: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    if let Some(rest) = name
        .strip_prefix("webhook-")
        .filter(|name| !name.starts_with("s-"))
    {
        let mut pairs = Vec::new();
        flatten(String::new(), &json, &mut pairs);
        return hook(&format!("webhook-{rest}"), &pairs.join("&"));
    }
    match name {
        "account-get.json" => {
            let account: Account = object(name, json);
            assert_eq!((account.id.0, account.is_api_filter_enabled), (30_000_001, true));
            assert_eq!(account.embedded.task_types.len(), 2);
        }
        "pipelines-list.json" => assert_eq!(
            list::<Pipeline>(name, &json, "pipelines")[0]
                .embedded
                .statuses
                .len(),
            7
        ),
        "loss-reasons-list.json" => assert_eq!(list::<LossReason>(name, &json, "loss_reasons").len(), 2),
        "leads-list.json" => {
            assert_eq!(list::<Lead>(name, &json, "leads").len(), 1);
            assert!(page::has_next(&json));
        }
        "lead-get-with-all.json" => {
            let lead: Lead = object(name, json);
            assert_eq!(lead.embedded.loss_reason[0].name, "Слишком дорого");
        }
        "contacts-list.json" => assert_eq!(list::<Contact>(name, &json, "contacts").len(), 2),
        "contact-get-with-leads.json" => {
            let contact: Contact = object(name, json);
            assert_eq!(contact.embedded.leads.value().unwrap().0.len(), 2);
        }
        "custom-fields-list.json" => {
            assert_eq!(
                list::<FieldDefinition>(name, &json, "custom_fields")[0]
                    .enums
                    .len(),
                6
            );
        }
        "custom-field-created-201.json" => assert_eq!(object::<FieldDefinition>(name, json).enums.len(), 3),
        "tasks-list.json" => assert_eq!(list::<Task>(name, &json, "tasks").len(), 2),
        "notes-list.json" => {
            let notes = list::<Note>(name, &json, "notes");
            assert_eq!(
                notes[1].param("uniq").as_deref(),
                Some("8f52d38a-0000-406d-93a3-a4832dc28f8b")
            );
        }
        "events-list.json" => assert_eq!(list::<Event>(name, &json, "events")[0].value_before.len(), 1),
        "users-list.json" => assert_eq!(
            list::<User>(name, &json, "users")[0]
                .rights
                .as_ref()
                .unwrap()
                .is_active,
            Some(true)
        ),
        "tags-list.json" | "tags-post-response.json" => assert_eq!(list::<Tag>(name, &json, "tags").len(), 2),
        "links-list.json" | "link-post-response.json" | "link-post-request.json" => {}
        "webhooks-list.json" => assert!(list::<Hook>(name, &json, "webhooks")[1].disabled),
        "webhooks-post-response.json" => assert_eq!(object::<Hook>(name, json).settings.len(), 4),
        "leads-post-response.json" | "leads-patch-batch-response.json" => assert_eq!(ids(&json, "leads"), 2),
        "contacts-post-response.json" | "contacts-patch-response.json" => {
            assert!(ids(&json, "contacts") >= 1)
        }
        "notes-post-response.json" => assert_eq!(ids(&json, "notes"), 3),
        "tasks-post-response.json" => assert_eq!(ids(&json, "tasks"), 1),
        "lead-patch-one-response.json" => assert_eq!(object::<Link>(name, json).id.0, 152_464),
        "unsorted-accept-response.json" => assert_eq!(ids(&json, "leads"), 1),
        "leads-complex-error.json" => error(name, 400, &text),
        "oauth-errors.json" => {
            for row in json.as_array().unwrap() {
                // A ban has HTML for a body.
                let body = row["body"]
                    .as_str()
                    .map_or_else(|| row["body"].to_string(), str::to_owned);
                error(name, row["http_status"].as_u64().unwrap() as u16, &body);
            }
        }
        "oauth-token-response.json" => {
            assert_eq!(
                object::<TokenAnswer>(name, json).expires_in.map(|secs| secs.0),
                Some(86_400)
            );
        }
        "oauth-access-token-claims.json" => claims(&json),
        "custom-fields-values-write.json" => values(&json),
        // What we send.
        "leads-post-request.json" => assert_eq!(
            sent(&lead_creation()),
            without(&json[0], &["created_by", "request_id"])
        ),
        "leads-patch-batch-request.json" => assert_eq!(sent(&lead_loss()), without(&json[1], &["price"])),
        "notes-post-request.json" => {
            let (note, call) = notes();
            assert_eq!(sent(&note), without(&json[0], &["request_id"]));
            let mut wanted = without(&json[2], &["is_need_to_trigger_digital_pipeline"]);
            for optional in ["call_status", "call_responsible"] {
                wanted["params"].as_object_mut().unwrap().remove(optional);
            }
            assert_eq!(sent(&call), wanted);
        }
        "tasks-post-request.json" => assert_eq!(sent(&task()), without(&json[0], &["request_id"])),
        "task-close-request.json" => {
            let fields = vec![
                field(SystemField::IsDone, Value::Flag(true)),
                field(SystemField::Comment, Value::text("Связались с клиентом")),
            ];
            let write = Write::UpdateRecord {
                key: RecordKey::new(RecordKind::Task, 1),
                fields,
            };
            assert_eq!(without(&sent(&write), &["id"]), json);
        }
        "webhooks-post-request.json" => {
            for code in json["settings"].as_array().unwrap() {
                assert!(amocrm::connector::HOOK_EVENTS.contains(&code.as_str().unwrap()));
            }
        }
        "oauth-token-request-code.json" | "oauth-token-request-refresh.json" => {
            // The sandbox checks these five members; the tests of authorisation send them there.
            assert_eq!(json.as_object().unwrap().len(), 5);
        }
        _ => panic!("{name}: нет читателя"),
    }
}

/// Which events a hook tells: kind and id.
fn hook(name: &str, body: &str) {
    let facts = AmocrmIntake
        .parse(
            "application/x-www-form-urlencoded",
            body.as_bytes(),
            IntakeContext::default(),
        )
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let told: Vec<String> = facts
        .iter()
        .map(|fact| format!("{} {}", fact.kind.as_str(), fact.key))
        .collect();
    let wanted: &[&str] = match name {
        "composed-note-scalar-and-nested-key.form" => &["note_added note:60864725"],
        "dp-webhook-leads-add.form" => &["deal_created deal:5141671"],
        "dp-webhook-leads-status.form" => &["deal_stage_changed deal:916659"],
        "webhook-company-add-legacy.form" => &["company_created company:1110"],
        "webhook-contacts-add.form" => &["contact_created contact:37054081"],
        "webhook-contacts-update.form" => &["contact_updated contact:37054081"],
        "webhook-leads-add.form" => &["deal_created deal:40000001"],
        "webhook-leads-delete.form" => &["deal_deleted deal:40000001"],
        "webhook-leads-note.form" => &["note_added note:213313359"],
        "webhook-leads-responsible-legacy.form" => &["deal_responsible_changed deal:31926520"],
        "webhook-leads-status-legacy.form" => &["deal_stage_changed deal:31926520"],
        "webhook-leads-update-customfields.form" => &["deal_updated deal:40000002"],
        "webhook-leads-update-legacy.form" => &["deal_updated deal:31926520"],
        "webhook-catalog-delete-docs.json" | "webhook-talk-add-docs.json" => &[],
        "webhook-talk-update-closed-docs.json" | "webhook-unsorted-update-docs.json" => &[],
        "webhook-company-add-docs.json" => &["company_created company:17612521"],
        "webhook-contacts-delete-docs.json" => &["contact_deleted contact:17611273"],
        "webhook-contacts-note-docs.json" => &["note_added note:4600607"],
        "webhook-contacts-responsible-docs.json" => &["contact_updated contact:17611273"],
        "webhook-contacts-update-docs.json" => &["contact_updated contact:17611273"],
        "webhook-leads-note-docs.json" => &["note_added note:4600471"],
        "webhook-leads-responsible-docs.json" => &["deal_responsible_changed deal:15318175"],
        "webhook-leads-restore-docs.json" => &["deal_restored deal:15318175"],
        "webhook-leads-status-docs.json" => &["deal_stage_changed deal:15318175"],
        "webhook-task-add-docs.json" => &["task_created task:1564671"],
        "webhook-task-delete-docs.json" => &["task_deleted task:1564885"],
        "webhook-task-responsible-docs.json" => &["task_updated task:1564671"],
        "webhook-task-update-closed-docs.json" => &["task_completed task:1564671"],
        "webhook-task-update-text-docs.json" => &["task_updated task:1564671"],
        "webhook-unsorted-add-forms-docs.json" => {
            &["unsorted_added unsorted:4278accf80c59e99411d5c6e01e4054864ca958e594699484ba8c5f40bb1"]
        }
        "webhook-unsorted-delete-accept-docs.json" => {
            &["unsorted_accepted unsorted:f575b754b0d1eb1c380e53d6821ffd2820a6dfbe3822de0cfddaf266980f"]
        }
        "webhook-unsorted-delete-decline-docs.json" => {
            &["unsorted_declined unsorted:f575b754b0d1eb1c380e457edeba88954891f3dce5d2fe1324fd3e2af58d"]
        }
        _ => panic!("{name}: неизвестный вебхук"),
    };
    assert_eq!(told, wanted, "{name}");
    let first = facts.first();
    let before = first.map(|fact| fact.before.clone()).unwrap_or_default();
    let stage = |pipeline, status| Value::Stage(Stage { pipeline, status });
    match name {
        "dp-webhook-leads-status.form" => {
            assert_eq!(
                before,
                [(SystemField::Stage.into(), stage(5_080_363, 45_648_901))]
            );
        }
        "webhook-leads-status-docs.json" => {
            assert_eq!(
                before,
                [(SystemField::Stage.into(), stage(8_572_511, 67_548_607))]
            );
        }
        "webhook-leads-responsible-docs.json" => {
            assert_eq!(
                before,
                [(SystemField::Responsible.into(), Value::User(12_345_673))],
                "old status is stale"
            );
        }
        "webhook-contacts-update.form" => {
            assert_eq!(before, [], "the old responsible user is the present one");
            let phone = first.unwrap().record.get(SystemField::Phone.into());
            assert_eq!(phone, Some(&Value::Texts(vec!["+79000000001".to_owned()])));
        }
        "webhook-contacts-responsible-docs.json" | "webhook-task-responsible-docs.json" => {
            assert_eq!(
                before,
                [(SystemField::Responsible.into(), Value::User(11_087_123))]
            );
        }
        "webhook-leads-note.form" => {
            let text = first.unwrap().record.get(SystemField::Text.into());
            assert_eq!(text, Some(&Value::text("строка 1\nстрока 2 & ссылка")));
        }
        _ => {}
    }
}

fn error(name: &str, status: u16, body: &str) {
    let response = Response {
        status,
        content_type: String::new(),
        retry_after: None,
        request_id: None,
        body: body.to_owned().into(),
    };
    let failure = read_failure(&response, true);
    let code = match status {
        401 => "unauthorized",
        402 => "unpaid",
        403 if body.trim_start().starts_with('<') => "banned",
        403 => "forbidden",
        404 => "not_found",
        429 => "rate_limited",
        500.. => "unavailable",
        _ => "rejected",
    };
    assert_eq!(failure.error.code(), code, "{name}");
    assert_eq!(
        !failure.items.is_empty(),
        body.contains("validation-errors"),
        "{name}"
    );
}

fn object<T: DeserializeOwned>(name: &str, json: Json) -> T {
    page::object(json).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list<T: DeserializeOwned>(name: &str, json: &Json, key: &str) -> Vec<T> {
    page::list(json, key).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn ids(json: &Json, key: &str) -> usize {
    page::list::<Link>(json, key).unwrap().len()
}

fn claims(json: &Json) {
    use base64::Engine;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string());
    let token = secrecy::SecretString::from(format!("e30.{payload}.c2ln"));
    let exp = json["exp"].as_i64().unwrap();
    assert_eq!(
        amocrm::auth::token_expiry(&token),
        Some(Timestamp::from_secs(exp))
    );
}

/// One body per type: read as its type, it is written with the same values.
fn values(json: &Json) {
    let zone = Zone::moscow();
    for (name, field) in json.as_object().unwrap() {
        let raw = match name.as_str() {
            "date_unix" | "date_rfc3339" => "date",
            "select_by_text" | "select_by_id" | "select_by_code" => "select",
            "multitext_phone" | "multitext_email" => "multitext",
            "clear_field" => "text",
            other => other,
        };
        let code = field["field_code"].as_str();
        let items = field["values"].as_array().cloned().unwrap_or_default();
        let read = value::read(value::field_type(raw, code), &items, &zone);
        let written = value::write(&read, &zone);
        match name.as_str() {
            "clear_field" => assert_eq!((read, written), (Value::Empty, None)),
            // A midnight in another zone is the day, whose midnight in the account's zone is written.
            "date_unix" | "birthday" => {
                assert_eq!(written.unwrap()[0]["value"], json!("2020-01-01T00:00:00+03:00"))
            }
            // The kind of a phone is kept by another way; what the value is goes through.
            "multitext_phone" | "multitext_email" => {
                let plain: Vec<&Json> = items.iter().map(value::value_of).collect();
                let written = written.unwrap();
                assert_eq!(written.iter().map(value::value_of).collect::<Vec<_>>(), plain);
            }
            // By id or code only: such an item is written, never read.
            "select_by_code" | "select_by_id" | "radiobutton" | "category" | "multiselect" => {
                let choice = |item: &Json| item["enum_id"].as_i64().map(|id| Choice::new(id, ""));
                if let Some(choices) = items.iter().map(choice).collect::<Option<Vec<_>>>() {
                    assert_eq!(
                        value::write(&Value::Choices(choices), &zone),
                        Some(items),
                        "{name}"
                    );
                }
            }
            _ => assert_eq!(written, Some(items), "{name}"),
        }
    }
}

fn field(key: impl Into<FieldKey>, value: Value) -> FieldWrite {
    FieldWrite {
        key: key.into(),
        value,
        mode: WriteMode::Replace,
    }
}

fn sent(write: &Write) -> Json {
    serde_json::to_value(&plan(write, &Zone::moscow()).unwrap().item).unwrap()
}

fn without(json: &Json, keys: &[&str]) -> Json {
    let mut json = json.clone();
    for key in keys {
        json.as_object_mut().unwrap().remove(*key);
    }
    json
}

fn lead_creation() -> Write {
    Write::CreateRecord {
        kind: RecordKind::Deal,
        contact: Some(RecordId::from(963_408)),
        fields: vec![
            field(SystemField::Name, Value::text("Сделка для примера 1")),
            field(SystemField::Price, Value::Number(20_000.into())),
            field(SystemField::Company, Value::Id(406_320)),
            field(FieldKey::Custom(184_994), Value::Flag(true)),
        ],
        stage: Some(Stage {
            pipeline: 6_950_551,
            status: 58_141_807,
        }),
        responsible: None,
        tags: vec![Choice::named("lptracker")],
    }
}

fn lead_loss() -> Write {
    Write::Move {
        key: RecordKey::new(RecordKind::Deal, 152_462),
        stage: Stage {
            pipeline: 6_954_751,
            status: 143,
        },
        loss_reason: Some(4_203_748),
    }
}

fn notes() -> (Write, Write) {
    let key = RecordKey::new(RecordKind::Deal, 167_353);
    let call = NewCall {
        incoming: true,
        phone: "+79000000001".to_owned(),
        duration: 60,
        recording: Some("https://example.com/rec.mp3".to_owned()),
        result: Some("ok".to_owned()),
        unique: Some("8f52d38a-0000-406d-93a3-a4832dc28f8b".to_owned()),
        at: None,
    };
    (
        Write::AddNote {
            key: key.clone(),
            text: "Заявка из LPTracker".to_owned(),
        },
        Write::LogCall { key, call },
    )
}

fn task() -> Write {
    let task = NewTask {
        text: "Перезвонить".to_owned(),
        task_type: Some(1),
        deadline: Timestamp::from_secs(1_588_885_140),
        responsible: Some(123_123),
    };
    Write::AddTask {
        key: RecordKey::new(RecordKind::Deal, 9_785_993),
        task,
    }
}

/// A documented body as amoCRM would send it.
fn flatten(prefix: String, json: &Json, out: &mut Vec<String>) {
    let below = |key: &str| {
        if prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{prefix}[{key}]")
        }
    };
    match json {
        Json::Object(map) => map.iter().for_each(|(key, json)| flatten(below(key), json, out)),
        Json::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, json)| flatten(below(&at.to_string()), json, out));
        }
        leaf => {
            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
            let escaped: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
            out.push(format!(
                "{}={escaped}",
                prefix.replace('[', "%5B").replace(']', "%5D")
            ));
        }
    }
}
