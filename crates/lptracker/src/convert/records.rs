//! Leads, contacts and calls as neutral records. What an answer does not tell stays absent.

use super::fields;
use crate::phone;
use crate::wire;
use domain::field::{FieldKey, FieldType, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Stage, Value};
use rust_decimal::Decimal;

/// Looks up the catalogue's type of a lead field by id.
pub type FieldTypes<'a> = &'a dyn Fn(i64) -> Option<FieldType>;

/// A lead. `project` stands in where the answer does not name the project.
pub fn lead(lead: &wire::lead::Lead, project: Option<i64>, types: FieldTypes<'_>, zone: &Zone) -> Record {
    use SystemField as F;
    let mut record = Record::new(RecordKind::Lead, lead.id);
    record.set(F::Id, Value::Id(lead.id));
    put(&mut record, F::Name, lead.name.clone().map(Value::text));
    let project = lead.project_id.or(project);
    put(&mut record, F::Pipeline, project.map(Value::Id));
    if let (Some(pipeline), Some(status)) = (project, lead.step) {
        record.set(F::Stage, Value::Stage(Stage { pipeline, status }));
    }
    put(&mut record, F::Responsible, lead.owner.map(Value::User));
    put(&mut record, F::CreatedAt, lead.created_at.map(Value::Instant));
    put(&mut record, F::UpdatedAt, lead.updated_at.map(Value::Instant));
    put(&mut record, F::Contact, lead.contact_id.map(Value::Id));
    put(&mut record, F::IsDeal, lead.deal.map(Value::Flag));
    put(&mut record, F::PaymentSum, lead.payment_sum().map(Value::Number));
    if let Some(view) = &lead.view {
        put(&mut record, F::Source, view.source.clone().map(Value::text));
        put(&mut record, F::Campaign, view.campaign.clone().map(Value::text));
        put(&mut record, F::Keyword, view.keyword.clone().map(Value::text));
    }
    for field in lead
        .custom
        .iter()
        .flatten()
        .filter(|field| !fields::is_system(&field.kind))
    {
        let value = fields::value(RecordKind::Lead, &field.kind, types(field.id), &field.value, zone);
        record.set(FieldKey::Custom(field.id), value);
    }
    record
}

/// A contact. Phones are given as normalised digits: after an edit the service answers them as they were sent.
pub fn contact(contact: &wire::contact::Contact, zone: &Zone) -> Record {
    use SystemField as F;
    let mut record = Record::new(RecordKind::LeadContact, contact.id);
    record.set(F::Id, Value::Id(contact.id));
    put(&mut record, F::Name, contact.name.clone().map(Value::text));
    put(
        &mut record,
        F::Profession,
        contact.profession.clone().map(Value::text),
    );
    put(&mut record, F::Site, contact.site.clone().map(Value::text));
    put(&mut record, F::Pipeline, contact.project_id.map(Value::Id));
    put(&mut record, F::CreatedAt, contact.created_at.map(Value::Instant));
    if contact.details.is_some() {
        let phones = contact.data("phone").map(phone::normalised);
        record.set(F::Phone, texts(phones));
        record.set(
            F::Email,
            texts(contact.data("email").map(|email| email.trim().to_owned())),
        );
    }
    for field in contact.fields.iter().flatten() {
        let value = fields::value(RecordKind::LeadContact, &field.kind, None, &field.value, zone);
        record.set(FieldKey::Custom(field.id), value);
    }
    record
}

/// A call of a lead. `phone` is the client's number, when known.
pub fn call(call: &wire::call::Call, lead: i64, phone: Option<&str>) -> Record {
    use SystemField as F;
    let mut record = Record::new(RecordKind::Call, call.key(lead).as_str());
    put(&mut record, F::At, call.time.map(Value::Instant));
    put(
        &mut record,
        F::Duration,
        call.duration.map(|seconds| Value::Number(Decimal::from(seconds))),
    );
    let direction = |incoming| if incoming { "incoming" } else { "outgoing" };
    put(
        &mut record,
        F::Direction,
        call.incoming
            .map(|incoming| Value::Choice(Choice::named(direction(incoming)))),
    );
    put(
        &mut record,
        F::Disposition,
        call.disposition.clone().map(Value::text),
    );
    put(&mut record, F::Recording, call.record.clone().map(Value::text));
    put(&mut record, F::Responsible, call.owner_id.map(Value::User));
    put(&mut record, F::Operator, call.owner_name.clone().map(Value::text));
    put(
        &mut record,
        F::Phone,
        phone.map(|phone| Value::Texts(vec![phone::normalised(phone)])),
    );
    record.set(F::Parent, parent(&RecordKey::new(RecordKind::Lead, lead)));
    record
}

/// The record that a call belongs to: `{"kind":"lead","id":"1234"}`.
fn parent(key: &RecordKey) -> Value {
    Value::Json(serde_json::json!({"kind": key.kind.as_str(), "id": key.id.0}))
}

/// The client's phone of a lead: the detail it came by, else the first phone of the contact.
pub fn client_phone(lead: &wire::lead::Lead) -> Option<&str> {
    let contact = lead.contact.as_ref()?;
    let phones = || {
        contact
            .details
            .iter()
            .flatten()
            .filter(|detail| detail.kind == "phone")
    };
    phones()
        .find(|detail| detail.id.is_some() && detail.id == lead.detail_id)
        .or_else(|| phones().next())
        .map(|detail| detail.data.as_str())
}

/// When a record was made, for ordering; unknown comes first.
pub fn created_at(record: &Record) -> Option<Timestamp> {
    match record.get(SystemField::CreatedAt.into()) {
        Some(Value::Instant(at)) => Some(*at),
        _ => None,
    }
}

fn put(record: &mut Record, field: SystemField, value: Option<Value>) {
    if let Some(value) = value {
        record.set(field, value);
    }
}

/// Non-blank texts, each once.
fn texts(all: impl Iterator<Item = String>) -> Value {
    let mut kept: Vec<String> = Vec::new();
    for text in all {
        if !text.is_empty() && !kept.contains(&text) {
            kept.push(text);
        }
    }
    if kept.is_empty() {
        Value::Empty
    } else {
        Value::Texts(kept)
    }
}
