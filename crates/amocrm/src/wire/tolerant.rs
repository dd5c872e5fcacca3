//! Readers that accept every spelling amoCRM has been seen to use.

use rust_decimal::Decimal;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// A member that may be missing, `null` or a value: three different things.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Known<T> {
    /// The member is missing.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A value.
    Is(T),
}

impl<T> Known<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Is(value),
            None => Self::Null,
        })
    }
}

/// A whole number that may come as a number, a text, a fraction without a fraction, or a flag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Int(pub i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        int(&json)
            .map(Self)
            .ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

/// A whole number in any spelling.
pub fn int(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Json::String(text) => text.trim().parse().ok(),
        Json::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

/// A number that may come as a number or a text.
pub fn decimal(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => decimal_text(&number.to_string()),
        Json::String(text) => decimal_text(text),
        _ => None,
    }
}

/// A number as text; spaces between digits and a decimal comma are accepted.
pub fn decimal_text(text: &str) -> Option<Decimal> {
    let plain: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}'))
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    let number = plain
        .parse()
        .ok()
        .or_else(|| Decimal::from_scientific(&plain).ok())?;
    Some(Decimal::normalize(&number))
}

/// A flag that may come as a flag, a number or a text.
pub fn flag(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(flag) => Some(*flag),
        Json::Number(number) => number.as_f64().map(|number| number != 0.0),
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "y" | "yes" | "да" => Some(true),
            "" | "0" | "false" | "n" | "no" | "нет" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a flag in any spelling; unreadable and missing are `false`.
pub fn lenient_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(flag(&Json::deserialize(deserializer)?).unwrap_or(false))
}

/// Reads a text that may come as a number; `null` becomes empty.
pub fn lenient_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Json::deserialize(deserializer)? {
        Json::String(text) => text,
        Json::Null => String::new(),
        other => other.to_string(),
    })
}

/// Reads a list that may be `null`, an object keyed by index or id, or a single object. An item that cannot
/// be read is left out: a new kind of item must not fail the entity.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(items(Json::deserialize(deserializer)?)
        .into_iter()
        .filter_map(|item| serde_json::from_value(item).ok())
        .collect())
}

/// The items of a list in any of its shapes.
pub fn items(json: Json) -> Vec<Json> {
    match json {
        Json::Array(items) => items,
        Json::Object(map) if map.values().all(Json::is_object) => map.into_values().collect(),
        object @ Json::Object(_) => vec![object],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers() {
        let check = |json: Json, wanted: Option<i64>| assert_eq!(int(&json), wanted, "{json}");
        check(json!(7), Some(7));
        check(json!("7"), Some(7));
        check(json!(7.0), Some(7));
        check(json!(7.5), None);
        check(json!("x"), None);
        check(json!(null), None);
        let check = |json: Json, wanted: &str| {
            assert_eq!(
                decimal(&json).map(|d| d.to_string()).unwrap_or_default(),
                wanted,
                "{json}"
            );
        };
        check(json!(100.5), "100.5");
        check(json!("1.50"), "1.5");
        check(json!("1 234,5"), "1234.5");
        check(json!(1e3), "1000");
        check(json!("нет"), "");
    }

    #[test]
    fn known_tells_null_from_absent() {
        #[derive(Deserialize)]
        struct One {
            #[serde(default)]
            at: Known<Int>,
        }
        let read = |text: &str| serde_json::from_str::<One>(text).unwrap().at;
        assert_eq!(read("{}"), Known::Absent);
        assert_eq!(read(r#"{"at":null}"#), Known::Null);
        assert_eq!(read(r#"{"at":"5"}"#), Known::Is(Int(5)));
    }

    #[test]
    fn lists() {
        #[derive(Deserialize)]
        struct Many {
            #[serde(default, deserialize_with = "list")]
            all: Vec<Int>,
        }
        let read = |text: &str| serde_json::from_str::<Many>(text).unwrap().all;
        assert_eq!(read("{}"), []);
        assert_eq!(read(r#"{"all":null}"#), []);
        assert_eq!(read(r#"{"all":[]}"#), []);
        assert_eq!(read(r#"{"all":[1,"2",{}]}"#), [Int(1), Int(2)]);
        assert_eq!(items(json!({"17": {"id": 17}, "19": {"id": 19}})).len(), 2);
        assert_eq!(items(json!({"id": 17})), [json!({"id": 17})]);
    }
}
