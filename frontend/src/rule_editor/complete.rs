//! Completing places in templates: what is being typed after `{{`, and the text once a field is chosen.

/// A place that is being typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Byte after `{{`.
    pub from: usize,
    /// Byte of the caret.
    pub to: usize,
    /// What is typed so far.
    pub word: String,
}

/// The place that the caret stands in, if any. `caret` counts UTF-16 units, as browsers do.
pub fn place(text: &str, caret: usize) -> Option<Place> {
    let to = byte_of(text, caret);
    let open = text[..to].rfind("{{")? + 2;
    let word = &text[open..to];
    // Closed already, or the filters have begun: those are typed by hand.
    (!word.contains('}') && !word.contains('|')).then(|| Place {
        from: open,
        to,
        word: word.trim().to_owned(),
    })
}

/// The text with a field put into the place, and where the caret then stands, in UTF-16 units.
pub fn filled(text: &str, place: &Place, path: &str) -> (String, usize) {
    let rest = &text[place.to..];
    let closing = if rest.trim_start().starts_with("}}") || rest.trim_start().starts_with('|') {
        ""
    } else {
        "}}"
    };
    let head = format!("{}{path}{closing}", &text[..place.from]);
    let skipped = if closing.is_empty() {
        rest.find("}}")
            .map_or(0, |at| rest[..at + 2].encode_utf16().count())
    } else {
        0
    };
    let caret = head.encode_utf16().count() + skipped;
    (format!("{head}{rest}"), caret)
}

/// The text with a whole place put in at the caret, for the button beside the field.
pub fn inserted(text: &str, caret: usize, path: &str) -> (String, usize) {
    let at = byte_of(text, caret);
    let head = format!("{}{{{{{path}}}}}", &text[..at]);
    let caret = head.encode_utf16().count();
    (format!("{head}{}", &text[at..]), caret)
}

fn byte_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (at, letter) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += letter.len_utf16();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text_with_caret: &str, word: Option<&str>) {
        let caret = text_with_caret.find('^').unwrap();
        let units = text_with_caret[..caret].encode_utf16().count();
        let text = text_with_caret.replace('^', "");
        assert_eq!(
            place(&text, units).map(|place| place.word).as_deref(),
            word,
            "{text_with_caret}"
        );
    }

    #[test]
    fn a_place_is_open_until_it_is_closed_or_filtered() {
        check("Сделка {{^", Some(""));
        check("Сделка {{ deal.na^", Some("deal.na"));
        check("😀 {{бюд^ и ещё", Some("бюд"));
        check("Сделка {{deal.name}} ^", None);
        check("Сделка {{deal.name | up^", None);
        check("Сделка ^{{deal.name}}", None);
        check("^", None);
    }

    #[test]
    fn choosing_closes_the_place_and_sets_the_caret_behind_it() {
        let text = "😀 {{бю";
        let at = place(text, text.encode_utf16().count()).unwrap();
        let (text, caret) = filled(text, &at, "deal.price");
        assert_eq!(text, "😀 {{deal.price}}");
        assert_eq!(caret, text.encode_utf16().count());

        let text = "{{de}} рублей";
        let (text, caret) = filled(text, &place(text, 4).unwrap(), "deal.price");
        assert_eq!(text, "{{deal.price}} рублей");
        assert_eq!(caret, "{{deal.price}}".len());
        assert_eq!(inserted("ab", 1, "x"), ("a{{x}}b".to_owned(), 6));
    }

    #[test]
    fn a_caret_past_the_end_is_the_end() {
        assert_eq!(inserted("да", 99, "x").0, "да{{x}}");
    }
}
