//! What each section and action of a body means.

use super::form::{Key, Node};
use super::{fields, unescape};
use crate::convert::Entity;
use crate::convert::read::{STATUS_LOST, STATUS_WON, parent_value, task_type_name};
use crate::wire::tolerant::{decimal, decimal_text};
use connector::{IntakeContext, IntakeError};
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};

/// Reads the events of one action of one section.
pub(super) struct Reader<'r, 'a> {
    pub(super) context: IntakeContext<'r>,
    pub(super) account: Option<&'r Node<'a>>,
    pub(super) section: &'r str,
    pub(super) action: &'r str,
    pub(super) facts: &'r mut Vec<Fact>,
}

/// A fact in the making.
struct Draft {
    kind: EventKind,
    record: Record,
    related: Vec<Record>,
    before: Vec<(FieldKey, Value)>,
    changed: Option<Vec<FieldKey>>,
    author: Option<i64>,
}

impl Draft {
    fn new(kind: EventKind, record: Record) -> Self {
        Self {
            kind,
            record,
            related: Vec::new(),
            before: Vec::new(),
            changed: None,
            author: None,
        }
    }

    fn changed(&mut self, field: SystemField, before: Value) {
        self.before.push((field.into(), before));
        self.changed.get_or_insert_default().push(field.into());
    }
}

impl Reader<'_, '_> {
    /// Reads one item of the action.
    pub(super) fn item(&mut self, item: &Node<'_>) -> Result<(), IntakeError> {
        let draft = match self.section {
            "leads" if self.action == "note" => self.note(item, Entity::Leads),
            "contacts" if self.action == "note" => {
                let company = item.text_of("type") == Some("company");
                self.note(
                    item,
                    if company {
                        Entity::Companies
                    } else {
                        Entity::Contacts
                    },
                )
            }
            "companies" if self.action == "note" => self.note(item, Entity::Companies),
            "leads" => self.lead(item)?,
            "contacts" => {
                let company = item.text_of("type") == Some("company");
                self.person(
                    item,
                    if company {
                        Entity::Companies
                    } else {
                        Entity::Contacts
                    },
                )?
            }
            "companies" => self.person(item, Entity::Companies)?,
            "task" | "tasks" => self.task(item)?,
            "unsorted" => self.unsorted(item),
            _ => None,
        };
        if let Some(draft) = draft {
            self.push(draft, item);
        }
        Ok(())
    }

    fn push(&mut self, draft: Draft, item: &Node<'_>) {
        // Notes keep their content one level deeper.
        let body = item.get("note").unwrap_or(item);
        let changed_at = ["updated_at", "last_modified", "created_at", "date_create"]
            .into_iter()
            .find_map(|name| body.number_of(name));
        let mut dedupe = format!(
            "amocrm|{}|{}|{}|{}|{}|",
            self.account
                .and_then(|account| account.text_of("id").or_else(|| account.text_of("subdomain")))
                .unwrap_or_default(),
            self.section,
            self.action,
            draft.record.key,
            changed_at.unwrap_or_default(),
        );
        item.write_normal(&mut dedupe);
        self.facts.push(Fact {
            kind: draft.kind,
            key: draft.record.key.clone(),
            occurred_at: changed_at.filter(|at| *at > 0).map(Timestamp::from_secs),
            record: draft.record,
            related: draft.related,
            before: draft.before,
            changed: draft.changed,
            author: draft.author,
            dedupe,
        });
    }

    fn lead(&self, item: &Node<'_>) -> Result<Option<Draft>, IntakeError> {
        let kind = match self.action {
            "add" => EventKind::DealCreated,
            "update" => EventKind::DealUpdated,
            "status" => EventKind::DealStageChanged,
            "responsible" => EventKind::DealResponsibleChanged,
            "delete" => EventKind::DealDeleted,
            "restore" => EventKind::DealRestored,
            // Other triggers of the Digital Pipeline: mail_in, call_in, chat, site_visit.
            _ => return Ok(None),
        };
        let mut draft = Draft::new(kind, self.lead_record(item, id_of(item)?));
        draft.author = item.number_of("modified_user_id");
        // An old status comes along stale with other changes, too: only a different one is a change.
        let stage = match draft.record.get(SystemField::Stage.into()) {
            Some(Value::Stage(stage)) => Some(*stage),
            _ => None,
        };
        if matches!(kind, EventKind::DealStageChanged | EventKind::DealUpdated)
            && let (Some(stage), Some(old)) = (stage, item.number_of("old_status_id"))
        {
            let old = Stage {
                pipeline: self.old_pipeline(item, stage, old),
                status: old,
            };
            if old != stage {
                draft.before.push((SystemField::Stage.into(), Value::Stage(old)));
            }
        }
        match kind {
            EventKind::DealStageChanged => draft.changed = Some(vec![SystemField::Stage.into()]),
            EventKind::DealResponsibleChanged => draft.changed = Some(vec![SystemField::Responsible.into()]),
            _ => {}
        }
        if let Some(old) = old_responsible(item) {
            draft
                .before
                .push((SystemField::Responsible.into(), Value::User(old)));
        }
        Ok(Some(draft))
    }

