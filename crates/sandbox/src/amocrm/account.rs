//! One account: its data, its history and the hooks it owes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::*;
use crate::clock::Clock;

/// An account. Data are open to tests; `ops` holds the changes that leave traces.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// First label of its host.
    pub subdomain: String,
    /// `ru`.
    pub top_level: String,
    /// Hosts it had before a rename; they answer 404.
    pub former_subdomains: Vec<String>,
    /// Not paid: 402 for everything.
    pub unpaid: bool,
    /// Whether filters by custom field value work.
    pub is_api_filter_enabled: bool,
    /// Whether `/leads/complex` joins a lead to a contact with the same phone or e-mail.
    pub duplicate_control: bool,
    /// Users.
    pub users: Vec<User>,
    /// Pipelines by `sort`.
    pub pipelines: Vec<Pipeline>,
    /// Custom fields of all kinds.
    pub fields: Vec<Field>,
    /// Loss reasons: id and name.
    pub loss_reasons: Vec<(i64, String)>,
    /// Task types: id, name, code.
    pub task_types: Vec<(i64, String, Option<String>)>,
    /// Leads by id.
    pub leads: BTreeMap<i64, Entity>,
    /// Contacts by id.
    pub contacts: BTreeMap<i64, Entity>,
    /// Companies by id.
    pub companies: BTreeMap<i64, Entity>,
    /// Tags of all kinds.
    pub tags: Vec<Tag>,
    /// Tasks by id.
    pub tasks: BTreeMap<i64, Task>,
    /// Notes by id.
    pub notes: BTreeMap<i64, Note>,
    /// History, oldest first.
    pub events: Vec<Event>,
    /// Incoming leads.
    pub unsorted: Vec<Unsorted>,
    /// Webhook subscriptions.
    pub hooks: Vec<Subscription>,
    /// Digital Pipeline hooks.
    pub stage_hooks: Vec<StageHook>,
    /// Neighbours of an entity, both directions; the flag is `is_main` of a lead's contact.
    pub(crate) links: BTreeMap<(Kind, i64), Vec<Link>>,
    /// Hooks owed for changes made since the last flush.
    pub(crate) owed: Vec<Owed>,
    pub(crate) search_delay_ms: i64,
    pub(crate) hook_on_noop: bool,
    pub(crate) clock: Clock,
    counters: BTreeMap<&'static str, i64>,
}

/// Kind and id of a neighbour, and whether it is the main contact of a lead.
type Link = (Kind, i64, bool);

/// A fact a subscriber may want to know.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    /// Event code of the subscription; empty for Digital Pipeline.
    pub code: &'static str,
    /// First key of the body.
    pub section: &'static str,
    /// Second key of the body.
    pub action: &'static str,
    /// Pairs below `section[action][index]`.
    pub item: Vec<(String, String)>,
    /// For Digital Pipeline: where the lead is and where it was.
    pub stage: Option<Stage>,
}

/// A lead entering a stage.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub pipeline_id: i64,
    pub status_id: i64,
    pub created: bool,
}

impl Account {
    /// An account without users, pipelines and data.
    pub fn empty(id: i64, subdomain: &str, clock: &Clock) -> Self {
        Self {
            id,
            name: subdomain.to_owned(),
            subdomain: subdomain.to_owned(),
            top_level: "ru".to_owned(),
            former_subdomains: Vec::new(),
            unpaid: false,
            is_api_filter_enabled: false,
            duplicate_control: false,
            users: Vec::new(),
            pipelines: Vec::new(),
            fields: Vec::new(),
            loss_reasons: Vec::new(),
            task_types: Vec::new(),
            leads: BTreeMap::new(),
            contacts: BTreeMap::new(),
            companies: BTreeMap::new(),
            tags: Vec::new(),
            tasks: BTreeMap::new(),
            notes: BTreeMap::new(),
            events: Vec::new(),
            unsorted: Vec::new(),
            hooks: Vec::new(),
            stage_hooks: Vec::new(),
            links: BTreeMap::new(),
            owed: Vec::new(),
            search_delay_ms: 0,
            hook_on_noop: false,
            clock: clock.clone(),
            counters: BTreeMap::new(),
        }
    }

    /// Host of the account, without scheme.
    pub fn domain(&self) -> String {
        format!("{}.amocrm.{}", self.subdomain, self.top_level)
    }

    /// Virtual time, Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Entities of a kind.
    pub fn table(&self, kind: Kind) -> &BTreeMap<i64, Entity> {
        match kind {
            Kind::Lead => &self.leads,
            Kind::Contact => &self.contacts,
            Kind::Company => &self.companies,
        }
    }

    /// Entities of a kind.
    pub fn table_mut(&mut self, kind: Kind) -> &mut BTreeMap<i64, Entity> {
        match kind {
            Kind::Lead => &mut self.leads,
            Kind::Contact => &mut self.contacts,
            Kind::Company => &mut self.companies,
        }
    }

    /// An entity that is not in the bin.
    pub fn alive(&self, kind: Kind, id: i64) -> Option<&Entity> {
        self.table(kind).get(&id).filter(|e| !e.is_deleted)
    }

