//! What each section and action of a body means.

use super::fields;
use super::form::{Key, Node};
use crate::convert::Entity;
use crate::convert::read::{STATUS_LOST, STATUS_WON};
use crate::wire::tolerant::decimal_text;
use connector::{IntakeContext, IntakeError};
use domain::event::{EventKind, Fact};
use domain::field::{FieldKey, SystemField};
use domain::record::{Record, RecordKind};
use domain::time::Timestamp;
use domain::value::{Choice, Stage, Value};

mod activities;

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
