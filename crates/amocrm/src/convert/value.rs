//! Values of custom fields by type.

use crate::wire::tolerant::{decimal, flag, int};
use chrono::{DateTime, NaiveDate};
use domain::calendar;
use domain::field::FieldType;
use domain::time::{Timestamp, Zone};
use domain::value::{Choice, Day, Value};
use serde_json::{Value as Json, json};

/// The neutral type of a field. An unknown word is a kind that the hub only carries.
pub fn field_type(raw: &str, code: Option<&str>) -> FieldType {
    match raw {
        "text" | "textarea" | "url" | "streetaddress" | "tracking_data" | "org_legal_name" => FieldType::Text,
        "numeric" => FieldType::Number,
        "monetary" | "price" => FieldType::Money,
        "checkbox" => FieldType::Flag,
        "select" | "radiobutton" | "category" => FieldType::Select,
        "multiselect" => FieldType::MultiSelect,
        "date" | "birthday" => FieldType::Date,
        "date_time" => FieldType::DateTime,
        "multitext" => match code {
            Some("PHONE") => FieldType::Phone,
            Some("EMAIL") => FieldType::Email,
            _ => FieldType::Opaque,
        },
        _ => FieldType::Opaque,
    }
}

/// Reads the values of a field whose type is known. What does not fit its type is carried raw, never bent.
pub fn read(field_type: FieldType, values: &[Json], zone: &Zone) -> Value {
    let Some(first) = values.first() else {
        return Value::Empty;
    };
    let plain = value_of(first);
    let read = match field_type {
        FieldType::Text => text(plain).map(Value::text),
        FieldType::Number | FieldType::Money => number(plain),
        FieldType::Flag => flag(plain).map(Value::Flag),
        FieldType::Select => choice(first).map(Value::Choice),
        FieldType::MultiSelect => values
            .iter()
            .map(choice)
            .collect::<Option<Vec<_>>>()
            .map(Value::Choices),
        FieldType::Date => day(plain, zone),
        FieldType::DateTime => instant(plain),
        FieldType::Phone | FieldType::Email => Some(texts(values)),
        _ => None,
    };
    read.unwrap_or_else(|| Value::Json(Json::Array(values.to_vec())))
}

/// Reads the values of a field of which only the code is known: webhooks tell no types. A value with an option
/// id is an option, all else a text.
pub fn guess(code: Option<&str>, values: &[Json]) -> Value {
    if matches!(code, Some("PHONE" | "EMAIL")) {
        return texts(values);
    }
    let Some(first) = values.first() else {
        return Value::Empty;
    };
    if values.iter().all(|item| enum_id(item).is_some())
        && let Some(mut choices) = values.iter().map(choice).collect::<Option<Vec<_>>>()
    {
        return match choices.len() {
            1 => Value::Choice(choices.remove(0)),
            _ => Value::Choices(choices),
        };
    }
    match (values.len(), text(value_of(first))) {
        (1, Some(text)) => Value::text(text),
        _ => Value::Json(Json::Array(values.to_vec())),
    }
}

/// The values that write a field; `None` clears it.
pub fn write(value: &Value, zone: &Zone) -> Option<Vec<Json>> {
    let one = |value: Json| Some(vec![json!({ "value": value })]);
    match value {
        Value::Empty => None,
        Value::Text(text) => one(json!(text)),
        Value::Number(number) => one(json!(number.normalize().to_string())),
        Value::Flag(flag) => one(json!(flag)),
        Value::Instant(at) => one(json!(at.secs())),
        // amoCRM keeps a day as a midnight of the account's zone; RFC 3339 says which midnight is meant.
        Value::Day(day) => match midnight(*day, zone) {
            Some(text) => one(json!(text)),
            None => one(json!(format!("{:04}-{:02}-{:02}", day.year, day.month, day.day))),
        },
        Value::Choice(choice) => Some(vec![choice_body(choice)]),
        Value::Choices(choices) if choices.is_empty() => None,
        Value::Choices(choices) => Some(choices.iter().map(choice_body).collect()),
        Value::User(id) | Value::Id(id) => one(json!(id.to_string())),
        Value::Stage(stage) => one(json!(format!("{}:{}", stage.pipeline, stage.status))),
        Value::Texts(texts) => {
            let filled: Vec<Json> = texts
                .iter()
                .filter(|text| !text.trim().is_empty())
                .map(|text| json!({ "value": text }))
                .collect();
            (!filled.is_empty()).then_some(filled)
        }
        Value::Json(Json::Null) => None,
        Value::Json(Json::Array(items)) => Some(items.clone()),
        Value::Json(other) => one(other.clone()),
    }
}

