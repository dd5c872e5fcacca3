//! Conversions.

use crate::calendar::{DateTimeFormat, parse_date};
use crate::catalogues::Scope;
use crate::condition::Alike;
use crate::field::FieldPath;
use crate::mapping::Conversion;
use crate::phone;
use crate::template::recase;
use crate::text;
use crate::time::Zone;
use crate::value::{Choice, Value};
use rust_decimal::Decimal;

/// Applies a conversion. What is not known stays so, except for «значение по умолчанию»; the error says in
/// Russian why the value cannot be brought into shape.
pub(super) fn apply(
    conversion: &Conversion,
    value: Option<Value>,
    path: Option<FieldPath>,
    scope: &Scope,
    zone: &Zone,
) -> Result<Option<Value>, String> {
    if let Conversion::Default(other) = conversion {
        return Ok(Some(
            value
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| other.clone()),
        ));
    }
    let Some(value) = value else { return Ok(None) };
    if value.is_empty() && !matches!(conversion, Conversion::Options { .. }) {
        return Ok(Some(Value::Empty));
    }
    Ok(Some(match conversion {
        Conversion::Phone => phones(value),
        Conversion::Trim => texts(value, text::trim),
        Conversion::Case(case) => texts(value, |text| recase(text, *case)),
        Conversion::Number => match value {
            Value::Number(number) => Value::Number(number),
            other => {
                let text = scope.value_text(path, &other, zone);
                Value::Number(number(&text).ok_or_else(|| format!("«{text}» — не число"))?)
            }
        },
        Conversion::DateFormat(format) => {
            let format = DateTimeFormat::new(format).map_err(|error| error.to_string())?;
            date(&format, value, zone)?
        }
        Conversion::Options { table, default } => options(table, default.as_ref(), value, path, scope, zone)?,
        Conversion::First => match value {
            Value::Texts(list) => list
                .into_iter()
                .find(|text| !text.trim().is_empty())
                .map_or(Value::Empty, Value::Text),
            Value::Choices(list) => list.into_iter().next().map_or(Value::Empty, Value::Choice),
            other => other,
        },
        Conversion::Join(joint) => match value {
            Value::Texts(list) => Value::text(list.join(joint)),
            Value::Choices(list) => {
                let names: Vec<String> = list
                    .into_iter()
                    .map(|choice| scope.value_text(path, &Value::Choice(choice), zone))
                    .collect();
                Value::text(names.join(joint))
            }
            other => Value::text(scope.value_text(path, &other, zone)),
        },
        Conversion::Default(_) => value,
        Conversion::Text => match value {
            Value::Texts(list) => Value::Texts(list),
            other => Value::text(scope.value_text(path, &other, zone)),
        },
    }))
}

fn texts(value: Value, change: impl Fn(&str) -> String) -> Value {
    match value {
        Value::Text(text) => Value::text(change(&text)),
        Value::Texts(list) => Value::Texts(list.iter().map(|text| change(text)).collect()),
        Value::Choice(choice) => Value::text(change(&choice.name)),
        other => other,
    }
}

/// Numbers in international form; several of one cell become several, what is no number stays.
fn phones(value: Value) -> Value {
    let mut list: Vec<String> = match &value {
        Value::Text(text) => phone::normalise(text),
        Value::Texts(list) => list.iter().flat_map(|text| phone::normalise(text)).collect(),
        _ => return value,
    };
    let mut seen = std::collections::HashSet::new();
    list.retain(|text| seen.insert(text.clone()));
    match (value, list.len()) {
        (_, 0) => Value::Empty,
        (Value::Text(_), 1) => Value::text(list.remove(0)),
        _ => Value::Texts(list),
    }
}

/// A number as people write it: blanks between groups, comma or point, a currency sign, a percent sign.
fn number(text: &str) -> Option<Decimal> {
    let mut plain: String = text
        .trim()
        .trim_end_matches(['₽', '$', '€', '%', '.'])
        .trim_end_matches("руб")
        .trim_end_matches("р")
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '_' | '₽' | '$' | '€'))
        .map(|c| if c == '−' { '-' } else { c })
        .collect();
    let commas = plain.matches(',').count();
    let points = plain.matches('.').count();
    match (commas, points) {
        (1, 0) => plain = plain.replace(',', "."),
        // `1,234.56` and `1.234,56`: the last sign is the decimal one.
        (_, 1) if commas > 0 && plain.rfind('.') > plain.rfind(',') => plain = plain.replace(',', ""),
        (1, _) if points > 0 && plain.rfind(',') > plain.rfind('.') => {
            plain = plain.replace('.', "").replace(',', ".");
        }
        (0, 0 | 1) => {}
        _ => return None,
    }
    plain.parse().ok()
}

