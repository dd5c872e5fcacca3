//! Text templates: `{{deal.name}} — {{contact.phone | phone}}`.
//!
//! A template can do nothing but put values into a text. Its length, the number of its places and the length
//! of what it prints are limited, so no template costs more than a moment.

mod filter;
mod parse;
#[cfg(test)]
mod tests;

pub use filter::FILTERS;
pub(crate) use filter::recase;
pub use parse::TemplateError;

use crate::catalogues::Scope;
use crate::field::FieldPath;
use crate::time::{Timestamp, Zone};
use crate::value::Value;
use filter::Filter;
use std::borrow::Cow;

/// The longest template, in characters.
pub const MAX_SOURCE: usize = 10_000;
/// Places and texts between them, at most.
pub const MAX_PARTS: usize = 400;
/// Filters of one place, at most.
pub const MAX_FILTERS: usize = 10;
/// The longest text a template prints, in characters; what is longer is cut.
pub const MAX_OUTPUT: usize = 20_000;

/// A parsed template.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Debug)]
enum Part {
    Text(String),
    Place { what: What, filters: Vec<Filter> },
}

/// What a place stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Field(FieldPath),
    /// `{{now}}`.
    Now,
}

/// What a rendering came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Every place stayed empty and the text between them has neither letter nor digit.
    pub is_blank: bool,
    /// The text was cut at [`MAX_OUTPUT`].
    pub is_cut: bool,
    /// Fields whose value is not known.
    pub absent: Vec<FieldPath>,
}

/// What a template looks at.
pub struct Sources<'a, 'v> {
    /// The value of a field; `None` when absent.
    pub value: &'a dyn Fn(FieldPath) -> Option<Cow<'v, Value>>,
    /// Names of stages, users and options.
    pub scope: &'a Scope,
    /// The present moment.
    pub now: Timestamp,
    /// The workspace's zone.
    pub zone: &'a Zone,
}

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        parse::parse(source)
    }

    /// The fields it looks at.
    pub fn paths(&self) -> impl Iterator<Item = FieldPath> + '_ {
        self.places().map(|(path, _)| path)
    }

    /// The fields it looks at, each with whether a `default` covers it.
    fn places(&self) -> impl Iterator<Item = (FieldPath, bool)> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Place {
                what: What::Field(path),
                filters,
            } => Some((
                *path,
                filters.iter().any(|filter| matches!(filter, Filter::Default(_))),
            )),
            _ => None,
        })
    }

    /// A text without places.
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// What it prints depends on the moment.
    pub(crate) fn tells_the_time(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Place { what: What::Now, .. }))
    }

    /// It prints something, whatever its places hold.
    pub(crate) fn is_never_blank(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.chars().any(char::is_alphanumeric)))
    }

    /// Prints it.
    pub fn render(&self, from: &Sources<'_, '_>) -> Rendered {
        let mut out = Rendered {
            is_blank: true,
            ..Rendered::default()
        };
        let mut left = MAX_OUTPUT;
        for part in &self.parts {
            let text = match part {
                Part::Text(text) => Cow::Borrowed(text.as_str()),
                Part::Place { what, filters } => Cow::Owned(place(*what, filters, from, &mut out.absent)),
            };
            let is_place = matches!(part, Part::Place { .. });
            if text.chars().any(|c| {
                if is_place {
                    !c.is_whitespace()
                } else {
                    c.is_alphanumeric()
                }
            }) {
                out.is_blank = false;
            }
            match text.char_indices().nth(left) {
                Some((at, _)) => {
                    out.text.push_str(&text[..at]);
                    out.is_cut = true;
                    return out;
                }
                None => {
                    left -= text.chars().count();
                    out.text.push_str(&text);
                }
            }
        }
        out
    }
}

fn place(what: What, filters: &[Filter], from: &Sources<'_, '_>, absent: &mut Vec<FieldPath>) -> String {
    let (path, value) = match what {
        What::Now => (None, Some(Cow::Owned(Value::Instant(from.now)))),
        What::Field(path) => (Some(path), (from.value)(path)),
    };
    let known = value.is_some();
    let mut value = value.map(Cow::into_owned).unwrap_or(Value::Empty);
    for filter in filters {
        value = filter.apply(value, path, from);
    }
    if let (Some(path), false, true) = (path, known, value.is_empty())
        && !absent.contains(&path)
    {
        absent.push(path);
    }
    from.scope.value_text(path, &value, from.zone)
}
