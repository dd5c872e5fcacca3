//! Commands: what a run asks to be done, with every expression already evaluated; and the single remote
//! writes that a command is carried out with.

use crate::field::FieldKey;
use crate::id::ConnectionId;
use crate::record::{RecordId, RecordKey, RecordKind};
use crate::time::Timestamp;
use crate::value::{Choice, Stage, Value};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which record an action works on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The record of the event itself (for a contact's or call's event: that contact, the call's lead).
    Trigger,
    /// The record linked with it in the other CRM, possibly made by an earlier action of the same run.
    Linked,
}

/// One command of a run, ready to be carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Place of its action in the rule, from 0.
    pub action: usize,
    /// Connection to act on; `None` for the hub's own operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// What to do.
    pub operation: Operation,
}

/// How a written value meets what the field holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// The field then holds just this; `Value::Empty` clears it.
    #[default]
    Replace,
    /// Values are added to those of a multi-value field.
    Append,
    /// Written only when the field holds nothing.
    FillEmpty,
}

/// A value for a field.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FieldWrite {
    /// Which field.
    pub key: FieldKey,
    /// What it shall hold.
    pub value: Value,
    /// How it meets what is there.
    #[serde(default)]
    pub mode: WriteMode,
}

/// One way to recognise an existing record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// The stored link.
    Link,
    /// A phone of the contact.
    Phone,
    /// An e-mail of the contact.
    Email,
    /// The exact name of the contact.
    Name,
}

/// Which record to take when the contact has several.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "pick")]
pub enum Pick {
    /// The newest that is not closed.
    #[default]
    NewestOpen,
    /// The newest open one of a pipeline or project.
    InPipeline {
        /// Pipeline or project id.
        pipeline: i64,
    },
    /// Several are a failure that a person decides.
    Single,
}

/// What to do when nothing is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfNone {
    /// Make it.
    #[default]
    Create,
    /// Do nothing, and say so.
    Skip,
    /// Fail, for a person to decide.
    Fail,
}

/// What to do when it is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfFound {
    /// Write the mapped fields, stage and responsible.
    #[default]
    Update,
    /// Only link it.
    Keep,
}

/// How an existing record is looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Search {
    /// Ways in order; the first that finds decides.
    pub order: Vec<MatchBy>,
    /// Which of several.
    #[serde(default)]
    pub pick: Pick,
    /// When none.
    #[serde(default)]
    pub if_none: IfNone,
    /// When found.
    #[serde(default)]
    pub if_found: IfFound,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            order: vec![MatchBy::Link, MatchBy::Phone, MatchBy::Email],
            pick: Pick::default(),
            if_none: IfNone::default(),
            if_found: IfFound::default(),
        }
    }
}

/// Find or create a deal or a lead together with its contact, and link it with the event's record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Upsert {
    /// `Deal` or `Lead`.
    pub kind: RecordKind,
    /// How to look for it.
    pub search: Search,
    /// Fields of the deal or lead.
    #[serde(default)]
    pub fields: Vec<FieldWrite>,
    /// Fields of its contact; phone and e-mail are also what is searched by.
    #[serde(default)]
    pub contact: Vec<FieldWrite>,
    /// Stage to put it on.
    #[serde(default)]
    pub stage: Option<Stage>,
    /// User to give it to.
    #[serde(default)]
    pub responsible: Option<i64>,
    /// Tags to add.
    #[serde(default)]
    pub tags: Vec<Choice>,
}

/// What a command does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Operation {
    /// Find or create, update, link.
    Upsert(Upsert),
    /// Write fields.
    Update {
        /// Which record.
        target: Target,
        /// Deal, lead, contact or company around the target.
        kind: RecordKind,
        /// What to write.
        fields: Vec<FieldWrite>,
    },
    /// Move to a stage.
    Move {
        /// Which record.
        target: Target,
        /// Where to.
        stage: Stage,
        /// Why lost; only with amoCRM's 143.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_reason: Option<i64>,
    },
    /// Give to a user.
    SetResponsible {
        /// Which record.
        target: Target,
        /// To whom.
        user: i64,
    },
    /// Add and remove tags.
    ChangeTags {
        /// Which record.
        target: Target,
        /// Tags to add.
        add: Vec<Choice>,
        /// Tags to remove.
        remove: Vec<Choice>,
    },
    /// Add a note or comment.
    AddNote {
        /// Which record.
        target: Target,
        /// Its text.
        text: String,
    },
    /// Add a task.
    AddTask {
        /// Which record.
        target: Target,
        /// The task.
        task: NewTask,
    },
    /// Record a call.
    LogCall {
        /// Which record.
        target: Target,
        /// The call.
        call: NewCall,
    },
    /// Add a payment; turns an LPTracker lead into a deal.
    AddPayment {
        /// Which record.
        target: Target,
        /// The payment.
        payment: NewPayment,
    },
    /// Start a real telephone call.
    StartCall {
        /// Which record.
        target: Target,
    },
    /// Store a call result in the hub.
    SaveCallResult {
        /// The result.
        result: NewCallResult,
    },
    /// Send a signed webhook.
    SendWebhook {
        /// Where to.
        url: String,
        /// Body.
        body: serde_json::Value,
    },
    /// Tell people.
    Notify {
        /// How.
        channel: NotifyChannel,
        /// Address, chat or empty for everybody of the workspace.
        to: String,
        /// What.
        text: String,
    },
}

