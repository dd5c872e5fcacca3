//! Links between entities, and tags.

use serde_json::{Value, json};

use super::answer::{Answer, Faults, Object, Reply, request_id};
use super::call::{BATCH_LIMIT, Call};
use super::draft::{text, user};
use super::model::*;

/// Colours a lead's tag may have.
const TAG_COLORS: [&str; 23] = [
    "EBEBEB", "D0D0D0", "F2DDF7", "D1A4DC", "FF8F92", "FFC8C8", "C7DB8C", "DDEBB5", "8699DA", "AABDFF",
    "FFCE5A", "FFE193", "90CDB0", "C6F4DE", "A9A5D7", "D8D5FF", "86C0FC", "832161", "6A0F49", "0C7C59",
    "10599D", "9D2B32", "247BA0",
];

/// `…/links`, `…/link`, `…/unlink`; `id` is given by the per-entity form.
pub(crate) fn links(call: &mut Call<'_>, kind: Kind, id: Option<i64>, what: &str) -> Reply {
    if let Some(id) = id
        && call.account.alive(kind, id).is_none()
    {
        return Err(Answer::not_found("Entity not found"));
    }
    match (call.method, what) {
        ("GET", "links") => list(call, kind, id),
        ("POST", "link" | "unlink") => change(call, kind, id, what == "link"),
        _ => Err(Answer::not_allowed()),
    }
}

fn list(call: &Call<'_>, kind: Kind, id: Option<i64>) -> Reply {
    let ids = id.map_or_else(|| call.query.ints(&["filter", "entity_id"]), |id| vec![id]);
    let to_ids = call.query.ints(&["filter", "to_entity_id"]);
    let to_type = call.query.get(&["filter", "to_entity_type"]);
    let mut out = Vec::new();
    for own in ids {
        let Some(entity) = call.account.alive(kind, own) else {
            continue;
        };
        let mut lines: Vec<Value> = entity
            .elements
            .iter()
            .map(|(id, metadata)| {
                json!({"to_entity_id": id, "to_entity_type": "catalog_elements", "metadata": metadata})
            })
            .collect();
        for to in Kind::ALL {
            for (to_id, is_main) in call.account.linked((kind, own), to) {
                let metadata = main_contact(kind, to, is_main);
                lines.push(
                    json!({"to_entity_id": to_id, "to_entity_type": to.plural(), "metadata": metadata}),
                );
            }
        }
        lines.retain(|l| {
            (to_ids.is_empty() || l["to_entity_id"].as_i64().is_some_and(|id| to_ids.contains(&id)))
                && to_type.is_none_or(|t| l["to_entity_type"] == t)
        });
        if id.is_none() {
            lines.iter_mut().for_each(|l| l["entity_id"] = json!(own));
        }
        out.extend(lines);
    }
    call.whole("links", out)
}

/// Written as `is_main`, read as `main_contact`.
fn main_contact(from: Kind, to: Kind, is_main: bool) -> Value {
    if from == Kind::Lead && to == Kind::Contact {
        json!({"main_contact": is_main})
    } else {
        Value::Null
    }
}

enum Target {
    Entity(Kind, i64),
    Element(i64, Value),
}

fn change(call: &mut Call<'_>, kind: Kind, id: Option<i64>, join: bool) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut plans = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(plan) = read(call, kind, id, item, &mut faults) {
            plans.push(plan);
        }
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut shown = Vec::new();
    for (own, target, is_main, author) in plans {
        let (to_id, to_type, metadata) = match target {
            Target::Entity(to, to_id) => {
                if join {
                    call.account.link((kind, own), (to, to_id), is_main, author);
                } else {
                    call.account.unlink((kind, own), (to, to_id), author);
                }
                let now = call.account.linked((kind, own), to);
                let main = now.iter().any(|(id, main)| *id == to_id && *main);
                (to_id, to.plural(), main_contact(kind, to, main))
            }
            Target::Element(element, metadata) => {
                if let Some(entity) = call.account.table_mut(kind).get_mut(&own) {
                    entity.elements.retain(|(id, _)| *id != element);
                    if join {
                        entity.elements.push((element, metadata.clone()));
                    }
                }
                call.account.touch((kind, own), author);
                (element, "catalog_elements", metadata)
            }
        };
        shown.push(json!({
            "entity_id": own, "entity_type": kind.plural(), "to_entity_id": to_id, "to_entity_type": to_type,
            "metadata": metadata,
        }));
    }
    if !join {
        return Ok(Answer::empty());
    }
    let path = match id {
        Some(id) => format!("{}/{id}/links", kind.plural()),
        None => format!("{}/links", kind.plural()),
    };
    Ok(Answer::ok(json!({
        "_total_items": shown.len(), "_links": {"self": {"href": call.href(&path)}}, "_embedded": {"links": shown},
    })))
}

