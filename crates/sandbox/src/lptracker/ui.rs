//! What a person does in the web interface: the same operations for the control API and for tests in the process.

use serde_json::{Map, Value, json};

use super::calls::CallReason;
use super::error::ApiError;
use super::hooks::Action;
use super::leads::sent_id;
use super::model::{Account, Project, Staff, Step};
use super::render;
use super::settings::CallOutcome;
use super::state::{By, IdKind, Origin, State};
use super::text::{flag, scalar, text_of};

/// A lead typed in by hand.
#[derive(Debug, Clone, Default)]
pub struct NewLead<'a> {
    /// Project.
    pub project_id: i64,
    /// Title.
    pub name: &'a str,
    /// Name of the contact; the phone when empty.
    pub contact_name: &'a str,
    /// Phone of the contact.
    pub phone: &'a str,
    /// E-mail of the contact, may be empty.
    pub email: &'a str,
    /// Step; the first one when absent.
    pub step_id: Option<i64>,
    /// Values of lead fields.
    pub custom: Vec<(i64, Value)>,
}

impl State {
    fn person(&self) -> By {
        self.by(Origin::Person(0))
    }

    fn account_of(&self, project_id: i64) -> Result<String, ApiError> {
        Ok(self.project(project_id)?.account.clone())
    }

    /// Creates a lead with a new contact, as a person does.
    pub fn ui_create(&mut self, new: &NewLead<'_>) -> Result<i64, ApiError> {
        let mut details = Vec::new();
        for (kind, data) in [("phone", new.phone), ("email", new.email)] {
            if !data.is_empty() {
                details.push(json!({"type": kind, "data": data}));
            }
        }
        let custom: Map<String, Value> = new
            .custom
            .iter()
            .map(|(id, value)| (id.to_string(), value.clone()))
            .collect();
        let body = json!({
            "contact": {"project_id": new.project_id, "name": new.contact_name, "details": details},
            "name": new.name, "callback": false, "funnel": new.step_id, "custom": custom,
            "view": {"source": "Вручную"},
        });
        self.ui_create_json(new.project_id, &body)
    }

    pub(super) fn ui_create_json(&mut self, project_id: i64, body: &Value) -> Result<i64, ApiError> {
        let login = self.account_of(project_id)?;
        let body = body.as_object().ok_or_else(ApiError::bad_request)?;
        self.create_lead(body, &login, self.person())
    }

    /// Drags a lead to another step.
    pub fn ui_move(&mut self, lead_id: i64, step_id: i64) -> Result<(), ApiError> {
        self.change_step(lead_id, step_id, self.person())
    }

    /// Edits a lead: `name`, `custom`, `owner`, and of its contact `contact_name`, `phone`, `email`.
    pub fn ui_edit(&mut self, lead_id: i64, body: &Map<String, Value>) -> Result<(), ApiError> {
        let by = self.person();
        let lead = self.lead(lead_id)?;
        let contact = self.contact(lead.contact_id)?;
        let contact_id = contact.id;
        let mut details = Vec::new();
        for kind in ["phone", "email"] {
            if let Some(data) = body.get(kind).and_then(scalar).filter(|data| !data.is_empty()) {
                match contact.first(kind) {
                    Some(detail) => details.push(json!({"id": detail.id, "type": kind, "data": data})),
                    None => details.push(json!({"type": kind, "data": data})),
                }
            }
        }
        let mut change = Map::new();
        if !details.is_empty() {
            change.insert("details".to_owned(), Value::Array(details));
        }
        if let Some(name) = body.get("contact_name") {
            change.insert("name".to_owned(), name.clone());
        }
        let mut own = Map::new();
        for key in ["name", "custom", "owner"] {
            if let Some(value) = body.get(key) {
                own.insert(key.to_owned(), value.clone());
            }
        }
        self.edit_lead(lead_id, &own, by)?;
        if change.is_empty() {
            Ok(())
        } else {
            self.edit_contact(contact_id, &change, by)
        }
    }

    /// Gives a lead to an employee.
    pub fn ui_owner(&mut self, lead_id: i64, owner_id: i64) -> Result<(), ApiError> {
        self.change_owner(lead_id, owner_id, self.person())
    }

