//! Decoding of `application/x-www-form-urlencoded` bodies with PHP's bracketed keys, written for hostile input.
//!
//! `leads[add][0][id]=5` becomes a tree `leads → add → 0 → id`, whose leaf is the text `5`. A key of digits is
//! an index. A key may be both a text and a parent; both are kept. Nothing is copied that needs no decoding.

use connector::IntakeError;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest accepted body in bytes. A hook with one lead has about 2 kB.
pub const MAX_BYTES: usize = 1 << 20;
/// Deepest accepted nesting of a key. The deepest documented one has 11 levels.
pub const MAX_DEPTH: usize = 24;
/// Most accepted pairs of a body.
pub const MAX_PAIRS: usize = 20_000;

/// One step of a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key<'a> {
    /// A place in a list.
    Index(u64),
    /// A member of a map.
    Name(Cow<'a, str>),
}

/// A place of the tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node<'a> {
    /// Byte position of the first pair that spoke of it.
    pub position: usize,
    /// Its own text.
    pub text: Option<Cow<'a, str>>,
    /// What is below it, indexes first, in order.
    pub children: BTreeMap<Key<'a>, Node<'a>>,
}

impl<'a> Node<'a> {
    /// A member of a map.
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        // A search of the map would want a key that lives as long as the body; members are few.
        self.children
            .iter()
            .find(|(key, _)| matches!(key, Key::Name(known) if known == name))
            .map(|(_, node)| node)
    }

    /// The text of a member.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text.as_deref()
    }

    /// A member as a whole number.
    pub fn number_of(&self, name: &str) -> Option<i64> {
        self.text_of(name)?.trim().parse().ok()
    }

    /// Items of a list: what stands under indexes, in their order.
    pub fn items(&self) -> impl Iterator<Item = &Node<'a>> {
        self.children
            .iter()
            .filter(|(key, _)| matches!(key, Key::Index(_)))
            .map(|(_, node)| node)
    }

    /// Everything below it has an index.
    pub fn is_list(&self) -> bool {
        !self.children.is_empty() && self.children.keys().all(|key| matches!(key, Key::Index(_)))
    }

    /// One spelling of the tree, whatever the order of the pairs was.
    pub fn write_normal(&self, out: &mut String) {
        if let Some(text) = &self.text {
            push_quoted(out, text);
        }
        if !self.children.is_empty() {
            out.push('{');
            for (key, node) in &self.children {
                match key {
                    Key::Index(index) => out.push_str(&index.to_string()),
                    Key::Name(name) => push_quoted(out, name),
                }
                out.push(':');
                node.write_normal(out);
                out.push(';');
            }
            out.push('}');
        }
    }
}

/// Quoted, so that no text can be taken for the structure.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Decodes a body.
///
/// # Errors
/// `TooLarge`, `TooDeep`, or `Malformed` with the position of the mistake: an escape cut short, bytes that
/// are no UTF-8, a bracket that is not closed, a pair without `=`.
pub fn decode(body: &[u8]) -> Result<Node<'_>, IntakeError> {
    if body.len() > MAX_BYTES {
        return Err(IntakeError::TooLarge { limit: MAX_BYTES });
    }
    let mut root = Node::default();
    let mut start = 0;
    let mut n_pairs = 0;
    while start < body.len() {
        let end = body[start..]
            .iter()
            .position(|b| *b == b'&')
            .map_or(body.len(), |at| start + at);
        if end > start {
            n_pairs += 1;
            if n_pairs > MAX_PAIRS {
                return Err(malformed(start, "слишком много полей"));
            }
            pair(&mut root, &body[start..end], start)?;
        }
        start = end + 1;
    }
    Ok(root)
}

fn pair<'a>(root: &mut Node<'a>, bytes: &'a [u8], at: usize) -> Result<(), IntakeError> {
    let Some(equals) = bytes.iter().position(|b| *b == b'=') else {
        return Err(malformed(at, "у ключа нет значения"));
    };
    let value = unescape(&bytes[equals + 1..], at + equals + 1)?;
    let mut node = root;
    let mut depth = 0;
    for step in Steps::new(&bytes[..equals], at)? {
        depth += 1;
        if depth > MAX_DEPTH {
            return Err(IntakeError::TooDeep { limit: MAX_DEPTH });
        }
        let step = match step? {
            Step::Key(key) => key,
            Step::Next => next_index(node),
        };
        node = node.children.entry(step).or_insert_with(|| Node {
            position: at,
            ..Node::default()
        });
    }
    node.text = Some(value);
    Ok(())
}

