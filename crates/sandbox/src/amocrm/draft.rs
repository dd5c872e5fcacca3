//! From the JSON of a write to a checked [`Draft`].

use serde_json::Value;

use super::account::Account;
use super::answer::{Faults, Object};
use super::model::*;
use super::ops::{Draft, TagRef};
use super::values;

/// Reads one item of a write. `now` is the entity as it stands when it exists. `prefix` starts the paths of
/// faults (`""`, or `_embedded.contacts.0.`).
pub(crate) fn read(
    account: &Account,
    kind: Kind,
    item: &Object,
    now: Option<&Entity>,
    prefix: &str,
    faults: &mut Faults,
) -> Draft {
    let mut draft = Draft {
        name: text(item, "name", prefix, faults),
        responsible_user_id: user(account, item, "responsible_user_id", false, prefix, faults),
        created_by: user(account, item, "created_by", true, prefix, faults),
        updated_by: user(account, item, "updated_by", true, prefix, faults),
        created_at: int(item, "created_at", prefix, faults),
        updated_at: int(item, "updated_at", prefix, faults),
        values: values::read(account, kind, item.get("custom_fields_values"), prefix, faults),
        tags_to_add: tags(
            account,
            kind,
            item.get("tags_to_add"),
            &format!("{prefix}tags_to_add"),
            faults,
        ),
        tags_to_delete: tags(
            account,
            kind,
            item.get("tags_to_delete"),
            &format!("{prefix}tags_to_delete"),
            faults,
        ),
        ..Draft::default()
    };
    if kind == Kind::Contact {
        draft.first_name = text(item, "first_name", prefix, faults);
        draft.last_name = text(item, "last_name", prefix, faults);
    }
    if kind == Kind::Lead {
        draft.price_minor = price(item, prefix, faults);
        draft.closed_at = int(item, "closed_at", prefix, faults).map(Some);
        stage(account, item, now, prefix, &mut draft, faults);
    }
    let embedded = match item.get("_embedded") {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) => Some(map),
        Some(_) => {
            faults.invalid_type(format!("{prefix}_embedded"), "array");
            None
        }
    };
    if let Some(embedded) = embedded {
        let at = format!("{prefix}_embedded.tags");
        match embedded.get("tags") {
            None => {}
            Some(Value::Null) => draft.tags = Some(Vec::new()),
            list => draft.tags = Some(tags(account, kind, list, &at, faults)),
        }
        if now.is_none() {
            neighbours(account, kind, embedded, prefix, &mut draft, faults);
        }
    }
    draft
}

