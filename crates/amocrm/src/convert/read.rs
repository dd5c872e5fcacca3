//! Entities of the API as neutral records.

use crate::convert::{Entity, value};
use crate::wire::account::{self, LossReason, Tag};
use crate::wire::entity::{
    Company, Contact, FieldList, FieldValues, Lead, Link, LinkList, Person, TagList, Task,
};
use crate::wire::id::{LossReasonId, UserId};
use crate::wire::note::Note;
use crate::wire::tolerant::{Int, Known, decimal};
use domain::catalogue::{Catalogue, FieldInfo, StageInfo, StageKind};
use domain::field::{FieldKey, FieldType, SystemField};
use domain::record::{Record, RecordKey, RecordKind};
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Stage, Value};
use serde_json::Value as Json;

/// Won, in every pipeline.
pub const STATUS_WON: i64 = 142;
/// Lost, in every pipeline.
pub const STATUS_LOST: i64 = 143;

/// What reading needs to know of the account.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Its zone, for calendar days.
    pub zone: &'a Zone,
    /// Its fields, when they are known: then those that an answer leaves out are known to be empty.
    pub catalogue: Option<&'a Catalogue>,
}

impl Reader<'_> {
    /// A lead.
    pub fn lead(&self, lead: &Lead) -> Record {
        let mut record = Record::new(RecordKind::Deal, lead.id.0);
        known_text(&mut record, SystemField::Name, &lead.name);
        let price = match &lead.price_with_minor_units {
            Known::Is(price) if decimal(price).is_some() => Known::Is(price),
            _ => as_ref(&lead.price),
        };
        match price {
            Known::Absent => {}
            Known::Null => record.set(SystemField::Price, Value::Empty),
            Known::Is(price) => {
                let price = decimal(price).map_or_else(|| Value::Json(price.clone()), Value::Number);
                record.set(SystemField::Price, price);
            }
        }
        if let Some(pipeline) = lead.pipeline_id {
            record.set(SystemField::Pipeline, Value::Id(pipeline.0));
            if let Some(status) = lead.status_id {
                let stage = Stage {
                    pipeline: pipeline.0,
                    status: status.0,
                };
                record.set(SystemField::Stage, Value::Stage(stage));
            }
        }
        self.stamps(
            &mut record,
            &Stamps {
                responsible: lead.responsible_user_id,
                created_by: lead.created_by,
                updated_by: lead.updated_by,
                created_at: lead.created_at,
                updated_at: lead.updated_at,
            },
        );
        match lead.closed_at {
            Known::Absent => {}
            Known::Is(Int(secs)) if secs > 0 => record.set(SystemField::ClosedAt, instant(Int(secs))),
            Known::Null | Known::Is(_) => record.set(SystemField::ClosedAt, Value::Empty),
        }
        loss_reason(
            &mut record,
            &lead.loss_reason_id,
            lead.embedded.loss_reason.first(),
        );
        tags(&mut record, &lead.embedded.tags);
        linked(&mut record, SystemField::Company, &lead.embedded.companies);
        linked(&mut record, SystemField::Contact, &lead.embedded.contacts);
        self.custom_fields(&mut record, &lead.custom_fields_values);
        record
    }

    /// A contact.
    pub fn contact(&self, contact: &Contact) -> Record {
        self.person(Entity::Contacts, contact)
    }

    /// A company.
    pub fn company(&self, company: &Company) -> Record {
        self.person(Entity::Companies, company)
    }

    fn person<Id: Copy + Into<i64>>(&self, entity: Entity, person: &Person<Id>) -> Record {
        let mut record = Record::new(entity.kind(), person.id.into());
        known_text(&mut record, SystemField::Name, &person.name);
        known_text(&mut record, SystemField::FirstName, &person.first_name);
        known_text(&mut record, SystemField::LastName, &person.last_name);
        self.stamps(
            &mut record,
            &Stamps {
                responsible: person.responsible_user_id,
                created_by: person.created_by,
                updated_by: person.updated_by,
                created_at: person.created_at,
                updated_at: person.updated_at,
            },
        );
        tags(&mut record, &person.embedded.tags);
        if entity == Entity::Contacts {
            linked(&mut record, SystemField::Company, &person.embedded.companies);
        }
        self.custom_fields(&mut record, &person.custom_fields_values);
        if !matches!(person.custom_fields_values, Known::Absent) {
            for field in [SystemField::Phone, SystemField::Email] {
                if record.get(field.into()).is_none() {
                    record.set(field, Value::Empty);
                }
            }
        }
        record
    }

    /// A task; its parent comes second when the task tells it.
    pub fn task(&self, task: &Task) -> (Record, Option<RecordKey>) {
        let mut record = Record::new(RecordKind::Task, task.id.0);
        if let Some(text) = &task.text {
            record.set(SystemField::Text, Value::text(text.as_str()));
        }
        if let Some(kind) = task.task_type_id {
            let name = self
                .catalogue
                .and_then(|catalogue| catalogue.task_types.iter().find(|known| known.id == Some(kind.0)))
                .map_or_else(|| task_type_name(kind.0).to_owned(), |known| known.name.clone());
            record.set(SystemField::Kind, Value::Choice(Choice::new(kind.0, name)));
        }
        if let Some(done) = task.is_completed {
            record.set(SystemField::IsDone, Value::Flag(done));
        }
        if let Some(at) = task.complete_till {
            record.set(SystemField::Deadline, instant(at));
        }
        if let Some(text) = task
            .result
            .as_ref()
            .and_then(|result| result.get("text"))
            .and_then(Json::as_str)
        {
            record.set(SystemField::Comment, Value::text(text));
        }
        self.stamps(
            &mut record,
            &Stamps {
                responsible: task.responsible_user_id,
                created_by: task.created_by,
                updated_by: task.updated_by,
                created_at: task.created_at,
                updated_at: task.updated_at,
            },
        );
        let entity = task.entity_type.as_deref().and_then(Entity::parse);
        let parent = entity
            .zip(task.entity_id)
            .map(|(entity, id)| RecordKey::new(entity.kind(), id.0));
        if let Some(parent) = &parent {
            record.set(SystemField::Parent, parent_value(parent));
        }
        (record, parent)
    }

    /// A note of an entity; its parent comes second.
    pub fn note(&self, entity: Entity, note: &Note) -> (Record, Option<RecordKey>) {
        let mut record = Record::new(RecordKind::Note, note.id.0);
        record.set(
            SystemField::Kind,
            Value::Choice(Choice::named(note.note_type.as_str())),
        );
        for (name, field) in [("text", SystemField::Text), ("link", SystemField::Recording)] {
            if let Some(text) = note.param(name) {
                record.set(field, Value::text(text));
            }
        }
        if let Some(phone) = note.param("phone") {
            record.set(SystemField::Phone, Value::Texts(vec![phone]));
        }
        if let Some(duration) = note.params.get("duration").and_then(decimal) {
            record.set(SystemField::Duration, Value::Number(duration));
        }
        self.stamps(
            &mut record,
            &Stamps {
                responsible: None,
                created_by: note.created_by,
                updated_by: None,
                created_at: note.created_at,
                updated_at: note.updated_at,
            },
        );
        let parent = note.entity_id.map(|id| RecordKey::new(entity.kind(), id.0));
        if let Some(parent) = &parent {
            record.set(SystemField::Parent, parent_value(parent));
        }
        (record, parent)
    }

    fn stamps(&self, record: &mut Record, stamps: &Stamps) {
        for (field, user) in [
            (SystemField::Responsible, stamps.responsible),
            (SystemField::CreatedBy, stamps.created_by),
            (SystemField::UpdatedBy, stamps.updated_by),
        ] {
            if let Some(user) = user {
                record.set(field, Value::User(user.0));
            }
        }
        for (field, at) in [
            (SystemField::CreatedAt, stamps.created_at),
            (SystemField::UpdatedAt, stamps.updated_at),
        ] {
            if let Some(at) = at {
                record.set(field, instant(at));
            }
        }
    }

    fn custom_fields(&self, record: &mut Record, fields: &Known<FieldList>) {
        let filled = match fields {
            Known::Absent => return,
            Known::Null => &[][..],
            Known::Is(list) => &list.0[..],
        };
        // The API lists filled fields only, so those that the catalogue knows besides are empty.
        let kind = record.key.kind;
        for info in self.catalogue.iter().flat_map(|catalogue| &catalogue.fields) {
            if info.record == kind {
                record.set(FieldKey::Custom(info.id), Value::Empty);
            }
        }
        for field in filled {
            let (read, code) = self.custom_field(kind, field);
            set_custom(record, field.field_id.0, code.as_deref(), read);
        }
    }

    fn custom_field(&self, kind: RecordKind, field: &FieldValues) -> (Value, Option<String>) {
        let info = self
            .catalogue
            .and_then(|catalogue| catalogue.field(kind, field.field_id.0));
        let code = field
            .field_code
            .clone()
            .or_else(|| info.and_then(|info| info.code.clone()));
        let field_type = match (&field.field_type, info) {
            (Some(raw), _) => Some(value::field_type(raw, code.as_deref())),
            (None, Some(info)) => Some(info.field_type),
            (None, None) => None,
        };
        let read = match field_type {
            Some(field_type) => value::read(field_type, &field.values, self.zone),
            None => value::guess(code.as_deref(), &field.values),
        };
        (read, code)
    }
}

