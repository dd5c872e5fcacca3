//! Events: immutable facts received from a CRM, a file, a timer or a person.

use crate::field::FieldKey;
use crate::id::{ConnectionId, EventId, WorkspaceId};
use crate::record::{Record, RecordKey};
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $title:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind { $($(#[$doc])* $name,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Russian title.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

event_kinds! {
    /// A deal was made in amoCRM.
    DealCreated = "deal_created", "Сделка создана";
    /// A deal changed.
    DealUpdated = "deal_updated", "Сделка изменена";
    /// A deal moved to another stage.
    DealStageChanged = "deal_stage_changed", "Этап сделки изменён";
    /// A deal got another responsible user.
    DealResponsibleChanged = "deal_responsible_changed", "Ответственный сделки изменён";
    /// A deal was deleted.
    DealDeleted = "deal_deleted", "Сделка удалена";
    /// A deal was restored.
    DealRestored = "deal_restored", "Сделка восстановлена";
    /// An amoCRM contact was made.
    ContactCreated = "contact_created", "Контакт создан";
    /// An amoCRM contact changed.
    ContactUpdated = "contact_updated", "Контакт изменён";
    /// An amoCRM contact was deleted.
    ContactDeleted = "contact_deleted", "Контакт удалён";
    /// A company was made.
    CompanyCreated = "company_created", "Компания создана";
    /// A company changed.
    CompanyUpdated = "company_updated", "Компания изменена";
    /// A company was deleted.
    CompanyDeleted = "company_deleted", "Компания удалена";
    /// A note was added in amoCRM.
    NoteAdded = "note_added", "Примечание добавлено";
    /// A task was made.
    TaskCreated = "task_created", "Задача создана";
    /// A task changed.
    TaskUpdated = "task_updated", "Задача изменена";
    /// A task was done.
    TaskCompleted = "task_completed", "Задача выполнена";
    /// A task was deleted.
    TaskDeleted = "task_deleted", "Задача удалена";
    /// An incoming lead arrived in «Неразобранное».
    UnsortedAdded = "unsorted_added", "Неразобранное: новая заявка";
    /// An incoming lead was accepted.
    UnsortedAccepted = "unsorted_accepted", "Неразобранное: принято";
    /// An incoming lead was declined.
    UnsortedDeclined = "unsorted_declined", "Неразобранное: отклонено";
    /// A lead was made in LPTracker.
    LeadCreated = "lead_created", "Лид создан";
    /// A lead changed.
    LeadUpdated = "lead_updated", "Лид изменён";
    /// A lead moved to another step.
    LeadStageChanged = "lead_stage_changed", "Шаг лида изменён";
    /// A lead got another owner.
    LeadOwnerChanged = "lead_owner_changed", "Владелец лида изменён";
    /// A payment was added to a lead.
    LeadPaymentAdded = "lead_payment_added", "Оплата по лиду добавлена";
    /// A lead was deleted.
    LeadDeleted = "lead_deleted", "Лид удалён";
    /// A telephone call ended.
    CallFinished = "call_finished", "Звонок завершён";
    /// A call result was received by import, by hand or by API.
    CallResultReceived = "call_result_received", "Получен результат прозвона";
    /// A row of an imported file was accepted.
    ImportRowAccepted = "import_row_accepted", "Принята строка файла";
    /// A schedule came due for a record.
    Scheduled = "scheduled", "По расписанию";
    /// A person started a rule on a record.
    Manual = "manual", "Запущено вручную";
    /// Fields or funnels of an account changed.
    StructureChanged = "structure_changed", "Изменилась структура";
}

impl EventKind {
    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// Where an event came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The CRM called us.
    Webhook,
    /// Read by reconciliation or polling.
    Poll,
    /// A row of a file.
    Import,
    /// A person or a caller of our API.
    Manual,
    /// A person let an earlier event run again.
    Replay,
    /// A timer.
    Schedule,
}

impl Origin {
    /// Stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Poll => "poll",
            Self::Import => "import",
            Self::Manual => "manual",
            Self::Replay => "replay",
            Self::Schedule => "schedule",
        }
    }

    /// The origin with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Webhook,
            Self::Poll,
            Self::Import,
            Self::Manual,
            Self::Replay,
            Self::Schedule,
        ]
        .into_iter()
        .find(|origin| origin.as_str() == word)
    }
}

/// What an inbound body says, already neutral, before it has an id and a place in the database.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// What happened.
    pub kind: EventKind,
    /// The record it happened to.
    pub key: RecordKey,
    /// When, by the CRM's clock, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// What the body tells about the record. Fields it does not mention are absent, not empty.
    pub record: Record,
    /// Other records that the body describes (contact of a lead, a call, a note's parent).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Record>,
    /// Former values, where the body tells them (`old_status_id`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<(FieldKey, Value)>,
    /// Fields that the body names as changed, when it names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<FieldKey>>,
    /// Who did it, where the body tells; not reliable for telling our own writes apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<i64>,
    /// The text whose hash, with the connection, is the event key: two deliveries of the same fact give the
    /// same text, two facts give two.
    pub dedupe: String,
}

/// A stored fact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its id; ascending in time of arrival.
    pub id: EventId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Which connection it came from.
    pub connection: ConnectionId,
    /// How it came.
    pub origin: Origin,
    /// When we received it.
    pub received_at: Timestamp,
    /// How many of our own deliveries stand between this event and a person's act.
    pub chain: u16,
    /// What it says.
    pub fact: Fact,
}
