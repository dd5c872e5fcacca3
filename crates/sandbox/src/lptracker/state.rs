//! The whole memory of the fake and the lookups every operation starts from.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Notify;

use super::auth::Meter;
use super::calls::PendingCall;
use super::error::ApiError;
use super::model::{Account, Contact, Detail, Field, Lead, Project, Session, Staff, Step, View};
use super::settings::{CallOutcome, Settings};
use super::text::Zone;
use crate::clock::Clock;

/// One webhook waiting to be handed to the emitter.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Receiver.
    pub url: String,
    /// Payload that goes into the form field `data`.
    pub payload: Value,
}

/// Who makes a change and when (virtual milliseconds).
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// Virtual time of the change, unix milliseconds.
    pub now_ms: i64,
    /// Who makes it.
    pub origin: Origin,
}

/// Who makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An integration through the API; it acts as the main account.
    Api,
    /// A person in the web interface, by employee id.
    Person(i64),
    /// The call robot or the telephone exchange.
    Robot,
}

impl By {
    /// The employee shown as author.
    pub fn author(self) -> i64 {
        match self.origin {
            Origin::Person(id) => id,
            Origin::Api | Origin::Robot => 0,
        }
    }
}

/// Memory of the fake LPTracker.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Virtual time, shared with the whole sandbox.
    pub clock: Clock,
    /// Switches.
    pub settings: Settings,
    /// Where this sandbox is reached, without a trailing slash; recordings are linked from here.
    pub public_base: String,
    /// Accounts that may sign in.
    pub accounts: Vec<Account>,
    /// Employees of all accounts.
    pub staff: Vec<Staff>,
    /// Projects in display order.
    pub projects: Vec<Project>,
    /// Contacts by id.
    pub contacts: BTreeMap<i64, Contact>,
    /// Leads by id.
    pub leads: BTreeMap<i64, Lead>,
    /// Traffic views by id.
    pub views: BTreeMap<i64, View>,
    /// Calls still ringing.
    pub pending_calls: Vec<PendingCall>,
    /// Outcomes scripted for the next calls.
    pub scripted: VecDeque<CallOutcome>,
    /// Webhooks not yet handed to the emitter.
    pub outbox: Vec<Outgoing>,
    /// Tokens alive.
    pub(super) sessions: HashMap<String, Session>,
    /// Rate accounting.
    pub(super) meter: Meter,
    pub(super) ids: Ids,
    pub(super) last_action_ms: i64,
    /// Wakes the loop that ends calls and hands over webhooks.
    pub(super) wake: Arc<Notify>,
}

/// Kinds of ids; each counts from the magnitude seen at the real service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum IdKind {
    Contact,
    Detail,
    Lead,
    View,
    Comment,
    File,
    Label,
    Callback,
    Step,
    Field,
    Category,
    Call,
}

/// Counters of ids.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids(BTreeMap<IdKind, i64>);

impl Ids {
    pub(super) fn next(&mut self, kind: IdKind) -> i64 {
        let last = self.0.entry(kind).or_insert(match kind {
            IdKind::Contact => 61_204_000,
            IdKind::Detail => 92_310_000,
            IdKind::Lead => 80_415_000,
            IdKind::View => 54_770_000,
            IdKind::Comment => 33_000_900,
            IdKind::File => 7_100_070,
            IdKind::Label => 51_200,
            IdKind::Callback => 10_500,
            IdKind::Step => 1_790_000,
            IdKind::Field => 2_010_000,
            IdKind::Category => 3_400_000,
            IdKind::Call => 100,
        });
        *last += 1;
        *last
    }
}

impl State {
    /// A change made now by somebody.
    pub(super) fn by(&self, origin: Origin) -> By {
        By {
            now_ms: self.clock.now_ms(),
            origin,
        }
    }

    /// The zone of textual dates.
    pub fn zone(&self) -> Zone {
        Zone::hours(self.settings.utc_offset_hours)
    }

