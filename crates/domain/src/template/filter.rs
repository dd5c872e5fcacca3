//! Filters of template places.

use super::Sources;
use crate::calendar::{DateTimeFormat, parse_date};
use crate::field::FieldPath;
use crate::mapping::LetterCase;
use crate::phone;
use crate::text;
use crate::value::Value;
use rust_decimal::Decimal;

/// Names of the filters with what they do, for the editor's completion.
pub const FILTERS: [(&str, &str); 11] = [
    ("phone", "телефон в виде +79123456789"),
    ("money", "сумма с разделением разрядов: 90 000"),
    ("date", "дата в своём виде: date:\"d.m.Y H:i\""),
    ("upper", "ПРОПИСНЫЕ"),
    ("lower", "строчные"),
    ("title", "Каждое Слово С Большой"),
    ("trim", "без лишних пробелов"),
    ("default", "если пусто: default:\"не указано\""),
    ("first", "первое из нескольких"),
    ("join", "несколько через знак: join:\"; \""),
    ("digits", "только цифры"),
];

/// A step between the value and the text.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Filter {
    Phone,
    Money,
    Date(DateTimeFormat),
    Case(LetterCase),
    Trim,
    Default(String),
    First,
    Join(String),
    Digits,
}

impl Filter {
    /// A filter by name; the error is a Russian sentence.
    pub(super) fn new(name: &str, argument: Option<String>) -> Result<Self, String> {
        let needs = |example: &str| {
            format!("фильтру {name} нужно значение в кавычках, например {name}:\"{example}\"")
        };
        let filter = match (name, argument) {
            ("date", Some(format)) => {
                return DateTimeFormat::new(&format)
                    .map(Self::Date)
                    .map_err(|error| error.to_string());
            }
            ("date", None) => return Err(needs("d.m.Y")),
            ("default", Some(text)) => return Ok(Self::Default(text)),
            ("default", None) => return Err(needs("не указано")),
            ("join", Some(text)) => return Ok(Self::Join(text)),
            ("join", None) => return Err(needs("; ")),
            (_, Some(_)) if FILTERS.iter().any(|(known, _)| *known == name) => {
                return Err(format!("фильтру {name} значение не нужно; уберите его"));
            }
            ("phone", _) => Self::Phone,
            ("money", _) => Self::Money,
            ("upper", _) => Self::Case(LetterCase::Upper),
            ("lower", _) => Self::Case(LetterCase::Lower),
            ("title", _) => Self::Case(LetterCase::Title),
            ("trim", _) => Self::Trim,
            ("first", _) => Self::First,
            ("digits", _) => Self::Digits,
            _ => {
                let known: Vec<&str> = FILTERS.iter().map(|(known, _)| *known).collect();
                return Err(format!("неизвестный фильтр «{name}»; есть: {}", known.join(", ")));
            }
        };
        Ok(filter)
    }

    pub(super) fn apply(&self, value: Value, path: Option<FieldPath>, from: &Sources<'_, '_>) -> Value {
        let text = |value: &Value| from.scope.value_text(path, value, from.zone);
        match (self, value) {
            (Self::Default(other), value) if value.is_empty() => Value::text(other.as_str()),
            (Self::Default(_), value) => value,
            (_, Value::Empty) => Value::Empty,
            (Self::First, Value::Texts(list)) => list.into_iter().next().map_or(Value::Empty, Value::text),
            (Self::First, Value::Choices(list)) => {
                list.into_iter().next().map_or(Value::Empty, Value::Choice)
            }
            (Self::First, value) => value,
            (Self::Join(joint), Value::Texts(list)) => Value::text(list.join(joint)),
            (Self::Join(joint), Value::Choices(list)) => {
                let names: Vec<String> = list
                    .into_iter()
                    .map(|choice| text(&Value::Choice(choice)))
                    .collect();
                Value::text(names.join(joint))
            }
            (Self::Join(_), value) => value,
            (Self::Phone, Value::Texts(list)) => {
                let all: Vec<String> = list.iter().flat_map(|text| phone::normalise(text)).collect();
                Value::text(all.join(", "))
            }
            (Self::Phone, value) => Value::text(phone::normalise(&text(&value)).join(", ")),
            (Self::Money, Value::Number(number)) => Value::text(money(number)),
            (Self::Money, value) => value,
            (Self::Date(format), Value::Instant(at)) => format
                .print_instant(at, from.zone)
                .map_or(Value::Empty, Value::text),
            (Self::Date(format), Value::Day(day)) => format.print_day(day).map_or(Value::Empty, Value::text),
            (Self::Date(format), Value::Text(source)) => match parse_date(&source, from.zone) {
                Some(value) => Self::Date(format.clone()).apply(value, path, from),
                None => Value::Text(source),
            },
            (Self::Date(_), value) => value,
            (Self::Case(case), value) => Value::text(recase(&text(&value), *case)),
            (Self::Trim, value) => Value::text(text::trim(&text(&value))),
            (Self::Digits, value) => Value::text(
                text(&value)
                    .chars()
                    .filter(char::is_ascii_digit)
                    .collect::<String>(),
            ),
        }
    }
}

/// A sum as people write it: no kopecks when there are none, else two.
fn money(number: Decimal) -> String {
    let number = number.round_dp(2).normalize();
    let plain = if number.scale() == 0 {
        number.to_string()
    } else {
        format!("{number:.2}")
    };
    text::grouped(&plain)
}

/// A text in another case.
pub(crate) fn recase(source: &str, case: LetterCase) -> String {
    match case {
        LetterCase::Lower => source.to_lowercase(),
        LetterCase::Upper => source.to_uppercase(),
        LetterCase::Title => text::title_case(source),
    }
}
