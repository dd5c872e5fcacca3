//! What the fake LPTracker remembers. Plain data: behaviour lives in the sibling modules.

use std::collections::BTreeMap;

use serde_json::Value;

/// A person's LPTracker account: what `/login` checks and what owns projects.
#[derive(Debug, Clone)]
pub struct Account {
    /// Login of the main account.
    pub login: String,
    /// Password of the main account.
    pub password: String,
}

/// One employee as `/staff` lists it; the entry with id 0 is the main account itself.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Login of the account the employee belongs to.
    pub account: String,
    /// Employee id; 0 is the main account.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// Job title.
    pub job: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub last_login_at: i64,
}

impl Staff {
    /// `main` for the main account, `staff` for everybody else.
    pub fn kind(&self) -> &'static str {
        if self.id == 0 { "main" } else { "staff" }
    }
}

/// A project: one funnel, its fields and everything attached to it.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Project id.
    pub id: i64,
    /// Login of the owning account.
    pub account: String,
    /// Name as shown to people.
    pub name: String,
    /// Address of the project's site.
    pub page: String,
    /// Domain of the project's site.
    pub domain: String,
    /// Funnel steps in display order.
    pub steps: Vec<Step>,
    /// Lead fields in display order, system fields included.
    pub fields: Vec<Field>,
    /// Contact fields.
    pub contact_fields: Vec<ContactField>,
    /// Autofunnels: robots bound to a step.
    pub autofunnels: Vec<Autofunnel>,
    /// Receivers of lead webhooks (`callback-url`).
    pub callbacks: Vec<Callback>,
    /// Receivers of CRM-structure webhooks (`project-callback-url`).
    pub structure_callbacks: Vec<Callback>,
    /// Labels.
    pub labels: Vec<Label>,
}

/// One step of a funnel.
#[derive(Debug, Clone)]
pub struct Step {
    /// Step id.
    pub id: i64,
    /// Name typed by a person.
    pub name: String,
    /// Whether people are notified.
    pub notify: bool,
    /// Shown in the leads section.
    pub in_leads: bool,
    /// Shown in the deals section.
    pub in_deals: bool,
    /// The step «Оплата»: refused without a payment.
    pub payment: bool,
}

/// A robot that dials every lead put on its step.
#[derive(Debug, Clone)]
pub struct Autofunnel {
    /// Autofunnel id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// The step that starts it.
    pub step_id: i64,
    /// Switched on.
    pub active: bool,
}

/// Kind of a lead field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Free text.
    Text,
    /// Free text, the older word.
    String,
    /// Number, kept as text.
    Number,
    /// Choice from categories.
    Cats,
    /// Date and time.
    Date,
    /// Date of the current step.
    FunnelDate,
    /// System field: the step.
    Funnel,
    /// System field: the owner.
    Owner,
    /// Attached file.
    File,
    /// Address.
    Map,
}

impl FieldKind {
    /// All kinds with the word the API uses.
    const WORDS: [(FieldKind, &'static str); 10] = [
        (FieldKind::Text, "text"),
        (FieldKind::String, "string"),
        (FieldKind::Number, "number"),
        (FieldKind::Cats, "cats"),
        (FieldKind::Date, "date"),
        (FieldKind::FunnelDate, "funnel_date"),
        (FieldKind::Funnel, "funnel"),
        (FieldKind::Owner, "owner"),
        (FieldKind::File, "file"),
        (FieldKind::Map, "map"),
    ];

    /// The API's word for this kind.
    pub fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("text", |(_, word)| word)
    }

    /// The kind behind the API's word, `None` when there is no such kind.
    pub fn from_word(word: &str) -> Option<FieldKind> {
        Self::WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }

    /// Fields that change through a call of their own, never through `custom`.
    pub fn is_system(self) -> bool {
        matches!(self, FieldKind::Funnel | FieldKind::Owner | FieldKind::File)
    }
}

/// Definition of a lead field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Field id.
    pub id: i64,
    /// Name typed by a person.
    pub name: String,
    /// Kind.
    pub kind: FieldKind,
    /// `cats` only: several values may be chosen.
    pub multi: bool,
    /// `cats` only: what may be chosen.
    pub categories: Vec<Category>,
    /// Set at creation, echoed by `create`.
    pub required: bool,
    /// Set at creation, echoed by `create`.
    pub description: String,
}

/// One choice of a `cats` field.
#[derive(Debug, Clone)]
pub struct Category {
    /// Category id.
    pub id: i64,
    /// Name; this is what values carry.
    pub name: String,
    /// `#rrggbb`, absent on some.
    pub color: Option<String>,
}

