//! From bytes to the payload: three shapes, limits, and the place of a mistake.

use super::{MAX_BODY, MAX_DEPTH};
use ::connector::IntakeError;
use serde_json::Value;

/// The payload inside a body of any of the three shapes.
pub(super) fn payload(content_type: &str, body: &[u8]) -> Result<Value, IntakeError> {
    if body.len() > MAX_BODY {
        return Err(IntakeError::TooLarge { limit: MAX_BODY });
    }
    let start = body
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(body.len());
    // The first byte decides: senders have been seen to mislabel both shapes, and no form starts with a brace.
    match body.get(start) {
        None => Err(malformed(0, "тело пустое")),
        Some(b'{' | b'[') => from_json(body),
        Some(_) if content_type.to_ascii_lowercase().starts_with("application/json") => {
            Err(malformed(start, "ожидался JSON"))
        }
        Some(_) => from_form(body),
    }
}

fn from_json(body: &[u8]) -> Result<Value, IntakeError> {
    let json = parse(body, &|position| position)?;
    match json.get("data") {
        Some(Value::String(inner)) => {
            // The place inside the inner text cannot be told in bytes of the outer one.
            parse(inner.as_bytes(), &|_| 0).and_then(object)
        }
        _ => object(json),
    }
}

fn from_form(body: &[u8]) -> Result<Value, IntakeError> {
    let mut start = 0;
    for pair in body.split(|byte| *byte == b'&') {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(end);
        if decode(name, start)?.0 == b"data" {
            let at = start + end + 1;
            let (text, places) = decode(value.get(1..).unwrap_or_default(), at)?;
            let place = |position: usize| places.get(position).copied().unwrap_or(body.len());
            return parse(&text, &place).and_then(object);
        }
        start += pair.len() + 1;
    }
    Err(malformed(0, "нет поля data"))
}

fn object(json: Value) -> Result<Value, IntakeError> {
    if json.is_object() {
        Ok(json)
    } else {
        Err(malformed(0, "ожидался объект JSON"))
    }
}

/// Undoes form encoding; the second list says where in the body each decoded byte began.
fn decode(text: &[u8], offset: usize) -> Result<(Vec<u8>, Vec<usize>), IntakeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        places.push(offset + at);
        match text[at] {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                    return Err(malformed(offset + at, "неверная последовательность %"));
                };
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            plain => bytes.push(plain),
        }
        at += 1;
    }
    Ok((bytes, places))
}

/// Parses JSON within the depth limit; `place` turns a position in `text` into one in the body.
fn parse(text: &[u8], place: &dyn Fn(usize) -> usize) -> Result<Value, IntakeError> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(malformed(place(error.valid_up_to()), "не UTF-8"));
    }
    if depth(text) > MAX_DEPTH {
        return Err(IntakeError::TooDeep { limit: MAX_DEPTH });
    }
    serde_json::from_slice(text).map_err(|error| {
        let line_start: usize = text
            .split_inclusive(|byte| *byte == b'\n')
            .take(error.line().saturating_sub(1))
            .map(<[u8]>::len)
            .sum();
        let position = line_start + error.column().saturating_sub(1);
        let message = if error.is_eof() {
            "JSON обрывается"
        } else {
            "ошибка в JSON"
        };
        malformed(place(position), message)
    })
}

/// Deepest nesting of brackets outside strings. Broken JSON may give any number; the parser refuses it then.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn malformed(position: usize, message: &'static str) -> IntakeError {
    IntakeError::Malformed { position, message }
}
