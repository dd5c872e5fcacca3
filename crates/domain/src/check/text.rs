//! Comparing texts.

use super::{Demanded, Trouble};
use crate::condition::Alike;
use crate::text::{self, Pattern};
use crate::value::Value;

/// How.
#[derive(Clone, Debug)]
pub(crate) enum TextOp {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Matches(Pattern),
}

/// A comparison of texts; of several texts one is enough.
#[derive(Clone, Debug)]
pub(crate) struct TextCheck {
    pub(crate) op: TextOp,
    pub(crate) negate: bool,
    /// Already in the compared form.
    pub(crate) needles: Box<[Box<str>]>,
    pub(crate) alike: Alike,
}

impl TextCheck {
    /// See [`Check::demanded`](super::Check::demanded).
    pub(crate) fn demanded(&self) -> Option<Vec<Demanded<'_>>> {
        let plain = matches!(self.op, TextOp::Equals) && !self.negate;
        let usual = Alike {
            phone: self.alike.phone,
            ..Alike::default()
        } == self.alike;
        (plain && usual).then(|| self.needles.iter().map(|needle| Demanded::Text(needle)).collect())
    }

    pub(crate) fn new<'t>(
        op: TextOp,
        negate: bool,
        needles: impl IntoIterator<Item = &'t str>,
        alike: Alike,
    ) -> Self {
        let needles = needles
            .into_iter()
            .map(|text| text::normalise(text, alike).into())
            .collect();
        Self {
            op,
            negate,
            needles,
            alike,
        }
    }

    pub(crate) fn holds(&self, left: &Value, scratch: &mut Vec<u8>) -> Result<bool, Trouble> {
        let found = match left {
            Value::Text(text) => self.fits(text, scratch),
            Value::Texts(list) => list.iter().any(|text| self.fits(text, scratch)),
            Value::Empty => false,
            _ => return Err(Trouble::WrongType),
        };
        Ok(found != self.negate)
    }

    fn fits(&self, text: &str, scratch: &mut Vec<u8>) -> bool {
        match &self.op {
            TextOp::Equals => self
                .needles
                .iter()
                .any(|needle| text::equals(text, needle, self.alike)),
            TextOp::StartsWith => self
                .needles
                .iter()
                .any(|needle| text::starts_with(text, needle, self.alike)),
            TextOp::Contains => {
                text::normalise_into(scratch, text, self.alike);
                self.needles.iter().any(|needle| text::contains(scratch, needle))
            }
            TextOp::EndsWith => {
                text::normalise_into(scratch, text, self.alike);
                self.needles
                    .iter()
                    .any(|needle| scratch.ends_with(needle.as_bytes()))
            }
            TextOp::Matches(pattern) => !text.trim().is_empty() && pattern.matches(text),
        }
    }
}
