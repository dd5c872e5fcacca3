//! Custom fields of webhooks, typed through the catalogue.

use super::form::Node;
use crate::convert::read::set_custom;
use crate::convert::value;
use connector::IntakeContext;
use domain::record::Record;
use domain::time::Zone;
use domain::value::Value;
use serde_json::{Map, Value as Json};

/// Puts the custom fields of an item into its record. A field without values is known to be empty; one that
/// is not mentioned stays unknown.
pub(super) fn read(record: &mut Record, item: &Node<'_>, context: IntakeContext<'_>) {
    let Some(list) = item.get("custom_fields") else {
        return;
    };
    let moscow;
    let zone = match context.zone {
        Some(zone) => zone,
        None => {
            moscow = Zone::moscow();
            &moscow
        }
    };
    for field in list.items() {
        let Some(id) = field.number_of("id") else { continue };
        let info = context
            .catalogue
            .and_then(|catalogue| catalogue.field(record.key.kind, id));
        let code = match field.text_of("code") {
            Some(code) => Some(code),
            None => info.and_then(|info| info.code.as_deref()),
        };
        let values = field.get("values").map(values).unwrap_or_default();
        let read = match info {
            Some(info) => value::read(info.field_type, &values, zone),
            None => value::guess(code, &values),
        };
        set_custom(record, id, code, read);
    }
}

/// Values in any of their shapes: `[j][value]`, the bare `[j]` of dates, or without an index.
fn values(node: &Node<'_>) -> Vec<Json> {
    if node.is_list() {
        return node.items().map(json).collect();
    }
    match (&node.text, node.children.is_empty()) {
        (Some(text), true) if text.is_empty() => Vec::new(),
        _ => vec![json(node)],
    }
}

fn json(node: &Node<'_>) -> Json {
    if node.children.is_empty() {
        return node.text.as_deref().map_or(Json::Null, Json::from);
    }
    if node.is_list() {
        return Json::Array(node.items().map(json).collect());
    }
    let member = |key: &super::form::Key<'_>| match key {
        super::form::Key::Index(index) => index.to_string(),
        super::form::Key::Name(name) => name.clone().into_owned(),
    };
    Json::Object(
        node.children
            .iter()
            .map(|(key, node)| (member(key), json(node)))
            .collect::<Map<_, _>>(),
    )
}

/// Tags of an item.
pub(super) fn tags(item: &Node<'_>) -> Option<Value> {
    let list = item.get("tags")?;
    let tags: Vec<_> = list
        .items()
        .filter_map(|tag| {
            let name = tag.text_of("name").unwrap_or_default().to_owned();
            let id = tag.number_of("id");
            (id.is_some() || !name.is_empty()).then_some(domain::value::Choice { id, name })
        })
        .collect();
    Some(if tags.is_empty() {
        Value::Empty
    } else {
        Value::Choices(tags)
    })
}