/// `a[]` means the next free index.
fn next_index<'a>(node: &Node<'_>) -> Key<'a> {
    let last = node.children.keys().rev().find_map(|key| match key {
        Key::Index(index) => Some(*index),
        Key::Name(_) => None,
    });
    Key::Index(last.map_or(0, |index| index.saturating_add(1)))
}

enum Step<'a> {
    Key(Key<'a>),
    Next,
}

/// The steps of a key: `a`, then every `[b]`. The key is split before it is decoded, so that its steps, which
/// need no decoding as a rule, stay pieces of the body.
struct Steps<'a> {
    key: &'a [u8],
    done: usize,
    position: usize,
}

impl<'a> Steps<'a> {
    fn new(key: &'a [u8], position: usize) -> Result<Self, IntakeError> {
        if key.is_empty() || bracket(key, 0, b'[').is_some() {
            return Err(malformed(position, "пустой ключ"));
        }
        Ok(Self {
            key,
            done: 0,
            position,
        })
    }

    /// Where the next bracket stands and how long its spelling is.
    fn seek(&self, from: usize, wanted: u8) -> Option<(usize, usize)> {
        (from..self.key.len()).find_map(|at| bracket(self.key, at, wanted).map(|length| (at, length)))
    }

    fn step(&mut self) -> Result<Step<'a>, IntakeError> {
        let (from, to, next) = if self.done == 0 {
            let end = self.seek(0, b'[').map_or(self.key.len(), |(at, _)| at);
            (0, end, end)
        } else {
            let inner = bracket(self.key, self.done, b'[').map(|length| self.done + length);
            let close = inner.and_then(|from| Some((from, self.seek(from, b']')?)));
            let Some((from, (close, length))) = close else {
                return Err(malformed(self.position, "незакрытая скобка в ключе"));
            };
            (from, close, close + length)
        };
        self.done = next;
        let step = unescape(&self.key[from..to], self.position + from)?;
        Ok(if step.is_empty() {
            Step::Next
        } else {
            Step::Key(key(step))
        })
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Result<Step<'a>, IntakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done >= self.key.len() {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.done = self.key.len();
        }
        Some(step)
    }
}

/// Length of a bracket's spelling at a place: 1 as it is, 3 escaped.
fn bracket(key: &[u8], at: usize, wanted: u8) -> Option<usize> {
    match key.get(at..)? {
        [b, ..] if *b == wanted => Some(1),
        [b'%', b'5', b'B' | b'b', ..] if wanted == b'[' => Some(3),
        [b'%', b'5', b'D' | b'd', ..] if wanted == b']' => Some(3),
        _ => None,
    }
}

/// Digits without a leading zero are an index.
fn key(step: Cow<'_, str>) -> Key<'_> {
    let plain = step.len() <= 18
        && step.bytes().all(|b| b.is_ascii_digit())
        && (step.len() == 1 || !step.starts_with('0'));
    match step.parse() {
        Ok(index) if plain => Key::Index(index),
        _ => Key::Name(step),
    }
}

/// Undoes percent escapes and pluses.
fn unescape(bytes: &[u8], at: usize) -> Result<Cow<'_, str>, IntakeError> {
    let no_utf8 = |error: std::str::Utf8Error| malformed(at + error.valid_up_to(), "байты не в UTF-8");
    if !bytes.iter().any(|b| matches!(b, b'%' | b'+')) {
        return std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(no_utf8);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
                let (Some(high), Some(low)) = (digit(i + 1), digit(i + 2)) else {
                    return Err(malformed(at + i, "оборванная или неверная последовательность %"));
                };
                out.push((high * 16 + low) as u8);
                i += 2;
            }
            other => out.push(other),
        }
        i += 1;
    }
    String::from_utf8(out)
        .map(Cow::Owned)
        .map_err(|_| malformed(at, "байты не в UTF-8"))
}

fn malformed(position: usize, message: &'static str) -> IntakeError {
    IntakeError::Malformed { position, message }
}

#[cfg(test)]
mod tests;