    /// A user who may be assigned.
    pub fn active_user(&self, id: i64) -> Option<&User> {
        self.users.iter().find(|u| u.id == id && u.is_active)
    }

    /// The pipeline with this id.
    pub fn pipeline(&self, id: i64) -> Option<&Pipeline> {
        self.pipelines.iter().find(|p| p.id == id)
    }

    /// Where new leads go.
    pub fn main_pipeline(&self) -> Option<&Pipeline> {
        self.pipelines
            .iter()
            .find(|p| p.is_main)
            .or_else(|| self.pipelines.first())
    }

    /// The field with this id.
    pub fn field(&self, id: i64) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }

    /// The field of a kind with this code.
    pub fn field_by_code(&self, kind: Kind, code: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|f| f.kind == kind && f.code.as_deref() == Some(code))
    }

    /// Neighbours of one kind: id and `is_main`.
    pub fn linked(&self, from: (Kind, i64), to: Kind) -> Vec<(i64, bool)> {
        let all = self.links.get(&from).map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter(|(kind, ..)| *kind == to)
            .map(|(_, id, main)| (*id, *main))
            .collect()
    }

    /// Deadline of the nearest open task of an entity.
    pub fn closest_task_at(&self, entity: (Kind, i64)) -> Option<i64> {
        let open = |t: &&Task| t.entity == Some(entity) && !t.is_completed;
        self.tasks.values().filter(open).map(|t| t.complete_till).min()
    }

    /// Tag of a kind with exactly this name, made when absent.
    pub fn tag_named(&mut self, kind: Kind, name: &str) -> i64 {
        if let Some(tag) = self.tags.iter().find(|t| t.kind == kind && t.name == name) {
            return tag.id;
        }
        let id = self.next("tag");
        self.tags.push(Tag {
            id,
            kind,
            name: name.to_owned(),
            color: None,
        });
        id
    }

    /// A new id for a table.
    pub fn next(&mut self, table: &'static str) -> i64 {
        let start = match table {
            "leads" => 40_000_000,
            "contacts" => 50_000_000,
            "companies" => 60_000_000,
            "task" => 4_745_000,
            "note" => 76_610_000,
            "tag" => 263_800,
            "hook" => 1_056_800,
            "field" => 1_016_200,
            "enum" => 1_867_900,
            "pipeline" => 7_100_000,
            "status" => 59_000_000,
            "user" => 11_100_000,
            _ => 0,
        };
        let counter = self.counters.entry(table).or_insert(start);
        *counter += 1;
        *counter
    }

    /// Puts an entity in as it is: no event, no hook, found by search at once.
    pub fn insert(&mut self, entity: Entity) {
        self.table_mut(entity.kind).insert(entity.id, entity);
    }

    /// Joins two entities: no event, no hook.
    pub fn join(&mut self, a: (Kind, i64), b: (Kind, i64), is_main: bool) {
        for (from, to) in [(a, b), (b, a)] {
            let list = self.links.entry(from).or_default();
            match list.iter_mut().find(|(kind, id, _)| (*kind, *id) == to) {
                Some(link) => link.2 = is_main,
                None => list.push((to.0, to.1, is_main)),
            }
        }
    }

    /// Separates two entities; answers whether they were joined.
    pub fn part(&mut self, a: (Kind, i64), b: (Kind, i64)) -> bool {
        let mut parted = false;
        for (from, to) in [(a, b), (b, a)] {
            if let Some(list) = self.links.get_mut(&from) {
                let before = list.len();
                list.retain(|(kind, id, _)| (*kind, *id) != to);
                parted |= list.len() < before;
            }
        }
        parted
    }

    /// Writes a line of the history.
    pub(crate) fn log(
        &mut self,
        event_type: impl Into<String>,
        (entity_type, entity_id): (&'static str, i64),
        created_by: i64,
        before: Value,
        after: Value,
    ) {
        let serial = self.next("event");
        let id = event_id(self.clock.now_ms(), serial);
        let created_at = self.now();
        let event_type = event_type.into();
        self.events.push(Event {
            id,
            event_type,
            entity_type,
            entity_id,
            created_by,
            created_at,
            before,
            after,
        });
    }

    /// Notes a fact for the subscribers.
    pub(crate) fn owe(
        &mut self,
        code: &'static str,
        section: &'static str,
        action: &'static str,
        item: Vec<(String, String)>,
    ) {
        self.owed.push(Owed {
            code,
            section,
            action,
            item,
            stage: None,
        });
    }

    /// `account` of links in bodies.
    pub(crate) fn subdomain_json(&self) -> Value {
        json!({"id": self.id, "subdomain": self.subdomain, "domain": self.domain(), "top_level_domain": self.top_level})
    }
}

/// 26 lower-case characters that grow with time.
fn event_id(now_ms: i64, serial: i64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut number = (u128::from(now_ms.unsigned_abs()) << 80) | u128::from(serial.unsigned_abs());
    let mut out = [b'0'; 26];
    for slot in out.iter_mut().rev() {
        *slot = DIGITS[(number & 31) as usize];
        number >>= 5;
    }
    out.iter().map(|b| char::from(*b)).collect()
}
