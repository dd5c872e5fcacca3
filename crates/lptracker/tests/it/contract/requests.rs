//! Bodies that we send, made from what their documents hold and compared with them.

use super::{text_at, zone};
use connector::conformance::field;
use domain::command::{FieldWrite, NewPayment};
use domain::field::{FieldKey, SystemField};
use domain::value::{Choice, Stage, Value};
use lptracker::convert::write;
use lptracker::wire::contact::Contact;
use lptracker::wire::scalar;
use serde_json::Value as Json;

pub(super) fn check_login(json: &Json) {
    let made = write::login(
        text_at(json, "login"),
        text_at(json, "password"),
        text_at(json, "service"),
    );
    assert_eq!(&made, json);
}

fn system(field_key: SystemField, json: &Json) -> FieldWrite {
    field(field_key, Value::text(json.as_str().unwrap()))
}

/// The writes that should make this `custom` or `fields` map.
fn custom_writes(map: &Json) -> Vec<FieldWrite> {
    let entries = map.as_object().unwrap().iter();
    entries
        .map(|(id, value)| {
            let value = match value {
                Json::Array(names) => {
                    let named = |name: &Json| Choice::named(name.as_str().unwrap());
                    Value::Choices(names.iter().map(named).collect())
                }
                other => Value::text(other.as_str().unwrap()),
            };
            field(FieldKey::Custom(id.parse().unwrap()), value)
        })
        .collect()
}

fn contact_writes(json: &Json) -> Vec<FieldWrite> {
    let mut writes = custom_writes(&json["fields"]);
    for key in [SystemField::Name, SystemField::Profession, SystemField::Site] {
        writes.extend(json.get(key.as_str()).map(|value| system(key, value)));
    }
    for (kind, key) in [("phone", SystemField::Phone), ("email", SystemField::Email)] {
        let details = json["details"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["type"] == kind);
        let texts: Vec<String> = details.map(|one| text_at(one, "data").to_owned()).collect();
        if !texts.is_empty() {
            writes.push(field(key, Value::Texts(texts)));
        }
    }
    writes
}

/// Details stand in any order.
fn ordered(mut json: Json) -> Json {
    json["details"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(Json::to_string);
    json
}

pub(super) fn check_contact_create(json: &Json) {
    let project = json["project_id"].as_i64().unwrap();
    let made = write::new_contact(project, &contact_writes(json), &zone()).unwrap();
    assert_eq!(ordered(made), ordered(json.clone()));
}

/// The contact as it was before: the same details with other data.
pub(super) fn check_contact_edit(json: &Json) {
    let mut before = json.clone();
    for (at, detail) in before["details"].as_array_mut().unwrap().iter_mut().enumerate() {
        let is_phone = detail["type"] == "phone";
        let data = if is_phone {
            format!("7900111000{at}")
        } else {
            format!("old{at}@example.com")
        };
        detail["data"] = Json::from(data);
    }
    let contact = Contact::read(&before, &zone()).unwrap();
    let made = write::contact_update(&contact, &contact_writes(json), &zone()).unwrap();
    assert_eq!(ordered(made), ordered(json.clone()));
}

/// What we send is part of the documented body, which also shows keys that we have no use for.
pub(super) fn check_lead_create(json: &Json) {
    let mut writes = custom_writes(&json["custom"]);
    writes.push(system(SystemField::Name, &json["name"]));
    let at = lptracker::time::instant(&json["lead_date"], &zone()).unwrap();
    writes.push(field(SystemField::CreatedAt, Value::Instant(at)));
    for key in [SystemField::Source, SystemField::Campaign, SystemField::Keyword] {
        writes.push(system(key, &json["view"][key.as_str()]));
    }
    let stage = Stage {
        pipeline: 1,
        status: json["funnel"].as_i64().unwrap(),
    };
    let contact = json["contact_id"].as_i64().unwrap();
    let made = write::new_lead(
        contact,
        &writes,
        Some(stage),
        json["owner"].as_i64(),
        &|_| None,
        &zone(),
    );
    let made = made.unwrap();
    let documented = json.as_object().unwrap();
    for (key, value) in made.as_object().unwrap() {
        assert_eq!(documented.get(key), Some(value), "{key}");
    }
    assert_eq!(made["callback"], Json::Bool(false));
    let unused: Vec<&String> = documented
        .keys()
        .filter(|key| made.get(key.as_str()).is_none())
        .collect();
    assert!(
        unused
            .iter()
            .all(|key| ["deal_date", "payments"].contains(&key.as_str())),
        "{unused:?}"
    );
}

pub(super) fn check_lead_update(json: &Json) {
    assert_eq!(
        &write::lead_update(&custom_writes(&json["custom"]), &|_| None, &zone()).unwrap(),
        json
    );
}

pub(super) fn check_payment(json: &Json) {
    let payment = NewPayment {
        category: text_at(json, "category").to_owned(),
        purpose: text_at(json, "purpose").to_owned(),
        sum: scalar::decimal(&json["sum"]).unwrap(),
    };
    assert_eq!(&write::payment(&payment).unwrap(), json);
}