/// Sets a custom field, and the phone or e-mail that it is.
pub fn set_custom(record: &mut Record, id: i64, code: Option<&str>, read: Value) {
    match code {
        Some("PHONE") => record.set(SystemField::Phone, read.clone()),
        Some("EMAIL") => record.set(SystemField::Email, read.clone()),
        _ => {}
    }
    record.set(FieldKey::Custom(id), read);
}

/// How a record is named as the parent of a note or task.
pub fn parent_value(key: &RecordKey) -> Value {
    Value::Json(serde_json::json!({ "kind": key.kind.as_str(), "id": key.id.0 }))
}

/// A field definition in neutral form.
pub fn field_info(entity: Entity, field: account::FieldDefinition) -> FieldInfo {
    let field_type = value::field_type(&field.kind, field.code.as_deref());
    // The options of a multitext are kinds of phones (WORK, MOB), not values.
    let options = match field_type {
        FieldType::Select | FieldType::MultiSelect => field
            .enums
            .into_iter()
            .map(|one| Choice::new(one.id.0, one.value))
            .collect(),
        _ => Vec::new(),
    };
    FieldInfo {
        record: entity.kind(),
        id: field.id.0,
        name: field.name,
        field_type,
        raw_type: field.kind,
        code: field.code.filter(|code| !code.is_empty()),
        options,
        read_only: field.is_computed,
    }
}

