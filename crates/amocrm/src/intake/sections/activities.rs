//! Tasks and notes.

use super::{Draft, Reader, id_of, old_responsible, stamps};
use crate::convert::Entity;
use crate::convert::read::{parent_value, task_type_name};
use crate::intake::form::Node;
use crate::intake::unescape;
use crate::wire::tolerant::decimal;
use connector::IntakeError;
use domain::event::EventKind;
use domain::field::SystemField;
use domain::record::{Record, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Value};

impl Reader<'_, '_> {
    pub(super) fn task(&self, item: &Node<'_>) -> Result<Option<Draft>, IntakeError> {
        let closes = item.text_of("action_close") == Some("1");
        let kind = match self.action {
            "add" => EventKind::TaskCreated,
            "update" | "responsible" if closes => EventKind::TaskCompleted,
            "update" | "responsible" => EventKind::TaskUpdated,
            "delete" => EventKind::TaskDeleted,
            _ => return Ok(None),
        };
        let mut record = Record::new(RecordKind::Task, id_of(item)?);
        if let Some(text) = item.text_of("text") {
            record.set(SystemField::Text, Value::text(text));
        }
        if let Some(id) = item.number_of("task_type") {
            let known = self.context.catalogue.and_then(|catalogue| {
                catalogue
                    .task_types
                    .iter()
                    .find(|known| known.id == Some(id))
                    .map(|known| known.name.clone())
            });
            let name = known.unwrap_or_else(|| task_type_name(id).to_owned());
            record.set(SystemField::Kind, Value::Choice(Choice::new(id, name)));
        }
        if let Some(status) = item.text_of("status") {
            record.set(SystemField::IsDone, Value::Flag(status == "1"));
        }
        // The textual dates are in no certain zone; their Unix twins are.
        if let Some(at) = item.number_of("complete_before") {
            record.set(SystemField::Deadline, Value::Instant(Timestamp::from_secs(at)));
        }
        if let Some(text) = item.get("result").and_then(|result| result.text_of("text")) {
            record.set(SystemField::Comment, Value::text(text));
        }
        stamps(&mut record, item, "created_user_id", "modified_by");
        let parent = parent(item);
        if let Some(parent) = &parent {
            record.set(SystemField::Parent, parent_value(&parent.key));
        }
        let mut draft = Draft::new(kind, record);
        draft.related.extend(parent);
        draft.author = item.number_of("modified_by").or_else(|| {
            let maker = || item.number_of("created_user_id");
            if self.action == "add" {
                maker()
            } else {
                item.number_of("modified_user_id")
            }
        });
        if let Some(old) = item
            .text_of("old_text")
            .filter(|old| Some(*old) != item.text_of("text"))
        {
            draft.changed(SystemField::Text, Value::text(old));
        }
        if let Some(old) = old_responsible(item) {
            draft.changed(SystemField::Responsible, Value::User(old));
        }
        Ok(Some(draft))
    }

    pub(super) fn note(&self, item: &Node<'_>, entity: Entity) -> Option<Draft> {
        let note = item.get("note")?;
        let id = note.number_of("id")?;
        let mut record = Record::new(RecordKind::Note, id);
        let kind = note.number_of("note_type");
        if let Some(kind) = kind {
            record.set(
                SystemField::Kind,
                Value::Choice(Choice::new(kind, note_type_name(kind))),
            );
        }
        let parent = match parent(note) {
            Some(parent) => Some(parent),
            None => note
                .number_of("element_id")
                .map(|id| Record::new(entity.kind(), id)),
        };
        if let Some(parent) = &parent {
            record.set(SystemField::Parent, parent_value(&parent.key));
        }
        stamps(&mut record, note, "created_by", "modified_by");
        let mut related: Vec<Record> = parent.into_iter().collect();
        if let Some(text) = note.text_of("text") {
            let text = unescape(text);
            match kind {
                Some(10 | 11) => related.extend(call(&text, kind == Some(10), id, &mut record)),
                _ => record.set(SystemField::Text, Value::text(text)),
            }
        }
        let mut draft = Draft::new(EventKind::NoteAdded, record);
        draft.related = related;
        draft.author = note
            .number_of("modified_by")
            .or_else(|| note.number_of("created_by"));
        Some(draft)
    }
}

/// What a task or note belongs to.
fn parent(item: &Node<'_>) -> Option<Record> {
    let entity = Entity::numbered(item.number_of("element_type")?)?;
    Some(Record::new(entity.kind(), item.number_of("element_id")?))
}

/// A call inside a note: its text is JSON with keys in capitals.
fn call(text: &str, incoming: bool, note: i64, record: &mut Record) -> Option<Record> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let member = |name: &str| match json.get(name).or_else(|| json.get(name.to_ascii_lowercase()))? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let id = member("UNIQ")
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| note.to_string());
    let mut call = Record::new(RecordKind::Call, id.as_str());
    let direction = if incoming { "incoming" } else { "outgoing" };
    call.set(SystemField::Direction, Value::Choice(Choice::named(direction)));
    if let Some(phone) = member("PHONE") {
        call.set(SystemField::Phone, Value::Texts(vec![phone]));
    }
    if let Some(link) = member("LINK").filter(|link| !link.is_empty()) {
        call.set(SystemField::Recording, Value::text(link));
    }
    if let Some(duration) = json.get("DURATION").and_then(decimal) {
        call.set(SystemField::Duration, Value::Number(duration));
    }
    if let Some(result) = member("CALL_RESULT") {
        record.set(SystemField::Text, Value::text(result));
    }
    if let Some(at) = record.get(SystemField::CreatedAt.into()) {
        call.set(SystemField::At, at.clone());
    }
    Some(call)
}

const fn note_type_name(number: i64) -> &'static str {
    match number {
        1 => "lead_created",
        2 => "contact_created",
        3 => "status_changed",
        4 => "common",
        5 => "attachment",
        10 => "call_in",
        11 => "call_out",
        12 => "company_created",
        13 => "task_result",
        25 => "service_message",
        102 => "sms_in",
        103 => "sms_out",
        _ => "",
    }
}
