//! The right side of a comparison while it is edited: which forms it may have, and what it becomes when the field
//! or the operator changes.

use domain::condition::Operator;
use domain::field::FieldType;
use domain::types::{OperandShape, OperatorUse, operator_use, operators};
use serde_json::{Value, json};

/// A form that the right side may have; the person chooses where there are several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One value.
    Value,
    /// Several values.
    Values,
    /// From and to.
    Between,
    /// A day of the calendar.
    Day,
    /// Now or a field, moved by a length of time.
    Moved,
    /// Another field.
    Field,
    /// A length of time.
    Span,
    /// Days of the week.
    Weekdays,
    /// A stretch of the day.
    TimeOfDay,
}

impl Form {
    /// Member of the document.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Values => "values",
            Self::Between => "between",
            Self::Day => "day",
            Self::Moved => "moved",
            Self::Field => "field",
            Self::Span => "span",
            Self::Weekdays => "weekdays",
            Self::TimeOfDay => "time_of_day",
        }
    }

    /// Russian words of the choice.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Value | Self::Values | Self::Between => "значение",
            Self::Day => "дата",
            Self::Moved => "относительно",
            Self::Field => "поле",
            Self::Span | Self::Weekdays | Self::TimeOfDay => "",
        }
    }

    /// What stands there before the person has said anything; `"none"` is the document's own word for nothing.
    pub fn blank(self) -> Value {
        match self {
            Self::Value | Self::Between | Self::Day | Self::Field => json!("none"),
            Self::Values => json!({ "values": [] }),
            Self::Moved => json!({ "moved": { "by": { "n": 0, "unit": "days" } } }),
            Self::Span => json!({ "span": { "n": 1, "unit": "days" } }),
            Self::Weekdays => json!({ "weekdays": [1, 2, 3, 4, 5] }),
            Self::TimeOfDay => json!({ "time_of_day": [540, 1080] }),
        }
    }
}

/// The forms of an operator, the usual one first; none when nothing stands on the right.
pub fn forms(entry: &OperatorUse) -> Vec<Form> {
    let mut forms = match entry.operand {
        OperandShape::None => Vec::new(),
        OperandShape::Value | OperandShape::Pattern => vec![Form::Value],
        OperandShape::List | OperandShape::OneOrMany | OperandShape::Country => vec![Form::Values],
        OperandShape::Between | OperandShape::Period => vec![Form::Between],
        OperandShape::Moment => vec![Form::Day, Form::Moved],
        OperandShape::Span => vec![Form::Span],
        OperandShape::Weekdays => vec![Form::Weekdays],
        OperandShape::TimeOfDay => vec![Form::TimeOfDay],
    };
    if entry.other_field {
        forms.push(Form::Field);
    }
    forms
}

/// The form that a right side has now.
pub fn form_of(with: &Value) -> Option<Form> {
    use Form as F;
    let all = [
        F::Value,
        F::Values,
        F::Between,
        F::Day,
        F::Moved,
        F::Field,
        F::Span,
        F::Weekdays,
        F::TimeOfDay,
    ];
    all.into_iter().find(|form| with.get(form.word()).is_some())
}

/// The form to draw: the one that stands there if the operator has it, else the usual one. A fixed moment and one
/// value where a list is meant are read as what they are.
pub fn shown(entry: &OperatorUse, with: &Value) -> Option<Form> {
    let allowed = forms(entry);
    let now = form_of(with);
    let now = match now {
        Some(Form::Value) if allowed.contains(&Form::Day) => Some(Form::Day),
        Some(Form::Value) if allowed.contains(&Form::Values) => Some(Form::Values),
        other => other,
    };
    now.filter(|form| allowed.contains(form))
        .or_else(|| allowed.first().copied())
}

