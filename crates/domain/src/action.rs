//! Actions of a rule: the ТО half of the document. Compiling and evaluating turns them into
//! [`crate::command::Command`]s.

use crate::command::{IfFound, IfNone, MatchBy, NotifyChannel, Pick, Target};
use crate::id::ConnectionId;
use crate::mapping::{Expression, MappingLine};
use crate::record::RecordKind;
use crate::value::{Choice, Stage};
use serde::{Deserialize, Serialize};

/// One card of the ТО column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ActionCard {
    /// Connection to act on; `None` for the hub's own actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// Switched off cards stay in the document and do nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
}

const fn yes() -> bool {
    true
}

/// What an action does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Find or create a deal or lead with its contact, map fields, link: also the pair actions
    /// «Синхронизировать с amoCRM» and «Синхронизировать с LPTracker».
    Upsert {
        /// `Deal` or `Lead`.
        kind: RecordKind,
        /// Ways to recognise an existing one, in order.
        #[serde(default = "default_order")]
        order: Vec<MatchBy>,
        /// Which of several.
        #[serde(default)]
        pick: Pick,
        /// When none is found.
        #[serde(default)]
        if_none: IfNone,
        /// When one is found.
        #[serde(default)]
        if_found: IfFound,
        /// What to write; lines name the record (deal, lead, its contact) they write to.
        mapping: Vec<MappingLine>,
        /// Stage to put it on.
        #[serde(default)]
        stage: Option<Stage>,
        /// User to give it to.
        #[serde(default)]
        responsible: Option<i64>,
        /// Tags to add.
        #[serde(default)]
        tags: Vec<Choice>,
    },
    /// Write fields of an existing record.
    Update {
        /// Which record.
        target: Target,
        /// What to write.
        mapping: Vec<MappingLine>,
    },
    /// Move to a stage.
    Move {
        /// Which record.
        target: Target,
        /// Where to.
        stage: Stage,
        /// Why lost; only with a lost stage.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_reason: Option<i64>,
    },
    /// Give to a user.
    SetResponsible {
        /// Which record.
        target: Target,
        /// A user id, by constant or by a table of users.
        user: Expression,
    },
    /// Add and remove tags.
    ChangeTags {
        /// Which record.
        target: Target,
        /// Tags to add; templates allowed.
        #[serde(default)]
        add: Vec<Expression>,
        /// Tags to remove.
        #[serde(default)]
        remove: Vec<Expression>,
    },
    /// Add a note or comment.
    AddNote {
        /// Which record.
        target: Target,
        /// Its text.
        text: Expression,
    },
    /// Add a task.
    AddTask {
        /// Which record.
        target: Target,
        /// What is to be done.
        text: Expression,
        /// Type id.
        #[serde(default)]
        task_type: Option<i64>,
        /// Deadline in minutes from the event.
        due_in_minutes: i64,
        /// Who does it.
        #[serde(default)]
        responsible: Option<i64>,
    },
    /// Record a call at a deal, with the fields of the event's call unless overridden.
    LogCall {
        /// Which record.
        target: Target,
        /// Phone; the call's by default.
        #[serde(default)]
        phone: Option<Expression>,
        /// Seconds; the call's by default.
        #[serde(default)]
        duration: Option<Expression>,
        /// Recording; the call's by default.
        #[serde(default)]
        recording: Option<Expression>,
        /// Result in words; the call's by default.
        #[serde(default)]
        result: Option<Expression>,
    },
    /// Add a payment.
    AddPayment {
        /// Which record.
        target: Target,
        /// Category.
        category: Expression,
        /// Purpose.
        purpose: Expression,
        /// Sum.
        sum: Expression,
    },
    /// Start a real telephone call. The editor warns and leaves it switched off.
    StartCall {
        /// Which record.
        target: Target,
    },
    /// Store a call result in the hub.
    SaveCallResult {
        /// Phone.
        phone: Expression,
        /// Result in words.
        result: Expression,
        /// Comment.
        #[serde(default)]
        comment: Option<Expression>,
    },
    /// Send a signed webhook out.
    SendWebhook {
        /// Where to.
        url: String,
        /// Members of the JSON body.
        body: Vec<(String, Expression)>,
    },
    /// Tell people.
    Notify {
        /// How.
        channel: NotifyChannel,
        /// Address or chat; empty means everybody of the workspace.
        #[serde(default)]
        to: String,
        /// What.
        text: Expression,
    },
    /// Do nothing more in this rule, with a reason; nothing after it is carried out.
    Stop {
        /// Why.
        #[serde(default)]
        reason: String,
    },
}

impl Action {
    /// Which record it works on, where it has a choice.
    pub const fn target(&self) -> Option<Target> {
        match self {
            Self::Update { target, .. }
            | Self::Move { target, .. }
            | Self::SetResponsible { target, .. }
            | Self::ChangeTags { target, .. }
            | Self::AddNote { target, .. }
            | Self::AddTask { target, .. }
            | Self::LogCall { target, .. }
            | Self::AddPayment { target, .. }
            | Self::StartCall { target } => Some(*target),
            Self::Upsert { .. }
            | Self::SaveCallResult { .. }
            | Self::SendWebhook { .. }
            | Self::Notify { .. }
            | Self::Stop { .. } => None,
        }
    }

    /// What it does, in Russian, as part of a sentence.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Upsert {
                kind: RecordKind::Lead,
                ..
            } => "найти или создать лид",
            Self::Upsert { .. } => "найти или создать сделку",
            Self::Update { .. } => "обновить поля",
            Self::Move { .. } => "переместить на этап",
            Self::SetResponsible { .. } => "назначить ответственного",
            Self::ChangeTags { .. } => "изменить теги",
            Self::AddNote { .. } => "добавить примечание",
            Self::AddTask { .. } => "поставить задачу",
            Self::LogCall { .. } => "записать звонок",
            Self::AddPayment { .. } => "добавить оплату",
            Self::StartCall { .. } => "начать звонок",
            Self::SaveCallResult { .. } => "сохранить результат прозвона",
            Self::SendWebhook { .. } => "отправить вебхук",
            Self::Notify { .. } => "уведомить",
            Self::Stop { .. } => "остановиться",
        }
    }
}

fn default_order() -> Vec<MatchBy> {
    vec![MatchBy::Link, MatchBy::Phone, MatchBy::Email]
}
