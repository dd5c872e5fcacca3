//! Values of custom fields: checking what is written, showing what is stored.

use chrono::DateTime;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::Faults;
use super::model::*;

/// Kinds of parts of a `smart_address`, in order of their ids.
const ADDRESS_PARTS: [&str; 6] = [
    "address_line_1",
    "address_line_2",
    "city",
    "state",
    "zip",
    "country",
];

/// Checks `custom_fields_values` and gives what to store per field. `prefix` starts the paths of faults.
pub(crate) fn read(
    account: &Account,
    kind: Kind,
    list: Option<&Value>,
    prefix: &str,
    faults: &mut Faults,
) -> Vec<(i64, Vec<Value>)> {
    let at = format!("{prefix}custom_fields_values");
    let list = match list {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.invalid_type(at, "array");
            return Vec::new();
        }
    };
    let mut out = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let at = format!("{at}.{index}");
        if !entry.is_object() {
            faults.invalid_type(at, "array");
            continue;
        }
        let Some(field) = find(account, kind, entry, &at, faults) else {
            continue;
        };
        match entry.get("values") {
            None => faults.missing(format!("{at}.values")),
            Some(Value::Null) => out.push((field.id, Vec::new())),
            Some(Value::Array(values)) => {
                let mut stored = Vec::new();
                for (index, value) in values.iter().enumerate() {
                    stored.extend(one(field, value, &format!("{at}.values.{index}"), faults));
                }
                out.push((field.id, stored));
            }
            Some(_) => faults.invalid_type(format!("{at}.values"), "array"),
        }
    }
    out
}

fn find<'a>(
    account: &'a Account,
    kind: Kind,
    entry: &Value,
    at: &str,
    faults: &mut Faults,
) -> Option<&'a Field> {
    let (key, field) = match (entry.get("field_id"), entry.get("field_code")) {
        (Some(Value::Number(id)), _) => (
            "field_id",
            id.as_i64()
                .and_then(|id| account.field(id))
                .filter(|f| f.kind == kind),
        ),
        (None | Some(Value::Null), Some(Value::String(code))) => {
            ("field_code", account.field_by_code(kind, code))
        }
        (None | Some(Value::Null), None | Some(Value::Null)) => {
            faults.missing(format!("{at}.field_id"));
            return None;
        }
        (None | Some(Value::Null), Some(_)) => {
            faults.invalid_type(format!("{at}.field_code"), "string");
            return None;
        }
        (Some(_), _) => {
            faults.invalid_type(format!("{at}.field_id"), "int");
            return None;
        }
    };
    if field.is_none() {
        faults.not_supported(format!("{at}.{key}"));
    }
    field
}

fn one(field: &Field, item: &Value, at: &str, faults: &mut Faults) -> Option<Value> {
    let value = item.get("value").unwrap_or(&Value::Null);
    let here = format!("{at}.value");
    match field.field_type.as_str() {
        "text" | "textarea" | "url" | "streetaddress" | "tracking_data" | "org_legal_name" => match value {
            Value::String(text) => Some(json!({"value": text})),
            Value::Null => missing(here, faults),
            _ => wrong(here, "string", faults),
        },
        "numeric" | "monetary" | "price" => match value {
            Value::Number(number) => Some(json!({"value": number.to_string()})),
            Value::String(text) if text.trim().parse::<f64>().is_ok() => Some(json!({"value": text.trim()})),
            Value::Null => missing(here, faults),
            _ => wrong(here, "numeric", faults),
        },
        "checkbox" => match value {
            Value::Bool(flag) => Some(json!({"value": flag})),
            Value::Null => missing(here, faults),
            _ => wrong(here, "bool", faults),
        },
        "date" | "date_time" | "birthday" => match value {
            Value::Number(at) if at.is_i64() => Some(json!({"value": at})),
            Value::String(text) => match DateTime::parse_from_rfc3339(text) {
                Ok(at) => Some(json!({"value": at.timestamp()})),
                Err(_) => wrong(here, "int", faults),
            },
            Value::Null => missing(here, faults),
            _ => wrong(here, "int", faults),
        },
        "select" | "radiobutton" | "category" | "multiselect" => choice(field, item, at, faults),
        "multitext" => multitext(field, item, at, faults),
        "smart_address" => address(item, at, faults),
        "chained_list" => Some(item.clone()),
        // Types with a body of their own, and those not known yet, are kept as they come.
        _ if value.is_null() => missing(here, faults),
        _ => Some(json!({"value": value})),
    }
}

