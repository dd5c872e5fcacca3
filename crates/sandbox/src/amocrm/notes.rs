//! Notes and calls.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Faults, Object, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft::{int, user};
use super::model::*;
use super::ops::{code_of, section};
use super::wire;

/// Note types and the params they cannot do without.
const TYPES: [(&str, &[&str]); 12] = [
    ("common", &["text"]),
    ("call_in", &["uniq", "duration", "source", "phone"]),
    ("call_out", &["uniq", "duration", "source", "phone"]),
    ("service_message", &["service", "text"]),
    ("extended_service_message", &["service", "text"]),
    ("message_cashier", &["status", "text"]),
    ("geolocation", &["text", "address", "longitude", "latitude"]),
    ("sms_in", &["text", "phone"]),
    ("sms_out", &["text", "phone"]),
    ("attachment", &["file_uuid"]),
    ("invoice_paid", &["text", "service"]),
    ("bill_paid", &["text", "service"]),
];

/// `/api/v4/{kind}/notes…` and `/api/v4/{kind}/{id}/notes…`.
pub(crate) fn route(call: &mut Call<'_>, kind: Kind, entity: Option<i64>, rest: &[&str]) -> Reply {
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| Answer::not_found("Note not found"))
    };
    match (call.method, rest) {
        ("GET", []) => list(call, kind, entity),
        ("POST", []) => create(call, kind, entity),
        ("PATCH", []) => update(call, kind, call.items(BATCH_LIMIT)?, false),
        (_, []) => Err(Answer::not_allowed()),
        (method, [id]) => {
            let id = number(id)?;
            let own = |n: &&Note| n.entity.0 == kind && entity.is_none_or(|e| n.entity.1 == e);
            let Some(note) = call.account.notes.get(&id).filter(own) else {
                return Err(Answer::not_found("Note not found"));
            };
            match method {
                "GET" => Ok(Answer::ok(shown(call, note))),
                "PATCH" => {
                    let mut item = call.object()?;
                    item.insert("id".to_owned(), json!(id));
                    update(call, kind, vec![item], true)
                }
                _ => Err(Answer::not_allowed()),
            }
        }
        ("POST", [id, what @ ("pin" | "unpin")]) => {
            let note = call.account.notes.get_mut(&number(id)?);
            let note = note.ok_or_else(|| Answer::not_found("Note not found"))?;
            note.is_pinned = *what == "pin";
            Ok(Answer::empty())
        }
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn list(call: &Call<'_>, kind: Kind, entity: Option<i64>) -> Reply {
    let q = &call.query;
    let (ids, types) = (q.ints(&["filter", "id"]), q.words(&["filter", "note_type"]));
    let entities = entity.map_or_else(|| q.ints(&["filter", "entity_id"]), |id| vec![id]);
    let (from, to) = q.range(&["filter", "updated_at"]);
    let wanted = |n: &&Note| {
        n.entity.0 == kind
            && (ids.is_empty() || ids.contains(&n.id))
            && (types.is_empty() || types.contains(&n.note_type.as_str()))
            && (entities.is_empty() || entities.contains(&n.entity.1))
            && from.is_none_or(|from| n.updated_at >= from)
            && to.is_none_or(|to| n.updated_at <= to)
    };
    let mut found: Vec<&Note> = call.account.notes.values().filter(wanted).collect();
    match (q.get(&["order", "updated_at"]), q.get(&["order", "id"])) {
        (Some("desc"), _) => found.sort_by_key(|n| std::cmp::Reverse((n.updated_at, n.id))),
        (Some(_), _) => found.sort_by_key(|n| (n.updated_at, n.id)),
        (None, Some("desc")) => found.reverse(),
        _ => {}
    }
    call.page("notes", found, false, |n| shown(call, n))
}

fn shown(call: &Call<'_>, n: &Note) -> Value {
    let (kind, id) = n.entity;
    let mut out = json!({
        "id": n.id, "entity_id": id, "created_by": n.created_by, "updated_by": n.updated_by,
        "created_at": n.created_at, "updated_at": n.updated_at, "responsible_user_id": n.responsible_user_id,
        "group_id": 0, "note_type": n.note_type, "params": n.params, "account_id": call.account.id,
        "_links": self_link(call.href(&format!("{}/{id}/notes/{}", kind.plural(), n.id))),
    });
    if call.with("is_pinned") {
        out["is_pinned"] = json!(n.is_pinned);
    }
    out
}

fn params(item: &Object, note_type: &str, faults: &mut Faults) {
    let Some((_, required)) = TYPES.iter().find(|(name, _)| *name == note_type) else {
        return faults.not_supported("note_type");
    };
    match item.get("params") {
        Some(Value::Object(params)) => {
            for key in required
                .iter()
                .filter(|key| params.get(**key).is_none_or(Value::is_null))
            {
                faults.missing(format!("params.{key}"));
            }
            if params.get("text").is_some_and(|t| !t.is_string()) {
                faults.invalid_type("params.text", "string");
            }
        }
        None | Some(Value::Null) => faults.missing("params"),
        Some(_) => faults.invalid_type("params", "array"),
    }
}

fn create(call: &mut Call<'_>, kind: Kind, entity: Option<i64>) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut plans = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = entity.or_else(|| int(item, "entity_id", "", &mut faults));
        if id.is_none() && !item.contains_key("entity_id") {
            faults.missing("entity_id");
        }
        if id.is_some_and(|id| call.account.alive(kind, id).is_none()) {
            faults.not_supported("entity_id");
        }
        match item.get("note_type").map(Value::as_str) {
            Some(Some(note_type)) => params(item, note_type, &mut faults),
            Some(None) => faults.invalid_type("note_type", "string"),
            None => faults.missing("note_type"),
        }
        let responsible = user(call.account, item, "responsible_user_id", false, "", &mut faults);
        let author = user(call.account, item, "created_by", true, "", &mut faults);
        user(call.account, item, "updated_by", true, "", &mut faults);
        let created_at = int(item, "created_at", "", &mut faults);
        plans.push((id.unwrap_or_default(), responsible, author, created_at));
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut out = Vec::new();
    for (index, (item, (id, responsible, author, created_at))) in items.iter().zip(plans).enumerate() {
        let note_type = item.get("note_type").and_then(Value::as_str).unwrap_or_default();
        let params = item.get("params").cloned().unwrap_or_default();
        let author = author.unwrap_or(call.user_id);
        let note = call
            .account
            .add_note((kind, id), note_type, params, author, responsible, created_at);
        let link = self_link(call.href(&format!("{}/{id}/notes/{note}", kind.plural())));
        out.push(json!({"id": note, "entity_id": id, "request_id": request_id(item, index), "_links": link}));
    }
    Ok(call.written("notes", out))
}

fn update(call: &mut Call<'_>, kind: Kind, items: Vec<Object>, single: bool) -> Reply {
    let mut faults = Faults::default();
    for (index, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
        match call.account.notes.get(&id).filter(|n| n.entity.0 == kind) {
            None => faults.not_supported("id"),
            Some(note) if item.contains_key("params") => {
                let note_type = item
                    .get("note_type")
                    .and_then(Value::as_str)
                    .unwrap_or(&note.note_type);
                params(item, note_type, &mut faults);
            }
            Some(_) => {}
        }
        user(call.account, item, "updated_by", true, "", &mut faults);
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let now = call.account.now();
    let mut out = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(Value::as_i64).unwrap_or_default();
        let Some(note) = call.account.notes.get_mut(&id) else {
            continue;
        };
        if let Some(params) = item.get("params") {
            note.params = params.clone();
        }
        note.updated_at = now;
        note.updated_by = item
            .get("updated_by")
            .and_then(Value::as_i64)
            .unwrap_or(call.user_id);
        let entity = note.entity.1;
        let link = self_link(call.href(&format!("{}/{entity}/notes/{id}", kind.plural())));
        let mut line = json!({"id": id, "entity_id": entity, "updated_at": now, "_links": link});
        if !single {
            line["request_id"] = request_id(item, index);
        }
        out.push(line);
    }
    if single && !call.settings.wrapped_single_patch {
        return Ok(Answer::ok(out.remove(0)));
    }
    Ok(call.written("notes", out))
}

/// `POST /api/v4/calls`.
pub(crate) fn calls(call: &mut Call<'_>) -> Reply {
    if call.method != "POST" {
        return Err(Answer::not_allowed());
    }
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    for (index, item) in items.iter().enumerate() {
        match item.get("direction").map(Value::as_str) {
            Some(Some("inbound" | "outbound")) => {}
            Some(_) => faults.not_supported("direction"),
            None => faults.missing("direction"),
        }
        for key in ["phone", "source"] {
            match item.get(key) {
                Some(Value::String(_)) => {}
                Some(_) => faults.invalid_type(key, "string"),
                None => faults.missing(key),
            }
        }
        if int(item, "duration", "", &mut faults).is_none() && !item.contains_key("duration") {
            faults.missing("duration");
        }
        for key in ["responsible_user_id", "created_by", "updated_by"] {
            user(
                call.account,
                item,
                key,
                key != "responsible_user_id",
                "",
                &mut faults,
            );
        }
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let (mut placed, mut lost) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(item, index);
        let phone = item.get("phone").and_then(Value::as_str).unwrap_or_default();
        let Some(entity) = call.account.place_of_call(phone) else {
            lost.push(json!({
                "request_id": request_id, "code": 263, "status": 400, "title": "Entity not found",
                "detail": "Entity not found",
            }));
            continue;
        };
        let inbound = item.get("direction").and_then(Value::as_str) == Some("inbound");
        let mut params = item.clone();
        for key in [
            "direction",
            "responsible_user_id",
            "created_by",
            "updated_by",
            "created_at",
            "updated_at",
            "request_id",
        ] {
            params.remove(key);
        }
        let number = |key: &str| item.get(key).and_then(Value::as_i64);
        // Without an author a call is shown as made by the robot.
        let author = number("created_by").unwrap_or(0);
        let note_type = if inbound { "call_in" } else { "call_out" };
        let responsible = number("responsible_user_id");
        let params = Value::Object(params);
        let note = call.account.add_note(
            entity,
            note_type,
            params,
            author,
            responsible,
            number("created_at"),
        );
        let (kind, id) = entity;
        let link = self_link(call.href(&format!("{}/{id}", kind.plural())));
        placed.push(json!({
            "id": note, "entity_id": id, "entity_type": kind.singular(), "account_id": call.account.id,
            "request_id": request_id, "_embedded": {"entity": {"id": id, "_links": link}},
        }));
    }
    Ok(Answer::ok(
        json!({"_total_items": placed.len(), "errors": lost, "_embedded": {"calls": placed}}),
    ))
}

/// Last ten digits of a phone.
pub(crate) fn last_ten(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(10)..].iter().collect()
}

