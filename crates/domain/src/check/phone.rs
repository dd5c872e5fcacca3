//! Comparing phones by the numbers they mean. A field may hold several, one is enough.

use super::Trouble;
use crate::condition::Alike;
use crate::phone::{Country, Phone, parse_all};
use crate::text;
use crate::value::Value;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum PhoneOp {
    /// One of these numbers, or a text that is no number and is spelled alike.
    Is {
        phones: Box<[Phone]>,
        texts: Box<[Box<str>]>,
    },
    /// These digits in a row.
    Contains(Box<str>),
    /// These first digits, in international or in domestic form.
    StartsWith(Box<str>),
    /// Of one of these countries.
    Country(Box<[CountryWanted]>),
}

/// A country asked for.
#[derive(Clone, Debug)]
pub(crate) enum CountryWanted {
    /// By two letters.
    Iso(&'static str),
    /// By calling code; `7` is Russia and Kazakhstan.
    Code(Box<str>),
}

impl CountryWanted {
    fn is(&self, country: &Country) -> bool {
        match self {
            Self::Iso(iso) => country.iso == *iso,
            Self::Code(code) => country.code == &**code,
        }
    }
}

/// A comparison of phones.
#[derive(Clone, Debug)]
pub(crate) struct PhoneCheck {
    pub(crate) op: PhoneOp,
    pub(crate) negate: bool,
}

impl PhoneCheck {
    pub(crate) fn holds(&self, left: &Value) -> Result<bool, Trouble> {
        let found = match left {
            Value::Text(text) => self.fits(text),
            Value::Texts(list) => list.iter().any(|text| self.fits(text)),
            Value::Empty => false,
            _ => return Err(Trouble::WrongType),
        };
        Ok(found != self.negate)
    }

    fn fits(&self, text: &str) -> bool {
        match &self.op {
            PhoneOp::Is { phones, texts } => {
                parse_all(text).any(|phone| phones.contains(&phone))
                    || texts
                        .iter()
                        .any(|wanted| text::equals(text, wanted, Alike::default()))
            }
            PhoneOp::Contains(digits) => {
                let mut known = false;
                let found = parse_all(text).any(|phone| {
                    known = true;
                    phone.digits().contains(&**digits)
                });
                found || (!known && contains_digits(text, digits))
            }
            PhoneOp::StartsWith(digits) => parse_all(text).any(|phone| {
                let own = phone.digits();
                own.starts_with(&**digits)
                    || (own.starts_with('7')
                        && digits
                            .strip_prefix('8')
                            .is_some_and(|rest| own[1..].starts_with(rest)))
            }),
            PhoneOp::Country(wanted) => parse_all(text)
                .filter_map(|phone| phone.country())
                .any(|country| wanted.iter().any(|wanted| wanted.is(country))),
        }
    }
}

/// The digits in a row, whatever stands between them, in a text that is no number.
fn contains_digits(text: &str, wanted: &str) -> bool {
    let digits = |at: usize| text[at..].bytes().filter(u8::is_ascii_digit);
    text.bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .any(|(at, _)| {
            let mut own = digits(at);
            wanted.bytes().all(|digit| own.next() == Some(digit))
        })
}
