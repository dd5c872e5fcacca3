//! Bodies as people can read them: JSON with indents, forms decoded line by line.

/// The body laid out, or as it is when it is neither JSON nor a form.
pub fn pretty(body: &str) -> String {
    let text = body.trim();
    if text.starts_with(['{', '[']) {
        return serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|json| serde_json::to_string_pretty(&json).ok())
            .unwrap_or_else(|| body.to_owned());
    }
    if is_form(text) {
        return text.split('&').map(line).collect::<Vec<_>>().join("\n");
    }
    body.to_owned()
}

/// `a[b]=c&d=e`: no blanks, every part a pair.
fn is_form(text: &str) -> bool {
    !text.is_empty()
        && !text.contains([' ', '\n', '<'])
        && text
            .split('&')
            .all(|pair| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty()))
}

fn line(pair: &str) -> String {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    format!("{} = {}", unescape(name), unescape(value))
}

/// Undoes percent-encoding; what is not UTF-8 becomes the replacement sign.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = [ahead.next(), ahead.next()];
                let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
                match (hex(digits[0]), hex(digits[1])) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        rest = ahead;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gets_indents() {
        assert_eq!(pretty("{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(pretty("{\"a\":"), "{\"a\":", "a cut body stays as it is");
    }

    #[test]
    fn forms_are_decoded_line_by_line() {
        assert_eq!(
            pretty("leads%5Bstatus%5D[0][name]=%D0%9E%D0%BA%D0%BD%D0%B0+2&x=%zz"),
            "leads[status][0][name] = Окна 2\nx = %zz"
        );
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["<html>a=b</html>", "просто текст", "", "a=b c"] {
            assert_eq!(pretty(text), text);
        }
    }
}
