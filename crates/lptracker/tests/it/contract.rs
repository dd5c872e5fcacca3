//! Bodies of every kind the contract describes: answers are read, requests are made and compared.
//!
//! The same checks run over the repository's own files and, where the folder is there, over the workshop's
//! shared ones. A file that no check knows is a failure.

mod requests;

use connector::{ConnectorError, Intake, IntakeContext};
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::Record;
use domain::time::Zone;
use domain::value::{Choice, Stage, Value};
use lptracker::convert::{self, write};
use lptracker::wire::call::Call;
use lptracker::wire::contact::{Contact, Detail, FieldValue};
use lptracker::wire::lead::Lead;
use lptracker::wire::project::{Callback, Comment, Definition, Employee, Project, Step};
use lptracker::wire::{list, scalar};
use lptracker::{LptrackerIntake, envelope};
use serde_json::Value as Json;
use std::path::Path;

#[test]
fn own_fixtures_are_read_and_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    assert!(check_folder(&folder) >= 30);
}

#[test]
fn shared_fixtures_are_read_and_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("../shared/contracts/lptracker-fixtures");
    if folder.is_dir() {
        assert!(check_folder(&folder) >= 40);
    } else {
        println!("{} нет: общие образцы не проверены", folder.display());
    }
}

fn check_folder(folder: &Path) -> usize {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        check_file(name, &text);
    }
    names.len()
}

fn check_file(name: &str, text: &str) {
    println!("{name}");
    if name.ends_with(".txt") {
        return check_form(text);
    }
    let json: Json = serde_json::from_str(text).unwrap();
    let result = || envelope::open(200, text.as_bytes()).unwrap();
    let stem = name.trim_end_matches(".json");
    match stem {
        _ if stem.starts_with("error.") || stem == "auth.login.error" => check_error(stem, text),
        "auth.login.request" => requests::check_login(&json),
        "auth.login.response" => assert!(result()["token"].as_str().is_some_and(|token| !token.is_empty())),
        "auth.logout.response" | "project.callback-url.put.response" => assert_eq!(result(), Json::Bool(true)),
        "project.get.response" => assert_eq!(Project::read(&result()).unwrap().id, id_of(&json["result"])),
        "project.list.response" => check_list(&result(), Project::read, |project| project.id),
        "project.funnel.response" => check_list(&result(), Step::read, |step| step.id),
        "staff.list.response" => check_list(&result(), Employee::read, |person| person.id),
        "project.customs.response" | "project.fields.response" => check_definitions(&result()),
        "project.callback-url.list.response" => {
            let read = list(&result(), Callback::read);
            let urls: Vec<&Json> = json["result"].as_array().unwrap().iter().map(|one| &one["url"]).collect();
            assert_eq!(read.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), urls);
        }
        "project.callback-url.put.request" => {
            assert_eq!(write::callback(text_at(&json, "url"), text_at(&json, "name")), json);
        }
        "contact.create.request" => requests::check_contact_create(&json),
        "contact.edit.request" => requests::check_contact_edit(&json),
        "contact.search.empty.response" => assert_eq!(result(), Json::Array(Vec::new())),
        "contact.search.response" => check_list(&result(), read_contact, |contact| contact.id),
        "contact.create.response" => check_contact(&json["result"]),
        "contact.detail.get.response" | "contact.detail.put.response" => {
            assert_eq!(Detail::read(&result()).unwrap().id, Some(id_of(&json["result"])));
        }
        "lead.create.full.request" => requests::check_lead_create(&json),
        "lead.put-custom.request" => requests::check_lead_update(&json),
        "lead.funnel.put.request" => {
            let status = json["funnel"].as_i64().unwrap();
            assert_eq!(write::step(Stage { pipeline: 1, status }), json);
        }
        "lead.owner.put.request" => assert_eq!(write::owner(json["owner"].as_i64().unwrap()), json),
        "lead.comment.post.request" => assert_eq!(write::comment(text_at(&json, "text")), json),
        "lead.payment.post.request" => requests::check_payment(&json),
        "lead.custom.put.response" => {
            let value = FieldValue::read(&result()).unwrap();
            assert_eq!((value.id, &value.value), (id_of(&json["result"]), &json["result"]["value"]));
        }
        "lead.comments.response" => check_list(&result(), read_comment, |comment| comment.id.unwrap()),
        "lead.calls.response" => check_calls(&result()),
        "lead.file.get.response" => assert!(result()["data"].is_string()),
        "lead.list.response" => check_list(&result(), checked_lead, |lead| lead.id),
        "lead.list.raw-array.response" => {
            assert_eq!(result(), json);
            check_list(&json, checked_lead, |lead| lead.id);
        }
        _ if stem.starts_with("lead.") && stem.ends_with(".response") => drop(checked_lead(&result())),
        "webhook.lead.create.payload" => check_hook(&json, EventKind::LeadCreated),
        "webhook.lead.update.payload" => check_hook(&json, EventKind::LeadUpdated),
        "webhook.lead.delete.payload" => check_hook(&json, EventKind::LeadDeleted),
        "webhook.crm.custom.payload" | "webhook.crm.funnel.payload" => {
            let facts = parse("application/json", text);
            assert_eq!(facts.len(), 1);
            assert_eq!(facts[0].kind, EventKind::StructureChanged);
            assert_eq!(facts[0].key.id.number(), json["project_id"].as_i64());
        }
        // Calls that this client has no use for: the documents are only checked to be JSON objects.
        "contact.detail.put.request"
        | "contact.field.put.request"
        | "lead.create.inline-contact.request"
        | "lead.custom.put.request"
        | "lead.file.post.request"
        // The undocumented API of the web interface stays out of the product.
        | "webui.lead-feed.response"
        | "webui.login.response" => assert!(json.is_object()),
        _ => panic!("{name}: no check knows this file"),
    }
}

