//! Changes of leads, contacts and companies that leave traces: history lines and hooks.

use serde_json::{Value, json};

use super::account::{Account, Owed, Stage};
use super::model::*;
use super::wire;

/// A tag as a request names it.
#[derive(Clone, Debug)]
pub(crate) enum TagRef {
    Id(i64),
    Name(String),
}

/// What a checked request wants to set; absent = untouched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub price_minor: Option<i64>,
    pub status: Option<(i64, i64)>,
    pub loss_reason_id: Option<Option<i64>>,
    pub responsible_user_id: Option<i64>,
    pub created_by: Option<i64>,
    pub updated_by: Option<i64>,
    pub created_at: Option<i64>,
    pub updated_at: Option<i64>,
    pub closed_at: Option<Option<i64>>,
    pub values: Vec<(i64, Vec<Value>)>,
    pub tags: Option<Vec<TagRef>>,
    pub tags_to_add: Vec<TagRef>,
    pub tags_to_delete: Vec<TagRef>,
    pub contacts: Vec<(i64, bool)>,
    pub companies: Vec<i64>,
    pub unsorted: bool,
}

impl Account {
    /// Makes an entity in the name of `author`.
    pub(crate) fn create(&mut self, kind: Kind, draft: &Draft, author: i64) -> i64 {
        let id = self.next(kind.plural());
        let now = self.now();
        let mut entity = Entity::new(kind, id);
        entity.responsible_user_id = author;
        entity.created_by = draft.created_by.unwrap_or(author);
        entity.updated_by = draft.updated_by.unwrap_or(entity.created_by);
        entity.created_at = draft.created_at.unwrap_or(now);
        entity.updated_at = draft.updated_at.unwrap_or(now);
        entity.is_unsorted = draft.unsorted && kind != Kind::Lead;
        entity.indexed_from_ms = self.clock.now_ms() + self.search_delay_ms;
        self.assign(&mut entity, draft);
        if entity.name.is_empty() && kind == Kind::Lead {
            entity.name = format!("Сделка #{id}");
        }
        self.insert(entity);
        for (contact, is_main) in &draft.contacts {
            self.join((kind, id), (Kind::Contact, *contact), *is_main);
        }
        for company in &draft.companies {
            self.join((kind, id), (Kind::Company, *company), false);
        }
        let by = draft.created_by.unwrap_or(author);
        let note = self.next("note");
        let after = json!([{"note": {"id": note}}]);
        self.log(
            format!("{}_added", kind.singular()),
            (kind.singular(), id),
            by,
            json!([]),
            after,
        );
        if draft.unsorted {
            return id;
        }
        self.owe_entity(code_of(kind, "add"), (kind, id), "add", &wire::Was::default());
        if kind == Kind::Lead {
            self.owe_stage(id, None);
        }
        let neighbours: Vec<_> = draft.contacts.iter().map(|(c, _)| (Kind::Contact, *c)).collect();
        for neighbour in neighbours
            .into_iter()
            .chain(draft.companies.iter().map(|c| (Kind::Company, *c)))
        {
            self.touch(neighbour, by);
        }
        id
    }

    /// Changes an entity in the name of `author`; nothing happens when nothing differs.
    pub(crate) fn update(&mut self, kind: Kind, id: i64, draft: &Draft, author: i64) {
        let Some(before) = self.table(kind).get(&id).cloned() else {
            return;
        };
        let mut entity = before.clone();
        self.assign(&mut entity, draft);
        if let Some(by) = draft.created_by {
            entity.created_by = by;
        }
        if let Some(at) = draft.created_at {
            entity.created_at = at;
        }
        let by = draft.updated_by.unwrap_or(author);
        let changed = self.differences(&before, &entity, by);
        if !changed && !self.hook_on_noop {
            return;
        }
        entity.updated_by = by;
        entity.updated_at = draft.updated_at.unwrap_or_else(|| self.now());
        self.reindex(&before, &mut entity);
        let was = wire::Was {
            status_id: (before.status_id != entity.status_id || before.pipeline_id != entity.pipeline_id)
                .then_some(before.status_id),
            responsible_user_id: Some(before.responsible_user_id),
        };
        let moved_person = before.responsible_user_id != entity.responsible_user_id;
        self.insert(entity);
        if kind == Kind::Lead && was.status_id.is_some() {
            self.settle_unsorted(id);
            self.owe_entity("status_lead", (kind, id), "status", &was);
        }
        if moved_person {
            // A contact's change of responsible is shown under `update` in the documentation.
            let action = if kind == Kind::Lead {
                "responsible"
            } else {
                "update"
            };
            self.owe_entity(code_of(kind, "responsible"), (kind, id), action, &was);
        }
        self.owe_entity(code_of(kind, "update"), (kind, id), "update", &was);
        if kind == Kind::Lead && was.status_id.is_some() {
            self.owe_stage(id, Some((before.pipeline_id, before.status_id)));
        }
    }

