//! Reading templates.

use super::filter::Filter;
use super::{MAX_FILTERS, MAX_PARTS, MAX_SOURCE, Part, Template, What};
use std::fmt;

/// What is wrong with a template, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateError {
    /// Character from the beginning, from 0.
    pub at: usize,
    /// In Russian, with what to do.
    pub text: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "знак {}: {}", self.at + 1, self.text)
    }
}

impl std::error::Error for TemplateError {}

pub(super) fn parse(source: &str) -> Result<Template, TemplateError> {
    if source.chars().count() > MAX_SOURCE {
        return Err(TemplateError {
            at: MAX_SOURCE,
            text: format!("шаблон длиннее {MAX_SOURCE} знаков; сократите его"),
        });
    }
    // Places in bytes become places in characters only for an error.
    let fail = |at: usize, text: String| TemplateError {
        at: source[..at].chars().count(),
        text,
    };
    let mut parts = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let Some(open) = rest.find("{{") else {
            parts.push(Part::Text(rest.to_owned()));
            break;
        };
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let inside = at + open + 2;
        let Some(len) = closing(&source[inside..]) else {
            return Err(fail(at + open, "скобки {{ не закрыты; добавьте }}".to_owned()));
        };
        parts.push(place(&source[inside..inside + len], inside, &fail)?);
        at = inside + len + 2;
        if parts.len() > MAX_PARTS {
            return Err(fail(
                inside,
                format!("в шаблоне больше {MAX_PARTS} частей; сократите его"),
            ));
        }
    }
    Ok(Template { parts })
}

/// Where the place ends: `}}` outside quotation marks.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted && text[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

fn place(
    inner: &str,
    from: usize,
    fail: &impl Fn(usize, String) -> TemplateError,
) -> Result<Part, TemplateError> {
    let mut pieces = split(inner);
    let (start, name) = pieces.next().unwrap_or((0, ""));
    let what = match name.trim() {
        "" => {
            return Err(fail(
                from,
                "между {{ и }} пусто; укажите поле, например deal.name".to_owned(),
            ));
        }
        "now" => What::Now,
        path => match path.parse() {
            Ok(path) => What::Field(path),
            Err(_) => {
                return Err(fail(
                    from + start,
                    format!("поля «{path}» нет; поля пишут так: deal.name, contact.cf.123"),
                ));
            }
        },
    };
    let mut filters = Vec::new();
    for (start, filter) in pieces {
        let (name, argument) = match filter.split_once(':') {
            Some((name, argument)) => (name.trim(), Some(argument.trim())),
            None => (filter.trim(), None),
        };
        if name.is_empty() {
            return Err(fail(
                from + start,
                "после | нет названия фильтра; уберите | или допишите".to_owned(),
            ));
        }
        let argument = match argument {
            Some(text) => Some(unquoted(text).ok_or_else(|| {
                fail(
                    from + start,
                    format!("значение фильтра {name} пишут в кавычках: {name}:\"…\""),
                )
            })?),
            None => None,
        };
        filters.push(Filter::new(name, argument).map_err(|text| fail(from + start, text))?);
        if filters.len() > MAX_FILTERS {
            return Err(fail(
                from + start,
                format!("фильтров больше {MAX_FILTERS}; уберите лишние"),
            ));
        }
    }
    Ok(Part::Place { what, filters })
}

/// Cuts at `|` outside quotation marks; each piece with its place.
fn split(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '|' if !quoted => {
                pieces.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push((start, &text[start..]));
    pieces.into_iter()
}

/// The text between quotation marks; `\"`, `\\` and `\n` stand for what they say.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
    Some(out)
}
