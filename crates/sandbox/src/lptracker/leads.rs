//! What can be done to a lead, whoever does it: the API, a person or the robot (contract §4).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::calls::CallReason;
use super::error::ApiError;
use super::hooks::Action;
use super::model::{Comment, Lead, Payment, View};
use super::state::{By, IdKind, Origin, State};
use super::text::{flag, float, int, scalar, text_of};

/// Attributes of a traffic view that are kept; others are ignored.
const VIEW_KEYS: [&str; 11] = [
    "source",
    "campaign",
    "keyword",
    "uuid",
    "ym_client_id",
    "ga_client_id",
    "seo_system",
    "page",
    "referer",
    "visitor",
    "real_visitor",
];

impl State {
    /// `POST /lead`. Nothing is kept when anything is refused.
    pub(super) fn create_lead(
        &mut self,
        body: &Map<String, Value>,
        login: &str,
        by: By,
    ) -> Result<i64, ApiError> {
        if let Some(id) = body.get("contact_id").and_then(int) {
            self.own_contact(login, id)
                .map_err(|_| ApiError::invalid("contact ID"))?;
            return self.create_lead_for(id, body, by);
        }
        let Some(Value::Object(contact)) = body.get("contact") else {
            return Err(ApiError::invalid("contact ID"));
        };
        // The inline contact appears together with the lead, so a refused lead takes it back.
        let contact_id = self.create_contact(contact, login, by)?;
        let created = self.create_lead_for(contact_id, body, by);
        if created.is_err() {
            self.contacts.remove(&contact_id);
        }
        created
    }

    fn create_lead_for(
        &mut self,
        contact_id: i64,
        body: &Map<String, Value>,
        by: By,
    ) -> Result<i64, ApiError> {
        let project_id = self.contact(contact_id)?.project_id;
        let payments = sent_payments(body.get("payments"))?;
        let step_id = self.first_step(
            project_id,
            sent_id(body, &["funnel", "stage_id"])?,
            !payments.is_empty(),
        )?;
        let owner_id = self.sent_owner(project_id, body)?.unwrap_or(0);
        let registered = self.sent_moment(body, "lead_date")?;
        if !payments.is_empty() {
            self.sent_moment(body, "deal_date")?;
        }
        let custom = self.accept_custom(project_id, body.get("custom").unwrap_or(&Value::Null))?;
        let callback = match body.get("callback") {
            None | Some(Value::Null) => self.settings.callback_when_omitted,
            Some(value) => flag(value).ok_or_else(|| ApiError::invalid("callback"))?,
        };
        let view_id = self.sent_view(project_id, body)?;
        let id = self.ids.next(IdKind::Lead);
        let lead = Lead {
            id,
            project_id,
            contact_id,
            name: text_of(body, "name"),
            step_id,
            owner_id,
            deal: !payments.is_empty(),
            capture: if by.origin == Origin::Api { "api" } else { "manual" },
            created_ms: registered.unwrap_or(by.now_ms),
            born_ms: by.now_ms,
            updated_ms: by.now_ms,
            view_id: Some(view_id),
            custom: BTreeMap::new(),
            payments,
            comments: Vec::new(),
            calls: Vec::new(),
            files: Vec::new(),
        };
        self.leads.insert(id, lead);
        self.store_custom(id, custom);
        self.queue_lead(id, Action::Create, &[], by);
        if callback {
            self.start_call(id, CallReason::Callback, by.now_ms);
        }
        self.robot_check(id, by.now_ms);
        Ok(id)
    }

    /// The step of a new lead: the sent one, «Оплата» when there are payments, else the first.
    fn first_step(&self, project_id: i64, sent: Option<i64>, paid: bool) -> Result<i64, ApiError> {
        let steps = &self.project(project_id)?.steps;
        let step = match sent {
            Some(id) => steps.iter().find(|step| step.id == id),
            None if paid => steps.iter().find(|step| step.payment).or(steps.first()),
            None => steps.first(),
        };
        let step = step.ok_or_else(|| ApiError::invalid("funnel"))?;
        if step.payment && !paid {
            return Err(ApiError::invalid("funnel: payment required"));
        }
        Ok(step.id)
    }

