//! Leads, contacts and companies: lists, single reads, writes.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Faults, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft;
use super::model::*;
use super::query::Query;
use super::values;

/// `/api/v4/{kind}`.
pub(crate) fn collection(call: &mut Call<'_>, kind: Kind) -> Reply {
    match call.method {
        "GET" => list(call, kind),
        "POST" => create(call, kind),
        "PATCH" => update_many(call, kind),
        _ => Err(Answer::not_allowed()),
    }
}

/// `/api/v4/{kind}/{id}`.
pub(crate) fn single(call: &mut Call<'_>, kind: Kind, id: i64) -> Reply {
    match call.method {
        "GET" => {
            let wanted_deleted = call.with("only_deleted");
            match call
                .account
                .table(kind)
                .get(&id)
                .filter(|e| e.is_deleted == wanted_deleted)
            {
                Some(entity) => Ok(Answer::ok(shown(call, entity))),
                None => Ok(Answer::empty()),
            }
        }
        "PATCH" => update_one(call, kind, id),
        _ => Err(Answer::not_allowed()),
    }
}

fn list(call: &Call<'_>, kind: Kind) -> Reply {
    let q = &call.query;
    if q.has(&["filter", "custom_fields_values"]) && !call.account.is_api_filter_enabled {
        return Err(Answer::problem(400, "Invalid filter for current account"));
    }
    let deleted = call.with("only_deleted");
    let needle = q
        .get(&["query"])
        .map(|n| n.trim().to_lowercase())
        .filter(|n| !n.is_empty());
    let now_ms = call.account.clock.now_ms();
    let filter = Filter::read(q, kind);
    let mut found: Vec<&Entity> = call
        .account
        .table(kind)
        .values()
        .filter(|e| e.is_deleted == deleted)
        .filter(|e| filter.matches(call.account, e))
        .filter(|e| needle.as_deref().is_none_or(|needle| is_found(e, needle, now_ms)))
        .collect();
    order(&mut found, q);
    call.page(kind.plural(), found, false, |entity| shown(call, entity))
}

/// Text search as the index knows the entity at this moment.
fn is_found(entity: &Entity, needle: &str, now_ms: i64) -> bool {
    if entity.indexed_from_ms <= now_ms {
        entity.search_text().contains(needle)
    } else {
        entity.stale_text.contains(needle)
    }
}

fn order(found: &mut [&Entity], q: &Query) {
    for (key, of) in [
        ("created_at", (|e: &Entity| e.created_at) as fn(&Entity) -> i64),
        ("updated_at", |e| e.updated_at),
        ("id", |e| e.id),
    ] {
        match q.get(&["order", key]) {
            Some("desc") => {
                return found.sort_by_key(|e| (std::cmp::Reverse(of(e)), std::cmp::Reverse(e.id)));
            }
            Some(_) => return found.sort_by_key(|e| (of(e), e.id)),
            None => {}
        }
    }
}

type Bounds = (Option<i64>, Option<i64>);

/// Conditions of a list; unknown ones are not read and so change nothing.
struct Filter {
    ids: Vec<i64>,
    names: Vec<String>,
    users: [Vec<i64>; 3],
    pipelines: Vec<i64>,
    stages: Vec<(i64, i64)>,
    price: Bounds,
    times: [Bounds; 4],
    fields: Vec<(i64, Vec<String>, Bounds)>,
}

impl Filter {
    fn read(q: &Query, kind: Kind) -> Self {
        let lead = kind == Kind::Lead;
        let f = |key: &'static str| ["filter", key];
        let mut stages: Vec<(String, Option<i64>, Option<i64>)> = Vec::new();
        for (rest, value) in q.below(&["filter", "statuses"]).filter(|_| lead) {
            let [index, key] = rest else { continue };
            let at = stages
                .iter()
                .position(|(known, ..)| known == index)
                .unwrap_or_else(|| {
                    stages.push((index.clone(), None, None));
                    stages.len() - 1
                });
            match key.as_str() {
                "pipeline_id" => stages[at].1 = value.parse().ok(),
                "status_id" => stages[at].2 = value.parse().ok(),
                _ => {}
            }
        }
        let mut field_ids: Vec<i64> = Vec::new();
        for (rest, _) in q.below(&["filter", "custom_fields_values"]) {
            if let Some(Ok(id)) = rest.first().map(|id| id.parse())
                && !field_ids.contains(&id)
            {
                field_ids.push(id);
            }
        }
        let fields = field_ids.into_iter().map(|id| {
            let key = id.to_string();
            let path = ["filter", "custom_fields_values", key.as_str()];
            let wanted = q.list(&path).into_iter().map(str::to_lowercase).collect();
            let from_to = |end| q.int(&["filter", "custom_fields_values", &key, end]);
            (id, wanted, (from_to("from"), from_to("to")))
        });
        Self {
            ids: q.ints(&f("id")),
            names: q.list(&f("name")).into_iter().map(str::to_lowercase).collect(),
            users: [
                q.ints(&f("created_by")),
                q.ints(&f("updated_by")),
                q.ints(&f("responsible_user_id")),
            ],
            pipelines: if lead {
                q.ints(&f("pipeline_id"))
            } else {
                Vec::new()
            },
            stages: stages
                .into_iter()
                .filter_map(|(_, p, s)| Some((p?, s?)))
                .collect(),
            price: if lead { q.range(&f("price")) } else { (None, None) },
            times: [
                q.range(&f("created_at")),
                q.range(&f("updated_at")),
                if lead {
                    q.range(&f("closed_at"))
                } else {
                    (None, None)
                },
                q.range(&f("closest_task_at")),
            ],
            fields: fields.collect(),
        }
    }

