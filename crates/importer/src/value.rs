//! Values of cells. What does not fit is said, never guessed.

use crate::cell::{Cell, expand_scientific, moment_of_serial};
use domain::calendar::parse_date;
use domain::field::{FieldKey, FieldType, SystemField};
use domain::phone;
use domain::time::Zone;
use domain::value::{Choice, Value};
use rust_decimal::Decimal;

/// What a column is to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which field: a length of time is understood in more ways than other numbers.
    pub key: FieldKey,
    /// Its type.
    pub of_type: FieldType,
}

/// The value in the text of a cell; `Ok(None)` when there is none. The error completes «Столбец «X»: …».
pub fn typed(text: &str, wanted: Wanted, zone: &Zone) -> Result<Option<Value>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('#') && (text.ends_with('!') || text.ends_with('?') || text == "#Н/Д") {
        return Err(format!("формула с ошибкой {text}, впишите значение"));
    }
    if wanted.key == FieldKey::System(SystemField::Duration) {
        return seconds(text).map(|secs| Some(Value::Number(secs.into())));
    }
    let value = match wanted.of_type {
        FieldType::Phone => Value::Texts(phones(text)?),
        FieldType::Email => Value::Texts(emails(text)?),
        FieldType::Number | FieldType::Money => Value::Number(number(text)?),
        FieldType::DateTime | FieldType::Date => date(text, zone)?,
        FieldType::Flag => Value::Flag(flag(text)?),
        FieldType::Select => Value::Choice(Choice::named(text)),
        FieldType::MultiSelect | FieldType::Tags => Value::Choices(
            text.split([',', ';'])
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(Choice::named)
                .collect(),
        ),
        FieldType::User | FieldType::Id | FieldType::Pipeline => {
            let id = text
                .parse()
                .map_err(|_| format!("«{text}» — не номер, впишите ID цифрами"))?;
            if wanted.of_type == FieldType::User {
                Value::User(id)
            } else {
                Value::Id(id)
            }
        }
        FieldType::Text | FieldType::Stage | FieldType::Opaque => Value::text(text),
    };
    Ok(Some(value))
}

fn phones(text: &str) -> Result<Vec<String>, String> {
    let expanded = expand_scientific(text);
    if let Some((digits, n_given)) = &expanded
        && *n_given < digits.len().min(11)
    {
        return Err(format!(
            "Excel сократил номер до «{text}», часть цифр потеряна: задайте столбцу формат «Текст» и впишите номер заново"
        ));
    }
    let text = expanded.as_ref().map_or(text, |(digits, _)| digits);
    let found: Vec<String> = phone::parse_all(text).map(|phone| phone.e164()).collect();
    if found.is_empty() {
        return Err(format!(
            "«{text}» не похоже на телефон, нужен номер вида +7 999 123-45-67"
        ));
    }
    Ok(found)
}

fn emails(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for part in text
        .split([',', ';', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let fits = part
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
        if !fits {
            return Err(format!("«{part}» не похоже на e-mail"));
        }
        found.push(part.to_lowercase());
    }
    Ok(found)
}

fn number(text: &str) -> Result<Decimal, String> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !"₽$€".contains(*c))
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    let plain = plain
        .trim_end_matches("руб.")
        .trim_end_matches("руб")
        .trim_end_matches("р.");
    plain
        .parse()
        .or_else(|_| Decimal::from_scientific(plain))
        .map_err(|_| format!("«{text}» — не число"))
}

fn date(text: &str, zone: &Zone) -> Result<Value, String> {
    if let Some(value) = parse_date(text, zone) {
        return Ok(value);
    }
    // A date whose cell has no date format is its day number.
    text.replace(',', ".")
        .parse()
        .ok()
        .and_then(moment_of_serial)
        .and_then(|at| parse_date(&Cell::Moment(at).show(), zone))
        .ok_or_else(|| format!("«{text}» — не дата, нужна дата вида 31.12.2026 или 31.12.2026 15:30"))
}

fn flag(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "да" | "1" | "true" | "yes" | "истина" | "+" => Ok(true),
        "нет" | "0" | "false" | "no" | "ложь" | "-" => Ok(false),
        _ => Err(format!("«{text}» — не да и не нет")),
    }
}