    /// `PUT /lead/{id}`: every sent key changes, the rest stays.
    pub(super) fn edit_lead(&mut self, id: i64, body: &Map<String, Value>, by: By) -> Result<(), ApiError> {
        let lead = self.lead(id)?;
        let (project_id, old_step, old_owner) = (lead.project_id, lead.step_id, lead.owner_id);
        let payments = match body.get("payments") {
            None | Some(Value::Null) => None,
            sent => Some(sent_payments(sent)?),
        };
        let paid = payments
            .as_ref()
            .map_or(!lead.payments.is_empty(), |payments| !payments.is_empty());
        let step_id = sent_id(body, &["funnel", "stage_id"])?;
        if let Some(step_id) = step_id {
            self.check_step(project_id, step_id, paid)?;
        }
        let owner = self.sent_owner(project_id, body)?;
        let registered = self.sent_moment(body, "lead_date")?;
        let custom = self.accept_custom(project_id, body.get("custom").unwrap_or(&Value::Null))?;
        let view_id = match body.get("view_id").is_some() || body.get("view").is_some_and(Value::is_object) {
            true => Some(self.sent_view(project_id, body)?),
            false => None,
        };
        let mut changed = self.store_custom(id, custom);
        let lead = self.lead_mut(id)?;
        if let Some(name) = body
            .get("name")
            .and_then(scalar)
            .filter(|name| *name != lead.name)
        {
            lead.name = name;
            changed.push("name".to_owned());
        }
        if let Some(moment) = registered {
            lead.created_ms = moment;
        }
        if view_id.is_some() && view_id != lead.view_id {
            lead.view_id = view_id;
            changed.push("view".to_owned());
        }
        if let Some(payments) = payments {
            lead.deal = lead.deal || !payments.is_empty();
            lead.payments = payments;
            changed.push("payments".to_owned());
        }
        if let Some(owner) = owner.filter(|owner| *owner != old_owner) {
            lead.owner_id = owner;
            changed.push("owner.id".to_owned());
        }
        let moved = step_id.filter(|step| *step != old_step);
        if let Some(step) = moved {
            lead.step_id = step;
            changed.push("stage.id".to_owned());
        }
        if !changed.is_empty() {
            let fields: Vec<&str> = changed.iter().map(String::as_str).collect();
            self.lead_changed(id, &fields, by);
        }
        if moved.is_some() {
            self.robot_check(id, by.now_ms);
        }
        Ok(())
    }

    /// Moves a lead to another step of its project. A move to the step it stands on changes nothing.
    pub(super) fn change_step(&mut self, id: i64, step_id: i64, by: By) -> Result<(), ApiError> {
        let lead = self.lead(id)?;
        let (project_id, old_step, paid) = (lead.project_id, lead.step_id, !lead.payments.is_empty());
        self.check_step(project_id, step_id, paid)?;
        if step_id == old_step {
            return Ok(());
        }
        self.lead_mut(id)?.step_id = step_id;
        self.lead_changed(id, &["stage.id"], by);
        self.robot_check(id, by.now_ms);
        Ok(())
    }

    fn check_step(&self, project_id: i64, step_id: i64, paid: bool) -> Result<(), ApiError> {
        let step = self
            .step(project_id, step_id)
            .map_err(|_| ApiError::invalid("funnel"))?;
        if step.payment && !paid && self.settings.payment_step_needs_payment {
            return Err(ApiError::invalid("funnel: payment required"));
        }
        Ok(())
    }

    /// Gives a lead to an employee; 0 is the main account.
    pub(super) fn change_owner(&mut self, id: i64, owner_id: i64, by: By) -> Result<(), ApiError> {
        let lead = self.lead(id)?;
        let (project_id, old) = (lead.project_id, lead.owner_id);
        self.employee(project_id, owner_id)
            .ok_or_else(|| ApiError::invalid("owner"))?;
        if old != owner_id {
            self.lead_mut(id)?.owner_id = owner_id;
            self.lead_changed(id, &["owner.id"], by);
        }
        Ok(())
    }

    /// Leaves a comment and tells the receivers (unless the switch says comments are silent).
    pub(super) fn add_comment(&mut self, id: i64, text: &str, by: By) -> Result<i64, ApiError> {
        let comment = self.push_comment(id, text, by)?;
        if self.settings.emit_for_comments {
            self.lead_changed(id, &["comments"], by);
        }
        Ok(comment)
    }

    pub(super) fn push_comment(&mut self, id: i64, text: &str, by: By) -> Result<i64, ApiError> {
        if text.trim().is_empty() {
            return Err(ApiError::invalid("text"));
        }
        let comment = self.ids.next(IdKind::Comment);
        let entry = Comment {
            id: comment,
            text: text.to_owned(),
            author: by.author(),
            created_ms: by.now_ms,
        };
        self.lead_mut(id)?.comments.push(entry);
        Ok(comment)
    }

