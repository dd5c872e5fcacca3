//! Custom field definitions.

use serde_json::{Value, json};

use super::answer::{Answer, Faults, Object, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft::{int, text};
use super::model::*;

/// Types a field may be created with.
const TYPES: [&str; 26] = [
    "text",
    "numeric",
    "checkbox",
    "select",
    "multiselect",
    "multitext",
    "date",
    "url",
    "textarea",
    "radiobutton",
    "streetaddress",
    "smart_address",
    "birthday",
    "legal_entity",
    "org_legal_name",
    "date_time",
    "items",
    "category",
    "price",
    "tracking_data",
    "linked_entity",
    "monetary",
    "chained_list",
    "file",
    "payer",
    "supplier",
];

/// `/api/v4/{kind}/custom_fields…`.
pub(crate) fn route(call: &mut Call<'_>, kind: Kind, rest: &[&str]) -> Reply {
    if call.method != "GET" {
        call.admin_only()?;
    }
    match rest {
        [] => match call.method {
            "GET" => list(call, kind),
            "POST" => add(call, kind),
            "PATCH" => change_many(call, kind),
            _ => Err(Answer::not_allowed()),
        },
        ["groups"] if call.method == "GET" => {
            let group = json!({"id": "default", "name": "Основное", "is_predefined": true, "type": null,
                "entity_type": kind.plural(), "sort": 0, "fields": []});
            call.whole("custom_field_groups", vec![group])
        }
        [id] => one(
            call,
            kind,
            id.parse()
                .map_err(|_| Answer::not_found("Custom field not found"))?,
        ),
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn list(call: &Call<'_>, kind: Kind) -> Reply {
    let types = call.query.words(&["filter", "type"]);
    let ids = call.query.ints(&["filter", "id"]);
    let wanted = |f: &&Field| {
        f.kind == kind
            && (types.is_empty() || types.contains(&f.field_type.as_str()))
            && (ids.is_empty() || ids.contains(&f.id))
    };
    let mut fields: Vec<&Field> = call.account.fields.iter().filter(wanted).collect();
    fields.sort_by_key(|f| {
        if call.query.has(&["order", "id"]) {
            (f.id, 0)
        } else {
            (f.sort, f.id)
        }
    });
    if [
        call.query.get(&["order", "id"]),
        call.query.get(&["order", "sort"]),
    ]
    .contains(&Some("desc"))
    {
        fields.reverse();
    }
    call.page("custom_fields", fields, true, |f| shown(call, f))
}

fn shown(call: &Call<'_>, f: &Field) -> Value {
    let enums: Vec<Value> = f
        .enums
        .iter()
        .map(|e| json!({"id": e.id, "value": e.value, "sort": e.sort, "code": e.code}))
        .collect();
    let enums = if enums.is_empty() {
        Value::Null
    } else {
        Value::Array(enums)
    };
    json!({
        "id": f.id, "name": f.name, "type": f.field_type, "account_id": call.account.id, "code": f.code,
        "sort": f.sort, "is_api_only": f.is_api_only, "enums": enums, "group_id": null,
        "required_statuses": f.required_statuses, "is_deletable": !f.is_predefined,
        "is_predefined": f.is_predefined, "entity_type": f.kind.plural(), "tracking_callback": null,
        "remind": null, "triggers": [], "currency": f.currency, "hidden_statuses": [], "chained_lists": null,
        "settings": null, "search_in": null,
        "_links": self_link(call.href(&format!("{}/custom_fields/{}", f.kind.plural(), f.id))),
    })
}

fn one(call: &mut Call<'_>, kind: Kind, id: i64) -> Reply {
    let Some(at) = call
        .account
        .fields
        .iter()
        .position(|f| f.id == id && f.kind == kind)
    else {
        return Err(Answer::not_found("Custom field not found"));
    };
    match call.method {
        "GET" => Ok(Answer::ok(shown(call, &call.account.fields[at]))),
        "PATCH" => {
            let item = call.object()?;
            let mut faults = Faults::default();
            check(&item, &mut faults);
            faults.end_item(request_id(&item, 0));
            faults.check()?;
            change(call, at, &item);
            Ok(Answer::ok(shown(call, &call.account.fields[at])))
        }
        "DELETE" => {
            if call.account.remove_field(id) {
                Ok(Answer::empty())
            } else {
                Err(Answer::problem(400, "Custom field can not be deleted"))
            }
        }
        _ => Err(Answer::not_allowed()),
    }
}

fn check(item: &Object, faults: &mut Faults) {
    text(item, "name", "", faults);
    text(item, "code", "", faults);
    int(item, "sort", "", faults);
    if item
        .get("enums")
        .is_some_and(|e| !e.is_array() && !e.is_object() && !e.is_null())
    {
        faults.invalid_type("enums", "array");
    }
}

fn add(call: &mut Call<'_>, kind: Kind) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    for (index, item) in items.iter().enumerate() {
        check(item, &mut faults);
        if item.get("name").is_none() {
            faults.missing("name");
        }
        match item.get("type").map(Value::as_str) {
            None => faults.missing("type"),
            Some(Some(known)) if TYPES.contains(&known) => {}
            Some(_) => faults.not_supported("type"),
        }
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut made = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let word = |key: &str| {
            item.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let id = call.account.add_field(kind, &word("name"), &word("type"), &[]);
        let at = call.account.fields.len() - 1;
        change(call, at, item);
        let mut line = shown(call, &call.account.fields[at]);
        debug_assert_eq!(line["id"], json!(id));
        line["request_id"] = request_id(item, index);
        made.push(line);
    }
    let mut answer = call.whole("custom_fields", made)?;
    answer.status = 201;
    Ok(answer)
}

fn change_many(call: &mut Call<'_>, kind: Kind) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut places = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(Value::as_i64);
        match call
            .account
            .fields
            .iter()
            .position(|f| Some(f.id) == id && f.kind == kind)
        {
            Some(at) => places.push(at),
            None => faults.not_supported("id"),
        }
        check(item, &mut faults);
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    for (at, item) in places.iter().zip(&items) {
        change(call, *at, item);
    }
    call.whole(
        "custom_fields",
        places
            .iter()
            .map(|at| shown(call, &call.account.fields[*at]))
            .collect(),
    )
}

/// Applies checked keys. Options sent without their id are made anew.
fn change(call: &mut Call<'_>, at: usize, item: &Object) {
    if let Some(list) = item.get("enums").filter(|e| !e.is_null()) {
        let known = call.account.fields[at].enums.clone();
        let list: Vec<Value> = match list {
            Value::Array(list) => list.clone(),
            Value::Object(map) => map.values().cloned().collect(),
            _ => Vec::new(),
        };
        let mut enums = Vec::new();
        for (index, choice) in list.iter().enumerate() {
            let sent = choice
                .get("id")
                .and_then(Value::as_i64)
                .filter(|id| known.iter().any(|k| k.id == *id));
            let id = sent.unwrap_or_else(|| call.account.next("enum"));
            let word = |key: &str| choice.get(key).and_then(Value::as_str).map(str::to_owned);
            let sort = choice
                .get("sort")
                .and_then(Value::as_i64)
                .unwrap_or(index as i64 + 1);
            enums.push(Choice {
                id,
                value: word("value").unwrap_or_default(),
                sort,
                code: word("code"),
            });
        }
        call.account.fields[at].enums = enums;
    }
    let field = &mut call.account.fields[at];
    if let Some(name) = item.get("name").and_then(Value::as_str) {
        field.name = name.to_owned();
    }
    if let Some(code) = item.get("code").and_then(Value::as_str) {
        field.code = Some(code.to_owned());
    }
    if let Some(sort) = item.get("sort").and_then(Value::as_i64) {
        field.sort = sort;
    }
    if let Some(flag) = item.get("is_api_only").and_then(Value::as_bool) {
        field.is_api_only = flag;
    }
    if let Some(list) = item.get("required_statuses").and_then(Value::as_array) {
        field.required_statuses.clone_from(list);
    }
    if let Some(currency) = item.get("currency").and_then(Value::as_str) {
        field.currency = Some(currency.to_owned());
    }
}
