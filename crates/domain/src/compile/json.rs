//! Reading rule documents: a wrong one is refused with the place of the mistake, whatever it looks like.

use super::{Diagnostic, Severity};
use crate::rule::Rule;

/// JSON nested deeper than this is refused; groups take two levels each.
pub const MAX_JSON_DEPTH: usize = 120;

/// A longer document is refused, in bytes.
const MAX_BYTES: usize = 2_000_000;

impl Rule {
    /// Reads a rule document. The diagnostic points to the member in which reading stopped.
    pub fn from_json(json: &str) -> Result<Self, Diagnostic> {
        let refuse = |pointer: String, code: &str, text: String| Diagnostic {
            pointer,
            severity: Severity::Error,
            code: code.to_owned(),
            text,
        };
        if json.len() > MAX_BYTES {
            return Err(refuse(
                String::new(),
                "too_long",
                "документ правила больше 2 МБ; упростите правило".to_owned(),
            ));
        }
        if let Some(at) = too_deep(json) {
            let text = format!("документ вложен глубже {MAX_JSON_DEPTH} уровней; упростите условие");
            return Err(refuse(pointer_at(json, at), "too_deep", text));
        }
        serde_json::from_str(json).map_err(|error| {
            let at = offset(json, error.line(), error.column());
            let mut pointer = pointer_at(json, at);
            // A missing member is noticed behind the last one: the place is the object.
            if error.to_string().starts_with("missing field")
                && let Some(slash) = pointer.rfind('/')
            {
                pointer.truncate(slash);
            }
            let text = format!(
                "документ правила не прочитан: {} (строка {}, знак {})",
                in_russian(&error),
                error.line(),
                error.column()
            );
            refuse(pointer, "not_a_rule", text)
        })
    }
}

/// What serde says, without its own place.
fn in_russian(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    let tail = |prefix: &str| {
        text.strip_prefix(prefix)
            .map(|rest| rest.trim_matches('`').to_owned())
    };
    if let Some(name) = tail("missing field ") {
        return format!("нет поля «{name}»");
    }
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        return format!(
            "неизвестное слово {}",
            rest.replace(", expected one of ", "; можно: ")
                .replace(", expected ", "; можно: ")
        );
    }
    if let Some(rest) = text.strip_prefix("invalid type: ") {
        return format!(
            "значение не того вида: {}",
            rest.replace(", expected ", ", а нужно ")
        );
    }
    if error.is_syntax() || error.is_eof() {
        return format!("это не JSON: {text}");
    }
    text.to_owned()
}

/// Where nesting passes the limit. Only brackets outside strings count.
fn too_deep(json: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Byte offset of a line and column, both from 1.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let start: usize = json
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column.saturating_sub(1)).min(json.len())
}

/// The JSON pointer of the innermost value that contains a byte.
fn pointer_at(json: &str, end: usize) -> String {
    enum Level<'a> {
        Object(&'a str),
        Array(usize),
    }
    let bytes = json.as_bytes();
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut key_due = false;
    let mut at = 0;
    while at < end {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let (true, Some(Level::Object(key))) = (key_due, levels.last_mut()) {
                    // Cut inside a wide character only when the text itself is broken off there.
                    *key = json.get(start..at.min(json.len())).unwrap_or_default();
                    key_due = false;
                }
            }
            b'{' => {
                levels.push(Level::Object(""));
                key_due = true;
            }
            b'[' => levels.push(Level::Array(0)),
            b'}' | b']' => {
                levels.pop();
                key_due = false;
            }
            b',' => match levels.last_mut() {
                Some(Level::Array(n)) => *n += 1,
                Some(Level::Object(_)) => key_due = true,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    let mut out = String::new();
    for level in &levels {
        match level {
            Level::Object("") => {}
            Level::Object(key) => {
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Level::Array(n) => {
                out.push('/');
                out.push_str(&n.to_string());
            }
        }
    }
    out
}