/// The values of a right side, one or several.
pub fn values(with: &Value) -> Vec<Value> {
    match (with.get("values"), with.get("value")) {
        (Some(Value::Array(list)), _) => list.clone(),
        (_, Some(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// What the right side becomes under another operator: it stays where it still fits.
pub fn kept(field_type: FieldType, operator: Operator, with: &Value) -> Value {
    let Some(entry) = operator_use(field_type, operator) else {
        return json!("none");
    };
    let allowed = forms(entry);
    let Some(first) = allowed.first() else {
        return json!("none");
    };
    match (form_of(with), first) {
        (Some(form), _) if allowed.contains(&form) => with.clone(),
        (Some(Form::Value), Form::Values) => json!({ "values": values(with) }),
        (Some(Form::Value), Form::Day) => with.clone(),
        (Some(Form::Values), Form::Value) => match values(with).first() {
            Some(one) => json!({ "value": one }),
            None => json!("none"),
        },
        _ => first.blank(),
    }
}

/// A comparison with another field: the operator stays if its type has it, the right side only if the type is the
/// same and ids mean the same.
pub fn refit(compare: &Value, old: Option<FieldType>, new: FieldType, path: &str) -> Value {
    let operator: Option<Operator> = compare
        .get("operator")
        .and_then(Value::as_str)
        .and_then(|word| Operator::ALL.iter().copied().find(|one| one.as_str() == word));
    let operator = operator
        .filter(|operator| operator_use(new, *operator).is_some())
        .unwrap_or_else(|| operators(new)[0].operator);
    let plain = matches!(
        new,
        FieldType::Text | FieldType::Number | FieldType::Money | FieldType::Date | FieldType::DateTime
    );
    let nothing = json!("none");
    let with = match compare.get("with") {
        Some(with) if old == Some(new) && plain => with,
        _ => &nothing,
    };
    let mut out = compare.clone();
    if let Some(members) = out.as_object_mut() {
        members.insert("field".to_owned(), path.into());
        members.insert("operator".to_owned(), operator.as_str().into());
        members.insert("with".to_owned(), kept(new, operator, with));
    }
    out
}

/// A comparison to begin with.
pub fn blank_compare(path: &str, field_type: FieldType) -> Value {
    let operator = operators(field_type)[0].operator;
    json!({ "compare": {
        "field": path,
        "operator": operator.as_str(),
        "with": kept(field_type, operator, &json!("none")),
        "alike": { "case": true, "yo": true, "spaces": true, "phone": true },
    } })
}

/// A number as a person types it: blanks in groups and a decimal comma are understood.
pub fn number(text: &str) -> Option<String> {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| match letter {
            ',' => '.',
            '\u{2212}' => '-',
            other => other,
        })
        .collect();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (fits(whole) && fits(part) && digits.len() <= 25).then_some(text)
}

/// A day as `2026-03-05`, which is what the browser's date field speaks, and back.
pub fn day_text(day: &Value) -> Option<String> {
    let part = |name: &str| day.get(name).and_then(Value::as_i64);
    Some(format!(
        "{:04}-{:02}-{:02}",
        part("year")?,
        part("month")?,
        part("day")?
    ))
}

/// Reads what [`day_text`] writes.
pub fn day(text: &str) -> Option<Value> {
    let mut parts = text.splitn(3, '-').map(str::parse::<i64>);
    let mut next = || parts.next()?.ok();
    let (year, month, day) = (next()?, next()?, next()?);
    Some(json!({ "year": year, "month": month, "day": day }))
}

/// Minutes of the day as `09:30`, and back.
pub fn clock_text(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Reads what [`clock_text`] writes.
pub fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::condition::Condition;
    use domain::types::ALL_TYPES;

    #[test]
    fn every_operator_of_every_type_has_a_form_that_the_document_understands() {
        for field_type in ALL_TYPES {
            for entry in operators(field_type) {
                let with = kept(field_type, entry.operator, &json!("none"));
                let text = json!({ "compare": {
                    "field": "deal.name", "operator": entry.operator.as_str(), "with": with } });
                crate::wire::from_tree::<Condition>(text)
                    .unwrap_or_else(|error| panic!("{field_type:?} {:?}: {error}", entry.operator));
                assert_eq!(
                    shown(entry, &with).is_none(),
                    entry.operand == OperandShape::None,
                    "{field_type:?} {:?}",
                    entry.operator
                );
            }
            let blank = blank_compare("deal.name", field_type);
            assert!(crate::wire::from_tree::<Condition>(blank).is_ok());
        }
    }

    #[test]
    fn what_was_said_stays_where_it_still_fits() {
        let one = json!({ "value": { "type": "text", "value": "Казань" } });
        let many = kept(FieldType::Text, Operator::In, &one);
        assert_eq!(values(&many), values(&one));
        assert_eq!(kept(FieldType::Text, Operator::Equals, &many), one);
        assert_eq!(kept(FieldType::Text, Operator::IsEmpty, &one), json!("none"));
        assert_eq!(
            kept(FieldType::DateTime, Operator::OlderThan, &one),
            Form::Span.blank()
        );
    }

    #[test]
    fn another_field_keeps_the_operator_but_not_foreign_ids() {
        let stage = json!({ "field": "deal.stage", "operator": "in",
            "with": { "values": [{ "type": "stage", "value": { "pipeline": 1, "status": 2 } }] } });
        let other = refit(&stage, Some(FieldType::Stage), FieldType::Stage, "lead.stage");
        assert_eq!(other["operator"], "in");
        assert_eq!(other["with"], json!({ "values": [] }));
        let number = json!({ "field": "deal.price", "operator": "greater",
            "with": { "value": { "type": "number", "value": "5" } } });
        let other = refit(
            &number,
            Some(FieldType::Money),
            FieldType::Money,
            "lead.payment_sum",
        );
        assert_eq!(
            (&other["operator"], &other["with"]),
            (&number["operator"], &number["with"])
        );
        let text = refit(&number, Some(FieldType::Money), FieldType::Text, "deal.name");
        assert_eq!(
            (&text["operator"], &text["with"]),
            (&json!("equals"), &json!("none"))
        );
    }

    #[test]
    fn numbers_days_and_hours_are_read_as_typed() {
        for (typed, read) in [
            ("100 000", Some("100000")),
            ("1\u{a0}000,50", Some("1000.50")),
            ("-3", Some("-3")),
            ("12.", None),
            ("", None),
            ("пять", None),
            ("1.2.3", None),
        ] {
            assert_eq!(number(typed).as_deref(), read, "{typed}");
        }
        let spring = day("2026-03-05").unwrap();
        assert_eq!(spring, json!({ "year": 2026, "month": 3, "day": 5 }));
        assert_eq!(day_text(&spring).as_deref(), Some("2026-03-05"));
        assert_eq!(day("весна"), None);
        assert_eq!(clock("09:30"), Some(570));
        assert_eq!(clock_text(570), "09:30");
        assert_eq!(clock("25:00"), None);
    }
}
