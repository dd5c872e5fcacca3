//! What differs between two states of an entity, as lines of the history.

use serde_json::{Value, json};

use super::account::Account;
use super::model::*;

impl Account {
    /// Writes history lines for what differs; answers whether anything does.
    pub(crate) fn differences(&mut self, a: &Entity, b: &Entity, by: i64) -> bool {
        let of = (a.kind.singular(), a.id);
        let mut lines: Vec<(String, Value, Value)> = Vec::new();
        if a.name != b.name {
            let value = |e: &Entity| json!([{"name_field_value": {"name": e.name}}]);
            lines.push(("name_field_changed".into(), value(a), value(b)));
        }
        if a.price_minor != b.price_minor {
            let value = |e: &Entity| json!([{"sale_field_value": {"sale": e.price_minor / 100}}]);
            lines.push(("sale_field_changed".into(), value(a), value(b)));
        }
        if (a.pipeline_id, a.status_id) != (b.pipeline_id, b.status_id) {
            let value =
                |e: &Entity| json!([{"lead_status": {"id": e.status_id, "pipeline_id": e.pipeline_id}}]);
            lines.push(("lead_status_changed".into(), value(a), value(b)));
        }
        if a.responsible_user_id != b.responsible_user_id {
            let value = |e: &Entity| json!([{"responsible_user": {"id": e.responsible_user_id}}]);
            lines.push(("entity_responsible_changed".into(), value(a), value(b)));
        }
        for (field, new) in &b.values {
            let old = a.values.get(field).map(Vec::as_slice).unwrap_or_default();
            if old != new.as_slice() {
                let value = |items: &[Value]| self.history_value(*field, items);
                lines.push((
                    format!("custom_field_{field}_value_changed"),
                    value(old),
                    value(new),
                ));
            }
        }
        let name_of = |id: &i64| self.tags.iter().find(|t| t.id == *id).map(|t| t.name.clone());
        for tag in b.tags.iter().filter(|t| !a.tags.contains(t)) {
            lines.push((
                "entity_tag_added".into(),
                json!([]),
                json!([{"tag": {"name": name_of(tag)}}]),
            ));
        }
        for tag in a.tags.iter().filter(|t| !b.tags.contains(t)) {
            lines.push((
                "entity_tag_deleted".into(),
                json!([{"tag": {"name": name_of(tag)}}]),
                json!([]),
            ));
        }
        let other = a.loss_reason_id != b.loss_reason_id
            || a.closed_at != b.closed_at
            || (&a.first_name, &a.last_name) != (&b.first_name, &b.last_name)
            || (a.created_by, a.created_at) != (b.created_by, b.created_at);
        let changed = other || !lines.is_empty();
        for (event_type, before, after) in lines {
            self.log(event_type, of, by, before, after);
        }
        changed
    }

    fn history_value(&self, field: i64, items: &[Value]) -> Value {
        let kind = self
            .field(field)
            .map(|f| f.field_type.clone())
            .unwrap_or_default();
        let line = |item: &Value| {
            let text = match item.get("value") {
                Some(Value::String(s)) => s.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            let enum_id = item.get("enum_id").cloned().unwrap_or(Value::Null);
            json!({"custom_field_value": {"field_id": field, "field_type": kind, "enum_id": enum_id, "text": text}})
        };
        Value::Array(items.iter().map(line).collect())
    }
}
