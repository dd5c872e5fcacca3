//! The control API below `/_sandbox/lptracker`, without HTTP: path and body in, JSON out.
//!
//! | call | body or query |
//! |---|---|
//! | `GET board` | `project_id`, the first project when absent |
//! | `GET lead` | `id` |
//! | `GET`/`POST settings` | any of [`Settings`]; the rest stays |
//! | `GET stats` | |
//! | `POST tokens/expire` | |
//! | `POST accounts` | `login`, `password` |
//! | `POST fire` | `lead_id`, `action`, `fields` |
//! | `POST ui/create` | `project_id`, `name`, `contact_name`, `phone`, `email` or `contact_id`, `step_id` or `step`, `owner`, `custom`, `callback` |
//! | `POST ui/move` | `lead_id`, `step_id` or `step` (name) |
//! | `POST ui/edit` | `lead_id`, any of `name`, `custom`, `owner`, `contact_name`, `phone`, `email` |
//! | `POST ui/owner`, `ui/comment`, `ui/payment`, `ui/delete`, `ui/call` | `lead_id` and `owner`; `text`, `author`; `category`, `purpose`, `sum` |
//! | `POST ui/call-outcome` | [`CallOutcome`]; with `lead_id` the call ends now, without it the next call ends so |
//! | `POST ui/step/add`, `rename`, `remove` | `project_id`, `name`; `step_id`, `name`; `step_id` |
//! | `POST ui/field/add`, `remove` | `project_id` and the body of `/custom/{project}/create`; `field_id` |
//!
//! Mistakes are answered with HTTP 400 or 404 and `{"error": …}`.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::hooks::Action;
use super::model::{Lead, Project};
use super::projects::wanted_id;
use super::render;
use super::settings::{CallOutcome, Settings};
use super::state::State;
use super::text::{Query, int, scalar, text_of};
use super::ui::{wanted_step, wants};

impl State {
    /// Answers a control request; `path` starts after `/_sandbox/lptracker/`.
    pub fn control(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        body: &Value,
    ) -> Result<Value, ApiError> {
        self.tick();
        let query = Query::parse(query);
        let empty = Map::new();
        let body = body.as_object().unwrap_or(&empty);
        let lead_id = || wanted_id(body, "lead_id");
        let done = |id: i64| json!({"ok": true, "id": id});
        match (method, path) {
            ("GET", "board") => self.board(query.get("project_id").and_then(|id| id.parse().ok())),
            ("GET", "lead") => {
                let id = query
                    .get("id")
                    .and_then(|id| id.parse().ok())
                    .ok_or_else(|| ApiError::invalid("id"))?;
                Ok(self.card(self.lead(id)?))
            }
            ("GET", "settings") => Ok(json!(self.settings)),
            ("POST" | "PUT" | "PATCH", "settings") => self.change_settings(body),
            ("GET", "stats") => Ok(self.stats()),
            ("POST", "tokens/expire") => {
                self.expire_tokens();
                Ok(json!({"ok": true}))
            }
            ("POST", "accounts") => self
                .add_account(&text_of(body, "login"), &text_of(body, "password"))
                .map(done),
            ("POST", "fire") => self.control_fire(lead_id()?, body),
            ("POST", "ui/create") => self.control_create(body).map(done),
            ("POST", "ui/move") => {
                let id = lead_id()?;
                let step = wanted_step(self, self.lead(id)?.project_id, body)?;
                self.ui_move(id, step).map(|()| done(id))
            }
            ("POST", "ui/edit") => self.ui_edit(lead_id()?, body).and_then(|()| Ok(done(lead_id()?))),
            ("POST", "ui/owner") => {
                let id = lead_id()?;
                self.ui_owner(id, wanted_id(body, "owner")?).map(|()| done(id))
            }
            ("POST", "ui/comment") => {
                let author = body.get("author").and_then(int).unwrap_or(0);
                self.ui_comment(lead_id()?, &text_of(body, "text"), author)
                    .map(done)
            }
            ("POST", "ui/payment") => self
                .ui_payment(lead_id()?, body)
                .and_then(|()| Ok(done(lead_id()?))),
            ("POST", "ui/delete") => self.ui_delete(lead_id()?).and_then(|()| Ok(done(lead_id()?))),
            ("POST", "ui/call") => self.ui_call(lead_id()?).and_then(|()| Ok(done(lead_id()?))),
            ("POST", "ui/call-outcome") => self.control_outcome(body),
            ("POST", "ui/step/add") => {
                let project = self.chosen_project(body.get("project_id").and_then(int))?.id;
                self.ui_step_add(project, &text_of(body, "name")).map(done)
            }
            ("POST", "ui/step/rename") => {
                let id = wanted_id(body, "step_id")?;
                self.ui_step_rename(id, &text_of(body, "name")).map(|()| done(id))
            }
            ("POST", "ui/step/remove") => {
                let id = wanted_id(body, "step_id")?;
                self.ui_step_remove(id).map(|()| done(id))
            }
            ("POST", "ui/field/add") => {
                let project = self.chosen_project(body.get("project_id").and_then(int))?.id;
                self.ui_field_add(project, body).map(done)
            }
            ("POST", "ui/field/remove") => {
                let id = wanted_id(body, "field_id")?;
                self.ui_field_remove(id).map(|()| done(id))
            }
            _ => Err(ApiError::not_found()),
        }
    }

    /// The project asked for, or the first one.
    fn chosen_project(&self, id: Option<i64>) -> Result<&Project, ApiError> {
        match id {
            Some(id) => self.project(id),
            None => self.projects.first().ok_or_else(ApiError::not_found),
        }
    }

