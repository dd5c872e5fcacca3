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

/// A text in the form that is compared.
pub fn normalise(text: &str, alike: Alike) -> String {
    let mut out = String::with_capacity(text.len());
    out.extend(folded(text, alike));
    out
}

/// Writes a text in the form that is compared into a buffer that is used again and again.
pub fn normalise_into(out: &mut String, text: &str, alike: Alike) {
    out.clear();
    out.extend(folded(text, alike));
}

/// Equal to a text that is already in the compared form.
pub fn equals(text: &str, normalised: &str, alike: Alike) -> bool {
    folded(text, alike).eq(normalised.chars())
}

/// Begins with a text that is already in the compared form.
pub fn starts_with(text: &str, normalised: &str, alike: Alike) -> bool {
    let mut left = folded(text, alike);
    normalised.chars().all(|c| left.next() == Some(c))
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
