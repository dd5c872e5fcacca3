//! Field definitions and values (contract §5).

use crate::time;
use crate::wire::project::Definition;
use crate::wire::scalar;
use domain::catalogue::FieldInfo;
use domain::field::FieldType;
use domain::record::RecordKind;
use domain::time::Zone;
use domain::value::{Choice, Value};
use serde_json::Value as Json;

/// Types that a record has as system fields: the step and the owner.
pub fn is_system(kind: &str) -> bool {
    matches!(kind, "funnel" | "owner")
}

/// A definition for the catalogue; `None` for the step and the owner, which are system fields.
pub fn info(record: RecordKind, definition: &Definition) -> Option<FieldInfo> {
    if is_system(&definition.kind) {
        return None;
    }
    let field_type = field_type(record, &definition.kind, definition.multi);
    Some(FieldInfo {
        record,
        id: definition.id,
        name: definition.name.clone(),
        field_type,
        raw_type: definition.kind.clone(),
        code: None,
        options: definition.categories.iter().map(Choice::named).collect(),
        read_only: field_type == FieldType::Opaque,
    })
}

fn field_type(record: RecordKind, kind: &str, multi: bool) -> FieldType {
    match kind {
        "text" | "string" => FieldType::Text,
        "number" => FieldType::Number,
        "cats" if multi => FieldType::MultiSelect,
        "cats" => FieldType::Select,
        // A contact's date is a birthday and the like; a lead's has a time of day.
        "date" if record == RecordKind::LeadContact => FieldType::Date,
        "date" | "funnel_date" => FieldType::DateTime,
        _ => FieldType::Opaque,
    }
}

/// What a field holds. `kind` is the service's word for its type, `known` the type from the catalogue, which
/// alone tells single choice from several. A value of an unexpected shape is carried as it is.
pub fn value(record: RecordKind, kind: &str, known: Option<FieldType>, json: &Json, zone: &Zone) -> Value {
    let is_blank = match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    };
    if is_blank {
        return Value::Empty;
    }
    let field_type = match known {
        Some(known) => known,
        None if kind.is_empty() => guessed(json),
        None => field_type(record, kind, true),
    };
    let converted = match field_type {
        FieldType::Text => scalar::text(json).map(Value::Text),
        FieldType::Number | FieldType::Money => scalar::decimal(json).map(Value::Number),
        FieldType::Select => names(json).map(|mut names| {
            if names.len() == 1 {
                Value::Choice(names.remove(0))
            } else {
                Value::Choices(names)
            }
        }),
        FieldType::MultiSelect => names(json).map(Value::Choices),
        FieldType::DateTime => time::instant(json, zone).map(Value::Instant),
        FieldType::Date => time::day(json).map(Value::Day),
        _ => None,
    };
    converted.unwrap_or_else(|| Value::Json(json.clone()))
}

/// Without any word about the type: texts are texts, lists are choices.
fn guessed(json: &Json) -> FieldType {
    match json {
        Json::String(_) | Json::Number(_) => FieldType::Text,
        Json::Array(_) => FieldType::MultiSelect,
        _ => FieldType::Opaque,
    }
}

/// Categories are read as names; a single one may come bare.
fn names(json: &Json) -> Option<Vec<Choice>> {
    let one = |json: &Json| scalar::text(json.get("name").unwrap_or(json)).map(Choice::named);
    match json {
        Json::Array(items) => items.iter().map(one).collect(),
        other => one(other).map(|choice| vec![choice]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;
    use domain::value::Day;
    use serde_json::json;

    fn check(kind: &str, known: Option<FieldType>, json: Json, expected: Value) {
        assert_eq!(
            value(RecordKind::Lead, kind, known, &json, &Zone::moscow()),
            expected,
            "{kind} {json}"
        );
    }

    #[test]
    fn values_by_type() {
        check("text", None, json!("x"), Value::Text("x".into()));
        check("text", None, json!(34), Value::Text("34".into()));
        check("text", None, json!(""), Value::Empty);
        check("text", None, json!(null), Value::Empty);
        check(
            "number",
            None,
            json!("12.5"),
            Value::Number("12.5".parse().unwrap()),
        );
        check("number", None, json!("много"), Value::Json(json!("много")));
        let site = || Choice::named("Сайт");
        check("cats", None, json!(["Сайт"]), Value::Choices(vec![site()]));
        check(
            "cats",
            Some(FieldType::Select),
            json!(["Сайт"]),
            Value::Choice(site()),
        );
        check(
            "cats",
            Some(FieldType::Select),
            json!("Сайт"),
            Value::Choice(site()),
        );
        check(
            "cats",
            Some(FieldType::MultiSelect),
            json!(["Сайт"]),
            Value::Choices(vec![site()]),
        );
        check("cats", Some(FieldType::Select), json!([]), Value::Empty);
        check(
            "date",
            None,
            json!("01.08.2026 12:00"),
            Value::Instant(Timestamp::from_secs(1_785_574_800)),
        );
        check("date", None, json!("скоро"), Value::Json(json!("скоро")));
        check("file", None, json!(null), Value::Empty);
        check("map", None, json!({"lat": 1}), Value::Json(json!({"lat": 1})));
        check("conv_funnel", None, json!(5), Value::Json(json!(5)));
    }

    #[test]
    fn date_of_a_contact_is_a_day() {
        let found = value(
            RecordKind::LeadContact,
            "date",
            None,
            &json!("09.11.1990"),
            &Zone::moscow(),
        );
        assert_eq!(
            found,
            Value::Day(Day {
                year: 1990,
                month: 11,
                day: 9
            })
        );
    }

    #[test]
    fn step_and_owner_are_not_custom_fields() {
        let definition = |kind: &str| {
            Definition::read(&json!({"id": 1, "name": " Шаг  воронки ", "type": kind, "is_multi_select": 1}))
                .unwrap()
        };
        assert_eq!(info(RecordKind::Lead, &definition("funnel")), None);
        assert_eq!(info(RecordKind::Lead, &definition("owner")), None);
        let cats = info(RecordKind::Lead, &definition("cats")).unwrap();
        assert_eq!(
            (cats.field_type, cats.name.as_str()),
            (FieldType::MultiSelect, "Шаг воронки")
        );
        assert!(info(RecordKind::Lead, &definition("file")).unwrap().read_only);
    }
}