    /// One project as a board, with the names of the others.
    pub fn board(&self, project_id: Option<i64>) -> Result<Value, ApiError> {
        let projects: Vec<Value> = self
            .projects
            .iter()
            .map(|project| json!({"id": project.id, "name": project.name}))
            .collect();
        let Ok(project) = self.chosen_project(project_id) else {
            return Ok(
                json!({"project": null, "projects": projects, "steps": [], "fields": [], "staff": []}),
            );
        };
        let steps: Vec<Value> = project
            .steps
            .iter()
            .map(|step| {
                let mut column = render::step(step);
                let leads = self.leads.values().rev().filter(|lead| lead.step_id == step.id);
                column["payment"] = json!(step.payment);
                column["robot"] = json!(
                    project
                        .autofunnels
                        .iter()
                        .any(|a| a.active && a.step_id == step.id)
                );
                column["leads"] = leads.map(|lead| self.card(lead)).collect();
                column
            })
            .collect();
        Ok(json!({
            "project": render::project(project), "projects": projects, "steps": steps,
            "fields": project.fields.iter().map(render::field).collect::<Vec<_>>(),
            "staff": self.list_staff(&project.account),
        }))
    }

    /// Everything about a lead for a person: contact, phone, owner, values, comments, calls, files.
    fn card(&self, lead: &Lead) -> Value {
        let contact = self.contacts.get(&lead.contact_id);
        let detail = |kind: &str| {
            contact
                .and_then(|contact| contact.first(kind))
                .map(|detail| &detail.data)
        };
        let fields = self
            .project(lead.project_id)
            .map(|project| project.fields.as_slice())
            .unwrap_or_default();
        let owner = self.employee(lead.project_id, lead.owner_id);
        let ringing = self
            .pending_calls
            .iter()
            .filter(|call| call.lead_id == lead.id)
            .map(|call| call.due_ms)
            .min();
        json!({
            "id": lead.id, "name": lead.name, "project_id": lead.project_id, "step_id": lead.step_id,
            "deal": lead.deal, "owner_id": lead.owner_id, "owner": owner.map(|person| &person.name),
            "created_at": self.zone().minutes(lead.created_ms), "updated_at": self.zone().minutes(lead.updated_ms),
            "contact": contact.map(|contact| json!({"id": contact.id, "name": contact.name})),
            "phone": detail("phone"), "email": detail("email"),
            "custom": fields.iter().map(|field| self.custom_json(lead, field)).collect::<Vec<_>>(),
            "payments": lead.payments.iter().map(render::payment).collect::<Vec<_>>(),
            "comments_count": lead.comments.len(),
            "comments": lead.comments.iter().map(|c| self.comment_json(lead, c)).collect::<Vec<_>>(),
            "calls": lead.calls.iter().map(|call| self.call_json(call)).collect::<Vec<_>>(),
            "files": lead.files.iter().map(|file| json!({"id": file.id, "name": file.name, "mime": file.mime}))
                .collect::<Vec<_>>(),
            "call_ends_ms": ringing,
        })
    }

    /// Merges the sent switches into the settings; a mistyped switch is an error.
    fn change_settings(&mut self, body: &Map<String, Value>) -> Result<Value, ApiError> {
        let mut merged = json!(self.settings);
        for (key, value) in body {
            merged[key] = value.clone();
        }
        self.settings = serde_json::from_value::<Settings>(merged).map_err(|error| ApiError {
            code: 400,
            message: error.to_string(),
        })?;
        Ok(json!(self.settings))
    }

    fn control_create(&mut self, body: &Map<String, Value>) -> Result<i64, ApiError> {
        let project_id = self.chosen_project(body.get("project_id").and_then(int))?.id;
        let mut details = Vec::new();
        for kind in ["phone", "email"] {
            if let Some(data) = body.get(kind).and_then(scalar).filter(|data| !data.is_empty()) {
                details.push(json!({"type": kind, "data": data}));
            }
        }
        let step = if body.contains_key("step_id") || body.contains_key("step") {
            Some(wanted_step(self, project_id, body)?)
        } else {
            None
        };
        let mut lead = json!({
            "name": text_of(body, "name"), "callback": wants(body, "callback"), "funnel": step,
            "owner": body.get("owner"), "custom": body.get("custom"), "view": {"source": "Вручную"},
        });
        match body.get("contact_id") {
            Some(id) => lead["contact_id"] = id.clone(),
            None => {
                let name = text_of(body, "contact_name");
                lead["contact"] = json!({"project_id": project_id, "name": name, "details": details});
            }
        }
        self.ui_create_json(project_id, &lead)
    }

    /// With `lead_id` the call ends now; without it the outcome waits for the next call.
    fn control_outcome(&mut self, body: &Map<String, Value>) -> Result<Value, ApiError> {
        let mut rest = body.clone();
        let lead_id = rest.remove("lead_id").as_ref().and_then(int);
        let outcome: CallOutcome = serde_json::from_value(Value::Object(rest)).map_err(|error| ApiError {
            code: 400,
            message: error.to_string(),
        })?;
        match lead_id {
            Some(id) => self.ui_call_outcome(id, &outcome)?,
            None => self.script_call(outcome),
        }
        Ok(json!({"ok": true, "scripted": self.scripted.len()}))
    }

    fn control_fire(&mut self, lead_id: i64, body: &Map<String, Value>) -> Result<Value, ApiError> {
        let action = match text_of(body, "action").as_str() {
            "create" => Action::Create,
            "" | "update" => Action::Update,
            "delete" => Action::Delete,
            _ => return Err(ApiError::invalid("action")),
        };
        let fields = match body.get("fields") {
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            _ => vec!["stage.id".to_owned()],
        };
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        self.fire(lead_id, action, &fields)?;
        Ok(json!({"ok": true}))
    }
}
