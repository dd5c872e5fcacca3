//! Bytes of webhooks: PHP-bracket form encoding with the keys and the order of captured deliveries.

use chrono::DateTime;
use serde_json::{Value, json};

use super::account::{Account, Owed};
use super::model::*;
use super::query::encode;

/// What an entity was before a change, as far as hooks tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Was {
    /// Former status when the status changed.
    pub status_id: Option<i64>,
    /// Former (or the same) responsible user.
    pub responsible_user_id: Option<i64>,
}

/// Pairs of one item, keys below `section[action][index]`.
#[derive(Default)]
struct Item(Vec<(String, String)>);

impl Item {
    fn put(&mut self, key: &str, value: impl ToString) {
        self.0.push((format!("[{key}]"), value.to_string()));
    }

    fn value(&mut self, prefix: &str, value: &Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.value(&format!("{prefix}[{key}]"), value);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.value(&format!("{prefix}[{index}]"), value);
                }
            }
            scalar => self.0.push((prefix.to_owned(), scalar_text(scalar))),
        }
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => u8::from(*b).to_string(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// A whole entity.
pub(crate) fn entity(account: &Account, e: &Entity, action: &str, was: &Was) -> Vec<(String, String)> {
    let mut item = Item::default();
    item.put("id", e.id);
    item.put("name", &e.name);
    if e.kind == Kind::Lead {
        lead(account, e, action, was, &mut item);
    } else {
        person(account, e, action, was, &mut item);
    }
    item.0
}

fn lead(account: &Account, e: &Entity, action: &str, was: &Was, item: &mut Item) {
    item.put("status_id", e.status_id);
    if let Some(old) = was.status_id {
        item.put("old_status_id", old);
    }
    item.put("price", e.price_minor / 100);
    item.put("responsible_user_id", e.responsible_user_id);
    item.put("last_modified", e.updated_at);
    item.put("modified_user_id", e.updated_by);
    item.put("created_user_id", e.created_by);
    item.put("date_create", e.created_at);
    item.put("pipeline_id", e.pipeline_id);
    tags(account, e, item);
    item.put("account_id", account.id);
    fields(account, e, item);
    item.put("created_at", e.created_at);
    item.put("updated_at", e.updated_at);
    if action == "responsible"
        && let Some(old) = was.responsible_user_id
    {
        item.put("old_responsible_user_id", old);
    }
}

fn person(account: &Account, e: &Entity, action: &str, was: &Was, item: &mut Item) {
    item.put("responsible_user_id", e.responsible_user_id);
    item.put("date_create", e.created_at);
    item.put("last_modified", e.updated_at);
    item.put("created_user_id", e.created_by);
    item.put("modified_user_id", e.updated_by);
    if let Some((company, _)) = account.linked((e.kind, e.id), Kind::Company).first()
        && e.kind == Kind::Contact
    {
        let name = account
            .companies
            .get(company)
            .map(|c| c.name.as_str())
            .unwrap_or_default();
        item.put("company_name", name);
        item.put("linked_company_id", company);
    }
    item.put("account_id", account.id);
    fields(account, e, item);
    tags(account, e, item);
    for (lead, _) in account.linked((e.kind, e.id), Kind::Lead) {
        item.0
            .push((format!("[linked_leads_id][{lead}][ID]"), lead.to_string()));
    }
    if action == "update" {
        // Captured deliveries carry it even when it did not change.
        item.put(
            "old_responsible_user_id",
            was.responsible_user_id.unwrap_or(e.responsible_user_id),
        );
    }
    item.put("created_at", e.created_at);
    item.put("updated_at", e.updated_at);
    item.put("type", e.kind.singular());
}

fn tags(account: &Account, e: &Entity, item: &mut Item) {
    for (index, id) in e.tags.iter().enumerate() {
        let name = account
            .tags
            .iter()
            .find(|t| t.id == *id)
            .map(|t| t.name.as_str())
            .unwrap_or_default();
        item.0.push((format!("[tags][{index}][id]"), id.to_string()));
        item.0.push((format!("[tags][{index}][name]"), name.to_owned()));
    }
}

fn fields(account: &Account, e: &Entity, item: &mut Item) {
    let mut known: Vec<&Field> = e
        .values
        .keys()
        .filter_map(|id| account.field(*id).filter(|f| f.kind == e.kind))
        .collect();
    known.sort_by_key(|f| (f.sort, f.id));
    for (index, field) in known.into_iter().enumerate() {
        let at = format!("[custom_fields][{index}]");
        item.0.push((format!("{at}[id]"), field.id.to_string()));
        item.0.push((format!("{at}[name]"), field.name.clone()));
        let values = e.values.get(&field.id).map(Vec::as_slice).unwrap_or_default();
        for (index, value) in values.iter().enumerate() {
            field_value(&format!("{at}[values]"), index, &field.field_type, value, item);
        }
        if let Some(code) = &field.code {
            item.0.push((format!("{at}[code]"), code.clone()));
        }
    }
}

fn field_value(at: &str, index: usize, field_type: &str, value: &Value, item: &mut Item) {
    let plain = value.get("value").unwrap_or(&Value::Null);
    let mut slot = format!("{at}[{index}]");
    match field_type {
        "date" | "date_time" => return item.value(&slot, plain),
        "birthday" => {
            let text = plain.as_i64().and_then(|at| DateTime::from_timestamp(at, 0));
            let text = text.map_or_else(|| scalar_text(plain), |at| at.format("%d.%m.%Y").to_string());
            return item.0.push((format!("{slot}[value]"), text));
        }
        "chained_list" => return item.value(&slot, value),
        "radiobutton" => slot = at.to_owned(),
        _ => {}
    }
    item.value(&format!("{slot}[value]"), plain);
    if let Some(id) = value.get("enum_id").filter(|v| !v.is_null()) {
        item.0.push((format!("{slot}[enum]"), scalar_text(id)));
    }
}

/// `delete` of an entity.
pub(crate) fn deleted(e: &Entity) -> Vec<(String, String)> {
    let mut item = Item::default();
    item.put("id", e.id);
    if e.kind == Kind::Lead {
        item.put("status_id", e.status_id);
        item.put("pipeline_id", e.pipeline_id);
    } else {
        item.put("type", e.kind.singular());
    }
    item.0
}

/// Digital Pipeline body.
pub(crate) fn stage(lead: &Entity, was: Option<(i64, i64)>) -> Vec<(String, String)> {
    let mut item = Item::default();
    item.put("id", lead.id);
    item.put("status_id", lead.status_id);
    item.put("pipeline_id", lead.pipeline_id);
    if let Some((pipeline, status)) = was {
        item.put("old_status_id", status);
        item.put("old_pipeline_id", pipeline);
    }
    item.0
}

fn moment(at: i64, zone_hours: i64) -> String {
    DateTime::from_timestamp(at.saturating_add(zone_hours * 3600), 0)
        .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// What a task was before a change.
pub(crate) struct TaskWas {
    pub text: String,
    pub is_completed: bool,
    pub responsible_user_id: i64,
}

/// A task; textual dates are UTC as in the samples.
pub(crate) fn task(account: &Account, t: &Task, was: Option<&TaskWas>) -> Vec<(String, String)> {
    let mut item = Item::default();
    item.put("id", t.id);
    item.put("element_id", t.entity.map_or(0, |e| e.1));
    item.put("element_type", t.entity.map_or(0, |e| e.0.code()));
    item.put("task_type", t.task_type_id);
    item.put("date_create", moment(t.created_at, 0));
    item.put("text", &t.text);
    item.put("status", u8::from(t.is_completed));
    item.put("account_id", account.id);
    item.put("created_user_id", t.created_by);
    item.put("last_modified", moment(t.updated_at, 0));
    item.put("responsible_user_id", t.responsible_user_id);
    item.put("complete_till", moment(t.complete_till, 0));
    item.put("created_at", t.created_at);
    item.put("updated_at", t.updated_at);
    item.put("complete_before", t.complete_till);
    if let Some(was) = was {
        item.put("action_close", u8::from(t.is_completed && !was.is_completed));
        item.put("old_text", &was.text);
        if was.responsible_user_id != t.responsible_user_id {
            item.put("main_user", t.responsible_user_id);
            item.put("modified_by", t.updated_by);
            item.put("old_responsible_user_id", was.responsible_user_id);
        }
        if let Some((id, text)) = &t.result {
            item.0.push(("[result][id]".to_owned(), id.to_string()));
            item.0.push(("[result][text]".to_owned(), text.clone()));
        }
    }
    item.0
}

/// A note; textual dates are Moscow time as in the samples, the text is escaped like HTML.
pub(crate) fn note(account: &Account, n: &Note) -> Vec<(String, String)> {
    let mut inner = Item::default();
    let author = account
        .users
        .iter()
        .find(|u| u.id == n.created_by)
        .map(|u| u.name.as_str())
        .unwrap_or("Робот");
    let source = json!({"event_source": {"id": n.created_by, "author_name": author, "type": 1}});
    inner.put("text", note_text(n));
    inner.put(
        "attachement",
        n.params.get("file_name").map(scalar_text).unwrap_or_default(),
    );
    inner.put("date_create", moment(n.created_at, 3));
    inner.put("note_type", note_code(&n.note_type));
    inner.put("element_type", n.entity.0.code());
    inner.put("element_id", n.entity.1);
    inner.put("catalog_id", 0);
    inner.put("group_id", 0);
    inner.put("timestamp_x", moment(n.updated_at, 3));
    inner.put("account_id", account.id);
    inner.put("metadata", source);
    inner.put("created_by", n.created_by);
    inner.put("modified_by", n.updated_by);
    inner.put("main_user_id", n.responsible_user_id);
    inner.put("id", n.id);
    inner.put("created_at", n.created_at);
    inner.put("updated_at", n.updated_at);
    let mut item: Vec<_> = inner
        .0
        .into_iter()
        .map(|(key, value)| (format!("[note]{key}"), value))
        .collect();
    if n.entity.0 != Kind::Lead {
        item.push(("[type]".to_owned(), n.entity.0.singular().to_owned()));
    }
    item
}

fn note_text(n: &Note) -> String {
    let param = |key: &str| n.params.get(key).map(scalar_text).unwrap_or_default();
    match n.note_type.as_str() {
        "call_in" | "call_out" => json!({
            "UNIQ": param("uniq"), "LINK": param("link"), "PHONE": param("phone"),
            "DURATION": param("duration"), "SRC": param("source"),
        })
        .to_string(),
        _ => {
            let mut out = String::new();
            for c in param("text").chars() {
                match c {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#039;"),
                    c => out.push(c),
                }
            }
            out
        }
    }
}

fn note_code(note_type: &str) -> u8 {
    match note_type {
        "attachment" => 5,
        "call_in" => 10,
        "call_out" => 11,
        "service_message" | "extended_service_message" => 25,
        "sms_in" => 102,
        "sms_out" => 103,
        _ => 4,
    }
}

/// Any JSON object as an item.
pub(crate) fn object(value: &Value) -> Vec<(String, String)> {
    let mut item = Item::default();
    item.value("", value);
    item.0
}

/// One body with one or several facts. `account_last` is the order of older deliveries.
pub(crate) fn body(account: &Account, facts: &[&Owed], account_last: bool) -> String {
    let own = [
        ("account[subdomain]".to_owned(), account.subdomain.clone()),
        ("account[id]".to_owned(), account.id.to_string()),
        (
            "account[_links][self]".to_owned(),
            format!("https://{}", account.domain()),
        ),
    ];
    let mut pairs = Vec::new();
    let mut counts: Vec<((&str, &str), usize)> = Vec::new();
    for fact in facts {
        let of = (fact.section, fact.action);
        let index = match counts.iter_mut().find(|(key, _)| *key == of) {
            Some((_, n)) => {
                *n += 1;
                *n
            }
            None => {
                counts.push((of, 0));
                0
            }
        };
        for (key, value) in &fact.item {
            pairs.push((
                format!("{}[{}][{index}]{key}", fact.section, fact.action),
                value.clone(),
            ));
        }
    }
    if account_last {
        pairs.extend(own);
        encoded(pairs)
    } else {
        encoded(own.into_iter().chain(pairs))
    }
}

/// A Digital Pipeline body: account at the end, no links.
pub(crate) fn stage_body(account: &Account, fact: &Owed) -> String {
    let own = [
        ("account[id]".to_owned(), account.id.to_string()),
        ("account[subdomain]".to_owned(), account.subdomain.clone()),
    ];
    let item = fact
        .item
        .iter()
        .map(|(key, value)| (format!("leads[{}][0]{key}", fact.action), value.clone()));
    encoded(item.chain(own))
}

fn encoded(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    let parts: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{}={}", encode(&key), encode(&value)))
        .collect();
    parts.join("&")
}