    /// Puts an entity into the bin.
    pub fn delete(&mut self, kind: Kind, id: i64, author: i64) -> bool {
        let Some(entity) = self.table_mut(kind).get_mut(&id).filter(|e| !e.is_deleted) else {
            return false;
        };
        entity.is_deleted = true;
        let stage = json!([{"lead_status": {"id": entity.status_id, "pipeline_id": entity.pipeline_id}}]);
        let before = if kind == Kind::Lead { stage } else { json!([]) };
        self.log(
            format!("{}_deleted", kind.singular()),
            (kind.singular(), id),
            author,
            before,
            json!([]),
        );
        if let Some(entity) = self.table(kind).get(&id) {
            let item = wire::deleted(entity);
            self.owe(code_of(kind, "delete"), section(kind), "delete", item);
        }
        true
    }

    /// Takes an entity out of the bin.
    pub fn restore(&mut self, kind: Kind, id: i64, author: i64) -> bool {
        let now = self.now();
        let Some(entity) = self.table_mut(kind).get_mut(&id).filter(|e| e.is_deleted) else {
            return false;
        };
        entity.is_deleted = false;
        entity.updated_at = now;
        entity.updated_by = author;
        self.log(
            format!("{}_restored", kind.singular()),
            (kind.singular(), id),
            author,
            json!([]),
            json!([]),
        );
        self.owe_entity(
            code_of(kind, "restore"),
            (kind, id),
            "restore",
            &wire::Was::default(),
        );
        true
    }

    /// Merges `gone` into `kept`: links, missing values, tags, notes and tasks move; `gone` vanishes.
    pub fn merge(&mut self, kind: Kind, kept: i64, gone: i64, author: i64) -> bool {
        if kept == gone || self.alive(kind, kept).is_none() {
            return false;
        }
        let Some(lost) = self.table_mut(kind).remove(&gone) else {
            return false;
        };
        for (to_kind, to_id, main) in self.links.remove(&(kind, gone)).unwrap_or_default() {
            self.part((to_kind, to_id), (kind, gone));
            self.join((kind, kept), (to_kind, to_id), main);
        }
        for note in self.notes.values_mut().filter(|n| n.entity == (kind, gone)) {
            note.entity = (kind, kept);
        }
        for task in self.tasks.values_mut().filter(|t| t.entity == Some((kind, gone))) {
            task.entity = Some((kind, kept));
        }
        let multitext: Vec<i64> = self
            .fields
            .iter()
            .filter(|f| f.field_type == "multitext")
            .map(|f| f.id)
            .collect();
        let now = self.now();
        if let Some(entity) = self.table_mut(kind).get_mut(&kept) {
            for (field, values) in lost.values.clone() {
                let own = entity.values.entry(field).or_default();
                if own.is_empty() {
                    *own = values;
                } else if multitext.contains(&field) {
                    let new: Vec<_> = values.into_iter().filter(|v| !own.contains(v)).collect();
                    own.extend(new);
                }
            }
            let tags: Vec<_> = lost
                .tags
                .iter()
                .filter(|t| !entity.tags.contains(t))
                .copied()
                .collect();
            entity.tags.extend(tags);
            entity.updated_at = now;
            entity.updated_by = author;
        }
        let before = json!([{"entity": {"id": gone, "type": kind.singular()}}]);
        let after = json!([{"entity": {"id": kept, "type": kind.singular()}}]);
        self.log("entity_merged", (kind.singular(), kept), author, before, after);
        self.owe(
            code_of(kind, "delete"),
            section(kind),
            "delete",
            wire::deleted(&lost),
        );
        self.owe_entity(
            code_of(kind, "update"),
            (kind, kept),
            "update",
            &wire::Was::default(),
        );
        true
    }