    /// Writes a comment as an employee (0 = the main account).
    pub fn ui_comment(&mut self, lead_id: i64, text: &str, author: i64) -> Result<i64, ApiError> {
        self.add_comment(lead_id, text, self.by(Origin::Person(author)))
    }

    /// Notes a payment.
    pub fn ui_payment(&mut self, lead_id: i64, body: &Map<String, Value>) -> Result<(), ApiError> {
        self.add_payment(lead_id, body, self.person())
    }

    /// Deletes a lead.
    pub fn ui_delete(&mut self, lead_id: i64) -> Result<(), ApiError> {
        self.lead(lead_id)?;
        self.delete_lead(lead_id, self.person());
        Ok(())
    }

    /// Presses «Позвонить».
    pub fn ui_call(&mut self, lead_id: i64) -> Result<(), ApiError> {
        self.lead(lead_id)?;
        self.start_call(lead_id, CallReason::Request, self.clock.now_ms());
        Ok(())
    }

    /// Ends the lead's ringing call with this outcome now, or notes a call that just happened.
    pub fn ui_call_outcome(&mut self, lead_id: i64, outcome: &CallOutcome) -> Result<(), ApiError> {
        self.lead(lead_id)?;
        self.check_outcome(lead_id, outcome)?;
        if let Some(index) = self.pending_calls.iter().position(|call| call.lead_id == lead_id) {
            self.pending_calls.remove(index);
        }
        self.finish_call(lead_id, outcome, self.by(Origin::Robot))
    }

    /// Scripts the outcome of the next call (of the next call to `outcome.phone` when that is set).
    pub fn script_call(&mut self, outcome: CallOutcome) {
        self.scripted.push_back(outcome);
    }

    /// A named step must exist: a typing error in a script would otherwise look like a call without a result.
    fn check_outcome(&self, lead_id: i64, outcome: &CallOutcome) -> Result<(), ApiError> {
        let project = self.project(self.lead(lead_id)?.project_id)?;
        let known = match (outcome.step_id, &outcome.step) {
            (Some(id), _) => project.steps.iter().any(|step| step.id == id),
            (None, Some(name)) => project
                .steps
                .iter()
                .any(|step| super::text::same_name(&step.name, name)),
            (None, None) => true,
        };
        if known {
            Ok(())
        } else {
            Err(ApiError::invalid("step"))
        }
    }

    /// Adds a step before the steps of deals.
    pub fn ui_step_add(&mut self, project_id: i64, name: &str) -> Result<i64, ApiError> {
        let step = Step {
            id: self.ids.next(IdKind::Step),
            name: named(name)?,
            notify: false,
            in_leads: true,
            in_deals: false,
            payment: false,
        };
        let (id, data) = (step.id, render::step(&step));
        let steps = &mut self.project_mut(project_id)?.steps;
        let place = steps.iter().position(|step| step.payment).unwrap_or(steps.len());
        steps.insert(place, step);
        self.queue_structure(project_id, "funnel", Action::Create, data, self.person());
        Ok(id)
    }

    /// Renames a step.
    pub fn ui_step_rename(&mut self, step_id: i64, name: &str) -> Result<(), ApiError> {
        let project_id = self.project_of_step(step_id)?;
        let name = named(name)?;
        let steps = &mut self.project_mut(project_id)?.steps;
        let step = steps
            .iter_mut()
            .find(|step| step.id == step_id)
            .ok_or_else(ApiError::not_found)?;
        step.name = name;
        let data = render::step(step);
        self.queue_structure(project_id, "funnel", Action::Update, data, self.person());
        Ok(())
    }

    /// Removes an empty step.
    pub fn ui_step_remove(&mut self, step_id: i64) -> Result<(), ApiError> {
        let project_id = self.project_of_step(step_id)?;
        if self.leads.values().any(|lead| lead.step_id == step_id) {
            return Err(ApiError::invalid("step: leads stand on it"));
        }
        let data = self.step(project_id, step_id).map(render::step)?;
        self.project_mut(project_id)?
            .steps
            .retain(|step| step.id != step_id);
        self.queue_structure(project_id, "funnel", Action::Delete, data, self.person());
        Ok(())
    }