/// Contacts and companies by id, on creation only.
fn neighbours(
    account: &Account,
    kind: Kind,
    embedded: &Object,
    prefix: &str,
    draft: &mut Draft,
    faults: &mut Faults,
) {
    let list = |key: &str| {
        embedded
            .get(key)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    if kind == Kind::Lead {
        let any_main = list("contacts")
            .iter()
            .any(|c| c.get("is_main").and_then(Value::as_bool) == Some(true));
        for (index, contact) in list("contacts").iter().enumerate() {
            match contact
                .get("id")
                .and_then(Value::as_i64)
                .filter(|id| account.alive(Kind::Contact, *id).is_some())
            {
                Some(id) => {
                    let main = contact.get("is_main").and_then(Value::as_bool);
                    draft.contacts.push((id, main.unwrap_or(!any_main && index == 0)));
                }
                None => faults.not_supported(format!("{prefix}_embedded.contacts.{index}.id")),
            }
        }
    }
    if kind != Kind::Company {
        for (index, company) in list("companies").iter().enumerate() {
            let id = company.get("id").and_then(Value::as_i64);
            match id.filter(|id| account.alive(Kind::Company, *id).is_some() && index == 0) {
                Some(id) => draft.companies.push(id),
                None => faults.not_supported(format!("{prefix}_embedded.companies.{index}.id")),
            }
        }
    }
}

/// Pipeline, status and loss reason, which only make sense together.
fn stage(
    account: &Account,
    item: &Object,
    now: Option<&Entity>,
    prefix: &str,
    draft: &mut Draft,
    faults: &mut Faults,
) {
    let wanted_pipeline = int(item, "pipeline_id", prefix, faults);
    let wanted_status = int(item, "status_id", prefix, faults);
    let pipeline = match (wanted_pipeline, now) {
        (Some(id), _) => {
            let found = account.pipeline(id);
            if found.is_none() {
                return faults.not_supported(format!("{prefix}pipeline_id"));
            }
            found
        }
        (None, Some(lead)) => account.pipeline(lead.pipeline_id),
        (None, None) => account.main_pipeline(),
    };
    let Some(pipeline) = pipeline else { return };
    let stays = now.is_some_and(|lead| lead.pipeline_id == pipeline.id);
    let status = match wanted_status {
        Some(id) => {
            let same = now.is_some_and(|lead| (lead.pipeline_id, lead.status_id) == (pipeline.id, id));
            match pipeline.status(id).filter(|s| !s.is_unsorted || same) {
                Some(status) => Some(status.id),
                None => return faults.not_supported(format!("{prefix}status_id")),
            }
        }
        None if stays => now.map(|lead| lead.status_id),
        None => pipeline.first_status().map(|s| s.id),
    };
    let Some(status) = status else { return };
    if now.is_none() || wanted_status.is_some() || wanted_pipeline.is_some() {
        draft.status = Some((pipeline.id, status));
    }
    match item.get("loss_reason_id") {
        None => {}
        Some(Value::Null) => draft.loss_reason_id = Some(None),
        Some(value) => match value.as_i64() {
            None => faults.invalid_type(format!("{prefix}loss_reason_id"), "int"),
            Some(id) if status == 143 && account.loss_reasons.iter().any(|(known, _)| *known == id) => {
                draft.loss_reason_id = Some(Some(id));
            }
            Some(_) => faults.not_supported(format!("{prefix}loss_reason_id")),
        },
    }
}

fn price(item: &Object, prefix: &str, faults: &mut Faults) -> Option<i64> {
    match item.get("price")? {
        Value::Null => None,
        Value::Number(number) => {
            let minor = match number.as_i64() {
                Some(whole) => whole.saturating_mul(100),
                None => (number.as_f64().unwrap_or_default() * 100.0).round() as i64,
            };
            Some(minor)
        }
        _ => {
            faults.invalid_type(format!("{prefix}price"), "numeric");
            None
        }
    }
}

/// A text of an item.
pub(crate) fn text(item: &Object, key: &str, prefix: &str, faults: &mut Faults) -> Option<String> {
    match item.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        _ => {
            faults.invalid_type(format!("{prefix}{key}"), "string");
            None
        }
    }
}

/// A whole number of an item.
pub(crate) fn int(item: &Object, key: &str, prefix: &str, faults: &mut Faults) -> Option<i64> {
    match item.get(key)? {
        Value::Null => None,
        value => {
            let number = value.as_i64();
            if number.is_none() {
                faults.invalid_type(format!("{prefix}{key}"), "int");
            }
            number
        }
    }
}

/// A user of an item; deactivated ones are refused, 0 (robot) only where allowed.
pub(crate) fn user(
    account: &Account,
    item: &Object,
    key: &str,
    robot: bool,
    prefix: &str,
    faults: &mut Faults,
) -> Option<i64> {
    let value = item.get(key).filter(|v| !v.is_null())?;
    let at = format!("{prefix}{key}");
    let Some(id) = value.as_i64() else {
        // Observed: a wrong type is reported together with the wrong choice.
        faults.invalid_type(at.clone(), "int");
        faults.not_supported(at);
        return None;
    };
    if (robot && id == 0) || account.active_user(id).is_some() {
        return Some(id);
    }
    faults.not_supported(at);
    None
}

fn tags(account: &Account, kind: Kind, list: Option<&Value>, at: &str, faults: &mut Faults) -> Vec<TagRef> {
    let list = match list {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.invalid_type(at, "array");
            return Vec::new();
        }
    };
    let mut out = Vec::new();
    for (index, tag) in list.iter().enumerate() {
        match (tag.get("id"), tag.get("name")) {
            (Some(Value::Number(id)), _) => {
                match id
                    .as_i64()
                    .filter(|id| account.tags.iter().any(|t| t.id == *id && t.kind == kind))
                {
                    Some(id) => out.push(TagRef::Id(id)),
                    None => faults.not_supported(format!("{at}.{index}.id")),
                }
            }
            (None | Some(Value::Null), Some(Value::String(name))) => out.push(TagRef::Name(name.clone())),
            (None | Some(Value::Null), Some(_)) => {
                faults.invalid_type(format!("{at}.{index}.name"), "string")
            }
            (Some(_), _) if !matches!(tag.get("id"), Some(Value::Null)) => {
                faults.invalid_type(format!("{at}.{index}.id"), "int");
            }
            _ => faults.missing(format!("{at}.{index}.name")),
        }
    }
    out
}
