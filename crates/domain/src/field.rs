//! Fields: which there are, of which type, and how a rule names them.

use crate::record::RecordKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The type of a field decides its operators, its editor and what may be mapped into it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text, one line or several, links, addresses.
    Text,
    /// Number.
    Number,
    /// Amount of money in the account's currency.
    Money,
    /// Date and time.
    DateTime,
    /// Calendar day.
    Date,
    /// Yes / no.
    Flag,
    /// One of a list.
    Select,
    /// Several of a list.
    MultiSelect,
    /// Tags: several, open list.
    Tags,
    /// A user of the CRM.
    User,
    /// Phones, possibly several.
    Phone,
    /// E-mail addresses, possibly several.
    Email,
    /// Pipeline with status, or project with step.
    Stage,
    /// Pipeline or project alone.
    Pipeline,
    /// A number that names a record.
    Id,
    /// A kind the hub only carries.
    Opaque,
}

macro_rules! system_fields {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $ty:ident, $title:literal;)*) => {
        /// Fields that records have in themselves, beside the custom ones of an account.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum SystemField { $($(#[$doc])* $name,)* }

        impl SystemField {
            /// Every system field.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable word in rule documents.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its type.
            pub const fn field_type(self) -> FieldType {
                match self { $(Self::$name => FieldType::$ty,)* }
            }

            /// Russian name.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

system_fields! {
    /// Id of the record in its CRM.
    Id = "id", Id, "ID";
    /// Name of a deal, lead, contact or company.
    Name = "name", Text, "Название";
    /// First name of an amoCRM contact.
    FirstName = "first_name", Text, "Имя";
    /// Last name of an amoCRM contact.
    LastName = "last_name", Text, "Фамилия";
    /// Budget of a deal.
    Price = "price", Money, "Бюджет";
    /// Pipeline with status; project with step.
    Stage = "stage", Stage, "Этап";
    /// Pipeline or project.
    Pipeline = "pipeline", Pipeline, "Воронка";
    /// Responsible user; owner of a lead.
    Responsible = "responsible", User, "Ответственный";
    /// When the record was made.
    CreatedAt = "created_at", DateTime, "Создано";
    /// When the record last changed.
    UpdatedAt = "updated_at", DateTime, "Изменено";
    /// When the deal was closed.
    ClosedAt = "closed_at", DateTime, "Закрыто";
    /// Who made it.
    CreatedBy = "created_by", User, "Кем создано";
    /// Who changed it last.
    UpdatedBy = "updated_by", User, "Кем изменено";
    /// Tags.
    Tags = "tags", Tags, "Теги";
    /// Why a deal was lost.
    LossReason = "loss_reason", Select, "Причина отказа";
    /// Phones of a contact or company, of a call.
    Phone = "phone", Phone, "Телефон";
    /// E-mails of a contact or company.
    Email = "email", Email, "E-mail";
    /// Main contact of a deal; contact of a lead.
    Contact = "contact", Id, "Контакт";
    /// Company of a deal or contact.
    Company = "company", Id, "Компания";
    /// Record that a note, task or call belongs to.
    Parent = "parent", Opaque, "К чему относится";
    /// LPTracker: the lead has payments and became a deal.
    IsDeal = "is_deal", Flag, "Стал сделкой";
    /// LPTracker: profession of the contact.
    Profession = "profession", Text, "Профессия";
    /// LPTracker: site of the contact.
    Site = "site", Text, "Сайт";
    /// LPTracker: traffic source of the lead.
    Source = "source", Text, "Источник трафика";
    /// LPTracker: campaign.
    Campaign = "campaign", Text, "Кампания";
    /// LPTracker: keyword.
    Keyword = "keyword", Text, "Ключевое слово";
    /// LPTracker: sum of the payments.
    PaymentSum = "payment_sum", Money, "Сумма оплат";
    /// Text of a note, comment or task.
    Text = "text", Text, "Текст";
    /// Type of a task or note.
    Kind = "kind", Select, "Тип";
    /// Deadline of a task.
    Deadline = "deadline", DateTime, "Срок";
    /// A task is done.
    IsDone = "is_done", Flag, "Выполнена";
    /// Length of a call in seconds.
    Duration = "duration", Number, "Длительность, с";
    /// `incoming` or `outgoing`.
    Direction = "direction", Select, "Направление";
    /// How the exchange ended the call (Asterisk word).
    Disposition = "disposition", Text, "Исход соединения";
    /// Result of a call in the words of the workspace.
    Result = "result", Select, "Результат звонка";
    /// Address of a call's recording.
    Recording = "recording", Text, "Запись";
    /// When a call took place or an event happened.
    At = "at", DateTime, "Время";
    /// Comment of an operator.
    Comment = "comment", Text, "Комментарий";
    /// Operator of a call.
    Operator = "operator", Text, "Оператор";
}

impl SystemField {
    /// The field with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.as_str() == word)
    }
}

/// A field of a record: a system one, or a custom one by its id in the account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FieldKey {
    /// A field every record of the kind has.
    System(SystemField),
    /// A custom field by id; names may change, ids do not.
    Custom(i64),
}

impl From<SystemField> for FieldKey {
    fn from(field: SystemField) -> Self {
        Self::System(field)
    }
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(field) => f.write_str(field.as_str()),
            Self::Custom(id) => write!(f, "cf.{id}"),
        }
    }
}

impl FromStr for FieldKey {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("cf.") {
            Some(id) => id
                .parse()
                .map(Self::Custom)
                .map_err(|_| FieldPathError(text.to_owned())),
            None => SystemField::parse(text)
                .map(Self::System)
                .ok_or_else(|| FieldPathError(text.to_owned())),
        }
    }
}

/// Which value of a field is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Moment {
    /// The value now.
    #[default]
    Now,
    /// The value before the event's change.
    Before,
}

/// A field as a rule names it: `deal.price`, `contact.cf.718321`, `before.deal.stage`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FieldPath {
    /// Now or before the change.
    pub moment: Moment,
    /// Which of the records around the event.
    pub record: RecordKind,
    /// Which field.
    pub key: FieldKey,
}

impl FieldPath {
    /// The present value of a field.
    pub fn now(record: RecordKind, key: impl Into<FieldKey>) -> Self {
        Self {
            moment: Moment::Now,
            record,
            key: key.into(),
        }
    }

    /// The value of a field before the event.
    pub fn before(record: RecordKind, key: impl Into<FieldKey>) -> Self {
        Self {
            moment: Moment::Before,
            record,
            key: key.into(),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.moment == Moment::Before {
            f.write_str("before.")?;
        }
        write!(f, "{}.{}", self.record.as_str(), self.key)
    }
}

/// A text that does not name a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldPathError(pub String);

impl fmt::Display for FieldPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "неизвестное поле «{}»", self.0)
    }
}

impl std::error::Error for FieldPathError {}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (moment, rest) = match text.strip_prefix("before.") {
            Some(rest) => (Moment::Before, rest),
            None => (Moment::Now, text),
        };
        let wrong = || FieldPathError(text.to_owned());
        let (record, key) = rest.split_once('.').ok_or_else(wrong)?;
        let record = RecordKind::parse(record).ok_or_else(wrong)?;
        Ok(Self {
            moment,
            record,
            key: key.parse().map_err(|_| wrong())?,
        })
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(FieldKey, FieldPath);