    fn project_of_step(&self, step_id: i64) -> Result<i64, ApiError> {
        let holds = |project: &&Project| project.steps.iter().any(|step| step.id == step_id);
        self.projects
            .iter()
            .find(holds)
            .map(|project| project.id)
            .ok_or_else(ApiError::not_found)
    }

    /// Adds a lead field; the body is that of `POST /custom/{project}/create`.
    pub fn ui_field_add(&mut self, project_id: i64, body: &Map<String, Value>) -> Result<i64, ApiError> {
        self.create_field(project_id, body, self.person())
    }

    /// Removes a lead field with its values; system fields stay.
    pub fn ui_field_remove(&mut self, field_id: i64) -> Result<(), ApiError> {
        let holds = |project: &&Project| project.fields.iter().any(|field| field.id == field_id);
        let project_id = self
            .projects
            .iter()
            .find(holds)
            .ok_or_else(ApiError::not_found)?
            .id;
        let field = self.field(project_id, field_id)?;
        if field.kind.is_system() && field.kind != super::model::FieldKind::File {
            return Err(ApiError::invalid("field: it belongs to the system"));
        }
        let data = render::field(field);
        self.project_mut(project_id)?
            .fields
            .retain(|field| field.id != field_id);
        for lead in self.leads.values_mut() {
            lead.custom.remove(&field_id);
            lead.files.retain(|file| file.field_id != field_id);
        }
        self.queue_structure(project_id, "custom", Action::Delete, data, self.person());
        Ok(())
    }

    /// Adds an account with its main employee and an empty project; returns the project's id.
    pub fn add_account(&mut self, login: &str, password: &str) -> Result<i64, ApiError> {
        if login.is_empty() || password.is_empty() || self.accounts.iter().any(|known| known.login == login) {
            return Err(ApiError::invalid("login"));
        }
        let now = self.clock.now();
        self.accounts.push(Account {
            login: login.to_owned(),
            password: password.to_owned(),
        });
        self.staff.push(Staff {
            account: login.to_owned(),
            id: 0,
            name: "Главный аккаунт".to_owned(),
            job: String::new(),
            created_at: now,
            last_login_at: now,
        });
        let id = self
            .projects
            .iter()
            .map(|project| project.id)
            .max()
            .unwrap_or(118_000)
            + 1;
        let steps = vec![Step {
            id: self.ids.next(IdKind::Step),
            name: "Новый лид".to_owned(),
            notify: true,
            in_leads: true,
            in_deals: false,
            payment: false,
        }];
        let name = format!("Проект {login}");
        self.projects.push(Project {
            id,
            account: login.to_owned(),
            name,
            steps,
            ..Project::default()
        });
        Ok(id)
    }

    /// Fires a lead webhook by hand, whatever the switches say.
    pub fn fire(&mut self, lead_id: i64, action: Action, fields: &[&str]) -> Result<(), ApiError> {
        self.lead(lead_id)?;
        self.queue_lead(lead_id, action, fields, self.person());
        Ok(())
    }
}

fn named(name: &str) -> Result<String, ApiError> {
    if name.trim().is_empty() {
        Err(ApiError::invalid("name"))
    } else {
        Ok(name.to_owned())
    }
}

/// `step_id`, or the step of this name in the project.
pub(super) fn wanted_step(
    state: &State,
    project_id: i64,
    body: &Map<String, Value>,
) -> Result<i64, ApiError> {
    if let Some(id) = sent_id(body, &["step_id", "funnel"])? {
        return Ok(id);
    }
    let name = text_of(body, "step");
    let mut same = state
        .project(project_id)?
        .steps
        .iter()
        .filter(|step| super::text::same_name(&step.name, &name));
    match (same.next(), same.next()) {
        (Some(step), None) => Ok(step.id),
        _ => Err(ApiError::invalid("step_id")),
    }
}

/// Whether a control request asks for something by a flag.
pub(super) fn wants(body: &Map<String, Value>, key: &str) -> bool {
    body.get(key).and_then(flag).unwrap_or(false)
}
