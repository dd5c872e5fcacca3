//! Finding the numbers in a cell.
//!
//! A cell is cut at separators that never stand inside a number (`;`, comma, line end, «и», other words);
//! what lies between is taken as one number when it is one, else cut at `/`, else at blanks and `+`, but only
//! when every part is then a number. Anything else stays unrecognised.

use super::{Phone, recognise};

/// A part of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// A number.
    Known {
        /// The number.
        phone: Phone,
        /// Its extension: «доб. 123».
        extension: Option<&'a str>,
    },
    /// Something else, as it stands.
    Unknown(&'a str),
}

/// The parts of a cell in order; a text without any number is one unknown part, a blank one has none.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    // One plain number is by far the most frequent and needs no list.
    let one = number(text).map(|phone| Piece::Known {
        phone,
        extension: None,
    });
    let many = if one.is_none() { scan(text) } else { Vec::new() };
    one.into_iter().chain(many)
}

/// Characters that stand inside a number.
fn is_inner(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '(' | ')' | '.' | '+' | '[' | ']' | '/' | '_' | '~' | '‐' | '‑' | '‒' | '–' | '—' | '−'
        )
}

/// The digits of a text that holds nothing but one number, recognised.
fn number(text: &str) -> Option<Phone> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    let mut digits = [0u8; 20];
    let mut n = 0;
    let mut plus = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            *digits.get_mut(n)? = c as u8;
            n += 1;
        } else if c == '+' {
            if n > 0 {
                return None;
            }
            plus = true;
        } else if !is_inner(c) {
            return None;
        }
    }
    if looks_like_date(text) {
        return None;
    }
    recognise(&digits[..n], plus)
}

/// `31.12.2026 …`: ten digits that are no number.
fn looks_like_date(text: &str) -> bool {
    let mut parts = text.trim().splitn(3, '.');
    let is = |part: Option<&str>, len: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| {
            let n = part.bytes().take_while(u8::is_ascii_digit).count();
            len.contains(&n) && (n == part.len() || part.as_bytes()[n].is_ascii_whitespace())
        })
    };
    is(parts.next(), 1..=2) && is(parts.next(), 1..=2) && is(parts.next(), 4..=4)
}

fn scan(cell: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = cell;
    while let Some((chunk, tail)) = next_chunk(rest) {
        rest = tail;
        let (extension, tail) = extension(rest);
        if let Chunk::Digits(chunk) = chunk {
            split(chunk, &mut out);
            if extension.is_some() {
                rest = tail;
                if let Some(Piece::Known { extension: slot, .. }) = out.last_mut() {
                    *slot = extension;
                }
            }
        }
    }
    if !out.iter().any(|piece| matches!(piece, Piece::Known { .. })) {
        out.clear();
        let cell = cell.trim();
        if !cell.is_empty() {
            out.push(Piece::Unknown(cell));
        }
    }
    out
}

enum Chunk<'a> {
    /// A run of digits and what may stand inside a number.
    Digits(&'a str),
    /// A run that only looks so: glued to Latin letters or `@`.
    Glued,
}

/// The next run that holds digits, and what follows it.
fn next_chunk(text: &str) -> Option<(Chunk<'_>, &str)> {
    let start = text.find(|c: char| c.is_ascii_digit() || c == '+')?;
    let run = &text[start..];
    let end = run
        .find(|c: char| !c.is_ascii_digit() && !is_inner(c))
        .unwrap_or(run.len());
    let (run, tail) = run.split_at(end);
    let next = tail.chars().next();
    let touches = run.ends_with(|c: char| c.is_ascii_digit());
    let glued_after = touches
        && (next == Some('@')
            || next.is_some_and(|c| c.is_ascii_alphabetic()) && extension(tail).0.is_none());
    let before = text[..start].chars().next_back();
    let glued_before = before.is_some_and(|c| c == '@' || c == '_' || c == ':' && run.len() < 8)
        || before.is_some_and(|c| c.is_ascii_alphabetic())
            && !text[..start].to_ascii_lowercase().ends_with("tel");
    if glued_after || glued_before {
        // Skip the rest of the word too: `8.91E+10` is one thing.
        let end = tail
            .find(|c: char| c.is_whitespace() || matches!(c, ';' | ','))
            .unwrap_or(tail.len());
        return Some((Chunk::Glued, &tail[end..]));
    }
    Some((Chunk::Digits(run), tail))
}

/// Words before an extension; longer ones first.
const MARKERS: [&str; 12] = [
    "добавочный",
    "внутренний",
    "внутр",
    "доп",
    "доб",
    "extension",
    "ext",
    "вн",
    "#",
    "*",
    "x",
    "х",
];

/// An extension at the very beginning of a text, and what follows it.
fn extension(text: &str) -> (Option<&str>, &str) {
    let head = text.trim_start_matches([' ', '\u{a0}', ',', ';', '(']);
    for marker in MARKERS {
        let Some(rest) = strip_marker(head, marker) else {
            continue;
        };
        let rest = rest.trim_start_matches([' ', '\u{a0}', '.', ':', '=', '№', '#']);
        let n = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, tail) = rest.split_at(n);
        if (1..=6).contains(&n) && !tail.starts_with(|c: char| c.is_alphanumeric()) {
            return (Some(digits), tail);
        }
        return (None, text);
    }
    (None, text)
}

fn strip_marker<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    let mut chars = text.chars();
    for c in marker.chars() {
        if chars.next().and_then(|c| c.to_lowercase().next()) != Some(c) {
            return None;
        }
    }
    Some(chars.as_str())
}

/// Cuts a run of digits into numbers.
fn split<'a>(run: &'a str, out: &mut Vec<Piece<'a>>) {
    // «8(+7)912 …»: the trunk prefix in front of the international form.
    let run = match run.split_once('+') {
        Some((head, _)) if matches!(head.trim_matches(is_inner), "7" | "8") => &run[head.len()..],
        _ => run,
    };
    if let Some(phone) = number(run) {
        out.push(Piece::Known {
            phone,
            extension: None,
        });
        return;
    }
    for part in run.split('/') {
        let from = out.len();
        if !tile(part, out) {
            out.truncate(from);
            let part = part
                .trim_matches(|c: char| is_inner(c) && c != '+' && c != '(' && c != ')')
                .trim();
            let n = part.bytes().filter(u8::is_ascii_digit).count();
            // A single digit beside numbers is the «8» of «+7/8 912 …», or a stray one.
            if n > 1 {
                out.push(Piece::Unknown(part));
            }
        }
    }
}

/// Cuts at blanks and before `+` so that every part is a number; longest parts first.
fn tile<'a>(text: &'a str, out: &mut Vec<Piece<'a>>) -> bool {
    let text = text.trim_matches(|c: char| is_inner(c) && c != '+' && c != '(');
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return true;
    }
    // Twenty digits and their separators at most; longer parts are no number.
    let mut cuts: Vec<usize> = text
        .char_indices()
        .skip(1)
        .filter(|(_, c)| c.is_whitespace() || *c == '+')
        .map(|(at, _)| at)
        .take(24)
        .collect();
    cuts.push(text.len());
    for cut in cuts.into_iter().rev() {
        let (head, tail) = text.split_at(cut);
        if let Some(phone) = number(head) {
            let from = out.len();
            out.push(Piece::Known {
                phone,
                extension: None,
            });
            if out.len() < 64 && tile(tail, out) {
                return true;
            }
            out.truncate(from);
        }
    }
    false
}