/// The value inside an item; some webhook items are the bare value.
pub fn value_of(item: &Json) -> &Json {
    match item {
        Json::Object(map) => map.get("value").unwrap_or(&Json::Null),
        bare => bare,
    }
}

/// Id of the option in an item; webhooks call it `enum`, an old text of the API too, where it may be a code.
fn enum_id(item: &Json) -> Option<i64> {
    item.get("enum_id")
        .and_then(int)
        .or_else(|| item.get("enum").and_then(int))
}

fn choice(item: &Json) -> Option<Choice> {
    Some(Choice {
        id: enum_id(item),
        name: text(value_of(item))?,
    })
}

fn choice_body(choice: &Choice) -> Json {
    match choice.id {
        Some(id) => json!({ "enum_id": id }),
        None => json!({ "value": choice.name }),
    }
}

fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(if *flag { "1" } else { "0" }.to_owned()),
        Json::Null => Some(String::new()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

fn texts(values: &[Json]) -> Value {
    let texts: Vec<String> = values
        .iter()
        .filter_map(|item| text(value_of(item)))
        .filter(|text| !text.trim().is_empty())
        .collect();
    if texts.is_empty() {
        Value::Empty
    } else {
        Value::Texts(texts)
    }
}

fn number(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Empty),
        Json::String(text) if text.trim().is_empty() => Some(Value::Empty),
        _ => decimal(json).map(Value::Number),
    }
}

fn instant(json: &Json) -> Option<Value> {
    if let Some(secs) = int(json) {
        return Some(Value::Instant(Timestamp::from_secs(secs)));
    }
    match json {
        Json::Null => Some(Value::Empty),
        Json::String(text) if text.trim().is_empty() => Some(Value::Empty),
        Json::String(text) => DateTime::parse_from_rfc3339(text.trim())
            .ok()
            .map(|at| Value::Instant(Timestamp(at.timestamp_millis()))),
        _ => None,
    }
}

fn day(json: &Json, zone: &Zone) -> Option<Value> {
    if let Json::String(text) = json {
        let text = text.trim();
        let written = ["%d.%m.%Y", "%Y-%m-%d"]
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(text, form).ok());
        if let Some(date) = written {
            return Some(Value::Day(Day::from(date)));
        }
    }
    match instant(json)? {
        Value::Instant(at) => calendar::local_day(at, zone).map(Value::Day),
        other => Some(other),
    }
}

