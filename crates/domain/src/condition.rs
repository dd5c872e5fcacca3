//! Conditions of a rule: the ЕСЛИ half of the document.

use crate::field::FieldPath;
use crate::value::{Day, Value};
use serde::{Deserialize, Serialize};

/// A tree of conditions, nested without limit in the document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// И: every one must hold; an empty group holds.
    All(Vec<Condition>),
    /// ИЛИ: one must hold; an empty group does not.
    Any(Vec<Condition>),
    /// НЕ.
    Not(Box<Condition>),
    /// A comparison of one field.
    Compare(Compare),
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A comparison.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Compare {
    /// The field looked at.
    pub field: FieldPath,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with.
    #[serde(default)]
    pub with: Operand,
    /// How texts and phones are made alike first.
    #[serde(default)]
    pub alike: Alike,
}

/// Which differences of spelling do not count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Alike {
    /// Upper and lower case.
    #[serde(default = "yes")]
    pub case: bool,
    /// ё and е.
    #[serde(default = "yes")]
    pub yo: bool,
    /// Outer blanks and runs of blanks.
    #[serde(default = "yes")]
    pub spaces: bool,
    /// Spelling of phones.
    #[serde(default = "yes")]
    pub phone: bool,
}

const fn yes() -> bool {
    true
}

impl Default for Alike {
    fn default() -> Self {
        Self {
            case: true,
            yo: true,
            spaces: true,
            phone: true,
        }
    }
}

/// The right side of a comparison.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// Nothing: «пусто», «изменилось».
    #[default]
    None,
    /// One value.
    Value(Value),
    /// A list of values.
    Values(Vec<Value>),
    /// From and to, both included.
    Between(Value, Value),
    /// Another field.
    Field(FieldPath),
    /// A length of time.
    Span(Span),
    /// A moment found by moving another one.
    Moved(Moved),
    /// Days of the week, 1 = Monday.
    Weekdays(Vec<u8>),
    /// Minutes of the day, from and to; may pass midnight.
    TimeOfDay(u16, u16),
    /// A calendar day.
    Day(Day),
}

/// A length of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Span {
    /// How many, may be negative in [`Moved`].
    pub n: i64,
    /// Of what.
    pub unit: SpanUnit,
}

/// Units of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanUnit {
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
    /// Days that are neither weekend nor holiday.
    WorkingDays,
}

/// A moment moved: «сейчас + 2 рабочих дня».
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// From a field, or from now when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FieldPath>,
    /// By how much.
    pub by: Span,
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $title:literal;)*) => {
        /// How a field is compared. Which operators a field type has is told by the type table.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operator { $($(#[$doc])* $name,)* }

        impl Operator {
            /// Every operator.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Russian words in the editor.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

operators! {
    /// Equal.
    Equals = "equals", "равно";
    /// Known and not equal.
    NotEquals = "not_equals", "не равно";
    /// Text contains.
    Contains = "contains", "содержит";
    /// Text does not contain.
    NotContains = "not_contains", "не содержит";
    /// Text begins with.
    StartsWith = "starts_with", "начинается с";
    /// Text ends with.
    EndsWith = "ends_with", "заканчивается на";
    /// Equal to one of a list.
    In = "in", "одно из";
    /// Equal to none of a list.
    NotIn = "not_in", "ни одно из";
    /// Matches a pattern with `*` and `?`.
    Matches = "matches", "соответствует шаблону";
    /// Known to hold nothing.
    IsEmpty = "is_empty", "пусто";
    /// Holds something.
    IsNotEmpty = "is_not_empty", "не пусто";
    /// Less.
    Less = "less", "меньше";
    /// Less or equal.
    LessOrEqual = "less_or_equal", "не больше";
    /// Greater.
    Greater = "greater", "больше";
    /// Greater or equal.
    GreaterOrEqual = "greater_or_equal", "не меньше";
    /// Between two, both included.
    Between = "between", "между";
    /// Earlier.
    Before = "before", "раньше";
    /// Later.
    After = "after", "позже";
    /// Longer ago than.
    OlderThan = "older_than", "прошло больше";
    /// In the last …
    WithinLast = "within_last", "за последние";
    /// In the next …
    WithinNext = "within_next", "в ближайшие";
    /// On these days of the week.
    Weekday = "weekday", "день недели";
    /// At this time of day.
    TimeOfDay = "time_of_day", "время суток";
    /// On a working day in working hours of the workspace's calendar.
    WorkingTime = "working_time", "рабочее время";
    /// Several values: one of the list is there.
    ContainsAny = "contains_any", "содержит любое из";
    /// Several values: all of the list are there.
    ContainsAll = "contains_all", "содержит все";
    /// Several values: none of the list is there.
    ContainsNone = "contains_none", "не содержит ни одного из";
    /// Yes.
    IsTrue = "is_true", "да";
    /// No.
    IsFalse = "is_false", "нет";
    /// Phone of this country (calling code or letters).
    Country = "country", "страна номера";
    /// Changed at all.
    Changed = "changed", "изменилось";
    /// Changed, and was this before.
    ChangedFrom = "changed_from", "изменилось с";
    /// Changed, and is this now.
    ChangedTo = "changed_to", "изменилось на";
    /// Changed from something to nothing.
    BecameEmpty = "became_empty", "стало пустым";
    /// The record (by its link, phone or e-mail) exists in the other CRM.
    ExistsInOther = "exists_in_other", "есть в другой CRM";
    /// The record does not exist in the other CRM.
    NotInOther = "not_in_other", "нет в другой CRM";
}