    /// The project, whoever owns it.
    pub fn project(&self, id: i64) -> Result<&Project, ApiError> {
        self.projects
            .iter()
            .find(|project| project.id == id)
            .ok_or_else(ApiError::not_found)
    }

    pub(super) fn project_mut(&mut self, id: i64) -> Result<&mut Project, ApiError> {
        self.projects
            .iter_mut()
            .find(|project| project.id == id)
            .ok_or_else(ApiError::not_found)
    }

    /// The lead, whoever owns it.
    pub fn lead(&self, id: i64) -> Result<&Lead, ApiError> {
        self.leads.get(&id).ok_or_else(ApiError::not_found)
    }

    pub(super) fn lead_mut(&mut self, id: i64) -> Result<&mut Lead, ApiError> {
        self.leads.get_mut(&id).ok_or_else(ApiError::not_found)
    }

    /// The contact, whoever owns it.
    pub fn contact(&self, id: i64) -> Result<&Contact, ApiError> {
        self.contacts.get(&id).ok_or_else(ApiError::not_found)
    }

    pub(super) fn contact_mut(&mut self, id: i64) -> Result<&mut Contact, ApiError> {
        self.contacts.get_mut(&id).ok_or_else(ApiError::not_found)
    }

    /// Whether the account owns the project.
    pub(super) fn owns(&self, login: &str, project_id: i64) -> bool {
        self.project(project_id)
            .is_ok_and(|project| project.account == login)
    }

    /// The project, for its owner only: other accounts get the 404 of something that does not exist.
    pub(super) fn own_project(&self, login: &str, id: i64) -> Result<&Project, ApiError> {
        self.project(id).and_then(|project| {
            if project.account == login {
                Ok(project)
            } else {
                Err(ApiError::not_found())
            }
        })
    }

    /// The lead, for its owner only.
    pub(super) fn own_lead(&self, login: &str, id: i64) -> Result<&Lead, ApiError> {
        let lead = self.lead(id)?;
        self.own_project(login, lead.project_id).map(|_| lead)
    }

    /// The contact, for its owner only.
    pub(super) fn own_contact(&self, login: &str, id: i64) -> Result<&Contact, ApiError> {
        let contact = self.contact(id)?;
        self.own_project(login, contact.project_id).map(|_| contact)
    }

    /// The step with its project.
    pub(super) fn step(&self, project_id: i64, step_id: i64) -> Result<&Step, ApiError> {
        let project = self.project(project_id)?;
        project
            .steps
            .iter()
            .find(|step| step.id == step_id)
            .ok_or_else(ApiError::not_found)
    }

    /// The lead field of a project.
    pub(super) fn field(&self, project_id: i64, field_id: i64) -> Result<&Field, ApiError> {
        let project = self.project(project_id)?;
        project
            .fields
            .iter()
            .find(|field| field.id == field_id)
            .ok_or_else(ApiError::not_found)
    }

    /// The employee of the account that owns the project.
    pub(super) fn employee(&self, project_id: i64, staff_id: i64) -> Option<&Staff> {
        let account = &self.project(project_id).ok()?.account;
        self.staff
            .iter()
            .find(|person| person.id == staff_id && person.account == *account)
    }

    /// The contact and the detail of this id.
    pub(super) fn detail(&self, detail_id: i64) -> Result<(&Contact, &Detail), ApiError> {
        self.contacts
            .values()
            .find_map(|contact| Some((contact, contact.details.iter().find(|d| d.id == detail_id)?)))
            .ok_or_else(ApiError::not_found)
    }

    /// Ids of the contact's leads, oldest first.
    pub(super) fn leads_of(&self, contact_id: i64) -> Vec<i64> {
        self.leads
            .values()
            .filter(|lead| lead.contact_id == contact_id)
            .map(|lead| lead.id)
            .collect()
    }
}