    fn matches(&self, account: &Account, e: &Entity) -> bool {
        let one_of = |list: &[i64], value: i64| list.is_empty() || list.contains(&value);
        let [created_by, updated_by, responsible] = &self.users;
        let [created, updated, closed, task] = self.times;
        one_of(&self.ids, e.id)
            && (self.names.is_empty() || self.names.contains(&e.name.to_lowercase()))
            && one_of(created_by, e.created_by)
            && one_of(updated_by, e.updated_by)
            && one_of(responsible, e.responsible_user_id)
            && one_of(&self.pipelines, e.pipeline_id)
            && (self.stages.is_empty() || self.stages.contains(&(e.pipeline_id, e.status_id)))
            && within(self.price, Some(e.price_minor / 100))
            && within(created, Some(e.created_at))
            && within(updated, Some(e.updated_at))
            && within(closed, e.closed_at)
            && (task == (None, None) || within(task, account.closest_task_at((e.kind, e.id))))
            && self.fields.iter().all(|(id, wanted, bounds)| {
                let values = e.values.get(id).map(Vec::as_slice).unwrap_or_default();
                values.iter().any(|item| value_matches(item, wanted, *bounds))
            })
    }
}

fn value_matches(item: &Value, wanted: &[String], bounds: Bounds) -> bool {
    let value = item.get("value").unwrap_or(&Value::Null);
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
        .to_lowercase();
    let enum_id = item.get("enum_id").map(Value::to_string).unwrap_or_default();
    let flag = value
        .as_bool()
        .map(|b| u8::from(b).to_string())
        .unwrap_or_default();
    let equal = wanted.is_empty() || wanted.iter().any(|w| *w == text || *w == enum_id || *w == flag);
    equal && (bounds == (None, None) || within(bounds, text.parse::<f64>().ok().map(|n| n as i64)))
}

fn within((from, to): Bounds, value: Option<i64>) -> bool {
    match value {
        Some(value) => from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to),
        None => from.is_none() && to.is_none(),
    }
}

