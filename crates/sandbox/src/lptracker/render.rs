//! REST answers: the exact keys and value types of the contract's §2–§7.

use serde_json::{Map, Value, json};

use super::model::{
    Call, Callback, Comment, Contact, Detail, Field, FieldKind, Lead, Payment, Project, Step,
};
use super::state::State;

/// Which answer a lead is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Creation: the traffic view does not exist yet.
    Created,
    /// A single read.
    Single,
    /// An element of a list.
    Listed,
}

pub(super) fn project(project: &Project) -> Value {
    json!({"id": project.id, "name": project.name, "page": project.page, "domain": project.domain})
}

pub(super) fn step(step: &Step) -> Value {
    json!({
        "id": step.id, "name": step.name, "notify": step.notify,
        "in_leads": step.in_leads, "in_deals": step.in_deals,
    })
}

pub(super) fn field(field: &Field) -> Value {
    let mut out = json!({"id": field.id, "name": field.name, "type": field.kind.word()});
    if field.kind == FieldKind::Cats {
        let categories: Vec<Value> = field
            .categories
            .iter()
            .map(|category| match &category.color {
                Some(color) => json!({"id": category.id, "name": category.name, "color": color}),
                None => json!({"id": category.id, "name": category.name}),
            })
            .collect();
        out["is_multi_select"] = json!(i32::from(field.multi));
        out["categories"] = Value::Array(categories);
    }
    out
}

pub(super) fn callback(callback: &Callback, project_id: i64) -> Value {
    json!({
        "id": callback.id, "name": callback.name, "url": callback.url, "site_id": project_id, "type": 1,
        "created_at": callback.created_at, "updated_at": callback.updated_at,
    })
}

/// A detail by itself: the id is text.
pub(super) fn detail(detail: &Detail) -> Value {
    json!({"id": detail.id.to_string(), "type": detail.kind, "data": detail.data})
}

pub(super) fn payment(payment: &Payment) -> Value {
    json!({"category": payment.category, "purpose": payment.purpose, "sum": payment.sum})
}

impl State {
    /// A contact with details and filled fields; their ids are text, the contact's own is a number.
    pub(super) fn contact_json(&self, contact: &Contact) -> Value {
        let definitions = self
            .project(contact.project_id)
            .map(|project| project.contact_fields.as_slice());
        let fields: Vec<Value> = definitions
            .unwrap_or_default()
            .iter()
            .filter_map(|field| {
                let value = contact.fields.get(&field.id)?;
                Some(json!({"id": field.id.to_string(), "name": field.name, "type": field.kind, "value": value}))
            })
            .collect();
        json!({
            "id": contact.id, "project_id": contact.project_id, "name": contact.name,
            "profession": contact.profession, "site": contact.site,
            "details": contact.details.iter().map(detail).collect::<Vec<_>>(),
            "fields": fields,
            "created_at": self.zone().short_year(contact.created_ms),
        })
    }

    /// The value of a lead field as it is read.
    pub(super) fn custom_value(&self, lead: &Lead, field: &Field) -> Value {
        match field.kind {
            FieldKind::Funnel if self.settings.step_as_string => Value::String(lead.step_id.to_string()),
            FieldKind::Funnel => json!(lead.step_id),
            FieldKind::Owner => {
                json!({"id": lead.owner_id, "type": if lead.owner_id == 0 { "main" } else { "staff" }})
            }
            // A filled file field says what was attached, never the id needed to fetch it.
            FieldKind::File => match lead.files.iter().rev().find(|file| file.field_id == field.id) {
                Some(file) => json!({"name": file.name}),
                None => Value::Null,
            },
            _ => lead.custom.get(&field.id).cloned().unwrap_or(Value::Null),
        }
    }

    pub(super) fn custom_json(&self, lead: &Lead, field: &Field) -> Value {
        json!({
            "id": field.id, "name": field.name, "type": field.kind.word(),
            "value": self.custom_value(lead, field),
        })
    }

    /// A lead; unset fields are present with null, the step travels inside `custom`.
    pub(super) fn lead_json(&self, lead: &Lead, answer: Answer) -> Value {
        let fields = self
            .project(lead.project_id)
            .map(|project| project.fields.as_slice())
            .unwrap_or_default();
        let custom: Vec<Value> = fields.iter().map(|field| self.custom_json(lead, field)).collect();
        let view = match lead.view_id {
            Some(id) if answer != Answer::Created => self.view_json(id),
            _ => Value::Null,
        };
        let contact = self
            .contacts
            .get(&lead.contact_id)
            .map(|contact| self.contact_json(contact));
        let mut out = Map::new();
        out.insert("id".into(), json!(lead.id));
        out.insert("contact_id".into(), json!(lead.contact_id));
        out.insert("name".into(), json!(lead.name));
        if answer != Answer::Created {
            out.insert("deal".into(), json!(lead.deal));
            out.insert("owner_id".into(), json!(lead.owner_id));
            out.insert("stage_id".into(), Value::Null);
            out.insert("created_at".into(), json!(self.zone().minutes(lead.created_ms)));
            out.insert("updated_at".into(), json!(self.zone().minutes(lead.updated_ms)));
        }
        out.insert("view".into(), view);
        out.insert("custom".into(), Value::Array(custom));
        out.insert("contact".into(), contact.unwrap_or(Value::Null));
        if !lead.payments.is_empty() {
            out.insert("payments".into(), lead.payments.iter().map(payment).collect());
        }
        if answer == Answer::Single && self.settings.calls_records_in_lead {
            out.insert(
                "calls_records".into(),
                lead.calls.iter().map(|call| self.call_record(call)).collect(),
            );
        }
        Value::Object(out)
    }

    pub(super) fn view_json(&self, id: i64) -> Value {
        let Some(view) = self.views.get(&id) else {
            return Value::Null;
        };
        let mut out = json!({
            "id": view.id, "project_id": view.project_id, "uuid": null, "ym_client_id": null,
            "ga_client_id": null, "source": "", "campaign": "", "keyword": "", "seo_system": null,
            "page": null, "referer": null,
        });
        for (key, value) in &view.attributes {
            out[key] = value.clone();
        }
        out
    }

    pub(super) fn comment_json(&self, lead: &Lead, comment: &Comment) -> Value {
        let author = self.employee(lead.project_id, comment.author);
        json!({
            "id": comment.id, "text": comment.text,
            "author": {
                "id": comment.author,
                "type": if comment.author == 0 { "main" } else { "staff" },
                "name": author.map(|person| person.name.clone()).unwrap_or_default(),
            },
            "created_at": self.zone().seconds(comment.created_ms),
        })
    }

    /// An item of `/lead/{id}/calls`.
    pub(super) fn call_json(&self, call: &Call) -> Value {
        json!({
            "linkedid": call.linkedid, "time": call.time, "duration": call.duration, "type": call.direction,
            "disposition": call.disposition, "record": self.record_url(call), "owner_id": call.owner_id,
            "owner": null,
        })
    }

    /// An item of `calls_records`; incoming calls carry the service's own spelling.
    pub(super) fn call_record(&self, call: &Call) -> Value {
        let direction = if call.direction == "incoming" {
            "incomming"
        } else {
            call.direction.as_str()
        };
        json!({
            "time": call.time, "linkedid": call.linkedid, "duration": call.duration,
            "record": self.record_url(call), "type": direction, "owner_id": call.owner_id,
        })
    }

    fn record_url(&self, call: &Call) -> Option<String> {
        call.recorded.then(|| {
            format!(
                "{}{}/{}.wav",
                self.public_base,
                super::RECORDS_PATH,
                call.linkedid
            )
        })
    }
}