/// Definition of a contact field.
#[derive(Debug, Clone)]
pub struct ContactField {
    /// Field id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// `string`, `text`, `date` or `number`.
    pub kind: String,
}

/// One webhook receiver of a project.
#[derive(Debug, Clone)]
pub struct Callback {
    /// Entry id.
    pub id: i64,
    /// Name given by the integration, may be empty.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// A label of a project. Requests call the text `title`, answers call it `name`.
#[derive(Debug, Clone)]
pub struct Label {
    /// Label id.
    pub id: i64,
    /// Text.
    pub name: String,
    /// Colour as sent.
    pub color: String,
}

/// One way to reach a contact.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Detail id.
    pub id: i64,
    /// `phone`, `email` or any other word the client sent.
    pub kind: String,
    /// Phones: digits only. Others: as sent.
    pub data: String,
}

/// A contact of a project.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Contact id.
    pub id: i64,
    /// Project.
    pub project_id: i64,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: String,
    /// Site.
    pub site: String,
    /// Phones, addresses and other details.
    pub details: Vec<Detail>,
    /// Values of contact fields.
    pub fields: BTreeMap<i64, String>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

impl Contact {
    /// The first detail of the kind.
    pub fn first(&self, kind: &str) -> Option<&Detail> {
        self.details.iter().find(|detail| detail.kind == kind)
    }
}

/// A traffic source.
#[derive(Debug, Clone)]
pub struct View {
    /// View id.
    pub id: i64,
    /// Project.
    pub project_id: i64,
    /// Text attributes by their REST name (`source`, `campaign`, `keyword`, `page`, `referer`, …).
    pub attributes: BTreeMap<String, Value>,
}

/// Money received for a lead.
#[derive(Debug, Clone)]
pub struct Payment {
    /// Category.
    pub category: String,
    /// Purpose.
    pub purpose: String,
    /// Sum as the client wrote it (number or numeric text).
    pub sum: f64,
}

/// A comment on a lead.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Comment id.
    pub id: i64,
    /// Text.
    pub text: String,
    /// Employee id of the author; 0 is the main account.
    pub author: i64,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A finished call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Identity of the call on the telephone exchange.
    pub linkedid: String,
    /// Unix seconds.
    pub time: i64,
    /// Seconds.
    pub duration: i64,
    /// `outgoing` or `incoming`.
    pub direction: String,
    /// How it ended, the exchange's word (`ANSWER`, `NOANSWER`, …).
    pub disposition: String,
    /// There is a recording to download.
    pub recorded: bool,
    /// The employee who talked, nobody for the robot.
    pub owner_id: Option<i64>,
}

/// A file attached to a lead.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// File id.
    pub id: i64,
    /// The file field it belongs to.
    pub field_id: i64,
    /// Full name with extension.
    pub name: String,
    /// Content type as sent.
    pub mime: String,
    /// Content in base64, as sent.
    pub data: String,
}

/// A lead; with at least one payment it is a deal.
#[derive(Debug, Clone)]
pub struct Lead {
    /// Lead id.
    pub id: i64,
    /// Project, the same as the contact's.
    pub project_id: i64,
    /// Contact.
    pub contact_id: i64,
    /// Title.
    pub name: String,
    /// Current step.
    pub step_id: i64,
    /// Employee id; 0 is the main account.
    pub owner_id: i64,
    /// At least one payment was made.
    pub deal: bool,
    /// How it appeared: `api` or `manual`.
    pub capture: &'static str,
    /// Registration date, unix milliseconds (`lead_date` overrides it).
    pub created_ms: i64,
    /// When the row really appeared, unix milliseconds (visibility delays count from here).
    pub born_ms: i64,
    /// Last change, unix milliseconds.
    pub updated_ms: i64,
    /// Traffic source.
    pub view_id: Option<i64>,
    /// Values of non-system fields, already in the shape they are read back.
    pub custom: BTreeMap<i64, Value>,
    /// Payments.
    pub payments: Vec<Payment>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// Calls, oldest first.
    pub calls: Vec<Call>,
    /// Files.
    pub files: Vec<Attachment>,
}

/// A signed-in token.
#[derive(Debug, Clone)]
pub struct Session {
    /// Login it was given to.
    pub login: String,
    /// Signature of the integration.
    pub service: String,
    /// Address the login came from.
    pub ip: String,
    /// Last use, unix milliseconds.
    pub used_ms: i64,
}