impl Operation {
    /// Stable word: the one that stands in the document.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Upsert(_) => "upsert",
            Self::Update { .. } => "update",
            Self::Move { .. } => "move",
            Self::SetResponsible { .. } => "set_responsible",
            Self::ChangeTags { .. } => "change_tags",
            Self::AddNote { .. } => "add_note",
            Self::AddTask { .. } => "add_task",
            Self::LogCall { .. } => "log_call",
            Self::AddPayment { .. } => "add_payment",
            Self::StartCall { .. } => "start_call",
            Self::SaveCallResult { .. } => "save_call_result",
            Self::SendWebhook { .. } => "send_webhook",
            Self::Notify { .. } => "notify",
        }
    }
}

/// Ways to tell people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyChannel {
    /// By e-mail.
    Email,
    /// By Telegram.
    Telegram,
    /// In the interface.
    InApp,
}

/// A task to be made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewTask {
    /// What is to be done.
    pub text: String,
    /// Type id; amoCRM 1 «Связаться», 2 «Встреча».
    pub task_type: Option<i64>,
    /// Deadline.
    pub deadline: Timestamp,
    /// Who does it.
    pub responsible: Option<i64>,
}

/// A call to be recorded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewCall {
    /// The client called us.
    pub incoming: bool,
    /// The client's phone.
    pub phone: String,
    /// Length in seconds.
    pub duration: u32,
    /// Address of the recording.
    pub recording: Option<String>,
    /// Result in words.
    pub result: Option<String>,
    /// Stable id of the call, so that it is recorded once.
    pub unique: Option<String>,
    /// When it took place.
    pub at: Option<Timestamp>,
}

/// A payment to be added.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewPayment {
    /// Category in words.
    pub category: String,
    /// Purpose in words.
    pub purpose: String,
    /// Sum.
    pub sum: Decimal,
}

/// A call result to be stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewCallResult {
    /// Phone.
    pub phone: String,
    /// Result in the workspace's words.
    pub result: String,
    /// Length in seconds.
    pub duration: Option<u32>,
    /// Comment.
    pub comment: Option<String>,
    /// Operator.
    pub operator: Option<String>,
    /// Recording.
    pub recording: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// One remote write: the smallest thing that happens wholly or not at all, and that is looked for before it
/// is repeated. A command is carried out as a short sequence of these.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum Write {
    /// Make a contact (`Contact` or `LeadContact`).
    CreateContact {
        /// Which kind.
        kind: RecordKind,
        /// Its fields.
        fields: Vec<FieldWrite>,
        /// LPTracker project, where a contact belongs to one.
        pipeline: Option<i64>,
    },
    /// Make a deal or lead for an existing contact.
    CreateRecord {
        /// `Deal` or `Lead`.
        kind: RecordKind,
        /// Its contact.
        contact: Option<RecordId>,
        /// Its fields.
        fields: Vec<FieldWrite>,
        /// Its stage.
        stage: Option<Stage>,
        /// Its responsible user.
        responsible: Option<i64>,
        /// Its tags.
        tags: Vec<Choice>,
    },
    /// Write fields of a record. All `Replace`: appends and fill-empties were resolved by a read before.
    UpdateRecord {
        /// Which record.
        key: RecordKey,
        /// Its fields.
        fields: Vec<FieldWrite>,
    },
    /// Move to a stage.
    Move {
        /// Which record.
        key: RecordKey,
        /// Where to.
        stage: Stage,
        /// Why lost.
        loss_reason: Option<i64>,
    },
    /// Give to a user.
    SetResponsible {
        /// Which record.
        key: RecordKey,
        /// To whom.
        user: i64,
    },
    /// Add and remove tags.
    ChangeTags {
        /// Which record.
        key: RecordKey,
        /// Tags to add.
        add: Vec<Choice>,
        /// Tags to remove.
        remove: Vec<Choice>,
    },
    /// Add a note or comment.
    AddNote {
        /// Which record.
        key: RecordKey,
        /// Its text.
        text: String,
    },
    /// Add a task.
    AddTask {
        /// Which record.
        key: RecordKey,
        /// The task.
        task: NewTask,
    },
    /// Record a call at a record.
    LogCall {
        /// Which record.
        key: RecordKey,
        /// The call.
        call: NewCall,
    },
    /// Add a payment.
    AddPayment {
        /// Which record.
        key: RecordKey,
        /// The payment.
        payment: NewPayment,
    },
    /// Start a real telephone call.
    StartCall {
        /// Which record.
        key: RecordKey,
    },
}

impl Write {
    /// Writing it twice leaves the same state as writing it once, so an uncertain try may be repeated.
    pub const fn is_idempotent(&self) -> bool {
        matches!(
            self,
            Self::UpdateRecord { .. }
                | Self::Move { .. }
                | Self::SetResponsible { .. }
                | Self::ChangeTags { .. }
        )
    }

    /// The record written to; `None` for creations.
    pub const fn key(&self) -> Option<&RecordKey> {
        match self {
            Self::CreateContact { .. } | Self::CreateRecord { .. } => None,
            Self::UpdateRecord { key, .. }
            | Self::Move { key, .. }
            | Self::SetResponsible { key, .. }
            | Self::ChangeTags { key, .. }
            | Self::AddNote { key, .. }
            | Self::AddTask { key, .. }
            | Self::LogCall { key, .. }
            | Self::AddPayment { key, .. }
            | Self::StartCall { key } => Some(key),
        }
    }
}