/// Seconds from `128`, `02:08`, `00:02:08`, `2 мин 8 сек`.
fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("«{text}» — не длительность, нужны секунды или мм:сс");
    if text.contains(':') {
        let parts: Option<Vec<u32>> = text.split(':').map(|part| part.trim().parse().ok()).collect();
        return match parts.as_deref() {
            Some([minutes, secs]) if *secs < 60 => {
                minutes.checked_mul(60).and_then(|it| it.checked_add(*secs))
            }
            Some([hours, minutes, secs]) if *minutes < 60 && *secs < 60 => hours
                .checked_mul(3600)
                .and_then(|it| it.checked_add(minutes * 60 + secs)),
            _ => None,
        }
        .ok_or_else(wrong);
    }
    if let Ok(secs) = text.replace(',', ".").parse::<f64>() {
        // A part of a day, as a length of time is without its format.
        let secs = if secs > 0.0 && secs < 1.0 {
            secs * 86_400.0
        } else {
            secs
        };
        return if (0.0..=864_000.0).contains(&secs) {
            Ok(secs.round() as u32)
        } else {
            Err(wrong())
        };
    }
    let (mut secs, mut number) = (0u32, None::<u32>);
    for word in text.split_whitespace() {
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        let unit = &word[digits.len()..];
        if !digits.is_empty() {
            number = digits.parse().ok();
        }
        if !unit.is_empty() {
            let factor = match unit.chars().next() {
                Some('ч' | 'h') => 3600,
                Some('м' | 'm') => 60,
                Some('с' | 's') => 1,
                _ => return Err(wrong()),
            };
            let part = number.take().ok_or_else(wrong)?.checked_mul(factor);
            secs = part.and_then(|part| secs.checked_add(part)).ok_or_else(wrong)?;
        }
    }
    if number.is_some() || secs == 0 {
        Err(wrong())
    } else {
        Ok(secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, of_type: FieldType) -> Result<Option<Value>, String> {
        let key = FieldKey::Custom(1);
        typed(text, Wanted { key, of_type }, &Zone::moscow())
    }

    fn length(text: &str) -> Result<Option<Value>, String> {
        let wanted = Wanted {
            key: SystemField::Duration.into(),
            of_type: FieldType::Number,
        };
        typed(text, wanted, &Zone::moscow())
    }

    #[test]
    fn phones_come_in_many_forms() {
        for text in [
            "79991234567",
            "8 (999) 123-45-67",
            "+7 999 123 45 67",
            "7.9991234567E+10",
        ] {
            let expect = Value::Texts(vec!["+79991234567".to_owned()]);
            assert_eq!(read(text, FieldType::Phone), Ok(Some(expect)), "{text}");
        }
        assert!(
            read("7,9991E+10", FieldType::Phone)
                .unwrap_err()
                .contains("сократил")
        );
        assert!(read("перезвонить", FieldType::Phone).is_err());
        assert_eq!(read("  ", FieldType::Phone), Ok(None));
    }

    #[test]
    fn dates_come_as_text_and_as_day_numbers() {
        let noon = read("25.11.2025 12:00", FieldType::DateTime);
        assert!(matches!(noon, Ok(Some(Value::Instant(_)))));
        assert_eq!(read("45986.5", FieldType::DateTime), noon);
        assert_eq!(read("45986,5", FieldType::DateTime), noon);
        assert!(read("завтра", FieldType::DateTime).is_err());
        assert!(read("79991234567", FieldType::DateTime).is_err());
    }

    #[test]
    fn lengths_come_as_seconds_and_as_clock() {
        for text in ["128", "02:08", "0:02:08", "2 мин 8 сек", "2м 8с", "0.00148148148"] {
            assert_eq!(length(text), Ok(Some(Value::Number(128.into()))), "{text}");
        }
        for text in ["2:61", "долго", "-5", "1:2:3:4", "5 минут 3"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_formulas_are_named() {
        assert!(read("#ДЕЛ/0!", FieldType::Text).unwrap_err().contains("формула"));
        assert!(read("#1 клиент", FieldType::Text).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_gives_a_value_or_a_reason(text in ".{0,40}") {
            for of_type in [FieldType::Phone, FieldType::Email, FieldType::Number, FieldType::DateTime, FieldType::Flag,
                FieldType::Select, FieldType::Tags, FieldType::User, FieldType::Text] {
                let _any = read(&text, of_type);
            }
            let _any = length(&text);
        }

        #[test]
        fn lengths_round_trip(secs in 1u32..360_000) {
            let shown = Cell::Duration(i64::from(secs)).show();
            prop_assert_eq!(length(&shown), Ok(Some(Value::Number(secs.into()))));
        }
    }
}
