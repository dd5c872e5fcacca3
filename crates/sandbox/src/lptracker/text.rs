//! Spelling of dates, phones, queries and loosely typed JSON scalars.

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone as _};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// How moments are written as text; the service's strings carry no zone.
#[derive(Debug, Clone, Copy)]
pub struct Zone(FixedOffset);

impl Zone {
    /// A zone so many hours east of UTC; out-of-range values fall back to Moscow's three.
    pub fn hours(hours: i32) -> Zone {
        let moscow = FixedOffset::east_opt(3 * 3600).expect("three hours are a valid offset");
        Zone(
            hours
                .checked_mul(3600)
                .and_then(FixedOffset::east_opt)
                .unwrap_or(moscow),
        )
    }

    fn format(self, unix_ms: i64, pattern: &str) -> String {
        match DateTime::from_timestamp_millis(unix_ms) {
            Some(moment) => moment.with_timezone(&self.0).format(pattern).to_string(),
            None => String::new(),
        }
    }

    /// `d.m.Y H:i`, the spelling of leads and fields.
    pub fn minutes(self, unix_ms: i64) -> String {
        self.format(unix_ms, "%d.%m.%Y %H:%M")
    }

    /// `d.m.Y H:i:s`, the spelling of comments.
    pub fn seconds(self, unix_ms: i64) -> String {
        self.format(unix_ms, "%d.%m.%Y %H:%M:%S")
    }

    /// `d.m.y H:i:s` with a two-digit year, the spelling of contacts.
    pub fn short_year(self, unix_ms: i64) -> String {
        self.format(unix_ms, "%d.%m.%y %H:%M:%S")
    }

    /// Unix milliseconds behind `d.m.Y H:i`; `None` when the text is anything else.
    pub fn parse_minutes(self, text: &str) -> Option<i64> {
        // chrono accepts one-digit days and signed years; the service's format has fixed positions.
        let shape: String = text
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        if shape != "00.00.0000 00:00" {
            return None;
        }
        let naive = NaiveDateTime::parse_from_str(text, "%d.%m.%Y %H:%M").ok()?;
        self.0
            .from_local_datetime(&naive)
            .single()
            .map(|moment| moment.timestamp_millis())
    }
}

/// Digits of a phone, whatever else was typed around them.
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Decoded query parameters in order; brackets may arrive raw or percent-encoded.
#[derive(Debug, Default, Clone)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Splits and decodes a raw query string.
    pub fn parse(raw: &str) -> Query {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Query(pairs.collect())
    }

    /// The last value under the name, as PHP keeps it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every non-empty value under `name` or `name[…]`; comma lists are split.
    pub fn all(&self, name: &str) -> Vec<String> {
        let array = format!("{name}[");
        self.0
            .iter()
            .filter(|(key, _)| key == name || key.starts_with(&array))
            .flat_map(|(_, value)| value.split(','))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    }
}

/// A whole number written as a number or as text.
pub fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number written as a number or as text.
pub fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().replace(',', ".").parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A flag written as a boolean, 0/1 or text.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => word_flag(text),
        _ => None,
    }
}

/// A flag in a query string.
pub fn word_flag(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "true" => Some(true),
        "0" | "false" | "" => Some(false),
        _ => None,
    }
}

/// Text, or a number spelled as text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text under a key; empty when absent, null or not a scalar.
pub fn text_of(body: &Map<String, Value>, key: &str) -> String {
    body.get(key).and_then(scalar).unwrap_or_default()
}

/// Pairs of a value map: `{"12": v}`, PHP's empty `[]`, or the SDK's `[{"id":12,"value":v}]`.
/// `None` when it is none of these or an id is not a number.
pub fn value_pairs(value: &Value) -> Option<Vec<(i64, Value)>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| Some((key.trim().parse().ok()?, value.clone())))
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                Some((
                    int(item.get("id")?)?,
                    item.get("value").cloned().unwrap_or(Value::Null),
                ))
            })
            .collect(),
        _ => None,
    }
}

/// Names as people compare them: trimmed, one space, one case.
pub fn same_name(left: &str, right: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    plain(left) == plain(right)
}
