//! How an action fills target fields: an expression, then conversions.

use crate::command::WriteMode;
use crate::field::{FieldKey, FieldPath};
use crate::record::RecordKind;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// One line of a mapping table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MappingLine {
    /// Kind of record written to: the action's own, or its contact or company.
    pub record: RecordKind,
    /// Field written to.
    pub field: FieldKey,
    /// Where the value comes from.
    pub from: Expression,
    /// Conversions, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convert: Vec<Conversion>,
    /// How it meets what the field holds.
    #[serde(default)]
    pub mode: WriteMode,
    /// What to do when the value turns out empty or absent.
    #[serde(default)]
    pub if_empty: IfEmpty,
}

/// What a line does with an empty value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfEmpty {
    /// The field is left as it is.
    #[default]
    Leave,
    /// The field is cleared: an explicit act.
    Clear,
    /// The action is not carried out and says which field was missing.
    Require,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A field of the event or of a record around it.
    Field(FieldPath),
    /// A fixed value.
    Constant(Value),
    /// A text with places: `{{lead.name}} — {{contact.phone}}`.
    Template(String),
    /// The first of several that is neither absent nor empty.
    FirstOf(Vec<Expression>),
}

/// A change of form of a value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// To E.164; what is not a phone is left as it is.
    Phone,
    /// Outer blanks off, inner runs of blanks to one.
    Trim,
    /// Letters' case.
    Case(LetterCase),
    /// Text to number: blanks, comma, currency signs understood.
    Number,
    /// Text to date and time, or to another form, in the workspace's zone.
    DateFormat(String),
    /// Options of one list to those of another.
    Options {
        /// From → to, compared as text or by id.
        table: Vec<(Value, Value)>,
        /// When nothing fits; `None` leaves the field untouched and says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Value>,
    },
    /// The first of several values.
    First,
    /// Several values as one text.
    Join(String),
    /// A value to use when there is none.
    Default(Value),
    /// Any value as text.
    Text,
}

/// Letters' case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterCase {
    /// строчные
    Lower,
    /// ПРОПИСНЫЕ
    Upper,
    /// Первая Буква Каждого Слова
    Title,
}
