//! Fields of an entity's body.

use crate::convert::{Entity, value};
use crate::wire::body::{EntityBody, EntityLink, FieldBody, LinkMetadata, TagBody};
use crate::wire::entity::FieldValues;
use connector::ConnectorError;
use domain::field::SystemField;
use domain::value::{Choice, Value};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value as Json, json};

/// Keeps the kinds (WORK, MOB…) of phones and e-mails that the record already has: writing such a field
/// replaces it entirely.
pub fn keep_kinds(body: &mut EntityBody, current: &[FieldValues]) {
    for field in &mut body.custom_fields_values {
        let held = current
            .iter()
            .find(|held| match (field.field_id, field.field_code) {
                (Some(id), _) => held.field_id.0 == id,
                (None, code) => held.field_code.as_deref() == code,
            });
        let (Some(held), Some(values)) = (held, &mut field.values) else {
            continue;
        };
        for item in values {
            let same = held
                .values
                .iter()
                .find(|old| value::value_of(old) == value::value_of(item));
            if let (Some(same), Some(item)) = (same, item.as_object_mut())
                && let Some(id) = same.get("enum_id").filter(|id| !id.is_null())
            {
                item.remove("enum_code");
                item.insert("enum_id".to_owned(), id.clone());
            }
        }
    }
}

/// Puts a system field into the body, or among the links to make.
pub(super) fn system_field(
    body: &mut EntityBody,
    links: &mut Vec<EntityLink>,
    field: SystemField,
    value: &Value,
) -> Result<(), ConnectorError> {
    let unfit = || ConnectorError::Rejected {
        code: "field_not_writable".to_owned(),
        field: Some(field.as_str().to_owned()),
        message: format!("поле «{}» нельзя записать в amoCRM этим значением", field.title()),
    };
    match (field, value) {
        (SystemField::Name, _) => body.name = Some(plain(value).ok_or_else(unfit)?),
        (SystemField::FirstName, _) => body.first_name = Some(plain(value).ok_or_else(unfit)?),
        (SystemField::LastName, _) => body.last_name = Some(plain(value).ok_or_else(unfit)?),
        (SystemField::Price, Value::Number(price)) => body.price = Some(price_body(*price)),
        // amoCRM knows no empty budget: zero is its empty.
        (SystemField::Price, Value::Empty) => body.price = Some(json!(0)),
        (SystemField::Stage, Value::Stage(stage)) => {
            (body.pipeline_id, body.status_id) = (Some(stage.pipeline), Some(stage.status));
        }
        (SystemField::Pipeline, Value::Id(id)) => body.pipeline_id = Some(*id),
        (SystemField::Responsible, Value::User(user)) => body.responsible_user_id = Some(*user),
        (SystemField::LossReason, Value::Choice(Choice { id: Some(id), .. })) => {
            body.loss_reason_id = Some(json!(id));
        }
        (SystemField::LossReason, Value::Empty) => body.loss_reason_id = Some(Json::Null),
        (SystemField::CreatedAt, Value::Instant(at)) => body.created_at = Some(at.secs()),
        (SystemField::ClosedAt, Value::Instant(at)) => body.closed_at = Some(at.secs()),
        (SystemField::Tags, Value::Choices(tags)) if !tags.is_empty() => {
            body.embedded.tags = Some(Some(tags.iter().map(tag_body).collect()));
        }
        (SystemField::Tags, Value::Choices(_) | Value::Empty) => body.embedded.tags = Some(None),
        (SystemField::Phone, _) => body
            .custom_fields_values
            .push(details("PHONE", value).ok_or_else(unfit)?),
        (SystemField::Email, _) => body
            .custom_fields_values
            .push(details("EMAIL", value).ok_or_else(unfit)?),
        (SystemField::Contact, Value::Id(id)) => links.push(EntityLink {
            to_entity_id: *id,
            to_entity_type: Entity::Contacts.word(),
            metadata: Some(LinkMetadata { is_main: true }),
        }),
        (SystemField::Company, Value::Id(id)) => links.push(EntityLink {
            to_entity_id: *id,
            to_entity_type: Entity::Companies.word(),
            metadata: None,
        }),
        _ => return Err(unfit()),
    }
    Ok(())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Empty => Some(String::new()),
        _ => None,
    }
}

fn price_body(price: rust_decimal::Decimal) -> Json {
    let price = price.normalize();
    match (price.is_integer(), price.to_i64()) {
        (true, Some(whole)) => json!(whole),
        _ => json!(price.to_f64().unwrap_or_default()),
    }
}

/// Phones or e-mails, each of the kind WORK.
fn details(code: &'static str, value: &Value) -> Option<FieldBody> {
    let texts = match value {
        Value::Empty => Vec::new(),
        Value::Text(text) => vec![text.clone()],
        Value::Texts(texts) => texts.clone(),
        _ => return None,
    };
    let values: Vec<Json> = texts
        .iter()
        .filter(|text| !text.trim().is_empty())
        .map(|text| json!({ "value": text, "enum_code": "WORK" }))
        .collect();
    let values = (!values.is_empty()).then_some(values);
    Some(FieldBody {
        field_id: None,
        field_code: Some(code),
        values,
    })
}

pub(super) fn tag_body(tag: &Choice) -> TagBody {
    match tag.id {
        Some(id) => TagBody::Id { id },
        None => TagBody::Name {
            name: tag.name.clone(),
        },
    }
}