    fn lead_record(&self, item: &Node<'_>, id: i64) -> Record {
        let mut record = Record::new(RecordKind::Deal, id);
        if let Some(name) = item.text_of("name") {
            record.set(SystemField::Name, Value::text(name));
        }
        let price = item
            .text_of("price_with_minor_units")
            .or_else(|| item.text_of("price"));
        if let Some(price) = price {
            record.set(
                SystemField::Price,
                decimal_text(price).map_or(Value::Empty, Value::Number),
            );
        }
        if let Some(pipeline) = item.number_of("pipeline_id") {
            record.set(SystemField::Pipeline, Value::Id(pipeline));
            if let Some(status) = item.number_of("status_id") {
                record.set(SystemField::Stage, Value::Stage(Stage { pipeline, status }));
            }
        }
        self.common(&mut record, item);
        record
    }

    /// The pipeline a deal came from. Account webhooks do not tell it: the status does, where the catalogue
    /// knows just one other pipeline that has it.
    fn old_pipeline(&self, item: &Node<'_>, now: Stage, old_status: i64) -> i64 {
        if let Some(pipeline) = item.number_of("old_pipeline_id") {
            return pipeline;
        }
        let everywhere = matches!(old_status, STATUS_WON | STATUS_LOST);
        let pipelines = self
            .context
            .catalogue
            .map_or(&[][..], |catalogue| &catalogue.pipelines);
        let mut with_it = pipelines
            .iter()
            .filter(|one| one.stages.iter().any(|stage| stage.id == old_status))
            .map(|one| one.id);
        match (with_it.next(), with_it.next()) {
            (Some(only), None) if !everywhere => only,
            _ => now.pipeline,
        }
    }

    fn person(&self, item: &Node<'_>, entity: Entity) -> Result<Option<Draft>, IntakeError> {
        use EventKind::{
            CompanyCreated, CompanyDeleted, CompanyUpdated, ContactCreated, ContactDeleted, ContactUpdated,
        };
        let of = |contact, company| {
            if entity == Entity::Companies {
                company
            } else {
                contact
            }
        };
        let kind = match self.action {
            "add" => of(ContactCreated, CompanyCreated),
            // A restored one is there again: rules for changes see it.
            "update" | "responsible" | "restore" => of(ContactUpdated, CompanyUpdated),
            "delete" => of(ContactDeleted, CompanyDeleted),
            _ => return Ok(None),
        };
        let mut record = Record::new(entity.kind(), id_of(item)?);
        for (name, field) in [
            ("name", SystemField::Name),
            ("first_name", SystemField::FirstName),
            ("last_name", SystemField::LastName),
        ] {
            if let Some(text) = item.text_of(name) {
                record.set(field, Value::text(text));
            }
        }
        let company = item
            .number_of("linked_company_id")
            .or_else(|| item.number_of("company_id"));
        if let (Entity::Contacts, Some(company)) = (entity, company) {
            record.set(
                SystemField::Company,
                if company > 0 {
                    Value::Id(company)
                } else {
                    Value::Empty
                },
            );
        }
        self.common(&mut record, item);
        let mut draft = Draft::new(kind, record);
        draft.author = item.number_of("modified_user_id");
        if let Some(old) = old_responsible(item) {
            draft
                .before
                .push((SystemField::Responsible.into(), Value::User(old)));
            if self.action == "responsible" {
                draft.changed = Some(vec![SystemField::Responsible.into()]);
            }
        }
        if let Some(leads) = item.get("linked_leads_id") {
            let ids = leads.children.iter().filter_map(|(key, lead)| {
                lead.number_of("ID").or(match key {
                    Key::Index(id) => i64::try_from(*id).ok(),
                    Key::Name(_) => None,
                })
            });
            draft
                .related
                .extend(ids.map(|id| Record::new(RecordKind::Deal, id)));
        }
        Ok(Some(draft))
    }