fn zone() -> Zone {
    Zone::moscow()
}

fn id_of(json: &Json) -> i64 {
    scalar::id(json, "id").unwrap()
}

fn text_at<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap()
}

fn check_list<T>(json: &Json, read: impl Fn(&Json) -> Option<T>, id: impl Fn(&T) -> i64) {
    let ids: Vec<i64> = json.as_array().unwrap().iter().map(id_of).collect();
    assert!(!ids.is_empty());
    assert_eq!(list(json, read).iter().map(id).collect::<Vec<_>>(), ids);
}

fn read_contact(json: &Json) -> Option<Contact> {
    check_contact(json);
    Contact::read(json, &zone())
}

fn read_comment(json: &Json) -> Option<Comment> {
    let comment = Comment::read(json, &zone())?;
    assert_eq!(comment.text, text_at(json, "text"));
    assert!(comment.created_at.is_some());
    Some(comment)
}

fn check_error(stem: &str, text: &str) {
    let error = envelope::open(200, text.as_bytes()).unwrap_err();
    let fits = match stem {
        "error.400-invalid-lead-id" => envelope::is_invisible_lead(&error),
        _ if stem.starts_with("error.400") => matches!(error, ConnectorError::Rejected { .. }),
        _ if stem.starts_with("error.401") || stem == "auth.login.error" => {
            matches!(error, ConnectorError::Unauthorized)
        }
        _ if stem.starts_with("error.404") => matches!(error, ConnectorError::NotFound),
        _ if stem.starts_with("error.503") => matches!(error, ConnectorError::RateLimited { .. }),
        _ => false,
    };
    assert!(fits, "{stem}: {error:?}");
}

fn check_definitions(json: &Json) {
    check_list(json, Definition::read, |definition| definition.id);
    for item in json.as_array().unwrap() {
        let definition = Definition::read(item).unwrap();
        let kind = text_at(item, "type");
        let info = convert::info(domain::record::RecordKind::Lead, &definition);
        assert_eq!(info.is_none(), matches!(kind, "funnel" | "owner"), "{item}");
        let categories = item
            .get("categories")
            .and_then(Json::as_array)
            .map_or(0, Vec::len);
        assert_eq!(definition.categories.len(), categories, "{item}");
    }
}

/// Everything the answer tells of a contact is in the record.
fn check_contact(json: &Json) {
    let contact = Contact::read(json, &zone()).unwrap();
    let record = convert::contact(&contact, &zone());
    let get = |field: SystemField| record.get(field.into());
    assert_eq!(record.key.id.number(), Some(id_of(json)));
    if let Some(name) = json.get("name").and_then(Json::as_str) {
        assert_eq!(get(SystemField::Name), Some(&Value::text(name)));
    }
    let details = json
        .get("details")
        .or_else(|| json.get("contacts"))
        .and_then(Json::as_array);
    if let Some(details) = details {
        let of = |kind: &str| details.iter().filter(|one| one["type"] == kind).count();
        let count = |field| match get(field) {
            Some(Value::Texts(texts)) => texts.len(),
            Some(Value::Empty) => 0,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (count(SystemField::Phone), count(SystemField::Email)),
            (of("phone"), of("email"))
        );
    }
    for item in json.get("fields").and_then(Json::as_array).unwrap_or(&Vec::new()) {
        assert!(record.get(FieldKey::Custom(id_of(item))).is_some(), "{item}");
    }
    assert_eq!(
        json.get("created_at").is_some(),
        get(SystemField::CreatedAt).is_some()
    );
}

/// Everything the answer tells of a lead is in the record.
fn checked_lead(json: &Json) -> Option<Lead> {
    let lead = Lead::read(json, &zone()).unwrap();
    let record = convert::lead(&lead, None, &|_| None, &zone());
    check_lead(json, &record);
    if let Some(contact) = json.get("contact") {
        check_contact(contact);
    }
    Some(lead)
}

