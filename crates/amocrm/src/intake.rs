//! Reading amoCRM's webhooks.
//!
//! A body holds any number of events: `{section}[{action}][{index}]…`. Everything is a text, types are known
//! from the catalogue only. What is not understood is passed over: a receiver that refuses too often is
//! switched off by amoCRM.

mod fields;
pub mod form;
mod sections;

use connector::{Intake, IntakeContext, IntakeError};
use domain::event::Fact;
use form::Node;
use std::borrow::Cow;

/// The webhook reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct AmocrmIntake;

impl Intake for AmocrmIntake {
    fn parse(
        &self,
        content_type: &str,
        body: &[u8],
        context: IntakeContext<'_>,
    ) -> Result<Vec<Fact>, IntakeError> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(IntakeError::Malformed {
                position: 0,
                message: "ожидается application/x-www-form-urlencoded",
            });
        }
        facts(&form::decode(body)?, context)
    }
}

/// The facts of a decoded body.
fn facts(root: &Node<'_>, context: IntakeContext<'_>) -> Result<Vec<Fact>, IntakeError> {
    let account = root.get("account");
    if let (Some(ours), Some(theirs)) = (
        context.account,
        account.and_then(|account| account.number_of("id")),
    ) && ours != theirs
    {
        return Err(IntakeError::WrongAccount);
    }
    let mut facts = Vec::new();
    let mut n_sections = 0;
    for (key, section) in &root.children {
        let form::Key::Name(name) = key else { continue };
        if name == "account" || section.children.is_empty() {
            continue;
        }
        n_sections += 1;
        for (action, events) in &section.children {
            let form::Key::Name(action) = action else { continue };
            let mut reader = sections::Reader {
                context,
                account,
                section: name,
                action,
                facts: &mut facts,
            };
            for item in items(events) {
                reader.item(item)?;
            }
        }
    }
    if n_sections == 0 {
        return Err(IntakeError::Malformed {
            position: 0,
            message: "в теле нет событий",
        });
    }
    Ok(facts)
}

/// Events of an action: a list; one sample nests lists into each other; a Russian text shows a bare id.
fn items<'n, 'a>(events: &'n Node<'a>) -> Vec<&'n Node<'a>> {
    if !events.is_list() {
        return vec![events];
    }
    events.items().flat_map(items).collect()
}

/// Undoes the HTML escapes in which amoCRM sends the texts of notes.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(10).position(|b| b == b';');
        match end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &str) {
        assert_eq!(unescape(text), wanted);
    }

    #[test]
    fn escapes() {
        check(
            "a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27;",
            "a & b <c> \"d\" 'e'",
        );
        check("&", "&");
        check("&нет;", "&нет;");
        check("&amp", "&amp");
        check("&&amp;&", "&&&");
        check("&#99999999;", "&#99999999;");
        check("без", "без");
    }
}