    /// Joins two entities in the name of `author`. A lead or contact has one company: a new one replaces it.
    pub(crate) fn link(&mut self, a: (Kind, i64), b: (Kind, i64), is_main: bool, author: i64) {
        let (a, b) = if a.0 > b.0 { (b, a) } else { (a, b) };
        if b.0 == Kind::Company {
            for (old, _) in self.linked(a, Kind::Company) {
                if old != b.1 {
                    self.part(a, (Kind::Company, old));
                }
            }
        }
        if is_main && a.0 == Kind::Lead && b.0 == Kind::Contact {
            for (other, _) in self.linked(a, Kind::Contact) {
                self.join(a, (Kind::Contact, other), false);
            }
        }
        let first = a.0 == Kind::Lead && b.0 == Kind::Contact && self.linked(a, Kind::Contact).is_empty();
        self.join(a, b, is_main || first);
        let what = |e: (Kind, i64)| json!([{"link": {"entity": {"type": e.0.singular(), "id": e.1}}}]);
        self.log("entity_linked", (a.0.singular(), a.1), author, json!([]), what(b));
        self.touch(a, author);
        self.touch(b, author);
    }

    /// Separates two entities in the name of `author`.
    pub(crate) fn unlink(&mut self, a: (Kind, i64), b: (Kind, i64), author: i64) {
        let (a, b) = if a.0 > b.0 { (b, a) } else { (a, b) };
        if !self.part(a, b) {
            return;
        }
        let what = json!([{"link": {"entity": {"type": b.0.singular(), "id": b.1}}}]);
        self.log("entity_unlinked", (a.0.singular(), a.1), author, what, json!([]));
        self.touch(a, author);
        self.touch(b, author);
    }

    /// A change of links: `updated_at` and an update hook.
    pub(crate) fn touch(&mut self, (kind, id): (Kind, i64), author: i64) {
        let now = self.now();
        let Some(entity) = self.table_mut(kind).get_mut(&id) else {
            return;
        };
        entity.updated_at = now;
        entity.updated_by = author;
        self.owe_entity(
            code_of(kind, "update"),
            (kind, id),
            "update",
            &wire::Was::default(),
        );
    }

    pub(crate) fn owe_entity(
        &mut self,
        code: &'static str,
        (kind, id): (Kind, i64),
        action: &'static str,
        was: &wire::Was,
    ) {
        let Some(entity) = self.table(kind).get(&id) else {
            return;
        };
        let item = wire::entity(self, entity, action, was);
        self.owe(code, section(kind), action, item);
    }

    pub(crate) fn owe_stage(&mut self, id: i64, was: Option<(i64, i64)>) {
        let Some(lead) = self.leads.get(&id) else { return };
        let stage = Stage {
            pipeline_id: lead.pipeline_id,
            status_id: lead.status_id,
            created: was.is_none(),
        };
        let item = wire::stage(lead, was);
        let action = if was.is_none() { "add" } else { "status" };
        self.owed.push(Owed {
            code: "",
            section: "leads",
            action,
            item,
            stage: Some(stage),
        });
    }

    /// A lead moved out of Unsorted by hand or API is no incoming lead any more.
    fn settle_unsorted(&mut self, lead_id: i64) {
        let Some(at) = self.unsorted.iter().position(|u| u.lead_id == lead_id) else {
            return;
        };
        let incoming = self.unsorted.remove(at);
        for (kind, ids) in [
            (Kind::Contact, incoming.contacts),
            (Kind::Company, incoming.companies),
        ] {
            for id in ids {
                if let Some(entity) = self.table_mut(kind).get_mut(&id) {
                    entity.is_unsorted = false;
                }
            }
        }
    }