fn choice(field: &Field, item: &Value, at: &str, faults: &mut Faults) -> Option<Value> {
    let given = |key: &str| item.get(key).filter(|v| !v.is_null());
    let (key, found) = if let Some(id) = given("enum_id") {
        ("enum_id", field.enums.iter().find(|e| Some(e.id) == id.as_i64()))
    } else if let Some(code) = given("enum_code") {
        (
            "enum_code",
            field
                .enums
                .iter()
                .find(|e| e.code.is_some() && e.code.as_deref() == code.as_str()),
        )
    } else if let Some(text) = given("value") {
        if !text.is_string() {
            return wrong(format!("{at}.value"), "string", faults);
        }
        (
            "value",
            field
                .enums
                .iter()
                .find(|e| Some(e.value.as_str()) == text.as_str()),
        )
    } else {
        return missing(format!("{at}.value"), faults);
    };
    match found {
        Some(e) => Some(json!({"value": e.value, "enum_id": e.id, "enum_code": e.code})),
        None => unknown(format!("{at}.{key}"), faults),
    }
}

fn multitext(field: &Field, item: &Value, at: &str, faults: &mut Faults) -> Option<Value> {
    let text = match item.get("value") {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => return missing(format!("{at}.value"), faults),
        Some(_) => return wrong(format!("{at}.value"), "string", faults),
    };
    let given = |key: &str| item.get(key).filter(|v| !v.is_null());
    let (key, kind) = if let Some(id) = given("enum_id") {
        ("enum_id", field.enums.iter().find(|e| Some(e.id) == id.as_i64()))
    } else if let Some(code) = given("enum_code") {
        (
            "enum_code",
            field
                .enums
                .iter()
                .find(|e| Some(e.value.as_str()) == code.as_str()),
        )
    } else {
        ("enum_code", field.enums.first())
    };
    match kind {
        Some(e) => Some(json!({"value": text, "enum_id": e.id, "enum_code": e.value})),
        None => unknown(format!("{at}.{key}"), faults),
    }
}

fn address(item: &Value, at: &str, faults: &mut Faults) -> Option<Value> {
    let value = item.get("value").and_then(Value::as_str);
    let Some(value) = value else {
        return missing(format!("{at}.value"), faults);
    };
    let by_code = item.get("enum_code").and_then(Value::as_str);
    let by_id = item.get("enum_id").and_then(Value::as_i64);
    let index = match (by_code, by_id) {
        (Some(code), _) => ADDRESS_PARTS.iter().position(|p| *p == code),
        (None, Some(id)) => usize::try_from(id - 1).ok().filter(|i| *i < ADDRESS_PARTS.len()),
        (None, None) => None,
    };
    match index {
        Some(i) => Some(json!({"value": value, "enum_id": i + 1, "enum_code": ADDRESS_PARTS[i]})),
        None => unknown(format!("{at}.enum_code"), faults),
    }
}

fn missing(at: String, faults: &mut Faults) -> Option<Value> {
    faults.missing(at);
    None
}

fn wrong(at: String, wanted: &str, faults: &mut Faults) -> Option<Value> {
    faults.invalid_type(at, wanted);
    None
}

fn unknown(at: String, faults: &mut Faults) -> Option<Value> {
    faults.not_supported(at);
    None
}

/// `custom_fields_values` of an entity. Fields whose definition is gone are left out.
pub(crate) fn shown(account: &Account, entity: &Entity, empty_as_list: bool) -> Value {
    let mut fields: Vec<(&Field, &Vec<Value>)> = entity
        .values
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .filter_map(|(id, values)| Some((account.field(*id)?, values)))
        .collect();
    fields.sort_by_key(|(field, _)| (field.sort, field.id));
    if fields.is_empty() {
        return if empty_as_list { json!([]) } else { Value::Null };
    }
    let show = |(field, values): (&Field, &Vec<Value>)| {
        let mut shown = json!({
            "field_id": field.id, "field_name": field.name, "field_code": field.code,
            "field_type": field.field_type, "values": values,
        });
        if entity.kind == Kind::Lead {
            shown["is_computed"] = json!(false);
        }
        shown
    };
    Value::Array(fields.into_iter().map(show).collect())
}