fn date(format: &DateTimeFormat, value: Value, zone: &Zone) -> Result<Value, String> {
    match value {
        Value::Instant(at) => format
            .print_instant(at, zone)
            .map(Value::text)
            .ok_or_else(|| "дата вне календаря".to_owned()),
        Value::Day(day) => format
            .print_day(day)
            .map(Value::text)
            .ok_or_else(|| "такого дня нет в календаре".to_owned()),
        Value::Text(text) => match format.parse_value(&text, zone) {
            Some(value) => Ok(value),
            // The usual forms are understood even when the file does not keep to the format.
            None => match (parse_date(&text, zone), format.has_time()) {
                (Some(Value::Day(day)), true) => crate::calendar::start_of(day, zone)
                    .map(Value::Instant)
                    .ok_or_else(|| "такого дня нет в календаре".to_owned()),
                (Some(Value::Instant(at)), false) => crate::calendar::local_day(at, zone)
                    .map(Value::Day)
                    .ok_or_else(|| "дата вне календаря".to_owned()),
                (Some(value), _) => Ok(value),
                (None, _) => Err(format!("«{text}» — не дата")),
            },
        },
        _ => Err("значение — не дата".to_owned()),
    }
}

/// Looks each value up in the table; what is not in it becomes the default.
fn options(
    table: &[(Value, Value)],
    default: Option<&Value>,
    value: Value,
    path: Option<FieldPath>,
    scope: &Scope,
    zone: &Zone,
) -> Result<Value, String> {
    let look = |one: &Value| {
        let found = table
            .iter()
            .find(|(from, _)| is_same(from, one, path, scope, zone))
            .map(|(_, to)| to);
        found.or(default).cloned()
    };
    let missing = |one: &Value| {
        format!(
            "значения {} нет в таблице соответствия",
            scope.value_words(path, one, zone)
        )
    };
    match &value {
        Value::Choices(list) => {
            let mut out: Vec<Choice> = Vec::new();
            for choice in list {
                let one = Value::Choice(choice.clone());
                match look(&one).ok_or_else(|| missing(&one))? {
                    Value::Choice(choice) => out.push(choice),
                    Value::Choices(list) => out.extend(list),
                    Value::Text(text) => out.push(Choice::named(text)),
                    // A table that gives flags or numbers has one answer for the whole list.
                    other => return Ok(other),
                }
            }
            match (out.is_empty(), default) {
                (true, Some(default)) => Ok(default.clone()),
                (true, None) => Ok(Value::Empty),
                (false, _) => Ok(Value::Choices(out)),
            }
        }
        value if value.is_empty() => match look(value) {
            Some(found) => Ok(found),
            None => Ok(Value::Empty),
        },
        value => look(value).ok_or_else(|| missing(value)),
    }
}

/// The left side of a table line names this value: the same value, the same option, or its name in words.
fn is_same(from: &Value, one: &Value, path: Option<FieldPath>, scope: &Scope, zone: &Zone) -> bool {
    match (from, one) {
        (Value::Choice(a), Value::Choice(b)) => match (a.id, b.id) {
            (Some(a), Some(b)) => a == b,
            _ => text::same_name(&a.name, &scope.value_text(path, one, zone)),
        },
        (Value::Text(a), Value::Number(b)) => number(a) == Some(*b),
        (Value::Text(a), _) => text::same(a, &scope.value_text(path, one, zone), Alike::default()),
        (Value::Choice(a), Value::Text(b)) => text::same_name(&a.name, b),
        (a, b) => a == b || (a.is_empty() && b.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(number(text), expect.map(|n| n.parse().expect("number")), "{text}");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        check("1 234,56 ₽", Some("1234.56"));
        check("1\u{a0}234", Some("1234"));
        check("1,234.56", Some("1234.56"));
        check("1.234,56", Some("1234.56"));
        check("1.234.567,5", Some("1234567.5"));
        check("12 руб.", Some("12"));
        check("500р", Some("500"));
        check("-3", Some("-3"));
        check("−3,5", Some("-3.5"));
        check("20%", Some("20"));
        check("1'000", Some("1000"));
        for text in ["", "много", "12 штук", "1.2.3", "1,2,3", "--1"] {
            check(text, None);
        }
    }
}