    fn assign(&mut self, entity: &mut Entity, draft: &Draft) {
        if draft.first_name.is_some() || draft.last_name.is_some() {
            if let Some(first) = &draft.first_name {
                entity.first_name.clone_from(first);
            }
            if let Some(last) = &draft.last_name {
                entity.last_name.clone_from(last);
            }
            entity.name = format!("{} {}", entity.first_name, entity.last_name)
                .trim()
                .to_owned();
        } else if let Some(name) = &draft.name {
            entity.name.clone_from(name);
        }
        if let Some(user) = draft.responsible_user_id {
            entity.responsible_user_id = user;
        }
        for (field, values) in &draft.values {
            if values.is_empty() && !entity.values.contains_key(field) {
                continue;
            }
            entity.values.insert(*field, values.clone());
        }
        self.assign_tags(entity, draft);
        if entity.kind == Kind::Lead {
            if let Some(price) = draft.price_minor {
                entity.price_minor = price;
            }
            if let Some((pipeline, status)) = draft.status {
                let closed = status == 142 || status == 143;
                let moved = (entity.pipeline_id, entity.status_id) != (pipeline, status);
                (entity.pipeline_id, entity.status_id) = (pipeline, status);
                if !closed {
                    entity.closed_at = None;
                } else if moved {
                    entity.closed_at = Some(self.now());
                }
                if status != 143 {
                    entity.loss_reason_id = None;
                }
            }
            if let Some(reason) = draft.loss_reason_id {
                entity.loss_reason_id = reason;
            }
            if let Some(at) = draft.closed_at {
                entity.closed_at = at;
            }
        }
    }

    fn assign_tags(&mut self, entity: &mut Entity, draft: &Draft) {
        let kind = entity.kind;
        let mut resolve = |tag: &TagRef| match tag {
            TagRef::Id(id) => *id,
            TagRef::Name(name) => self.tag_named(kind, name),
        };
        if let Some(tags) = &draft.tags {
            entity.tags = tags.iter().map(&mut resolve).collect();
        }
        for tag in draft.tags_to_add.iter().map(&mut resolve).collect::<Vec<_>>() {
            if !entity.tags.contains(&tag) {
                entity.tags.push(tag);
            }
        }
        for tag in &draft.tags_to_delete {
            let gone = match tag {
                TagRef::Id(id) => Some(*id),
                TagRef::Name(name) => self
                    .tags
                    .iter()
                    .find(|t| t.kind == kind && t.name == *name)
                    .map(|t| t.id),
            };
            entity.tags.retain(|t| Some(*t) != gone);
        }
    }

    /// Until the index catches up, searches see the text of before the first unseen change.
    fn reindex(&self, before: &Entity, entity: &mut Entity) {
        let now_ms = self.clock.now_ms();
        if before.indexed_from_ms <= now_ms {
            entity.stale_text = before.search_text();
        }
        entity.indexed_from_ms = now_ms + self.search_delay_ms;
    }
}

/// First key of hook bodies of a kind.
pub(crate) fn section(kind: Kind) -> &'static str {
    if kind == Kind::Lead { "leads" } else { "contacts" }
}

/// Subscription code for an action on a kind.
pub(crate) fn code_of(kind: Kind, action: &str) -> &'static str {
    match (kind, action) {
        (Kind::Lead, "add") => "add_lead",
        (Kind::Lead, "delete") => "delete_lead",
        (Kind::Lead, "restore") => "restore_lead",
        (Kind::Lead, "responsible") => "responsible_lead",
        (Kind::Lead, "note") => "note_lead",
        (Kind::Lead, _) => "update_lead",
        (Kind::Contact, "add") => "add_contact",
        (Kind::Contact, "delete") => "delete_contact",
        (Kind::Contact, "restore") => "restore_contact",
        (Kind::Contact, "responsible") => "responsible_contact",
        (Kind::Contact, "note") => "note_contact",
        (Kind::Contact, _) => "update_contact",
        (Kind::Company, "add") => "add_company",
        (Kind::Company, "delete") => "delete_company",
        (Kind::Company, "restore") => "restore_company",
        (Kind::Company, "responsible") => "responsible_company",
        (Kind::Company, "note") => "note_company",
        (Kind::Company, _) => "update_company",
    }
}