    /// What leads, contacts and companies have in common.
    fn common(&self, record: &mut Record, item: &Node<'_>) {
        stamps(record, item, "created_user_id", "modified_user_id");
        if let Some(tags) = fields::tags(item) {
            record.set(SystemField::Tags, tags);
        }
        fields::read(record, item, self.context);
    }

    fn task(&self, item: &Node<'_>) -> Result<Option<Draft>, IntakeError> {
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

    fn note(&self, item: &Node<'_>, entity: Entity) -> Option<Draft> {
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

    fn unsorted(&self, item: &Node<'_>) -> Option<Draft> {
        let (kind, result) = match (self.action, item.text_of("action")) {
            ("add", _) => (EventKind::UnsortedAdded, None),
            ("delete", Some("accept")) => (EventKind::UnsortedAccepted, item.get("accept_result")),
            ("delete", Some("decline")) => (EventKind::UnsortedDeclined, item.get("decline_result")),
            // Changes of an incoming lead say nothing that a rule could act on.
            _ => return None,
        };
        let uid = item.text_of("uid").filter(|uid| !uid.is_empty())?;
        let mut record = Record::new(RecordKind::Unsorted, uid);
        if let Some(pipeline) = item.number_of("pipeline_id") {
            record.set(SystemField::Pipeline, Value::Id(pipeline));
        }
        if let Some(category) = item.text_of("category") {
            record.set(SystemField::Kind, Value::Choice(Choice::named(category)));
        }
        if let Some(from) = item.get("source_data").and_then(|source| source.text_of("from")) {
            record.set(SystemField::Source, Value::text(from));
        }
        if let Some(at) = item.number_of("created_at") {
            record.set(SystemField::CreatedAt, Value::Instant(Timestamp::from_secs(at)));
        }
        let mut draft = Draft::new(kind, record);
        draft.author = item.number_of("modified_user_id");
        let lead = item.number_of("lead_id");
        if let Some(leads) = item.get("data").and_then(|data| data.get("leads")) {
            for (at, data) in leads.items().enumerate() {
                let id = data.number_of("id").or(lead.filter(|_| at == 0));
                draft.related.extend(id.map(|id| self.lead_record(data, id)));
            }
        }
        if let Some(lead) = lead
            && draft.related.is_empty()
        {
            draft.related.push(Record::new(RecordKind::Deal, lead));
        }
        if let Some(contacts) = item.get("data").and_then(|data| data.get("contacts")) {
            draft.related.extend(contacts.items().filter_map(|data| {
                let mut contact = Record::new(RecordKind::Contact, data.number_of("id")?);
                if let Some(name) = data.text_of("name") {
                    contact.set(SystemField::Name, Value::text(name));
                }
                self.common(&mut contact, data);
                Some(contact)
            }));
        }
        if let Some(leads) = result.and_then(|result| result.get("leads")) {
            let ids = leads
                .items()
                .filter_map(|lead| lead.text.as_deref()?.trim().parse::<i64>().ok());
            draft
                .related
                .extend(ids.map(|id| Record::new(RecordKind::Deal, id)));
        }
        Some(draft)
    }
}

/// Id of an item, or the item itself where it is a bare id.
fn id_of(item: &Node<'_>) -> Result<i64, IntakeError> {
    item.number_of("id")
        .or_else(|| item.text.as_deref()?.trim().parse().ok())
        .ok_or(IntakeError::Malformed {
            position: item.position,
            message: "у записи нет id",
        })
}

fn stamps(record: &mut Record, item: &Node<'_>, created_by: &str, updated_by: &str) {
    for (name, field) in [
        ("responsible_user_id", SystemField::Responsible),
        (created_by, SystemField::CreatedBy),
        (updated_by, SystemField::UpdatedBy),
    ] {
        if let Some(user) = item.number_of(name) {
            record.set(field, Value::User(user));
        }
    }
    for (names, field) in [
        (["created_at", "date_create"], SystemField::CreatedAt),
        (["updated_at", "last_modified"], SystemField::UpdatedAt),
    ] {
        if let Some(at) = names.into_iter().find_map(|name| item.number_of(name)) {
            record.set(field, Value::Instant(Timestamp::from_secs(at)));
        }
    }
}

/// The former responsible user; amoCRM sends it also when it is the present one.
fn old_responsible(item: &Node<'_>) -> Option<i64> {
    item.number_of("old_responsible_user_id")
        .filter(|old| Some(*old) != item.number_of("responsible_user_id"))
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