/// An entity as the API shows it, with what `with` asks for.
pub(crate) fn shown(call: &Call<'_>, e: &Entity) -> Value {
    let account = &*call.account;
    let of = (e.kind, e.id);
    let link = |kind: Kind, id: i64| self_link(call.href(&format!("{}/{id}", kind.plural())));
    let tags: Vec<Value> = e
        .tags
        .iter()
        .filter_map(|id| account.tags.iter().find(|t| t.id == *id))
        .map(|t| json!({"id": t.id, "name": t.name, "color": t.color}))
        .collect();
    let linked = |kind: Kind| -> Vec<Value> {
        let alive = |(id, _): &(i64, bool)| account.alive(kind, *id).is_some();
        let all = account.linked(of, kind).into_iter().filter(alive);
        all.map(|(id, is_main)| {
            let mut item = json!({"id": id, "_links": link(kind, id)});
            if e.kind == Kind::Lead && kind == Kind::Contact {
                item["is_main"] = json!(is_main);
            }
            item
        })
        .collect()
    };
    let mut embedded = json!({"tags": tags});
    if e.kind != Kind::Company {
        embedded["companies"] = json!(linked(Kind::Company));
    }
    if e.kind != Kind::Lead && call.with("leads") {
        embedded["leads"] = json!(linked(Kind::Lead));
    }
    if e.kind != Kind::Contact && call.with("contacts") {
        embedded["contacts"] = json!(linked(Kind::Contact));
    }
    if e.kind != Kind::Lead && call.with("customers") {
        embedded["customers"] = json!([]);
    }
    if call.with("catalog_elements") {
        let elements = e.elements.iter().map(|(id, metadata)| {
            let (quantity, catalog) = (metadata.get("quantity"), metadata.get("catalog_id"));
            json!({"id": id, "metadata": metadata, "quantity": quantity, "catalog_id": catalog})
        });
        embedded["catalog_elements"] = Value::Array(elements.collect());
    }
    let mut out = json!({
        "id": e.id, "name": e.name, "responsible_user_id": e.responsible_user_id, "group_id": 0,
        "created_by": e.created_by, "updated_by": e.updated_by,
        "created_at": e.created_at, "updated_at": e.updated_at,
        "closest_task_at": account.closest_task_at(of), "is_deleted": e.is_deleted,
        "custom_fields_values": values::shown(account, e, call.settings.empty_values_as_list),
        "account_id": account.id, "_links": link(e.kind, e.id),
    });
    match e.kind {
        Kind::Lead => {
            out["price"] = json!(e.price_minor / 100);
            out["price_with_minor_units"] = if e.price_minor % 100 == 0 {
                json!(e.price_minor / 100)
            } else {
                json!(e.price_minor as f64 / 100.0)
            };
            out["status_id"] = json!(e.status_id);
            out["pipeline_id"] = json!(e.pipeline_id);
            out["loss_reason_id"] = json!(e.loss_reason_id);
            out["closed_at"] = json!(e.closed_at);
            for key in ["score", "labor_cost"] {
                out[key] = Value::Null;
            }
            out["is_price_computed"] = json!(false);
            if call.with("loss_reason") {
                let reasons = super::catalog::loss_reasons(call);
                let own = reasons
                    .into_iter()
                    .filter(|r| r["id"].as_i64() == e.loss_reason_id);
                embedded["loss_reason"] = Value::Array(own.collect());
            }
            if call.with("source_id") {
                out["source_id"] = Value::Null;
            }
            if call.with("is_price_modified_by_robot") {
                out["is_price_modified_by_robot"] = json!(false);
            }
        }
        Kind::Contact => {
            out["first_name"] = json!(e.first_name);
            out["last_name"] = json!(e.last_name);
            out["is_unsorted"] = json!(e.is_unsorted);
        }
        Kind::Company => {}
    }
    out["_embedded"] = embedded;
    out
}

fn create(call: &mut Call<'_>, kind: Kind) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut drafts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        drafts.push(draft::read(call.account, kind, item, None, "", &mut faults));
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut out = Vec::new();
    for (index, (item, draft)) in items.iter().zip(&drafts).enumerate() {
        let id = call.account.create(kind, draft, call.user_id);
        let mut line = json!({
            "id": id, "request_id": request_id(item, index),
            "_links": self_link(call.href(&format!("{}/{id}", kind.plural()))),
        });
        if kind != Kind::Lead {
            line["is_deleted"] = json!(false);
            line["is_unsorted"] = json!(false);
        }
        out.push(line);
    }
    Ok(call.written(kind.plural(), out))
}

fn update_many(call: &mut Call<'_>, kind: Kind) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut drafts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.get("id").map(Value::as_i64) {
            None => faults.missing("id"),
            Some(None) => faults.invalid_type("id", "int"),
            Some(Some(id)) => match call.account.alive(kind, id) {
                None => faults.not_supported("id"),
                Some(now) => {
                    drafts.push((
                        id,
                        draft::read(call.account, kind, item, Some(now), "", &mut faults),
                    ));
                }
            },
        }
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    for (id, draft) in &drafts {
        call.account.update(kind, *id, draft, call.user_id);
    }
    let lines = drafts
        .iter()
        .zip(&items)
        .enumerate()
        .map(|(index, ((id, _), item))| {
            let mut line = patched(call, kind, *id);
            line["request_id"] = request_id(item, index);
            line
        });
    Ok(call.written(kind.plural(), lines.collect()))
}

fn update_one(call: &mut Call<'_>, kind: Kind, id: i64) -> Reply {
    let item = call.object()?;
    let mut faults = Faults::default();
    let draft = match call.account.alive(kind, id) {
        Some(now) => draft::read(call.account, kind, &item, Some(now), "", &mut faults),
        None => {
            faults.not_supported("id");
            Default::default()
        }
    };
    faults.end_item(request_id(&item, 0));
    faults.check()?;
    call.account.update(kind, id, &draft, call.user_id);
    let line = patched(call, kind, id);
    Ok(if call.settings.wrapped_single_patch {
        call.written(kind.plural(), vec![line])
    } else {
        Answer::ok(line)
    })
}

fn patched(call: &Call<'_>, kind: Kind, id: i64) -> Value {
    let entity = call.account.table(kind).get(&id);
    let link = self_link(call.href(&format!("{}/{id}", kind.plural())));
    let mut line = json!({"id": id, "updated_at": entity.map(|e| e.updated_at), "_links": link});
    if kind != Kind::Lead {
        line["name"] = json!(entity.map(|e| e.name.as_str()));
        line["is_deleted"] = json!(false);
        line["is_unsorted"] = json!(entity.is_some_and(|e| e.is_unsorted));
    }
    line
}