fn midnight(day: Day, zone: &Zone) -> Option<String> {
    let at = calendar::start_of(day, zone)?;
    let offset = chrono::FixedOffset::east_opt(zone.offset_secs(at))?;
    let at = DateTime::from_timestamp(at.secs(), 0)?.with_timezone(&offset);
    Some(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone::moscow()
    }

    fn check(raw: &str, values: Json, wanted: Value) {
        let Json::Array(items) = &values else {
            panic!("an array")
        };
        assert_eq!(
            read(field_type(raw, None), items, &zone()),
            wanted,
            "{raw} {values}"
        );
    }

    fn decimal_of(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    #[test]
    fn every_type_reads() {
        let day = |year, month, day| Value::Day(Day { year, month, day });
        check("text", json!([{"value": "строка"}]), Value::text("строка"));
        check("text", json!([{"value": ""}]), Value::Empty);
        check(
            "url",
            json!([{"value": "https://www.amocrm.ru/"}]),
            Value::text("https://www.amocrm.ru/"),
        );
        check("numeric", json!([{"value": "1.50"}]), decimal_of("1.5"));
        check("monetary", json!([{"value": 200}]), decimal_of("200"));
        check(
            "numeric",
            json!([{"value": "много"}]),
            Value::Json(json!([{"value": "много"}])),
        );
        check("checkbox", json!([{"value": true}]), Value::Flag(true));
        check("checkbox", json!([{"value": "0"}]), Value::Flag(false));
        check("date", json!([{"value": 1_577_826_000}]), day(2020, 1, 1));
        check("date", json!(["1725915600"]), day(2024, 9, 10));
        check(
            "date",
            json!([{"value": "2020-01-01T00:00:00+03:00"}]),
            day(2020, 1, 1),
        );
        check("birthday", json!([{"value": "12.01.1980"}]), day(1980, 1, 12));
        check(
            "date_time",
            json!([{"value": 1_577_836_800}]),
            Value::Instant(Timestamp::from_secs(1_577_836_800)),
        );
        check(
            "select",
            json!([{"value": "А", "enum_id": 17}]),
            Value::Choice(Choice::new(17, "А")),
        );
        check(
            "radiobutton",
            json!([{"value": "2", "enum": "566642"}]),
            Value::Choice(Choice::new(566_642, "2")),
        );
        check(
            "multiselect",
            json!([{"value": "А", "enum_id": 17}, {"value": "Б", "enum_id": 19}]),
            Value::Choices(vec![Choice::new(17, "А"), Choice::new(19, "Б")]),
        );
        check(
            "chained_list",
            json!([{"catalog_id": 1}]),
            Value::Json(json!([{"catalog_id": 1}])),
        );
        check(
            "of_tomorrow",
            json!([{"value": {"a": 1}}]),
            Value::Json(json!([{"value": {"a": 1}}])),
        );
        check("text", json!([]), Value::Empty);
    }

    #[test]
    fn multitext_is_phones() {
        let values = [
            json!({"value": "+7900", "enum_id": 1}),
            json!({"value": "8900", "enum": "WORK"}),
        ];
        let read = read(field_type("multitext", Some("PHONE")), &values, &zone());
        assert_eq!(read, Value::Texts(vec!["+7900".to_owned(), "8900".to_owned()]));
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let round = |raw: &str, value: Value| {
            let written = write(&value, &zone()).unwrap_or_default();
            assert_eq!(
                read(field_type(raw, Some("PHONE")), &written, &zone()),
                value,
                "{raw}"
            );
        };
        round("text", Value::text("ё"));
        round("text", Value::Empty);
        round("numeric", decimal_of("1234.5"));
        round("checkbox", Value::Flag(false));
        round(
            "date",
            Value::Day(Day {
                year: 2026,
                month: 2,
                day: 28,
            }),
        );
        round(
            "birthday",
            Value::Day(Day {
                year: 1980,
                month: 1,
                day: 12,
            }),
        );
        round("date_time", Value::Instant(Timestamp::from_secs(1_700_000_000)));
        round(
            "multitext",
            Value::Texts(vec!["+7900".to_owned(), "8900".to_owned()]),
        );
        round(
            "smart_address",
            Value::Json(json!([{"value": "Москва", "enum_code": "city"}])),
        );
    }

    #[test]
    fn guesses() {
        assert_eq!(guess(None, &[json!({"value": "1"})]), Value::text("1"));
        assert_eq!(
            guess(None, &[json!({"value": "2", "enum": "908107"})]),
            Value::Choice(Choice::new(908_107, "2"))
        );
        assert_eq!(guess(None, &[]), Value::Empty);
        assert_eq!(
            guess(Some("PHONE"), &[json!({"value": "1"})]),
            Value::Texts(vec!["1".to_owned()])
        );
        assert_eq!(guess(None, &[json!("1725915600")]), Value::text("1725915600"));
    }
}
