//! Loosely typed scalars.

use rust_decimal::Decimal;
use serde_json::Value;

/// A whole number written as a number or as text.
pub fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 a float no longer names one whole number.
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An id under a key of an object.
pub fn id(object: &Value, key: &str) -> Option<i64> {
    object.get(key).and_then(int)
}

/// Text, or a number spelled as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Text under a key: `None` when the key is absent or not a scalar, an empty text for `null`.
pub fn known_text(object: &Value, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::Null => Some(String::new()),
        other => text(other),
    }
}

/// A flag written as a boolean, 0/1 or their texts.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => match text.trim() {
            "1" | "true" => Some(true),
            "0" | "false" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// An amount written as a number or as text (`"1500.50"`, `"1 500,50"`).
pub fn decimal(value: &Value) -> Option<Decimal> {
    let plain: String = text(value)?
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    plain
        .parse()
        .ok()
        .or_else(|| Decimal::from_scientific(&plain).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_numbers_or_texts() {
        assert_eq!(int(&json!(12)), Some(12));
        assert_eq!(int(&json!("12")), Some(12));
        assert_eq!(int(&json!(12.0)), Some(12));
        assert_eq!(int(&json!(0)), Some(0));
        for nothing in [
            json!(null),
            json!(""),
            json!("x"),
            json!(1.5),
            json!(1e300),
            json!([1]),
        ] {
            assert_eq!(int(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn money_is_number_or_text() {
        let check =
            |value: Value, expected: &str| assert_eq!(decimal(&value), Some(expected.parse().unwrap()));
        check(json!("1500.50"), "1500.50");
        check(json!(1500.5), "1500.5");
        check(json!("1 500,50"), "1500.50");
        check(json!(1e3), "1000");
        assert_eq!(decimal(&json!("дорого")), None);
    }

    #[test]
    fn flags() {
        for yes in [json!(true), json!(1), json!("1"), json!("true")] {
            assert_eq!(flag(&yes), Some(true));
        }
        for no in [json!(false), json!(0), json!("0"), json!("")] {
            assert_eq!(flag(&no), Some(false));
        }
        assert_eq!(flag(&json!(null)), None);
    }
}
