//! Values of lead fields on their way in (contract §5.2).

use serde_json::{Value, json};

use super::error::ApiError;
use super::model::{Category, Field, FieldKind};
use super::settings::UnknownCategory;
use super::state::{By, IdKind, State};
use super::text::{scalar, value_pairs};

impl State {
    /// Checks a value for a field and brings it into the shape it is read back in; `Null` clears.
    pub(super) fn accept_value(
        &mut self,
        project_id: i64,
        field_id: i64,
        value: &Value,
    ) -> Result<Value, ApiError> {
        let field = self.field(project_id, field_id)?.clone();
        let refuse = || ApiError::invalid(&format!("value of field {field_id}"));
        if value.is_null() || value.as_str() == Some("") {
            return Ok(Value::Null);
        }
        match field.kind {
            FieldKind::Text | FieldKind::String | FieldKind::Number => {
                scalar(value).map(Value::String).ok_or_else(refuse)
            }
            FieldKind::Date | FieldKind::FunnelDate => {
                let text = value.as_str().ok_or_else(refuse)?;
                self.zone()
                    .parse_minutes(text)
                    .map(|_| json!(text))
                    .ok_or_else(refuse)
            }
            FieldKind::Map => Ok(value.clone()),
            FieldKind::Cats => self.accept_names(project_id, &field, value),
            FieldKind::Funnel | FieldKind::Owner | FieldKind::File => Err(refuse()),
        }
    }

    fn accept_names(&mut self, project_id: i64, field: &Field, value: &Value) -> Result<Value, ApiError> {
        let refuse = || ApiError::invalid(&format!("value of field {}", field.id));
        let sent: Vec<String> = match value {
            Value::Array(items) => items
                .iter()
                .map(scalar)
                .collect::<Option<_>>()
                .ok_or_else(refuse)?,
            // A bare name is only for single choice.
            single if !field.multi => vec![scalar(single).ok_or_else(refuse)?],
            _ => return Err(refuse()),
        };
        let mut names: Vec<String> = Vec::new();
        for name in sent {
            let known = field.categories.iter().any(|category| category.name == name);
            match (known, self.settings.unknown_category) {
                (true, _) => {}
                (false, UnknownCategory::Reject) => return Err(refuse()),
                (false, UnknownCategory::Ignore) => continue,
                (false, UnknownCategory::Create) => self.push_category(project_id, field.id, &name, None)?,
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > 1 && !field.multi {
            return Err(refuse());
        }
        Ok(if names.is_empty() {
            Value::Null
        } else {
            json!(names)
        })
    }

    /// Adds a category to a `cats` field; a name that exists stays as it is.
    pub(super) fn push_category(
        &mut self,
        project_id: i64,
        field_id: i64,
        name: &str,
        color: Option<String>,
    ) -> Result<(), ApiError> {
        let id = self.ids.next(IdKind::Category);
        let fields = &mut self.project_mut(project_id)?.fields;
        let field = fields
            .iter_mut()
            .find(|field| field.id == field_id)
            .ok_or_else(ApiError::not_found)?;
        if !field.categories.iter().any(|category| category.name == name) {
            field.categories.push(Category {
                id,
                name: name.to_owned(),
                color,
            });
        }
        Ok(())
    }

    /// Checks a whole `custom` map. System fields in it are skipped: clients that write back what they read send
    /// them along, and they change only through calls of their own.
    pub(super) fn accept_custom(
        &mut self,
        project_id: i64,
        map: &Value,
    ) -> Result<Vec<(i64, Value)>, ApiError> {
        let pairs = value_pairs(map).ok_or_else(|| ApiError::invalid("custom"))?;
        let mut accepted = Vec::new();
        for (field_id, value) in pairs {
            let field = self.field(project_id, field_id);
            match field.map(|field| field.kind) {
                Ok(kind) if kind.is_system() => {}
                Ok(_) => accepted.push((field_id, self.accept_value(project_id, field_id, &value)?)),
                Err(_) => return Err(ApiError::invalid(&format!("field {field_id}"))),
            }
        }
        Ok(accepted)
    }

    /// Stores accepted values; returns `custom.<id>` of those that really changed.
    pub(super) fn store_custom(&mut self, lead_id: i64, values: Vec<(i64, Value)>) -> Vec<String> {
        let Some(lead) = self.leads.get_mut(&lead_id) else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        for (field_id, value) in values {
            let before = lead.custom.get(&field_id).cloned().unwrap_or(Value::Null);
            if before != value {
                changed.push(format!("custom.{field_id}"));
            }
            if value.is_null() {
                lead.custom.remove(&field_id);
            } else {
                lead.custom.insert(field_id, value);
            }
        }
        changed
    }

    /// Stores one value of one field and tells the receivers.
    pub(super) fn set_custom(
        &mut self,
        lead_id: i64,
        field_id: i64,
        value: &Value,
        by: By,
    ) -> Result<(), ApiError> {
        let project_id = self.lead(lead_id)?.project_id;
        let value = self.accept_value(project_id, field_id, value)?;
        let changed = self.store_custom(lead_id, vec![(field_id, value)]);
        let fields: Vec<&str> = changed.iter().map(String::as_str).collect();
        if !fields.is_empty() {
            self.lead_changed(lead_id, &fields, by);
        }
        Ok(())
    }
}
