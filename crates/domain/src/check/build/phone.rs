//! Operands of phones.

use super::{OperandProblem, problem};
use crate::check::Check;
use crate::check::phone::{CountryWanted, PhoneCheck, PhoneOp};
use crate::condition::{Alike, Operator};
use crate::phone;

/// Makes a comparison of phones.
pub(super) fn phone_check(operator: Operator, negate: bool, texts: &[&str]) -> Result<Check, OperandProblem> {
    let digits = || -> Result<Box<str>, OperandProblem> {
        let digits: String = texts
            .iter()
            .take(1)
            .flat_map(|text| text.chars())
            .filter(char::is_ascii_digit)
            .collect();
        if digits.is_empty() {
            return problem("operand_type", "для телефона укажите цифры");
        }
        Ok(digits.into())
    };
    let op = match operator {
        Operator::Contains | Operator::NotContains => PhoneOp::Contains(digits()?),
        Operator::StartsWith => PhoneOp::StartsWith(digits()?),
        Operator::Country => return country(texts),
        _ => PhoneOp::Is {
            phones: texts.iter().flat_map(|text| phone::parse_all(text)).collect(),
            texts: texts
                .iter()
                .filter(|text| phone::parse_all(text).next().is_none())
                .map(|text| crate::text::normalise(text, Alike::default()).into())
                .collect(),
        },
    };
    Ok(Check::Phone(PhoneCheck { op, negate }))
}

pub(super) fn country(texts: &[&str]) -> Result<Check, OperandProblem> {
    let mut wanted = Vec::new();
    for text in texts {
        let text = text.trim().trim_start_matches('+');
        let found = phone::COUNTRIES
            .iter()
            .find(|country| country.iso.eq_ignore_ascii_case(text));
        match found {
            Some(country) => wanted.push(CountryWanted::Iso(country.iso)),
            None if phone::COUNTRIES.iter().any(|country| country.code == text) => {
                wanted.push(CountryWanted::Code(text.into()));
            }
            None => {
                return problem(
                    "operand_type",
                    format!("страна «{text}» неизвестна; укажите две буквы (RU) или код (7)"),
                );
            }
        }
    }
    Ok(Check::Phone(PhoneCheck {
        op: PhoneOp::Country(wanted.into()),
        negate: false,
    }))
}