fn read(
    call: &Call<'_>,
    kind: Kind,
    id: Option<i64>,
    item: &Object,
    faults: &mut Faults,
) -> Option<(i64, Target, bool, i64)> {
    let own = id.or_else(|| item.get("entity_id").and_then(Value::as_i64));
    let own = own.filter(|own| call.account.alive(kind, *own).is_some());
    if own.is_none() {
        faults.not_supported("entity_id");
    }
    let to_id = item.get("to_entity_id").and_then(Value::as_i64);
    if to_id.is_none() {
        faults.missing("to_entity_id");
    }
    let empty = Object::new();
    let metadata = item.get("metadata").and_then(Value::as_object).unwrap_or(&empty);
    let author = user(call.account, metadata, "updated_by", true, "metadata.", faults);
    let is_main = metadata.get("is_main").and_then(Value::as_bool).unwrap_or(false);
    let to_type = item
        .get("to_entity_type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let target = match (to_id?, Kind::named(to_type)) {
        (to, None) if to_type == "catalog_elements" => Target::Element(to, json!(metadata)),
        (_, None) => {
            faults.not_supported("to_entity_type");
            return None;
        }
        (_, Some(to)) if to == kind => {
            faults.not_supported("to_entity_type");
            return None;
        }
        (to_id, Some(to)) => {
            if call.account.alive(to, to_id).is_none() {
                faults.not_supported("to_entity_id");
                return None;
            }
            Target::Entity(to, to_id)
        }
    };
    Some((own?, target, is_main, author.unwrap_or(call.user_id)))
}

/// `/api/v4/{kind}/tags`.
pub(crate) fn tags(call: &mut Call<'_>, kind: Kind) -> Reply {
    match call.method {
        "GET" => {
            let q = &call.query;
            let needle = q.get(&["query"]).map(str::to_lowercase);
            let (ids, names) = (q.ints(&["filter", "id"]), q.list(&["filter", "name"]));
            let wanted = |t: &&Tag| {
                t.kind == kind
                    && (ids.is_empty() || ids.contains(&t.id))
                    && (names.is_empty() || names.contains(&t.name.as_str()))
                    && needle.as_ref().is_none_or(|n| t.name.to_lowercase().contains(n))
            };
            let found: Vec<&Tag> = call.account.tags.iter().filter(wanted).collect();
            call.page(
                "tags",
                found,
                false,
                |t| json!({"id": t.id, "name": t.name, "color": t.color}),
            )
        }
        "POST" => {
            let items = call.items(BATCH_LIMIT)?;
            let mut faults = Faults::default();
            for (index, item) in items.iter().enumerate() {
                if text(item, "name", "", &mut faults).is_none() {
                    faults.missing("name");
                }
                if let Some(color) = text(item, "color", "", &mut faults)
                    && (kind != Kind::Lead || !TAG_COLORS.contains(&color.as_str()))
                {
                    faults.not_supported("color");
                }
                faults.end_item(request_id(item, index));
            }
            faults.check()?;
            let mut made = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                let id = call.account.tag_named(kind, name);
                let color = item.get("color").and_then(Value::as_str).map(str::to_owned);
                if let Some(tag) = call.account.tags.iter_mut().find(|t| t.id == id)
                    && color.is_some()
                {
                    tag.color = color;
                }
                made.push(json!({"id": id, "name": name, "request_id": request_id(item, index)}));
            }
            Ok(Answer::ok(
                json!({"_total_items": made.len(), "_embedded": {"tags": made}}),
            ))
        }
        _ => Err(Answer::not_allowed()),
    }
}
