//! Webhooks: lead payloads (contract §6.3), CRM-structure payloads (§6.5) and the list of receivers.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::model::{Callback, FieldKind, Lead, Project};
use super::state::{By, IdKind, Origin, Outgoing, State};
use super::text::text_of;
use crate::emitter::{Retry, Webhook};
use crate::journal::Side;

/// Characters a form leaves as they are.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b' ');

/// What happened to a lead or a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It appeared.
    Create,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
}

/// Which of a project's two lists of receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receivers {
    /// `callback-url`.
    Leads,
    /// `project-callback-url`.
    Structure,
}

impl Receivers {
    fn of(self, project: &Project) -> &Vec<Callback> {
        match self {
            Receivers::Leads => &project.callbacks,
            Receivers::Structure => &project.structure_callbacks,
        }
    }

    fn of_mut(self, project: &mut Project) -> &mut Vec<Callback> {
        match self {
            Receivers::Leads => &mut project.callbacks,
            Receivers::Structure => &mut project.structure_callbacks,
        }
    }
}

impl State {
    /// `GET …callback-url`.
    pub(super) fn receivers(&self, project_id: i64, which: Receivers) -> Result<Value, ApiError> {
        let project = self.project(project_id)?;
        Ok(which
            .of(project)
            .iter()
            .map(|entry| super::render::callback(entry, project_id))
            .collect())
    }