/// A status in neutral form.
pub fn stage_info(status: account::Status) -> StageInfo {
    let kind = match (status.id.0, status.kind) {
        (STATUS_WON, _) => StageKind::Won,
        (STATUS_LOST, _) => StageKind::Lost,
        (_, Some(Int(1))) => StageKind::Unsorted,
        _ => StageKind::Open,
    };
    StageInfo {
        id: status.id.0,
        name: status.name,
        color: status.color,
        kind,
    }
}

/// Names of amoCRM's own task types.
pub const fn task_type_name(id: i64) -> &'static str {
    match id {
        1 => "Связаться",
        2 => "Встреча",
        _ => "",
    }
}

struct Stamps {
    responsible: Option<UserId>,
    created_by: Option<UserId>,
    updated_by: Option<UserId>,
    created_at: Option<Int>,
    updated_at: Option<Int>,
}

fn instant(secs: Int) -> Value {
    Value::Instant(Timestamp::from_secs(secs.0))
}

fn known_text(record: &mut Record, field: SystemField, text: &Known<String>) {
    match text {
        Known::Absent => {}
        Known::Null => record.set(field, Value::Empty),
        Known::Is(text) => record.set(field, Value::text(text.as_str())),
    }
}

const fn as_ref<T>(known: &Known<T>) -> Known<&T> {
    match known {
        Known::Absent => Known::Absent,
        Known::Null => Known::Null,
        Known::Is(value) => Known::Is(value),
    }
}

fn loss_reason(record: &mut Record, id: &Known<Int>, reason: Option<&LossReason>) {
    match id {
        Known::Absent => {}
        Known::Is(Int(id)) if *id > 0 => {
            let name = reason
                .filter(|reason| reason.id == LossReasonId(*id))
                .map(|reason| reason.name.clone())
                .unwrap_or_default();
            record.set(SystemField::LossReason, Value::Choice(Choice::new(*id, name)));
        }
        Known::Null | Known::Is(_) => record.set(SystemField::LossReason, Value::Empty),
    }
}

fn tags(record: &mut Record, tags: &Known<TagList>) {
    let choice = |tag: &Tag| Choice::new(tag.id.0, tag.name.as_str());
    match tags {
        Known::Absent => {}
        Known::Is(TagList(tags)) if !tags.is_empty() => {
            record.set(
                SystemField::Tags,
                Value::Choices(tags.iter().map(choice).collect()),
            );
        }
        Known::Null | Known::Is(_) => record.set(SystemField::Tags, Value::Empty),
    }
}

/// The main one of the linked entities, or the first.
fn linked(record: &mut Record, field: SystemField, links: &Known<LinkList>) {
    let main = |links: &[Link]| {
        links
            .iter()
            .find(|link| link.is_main)
            .or(links.first())
            .map(|link| link.id.0)
    };
    match links {
        Known::Absent => {}
        Known::Null => record.set(field, Value::Empty),
        Known::Is(LinkList(links)) => {
            record.set(field, main(links).map_or(Value::Empty, Value::Id));
        }
    }
}