    /// Notes a payment: the lead becomes a deal and moves to «Оплата» unless it already is on a step of deals.
    pub(super) fn add_payment(&mut self, id: i64, body: &Map<String, Value>, by: By) -> Result<(), ApiError> {
        let payment = sent_payment(&Value::Object(body.clone()))?;
        let lead = self.lead(id)?;
        let project = self.project(lead.project_id)?;
        let on_deals = project
            .steps
            .iter()
            .any(|step| step.id == lead.step_id && step.in_deals && !step.in_leads);
        let target = project.steps.iter().find(|step| step.payment).map(|step| step.id);
        let lead = self.lead_mut(id)?;
        lead.payments.push(payment);
        lead.deal = true;
        let mut fields = vec!["payments", "deal"];
        if let Some(step_id) = target.filter(|step_id| !on_deals && lead.step_id != *step_id) {
            lead.step_id = step_id;
            fields.push("stage.id");
        }
        self.lead_changed(id, &fields, by);
        Ok(())
    }

    /// Removes a lead.
    pub(super) fn delete_lead(&mut self, id: i64, by: By) {
        self.queue_lead(id, Action::Delete, &[], by);
        self.leads.remove(&id);
        self.pending_calls.retain(|call| call.lead_id != id);
    }

    fn sent_owner(&self, project_id: i64, body: &Map<String, Value>) -> Result<Option<i64>, ApiError> {
        let owner = sent_id(body, &["owner", "owner_id"])?;
        if let Some(id) = owner {
            self.employee(project_id, id)
                .ok_or_else(|| ApiError::invalid("owner"))?;
        }
        Ok(owner)
    }

    fn sent_moment(&self, body: &Map<String, Value>, key: &str) -> Result<Option<i64>, ApiError> {
        match body.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let moment = value.as_str().and_then(|text| self.zone().parse_minutes(text));
                moment.map(Some).ok_or_else(|| ApiError::invalid(key))
            }
        }
    }

    /// The traffic view of a lead: an existing one by `view_id`, a new one from `view`, or from the three legacy
    /// keys on the top level.
    fn sent_view(&mut self, project_id: i64, body: &Map<String, Value>) -> Result<i64, ApiError> {
        if let Some(id) = sent_id(body, &["view_id"])? {
            let view = self.views.get(&id).filter(|view| view.project_id == project_id);
            return view
                .map(|view| view.id)
                .ok_or_else(|| ApiError::invalid("view ID"));
        }
        match body.get("view") {
            Some(Value::Object(view)) => {
                // Clients that write back what they read send the view with its id.
                let known = view
                    .get("id")
                    .and_then(int)
                    .filter(|id| self.views.contains_key(id));
                Ok(known.unwrap_or_else(|| self.push_view(project_id, view)))
            }
            _ => Ok(self.push_view(project_id, body)),
        }
    }

    /// Creates a traffic view from the keys that belong to one.
    pub(super) fn push_view(&mut self, project_id: i64, body: &Map<String, Value>) -> i64 {
        let id = self.ids.next(IdKind::View);
        let mut view = View {
            id,
            project_id,
            attributes: BTreeMap::new(),
        };
        fill_view(&mut view, body);
        view.attributes
            .entry("source".to_owned())
            .or_insert_with(|| json!("Api"));
        self.views.insert(id, view);
        id
    }
}

/// Takes over the keys that belong to a traffic view.
pub(super) fn fill_view(view: &mut View, body: &Map<String, Value>) {
    for key in VIEW_KEYS {
        if let Some(value) = body.get(key) {
            view.attributes.insert(key.to_owned(), value.clone());
        }
    }
}

/// A number under the first of the keys that is present and not null.
pub(super) fn sent_id(body: &Map<String, Value>, keys: &[&str]) -> Result<Option<i64>, ApiError> {
    for key in keys {
        match body.get(*key) {
            None | Some(Value::Null) => {}
            Some(value) => return int(value).map(Some).ok_or_else(|| ApiError::invalid(key)),
        }
    }
    Ok(None)
}

fn sent_payments(value: Option<&Value>) -> Result<Vec<Payment>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(sent_payment).collect(),
        Some(_) => Err(ApiError::invalid("payments")),
    }
}

fn sent_payment(value: &Value) -> Result<Payment, ApiError> {
    let text = |key: &str| value.get(key).and_then(scalar).unwrap_or_default();
    let sum = value
        .get("sum")
        .and_then(float)
        .filter(|sum| *sum > 0.0)
        .ok_or_else(|| ApiError::invalid("sum"))?;
    Ok(Payment {
        category: text("category"),
        purpose: text("purpose"),
        sum,
    })
}