    /// `PUT …callback-url`: a new url is added, a known one renamed, an empty one removes the entries of the same
    /// name, or all of them when no name is given. (How the service really does it is not known.)
    pub(super) fn put_receiver(
        &mut self,
        project_id: i64,
        which: Receivers,
        body: &Map<String, Value>,
        by: By,
    ) -> Result<Value, ApiError> {
        let url = match body.get("url") {
            Some(Value::String(url)) => url.trim().to_owned(),
            _ => return Err(ApiError::invalid("url")),
        };
        let name = text_of(body, "name");
        let absolute = ["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme));
        if !url.is_empty() && !absolute {
            return Err(ApiError::invalid("url"));
        }
        let now = by.now_ms.div_euclid(1000);
        let id = self.ids.next(IdKind::Callback);
        let entries = which.of_mut(self.project_mut(project_id)?);
        if url.is_empty() {
            entries.retain(|entry| !name.is_empty() && entry.name != name);
        } else if let Some(entry) = entries.iter_mut().find(|entry| entry.url == url) {
            if !name.is_empty() {
                entry.name = name;
            }
            entry.updated_at = now;
        } else {
            entries.push(Callback {
                id,
                name,
                url,
                created_at: now,
                updated_at: now,
            });
        }
        Ok(Value::Bool(true))
    }

    /// Notes a change of a lead: moves `updated_at` and queues the webhook. `fields` says what changed.
    pub(super) fn lead_changed(&mut self, lead_id: i64, fields: &[&str], by: By) {
        if let Some(lead) = self.leads.get_mut(&lead_id) {
            lead.updated_ms = by.now_ms.max(lead.updated_ms);
        }
        self.queue_lead(lead_id, Action::Update, fields, by);
    }

    /// Queues a lead webhook for every receiver of its project.
    pub(super) fn queue_lead(&mut self, lead_id: i64, action: Action, fields: &[&str], by: By) {
        if by.origin == Origin::Api && !self.settings.emit_for_api_writes {
            return;
        }
        let stamp = self.stamp(by.now_ms);
        let Some(lead) = self.leads.get(&lead_id) else {
            return;
        };
        let project_id = lead.project_id;
        let payload = match action {
            Action::Delete => json!({
                "id": lead.id, "project_id": lead.project_id, "contact_id": lead.contact_id,
                "action": action.word(), "action_timestamp": stamp,
            }),
            Action::Create | Action::Update => self.lead_payload(lead, action, fields, stamp, by),
        };
        self.queue(project_id, Receivers::Leads, &payload);
    }

    /// Queues a CRM-structure webhook: `kind` is `custom` or `funnel`, `data` the definitions concerned.
    pub(super) fn queue_structure(
        &mut self,
        project_id: i64,
        kind: &str,
        action: Action,
        data: Value,
        by: By,
    ) {
        if by.origin == Origin::Api && !self.settings.emit_for_api_writes {
            return;
        }
        let payload = json!({
            "project_id": project_id, "type": kind, "data": [data], "action": action.word(),
            "action_timestamp": self.stamp(by.now_ms),
        });
        self.queue(project_id, Receivers::Structure, &payload);
    }

    fn queue(&mut self, project_id: i64, which: Receivers, payload: &Value) {
        let Some(project) = self.projects.iter().find(|project| project.id == project_id) else {
            return;
        };
        let messages = which.of(project).iter().map(|entry| Outgoing {
            url: entry.url.clone(),
            payload: payload.clone(),
        });
        self.outbox.extend(messages);
        self.wake.notify_one();
    }

    /// `action_timestamp`: milliseconds that never repeat, since receivers tell events apart by them.
    fn stamp(&mut self, now_ms: i64) -> i64 {
        self.last_action_ms = now_ms.max(self.last_action_ms + 1);
        self.last_action_ms
    }

    fn lead_payload(&self, lead: &Lead, action: Action, fields: &[&str], stamp: i64, by: By) -> Value {
        let contact = self.contacts.get(&lead.contact_id);
        let project = self.project(lead.project_id).ok();
        let step = project.and_then(|project| project.steps.iter().find(|step| step.id == lead.step_id));
        let custom: Vec<Value> = project
            .map(|project| project.fields.as_slice())
            .unwrap_or_default()
            .iter()
            .filter(|field| !field.kind.is_system() || field.kind == FieldKind::File)
            .map(|field| self.custom_json(lead, field))
            .collect();
        let phone = contact.and_then(|contact| contact.first("phone").or_else(|| contact.details.first()));
        let mut payload = json!({
            "id": lead.id, "contact_id": lead.contact_id, "detail_id": phone.map(|detail| detail.id),
            "project_id": lead.project_id, "created_at": lead.created_ms.div_euclid(1000),
            "deal": i32::from(lead.deal), "local_time": self.zone().minutes(lead.created_ms),
            "capture_type": lead.capture, "owner_id": lead.owner_id, "stage_id": lead.step_id,
            "name": lead.name, "form": "",
            "author": self.person_payload(lead.project_id, by.author()),
            "custom": custom,
            "view": self.view_payload(lead),
            "contact": self.contact_payload(lead),
            "owner": self.person_payload(lead.project_id, lead.owner_id),
            "stage": {"id": lead.step_id, "name": step.map(|step| step.name.clone()).unwrap_or_default()},
            "payments": self.payments_payload(lead),
            "calls_records": lead.calls.iter().map(|call| self.call_record(call)).collect::<Vec<_>>(),
            "action": action.word(), "action_timestamp": stamp,
        });
        payload["owner"]["last_project"] = json!(lead.project_id);
        if action == Action::Update {
            payload["action_update_fields"] = if self.settings.update_fields_as_array {
                json!(fields)
            } else {
                json!(fields.join(","))
            };
        }
        payload
    }

    /// `author` and `owner`: their `type` is a number, unlike REST.
    fn person_payload(&self, project_id: i64, staff_id: i64) -> Value {
        let person = self.employee(project_id, staff_id);
        json!({
            "id": staff_id, "type": i32::from(staff_id != 0),
            "name": person.map(|person| person.name.as_str()).unwrap_or_default(),
            "job": person.map(|person| person.job.as_str()).unwrap_or_default(),
        })
    }

    fn view_payload(&self, lead: &Lead) -> Value {
        let Some(view) = lead.view_id.and_then(|id| self.views.get(&id)) else {
            return Value::Null;
        };
        let text = |key: &str| view.attributes.get(key).cloned().unwrap_or_else(|| json!(""));
        let identity = |key: &str| view.attributes.get(key).cloned().unwrap_or(Value::Null);
        json!({
            "id": view.id, "project_id": view.project_id, "source": text("source"),
            "campaign": text("campaign"), "keyword": text("keyword"), "address": text("page"),
            "click_time": lead.born_ms.div_euclid(1000), "platform": "", "browser": "", "ip": "",
            "referrer": text("referer"), "lead_from": "", "ym_client_id": identity("ym_client_id"),
            "ga_client_id": identity("ga_client_id"),
        })
    }

    /// The contact as webhooks carry it: details under `contacts`, numeric ids, unix time.
    fn contact_payload(&self, lead: &Lead) -> Value {
        let Some(contact) = self.contacts.get(&lead.contact_id) else {
            return Value::Null;
        };
        let details: Vec<Value> = contact
            .details
            .iter()
            .map(|detail| json!({"id": detail.id, "type": detail.kind, "data": detail.data}))
            .collect();
        let definitions = self
            .project(contact.project_id)
            .map(|project| project.contact_fields.as_slice());
        let fields: Vec<Value> = definitions
            .unwrap_or_default()
            .iter()
            .filter_map(|field| {
                let value = contact.fields.get(&field.id)?;
                Some(json!({"id": field.id, "name": field.name, "type": field.kind, "value": value}))
            })
            .collect();
        json!({
            "id": contact.id, "name": contact.name, "profession": contact.profession, "site": contact.site,
            "created_at": contact.created_ms.div_euclid(1000), "project_id": contact.project_id,
            "contacts": details, "fields": fields,
        })
    }

    fn payments_payload(&self, lead: &Lead) -> Vec<Value> {
        // Categories and purposes are dictionary entries there; equal texts get equal ids.
        let id_of = |text: &str| {
            text.bytes()
                .fold(7_i64, |id, byte| (id * 31 + i64::from(byte)) % 99_991)
        };
        lead.payments
            .iter()
            .map(|payment| {
                json!({
                    "sum": format!("{:.2}", payment.sum), "purpose_id": id_of(&payment.purpose),
                    "purpose_name": payment.purpose, "category_id": id_of(&payment.category),
                    "category_name": payment.category,
                })
            })
            .collect()
    }

    /// Webhooks caused since the last call, ready for the emitter.
    pub fn take_outgoing(&mut self) -> Vec<Webhook> {
        let retries = self.settings.webhook_retries;
        let pause = Duration::from_millis(self.settings.webhook_retry_pause_ms);
        let timeout = Duration::from_millis(self.settings.webhook_timeout_ms);
        self.outbox
            .drain(..)
            .map(|message| Webhook {
                side: Side::Lptracker,
                url: message.url,
                method: "POST",
                content_type: "application/x-www-form-urlencoded",
                headers: Vec::new(),
                body: form_body(&message.payload),
                max_attempts: retries.saturating_add(1),
                schedule: (0..retries)
                    .map(|_| Retry {
                        after: pause,
                        only_server_errors: false,
                    })
                    .collect(),
                timeout,
                timeout_status: 0,
                tag: None,
            })
            .collect()
    }
}

/// One form field `data` with the JSON text.
fn form_body(payload: &Value) -> String {
    let text = payload.to_string();
    format!(
        "data={}",
        percent_encode(text.as_bytes(), FORM)
            .to_string()
            .replace(' ', "+")
    )
}