impl Account {
    /// The entity a call with this phone belongs to: the only open lead of the owner of the phone, else the owner.
    pub(crate) fn place_of_call(&self, phone: &str) -> Option<(Kind, i64)> {
        let wanted = last_ten(phone);
        if wanted.is_empty() {
            return None;
        }
        let owns = |e: &Entity| {
            let phones = self
                .field_by_code(e.kind, "PHONE")
                .and_then(|f| e.values.get(&f.id));
            let texts = phones
                .into_iter()
                .flatten()
                .filter_map(|v| v.get("value").and_then(Value::as_str));
            !e.is_deleted && texts.into_iter().any(|text| last_ten(text) == wanted)
        };
        let contact = self.contacts.values().find(|e| owns(e));
        let owner = contact.or_else(|| self.companies.values().find(|e| owns(e)))?;
        let leads = self.linked((owner.kind, owner.id), Kind::Lead);
        let mut open = leads
            .iter()
            .filter_map(|(id, _)| self.alive(Kind::Lead, *id))
            .filter(|l| l.status_id > 143);
        match (open.next(), open.next()) {
            (Some(lead), None) => Some((Kind::Lead, lead.id)),
            _ => Some((owner.kind, owner.id)),
        }
    }

    /// A new note in the name of `author`.
    pub(crate) fn add_note(
        &mut self,
        entity: (Kind, i64),
        note_type: &str,
        params: Value,
        author: i64,
        responsible: Option<i64>,
        created_at: Option<i64>,
    ) -> i64 {
        let (id, now) = (self.next("note"), self.now());
        let owner = self
            .table(entity.0)
            .get(&entity.1)
            .map_or(author, |e| e.responsible_user_id);
        let note = Note {
            id,
            entity,
            note_type: note_type.to_owned(),
            params,
            responsible_user_id: responsible.unwrap_or(owner),
            created_by: author,
            updated_by: author,
            created_at: created_at.unwrap_or(now),
            updated_at: now,
            is_pinned: false,
        };
        let event = match note_type {
            "call_in" => "incoming_call",
            "call_out" => "outgoing_call",
            "sms_in" => "incoming_sms",
            "sms_out" => "outgoing_sms",
            "attachment" => "attachment_note_added",
            "common" => "common_note_added",
            _ => "service_note_added",
        };
        let after = json!([{"note": {"id": id}}]);
        self.log(event, (entity.0.singular(), entity.1), author, json!([]), after);
        let item = wire::note(self, &note);
        self.notes.insert(id, note);
        let copies = if note_type == "attachment" { 2 } else { 1 };
        for _ in 0..copies {
            self.owe(code_of(entity.0, "note"), section(entity.0), "note", item.clone());
        }
        id
    }
}
