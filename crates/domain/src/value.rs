//! Values of record fields.
//!
//! Three states must never be confused: a field that is *absent* (we do not know it: it is missing from the
//! record), one that is *empty* ([`Value::Empty`]: known to hold nothing), and one that holds a value, zero
//! and «нет» included.

use crate::time::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// One option of a select field, a tag, a task type: known by id, by name or by both.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// Id in the CRM; LPTracker's categories have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Name as shown to people.
    #[serde(default)]
    pub name: String,
}

impl Choice {
    /// A choice known only by name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
        }
    }

    /// A choice known by id and name.
    pub fn new(id: i64, name: impl Into<String>) -> Self {
        Self {
            id: Some(id),
            name: name.into(),
        }
    }

    /// Same option: by id when both have one, else by name.
    pub fn same(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(a), Some(b)) => a == b,
            _ => self.name == other.name,
        }
    }
}

/// A place in a funnel. Status ids repeat between pipelines (142 and 143 are in every one), so a stage is
/// always the pair. For LPTracker the pipeline is the project and the status is the step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// amoCRM pipeline id or LPTracker project id.
    pub pipeline: i64,
    /// amoCRM status id or LPTracker step id.
    pub status: i64,
}

/// A calendar day without a time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Day {
    /// Year, for example 2026.
    pub year: i32,
    /// Month, 1–12.
    pub month: u8,
    /// Day of month, 1–31.
    pub day: u8,
}

/// What a field holds. Types are never converted into each other silently.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// Known to hold nothing.
    Empty,
    /// A line or a text.
    Text(String),
    /// A number or an amount of money.
    Number(#[serde(deserialize_with = "decimal")] Decimal),
    /// Yes or no.
    Flag(bool),
    /// A moment.
    Instant(Timestamp),
    /// A day of the calendar.
    Day(Day),
    /// One option.
    Choice(Choice),
    /// Several options, or tags.
    Choices(Vec<Choice>),
    /// A CRM user by id; 0 is LPTracker's main account and amoCRM's robot.
    User(i64),
    /// A place in a funnel.
    Stage(Stage),
    /// An id of another record, of a pipeline or a project.
    Id(i64),
    /// Several texts: phones, e-mails.
    Texts(Vec<String>),
    /// A value of a kind that the hub only carries.
    Json(serde_json::Value),
}

impl Value {
    /// Known to hold nothing: `Empty`, a blank text or an empty list.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Choices(list) => list.is_empty(),
            Self::Texts(list) => list.iter().all(|text| text.trim().is_empty()),
            Self::Json(json) => json.is_null(),
            _ => false,
        }
    }

    /// A text, or `Empty` when blank.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }
}

/// Written as a string so that nothing is rounded; a plain JSON number is understood as well.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = Decimal;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("число")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
            text.parse()
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
            Ok(number.into())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
            Ok(number.into())
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
            // The shortest text that means this float is what was written.
            number
                .to_string()
                .parse()
                .map_err(|_| E::invalid_value(de::Unexpected::Float(number), &self))
        }
    }

    deserializer.deserialize_any(Visitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_strings_and_numbers() {
        let read =
            |json: &str| serde_json::from_str::<Value>(&format!("{{\"type\":\"number\",\"value\":{json}}}"));
        for (json, expect) in [
            ("\"0.10\"", "0.10"),
            ("5", "5"),
            ("-7", "-7"),
            ("0.1", "0.1"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(
                read(json).expect(json),
                Value::Number(expect.parse().expect("a number"))
            );
        }
        for json in ["\"много\"", "true", "1e300", "null"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn empty_values_are_known() {
        for empty in [
            Value::Empty,
            Value::text(" "),
            Value::Choices(Vec::new()),
            Value::Texts(vec![String::new()]),
        ] {
            assert!(empty.is_empty(), "{empty:?}");
        }
        for full in [
            Value::Number(0.into()),
            Value::Flag(false),
            Value::User(0),
            Value::text("0"),
        ] {
            assert!(!full.is_empty(), "{full:?}");
        }
    }
}
