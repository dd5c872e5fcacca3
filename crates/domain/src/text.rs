//! Making spellings alike: letters' case, ё and е, blanks; and comparing without building new strings.
//!
//! Everything that is compared often works on [`folded`], an iterator over the characters of a text as they
//! count; the right side of a comparison is brought into that form once, when the rule is compiled.

mod pattern;

use crate::condition::Alike;

pub use pattern::{MAX_PATTERN, Pattern};

/// Characters of a text as they count under an [`Alike`].
#[derive(Clone, Debug)]
pub struct Folded<'a> {
    chars: std::str::Chars<'a>,
    case: bool,
    yo: bool,
    spaces: bool,
    /// A character read behind a run of blanks that is due next.
    held: Option<char>,
    started: bool,
}

/// The characters of a text as they count.
pub fn folded(text: &str, alike: Alike) -> Folded<'_> {
    Folded {
        chars: text.chars(),
        case: alike.case,
        yo: alike.yo,
        spaces: alike.spaces,
        held: None,
        started: false,
    }
}

impl Folded<'_> {
    fn alike(&self, c: char) -> char {
        let c = if self.case { lower(c) } else { c };
        match c {
            'ё' if self.yo => 'е',
            'Ё' if self.yo => 'Е',
            c => c,
        }
    }
}

impl Iterator for Folded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(c) = self.held.take() {
            return Some(c);
        }
        let mut c = self.chars.next()?;
        if self.spaces && c.is_whitespace() {
            while c.is_whitespace() {
                c = self.chars.next()?;
            }
            let c = self.alike(c);
            if !self.started {
                self.started = true;
                return Some(c);
            }
            self.held = Some(c);
            return Some(' ');
        }
        self.started = true;
        Some(self.alike(c))
    }
}

/// The small letter of a letter, always one character.
fn lower(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '\0'..='\u{7f}' | 'а'..='џ' => c,
        'А'..='Я' => shifted(c, 0x20),
        'Ѐ'..='Џ' => shifted(c, 0x50),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

/// Feeds the bytes of a text, as they count, to a sink; the sink says whether to go on. Cyrillic and ASCII are
/// folded byte by byte: this is the innermost loop of every comparison of texts.
#[inline]
fn fold_to(text: &str, alike: Alike, mut sink: impl FnMut(&[u8]) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut started, mut blank) = (0, false, false);
    while let Some(&byte) = bytes.get(at) {
        let mut folded = [byte, 0];
        let mut len = 1;
        at += 1;
        match byte {
            b' ' | b'\t'..=b'\r' if alike.spaces => {
                blank = true;
                continue;
            }
            b'A'..=b'Z' if alike.case => folded[0] = byte | 0x20,
            // The letters of today; older ones have cases too and go the slow way.
            0xD0 | 0xD1 if bytes.get(at).is_some_and(|second| byte == 0xD0 || *second < 0xA0) => {
                let second = bytes[at];
                at += 1;
                len = 2;
                folded[1] = second;
                if alike.case && byte == 0xD0 {
                    match second {
                        0x80..=0x8F => folded = [0xD1, second + 0x10],
                        0x90..=0x9F => folded[1] = second + 0x20,
                        0xA0..=0xAF => folded = [0xD1, second - 0x20],
                        _ => {}
                    }
                }
                if alike.yo {
                    match folded {
                        [0xD1, 0x91] => folded = [0xD0, 0xB5],
                        [0xD0, 0x81] => folded = [0xD0, 0x95],
                        _ => {}
                    }
                }
            }
            0x80.. => {
                at -= 1;
                let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                    return true;
                };
                at += c.len_utf8();
                if alike.spaces && c.is_whitespace() {
                    blank = true;
                    continue;
                }
                if blank && started && !sink(b" ") {
                    return false;
                }
                (started, blank) = (true, false);
                let c = if alike.case { lower(c) } else { c };
                if !sink(c.encode_utf8(&mut [0; 4]).as_bytes()) {
                    return false;
                }
                continue;
            }
            _ => {}
        }
        if blank && started && !sink(b" ") {
            return false;
        }
        (started, blank) = (true, false);
        if !sink(&folded[..len]) {
            return false;
        }
    }
    true
}

/// A text in the form that is compared.
pub fn normalise(text: &str, alike: Alike) -> String {
    folded(text, alike).collect()
}

/// Writes a text in the form that is compared into a buffer that is used again and again, as UTF-8.
pub fn normalise_into(out: &mut Vec<u8>, text: &str, alike: Alike) {
    out.clear();
    out.reserve(text.len());
    fold_to(text, alike, |bytes| {
        out.extend_from_slice(bytes);
        true
    });
}