fn check_lead(json: &Json, record: &Record) {
    let get = |field: SystemField| record.get(field.into());
    assert_eq!(record.key.id.number(), Some(id_of(json)));
    let custom = json
        .get("custom")
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    let step = custom
        .iter()
        .find(|field| field["type"] == "funnel")
        .map(|field| &field["value"]);
    let step = json
        .get("funnel")
        .or(json.get("stage").map(|stage| &stage["id"]))
        .or(step);
    let project = json["project_id"]
        .as_i64()
        .or(json["contact"]["project_id"].as_i64());
    if let (Some(status), Some(pipeline)) = (step.and_then(scalar::int), project) {
        assert_eq!(
            get(SystemField::Stage),
            Some(&Value::Stage(Stage { pipeline, status }))
        );
    }
    let has_owner = json.get("owner_id").is_some() || custom.iter().any(|field| field["type"] == "owner");
    assert_eq!(get(SystemField::Responsible).is_some(), has_owner);
    for (key, field) in [
        ("created_at", SystemField::CreatedAt),
        ("updated_at", SystemField::UpdatedAt),
    ] {
        assert_eq!(json.get(key).is_some(), get(field).is_some(), "{key}");
    }
    assert_eq!(
        json.get("view").is_some_and(Json::is_object),
        get(SystemField::Source).is_some()
    );
    for item in &custom {
        let is_system = matches!(text_at(item, "type"), "funnel" | "owner");
        let value = record.get(FieldKey::Custom(id_of(item)));
        assert_eq!(value.is_none(), is_system, "{item}");
        if let Some(value) = value {
            assert_eq!(value.is_empty(), item["value"].is_null(), "{item}");
            assert!(!matches!(value, Value::Json(json) if json.is_string()), "{item}");
        }
    }
}

fn check_calls(json: &Json) {
    let calls = list(json, |item| Call::read(item, &zone()));
    let items = json.as_array().unwrap();
    assert_eq!(calls.len(), items.len());
    for (call, item) in calls.iter().zip(items) {
        let record = convert::call(call, 1234, None);
        assert_eq!(record.key.id.0, text_at(item, "linkedid"));
        let get = |field: SystemField| record.get(field.into());
        assert_eq!(
            get(SystemField::Disposition),
            Some(&Value::text(text_at(item, "disposition")))
        );
        assert_eq!(
            get(SystemField::Recording).unwrap().is_empty(),
            item["record"].is_null()
        );
        assert_eq!(
            get(SystemField::Direction),
            Some(&Value::Choice(Choice::named(text_at(item, "type"))))
        );
    }
}

fn parse(content_type: &str, body: &str) -> Vec<Fact> {
    LptrackerIntake
        .parse(content_type, body.as_bytes(), IntakeContext::default())
        .unwrap()
}

fn check_hook(json: &Json, kind: EventKind) {
    let facts = parse("application/json", &json.to_string());
    assert_eq!(facts[0].kind, kind);
    assert_eq!(
        facts[0].occurred_at.map(|at| at.0),
        json["action_timestamp"].as_i64()
    );
    if kind != EventKind::LeadDeleted {
        check_lead(json, &facts[0].record);
        check_contact(&json["contact"]);
        assert_eq!(facts[0].related.len(), 1);
    }
    let words = json["action_update_fields"].to_string();
    let has = |kind: EventKind| facts.iter().any(|fact| fact.kind == kind);
    assert_eq!(has(EventKind::LeadStageChanged), words.contains("stage"));
    assert_eq!(has(EventKind::LeadOwnerChanged), words.contains("owner"));
    let calls = facts
        .iter()
        .filter(|fact| fact.kind == EventKind::CallFinished)
        .count();
    assert_eq!(
        calls,
        json.get("calls_records")
            .and_then(Json::as_array)
            .map_or(0, Vec::len)
    );
    let wrapped = serde_json::json!({"data": json.to_string()});
    assert_eq!(parse("application/json", &wrapped.to_string()), facts);
}

/// A whole delivery as its bytes arrive: head, blank line, body.
fn check_form(text: &str) {
    let (head, body) = text
        .replace("\r\n", "\n")
        .split_once("\n\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let content_type = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Type: "))
        .expect("the head names the content type")
        .to_owned();
    let facts = parse(&content_type, body.trim_end());
    let data = url::form_urlencoded(&body);
    let payload: Json = serde_json::from_str(&data).unwrap();
    assert_eq!(parse("application/json", &payload.to_string()), facts);
    check_hook(&payload, facts[0].kind);
}

mod url {
    /// The field `data` as another implementation decodes it.
    pub fn form_urlencoded(body: &str) -> String {
        let query = format!("http://x/?{}", body.trim_end());
        let url = ::url::Url::parse(&query).unwrap();
        url.query_pairs()
            .find(|(name, _)| name == "data")
            .unwrap()
            .1
            .into_owned()
    }
}