/// The bytes of a text stand somewhere in others.
pub fn contains(hay: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    if hay.len() > 2_000
        && let (Ok(hay), Ok(needle)) = (std::str::from_utf8(hay), std::str::from_utf8(needle))
    {
        // The plain search below is the quicker one for names and notes, this one is never slow.
        return hay.contains(needle);
    }
    let mut from = 0;
    while let Some(found) = hay[from..].iter().position(|byte| byte == first) {
        from += found + 1;
        if hay[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// Equal to a text that is already in the compared form.
pub fn equals(text: &str, normalised: &str, alike: Alike) -> bool {
    let wanted = normalised.as_bytes();
    let mut at = 0;
    let same = fold_to(text, alike, |bytes| {
        // Byte by byte: a call of the library's comparison would cost more than the one to four bytes.
        for byte in bytes {
            if wanted.get(at) != Some(byte) {
                return false;
            }
            at += 1;
        }
        true
    });
    same && at == wanted.len()
}

/// Begins with a text that is already in the compared form.
pub fn starts_with(text: &str, normalised: &str, alike: Alike) -> bool {
    let mut left = normalised.as_bytes();
    let mut fits = true;
    fold_to(text, alike, |bytes| {
        if left.is_empty() {
            return false;
        }
        match left.strip_prefix(bytes) {
            Some(rest) => left = rest,
            None => fits = false,
        }
        fits
    });
    fits && left.is_empty()
}

/// Two texts as they stand are equal.
pub fn same(left: &str, right: &str, alike: Alike) -> bool {
    folded(left, alike).eq(folded(right, alike))
}

/// Outer blanks off, inner runs of blanks to one; letters stay.
pub fn trim(text: &str) -> String {
    normalise(
        text,
        Alike {
            case: false,
            yo: false,
            spaces: true,
            phone: false,
        },
    )
}

/// Equal as names of fields, options and stages are compared: blanks, case and ё do not count.
pub fn same_name(left: &str, right: &str) -> bool {
    same(left, right, Alike::default())
}

/// First letter of each word large, the others small.
pub fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || matches!(c, '\'' | '’');
    }
    out
}

/// A whole number with thin groups as people write it: `1 234 567`. The blanks do not break lines.
pub fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut out = String::from(sign);
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    if let Some(fraction) = fraction {
        out.push(',');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(normalise(text, Alike::default()), expect);
    }

    #[test]
    fn spelling_is_made_alike() {
        check("  Пётр   ИВАНОВ ", "петр иванов");
        check("ЁЛКА", "елка");
        check("a\u{a0}\tb\n", "a b");
        check("   ", "");
        check("", "");
        check("İstanbul", "istanbul");
        check("ЂЋЏ Ґ", "ђћџ ґ");
        check("ÄÖ", "äö");
    }

    #[test]
    fn each_difference_can_count() {
        let none = Alike {
            case: false,
            yo: false,
            spaces: false,
            phone: false,
        };
        assert_eq!(normalise(" Ёж  ", none), " Ёж  ");
        assert_eq!(normalise(" Ёж  ", Alike { yo: true, ..none }), " Еж  ");
        assert_eq!(normalise(" Ёж  х", Alike { spaces: true, ..none }), "Ёж х");
        assert_eq!(normalise("ЁЖ", Alike { case: true, ..none }), "ёж");
    }

    #[test]
    fn comparisons_work_on_the_folded_form() {
        let a = Alike::default();
        assert!(equals(" ИВАН  петров", "иван петров", a));
        assert!(!equals("иван петрова", "иван петров", a));
        assert!(starts_with("Иван Петров", "иван", a));
        assert!(starts_with("что угодно", "", a));
        assert!(!starts_with("ив", "иван", a));
        assert!(same("ЁЖ ", "еж", a));
    }

    proptest! {
        #[test]
        fn the_byte_loop_agrees_with_the_characters(
            text in "\\PC{0,12}|[ \\t\u{a0}\u{2003}аАяЯёЁЂїqQß\u{130}]{0,12}",
            flags in any::<(bool, bool, bool)>(),
        ) {
            let alike = Alike { case: flags.0, yo: flags.1, spaces: flags.2, phone: true };
            let plain = normalise(&text, alike);
            let mut bytes = Vec::new();
            normalise_into(&mut bytes, &text, alike);
            prop_assert_eq!(&bytes, plain.as_bytes());
            prop_assert!(equals(&text, &plain, alike));
            for at in (0..=plain.len()).filter(|at| plain.is_char_boundary(*at)) {
                prop_assert!(starts_with(&text, &plain[..at], alike));
                prop_assert!(contains(&bytes, &plain[at..]));
                prop_assert_eq!(equals(&text, &plain[..at], alike), at == plain.len());
            }
        }

        #[test]
        fn substrings_are_found(hay in "[аб]{0,12}", needle in "[аб]{0,4}") {
            prop_assert_eq!(contains(hay.as_bytes(), &needle), hay.contains(&needle));
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped("1234567"), "1\u{a0}234\u{a0}567");
        assert_eq!(grouped("-900"), "-900");
        assert_eq!(grouped("90000.50"), "90\u{a0}000,50");
    }

    #[test]
    fn words_get_large_first_letters() {
        assert_eq!(title_case("иВАН петров-водкин"), "Иван Петров-Водкин");
    }
}
