//! Russian words, counts and numbers.

/// A space that does not break a line.
pub const NBSP: char = '\u{a0}';

/// The form of a noun that goes with a number: 1 событие, 2 события, 5 событий.
pub const fn plural<'a>(n: u64, one: &'a str, few: &'a str, many: &'a str) -> &'a str {
    match (n % 10, n % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    }
}

/// A number with its noun, kept on one line: «1 234 события».
pub fn counted(n: u64, one: &str, few: &str, many: &str) -> String {
    format!("{}{NBSP}{}", number(n), plural(n, one, few, many))
}

/// A whole number with its thousands apart.
pub fn number(n: u64) -> String {
    decimal(&n.to_string())
}

/// A number written as a decimal text with its thousands apart and a comma: `-1234.50` → «−1 234,50».
pub fn decimal(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("\u{2212}", rest),
        None => ("", text),
    };
    let (whole, part) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && whole.len() > 4 {
            out.push(NBSP);
        }
        out.push(digit);
    }
    if let Some(part) = part {
        out.push(',');
        out.push_str(part);
    }
    out
}

/// A share in whole percents; a share that is not quite nothing or all never shows as such.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "—".to_owned();
    }
    let share = part.saturating_mul(100).checked_div(whole).unwrap_or(0);
    match share {
        0 if part > 0 => format!("<{NBSP}1{NBSP}%"),
        _ => format!("{share}{NBSP}%"),
    }
}

/// A list as people write it: «а, б или в».
pub fn list<S: AsRef<str>>(items: &[S], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [head @ .., tail] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} {last} {}", head.join(", "), tail.as_ref())
        }
    }
}

/// At most this many characters, with an ellipsis when some were cut.
pub fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// The small letter of a Latin or Russian one. The tables of all alphabets would weigh as much as a page.
pub const fn lower(letter: char) -> char {
    match letter {
        'А'..='Я' => shift(letter, 32),
        'Ѐ'..='Џ' => shift(letter, 80),
        _ => letter.to_ascii_lowercase(),
    }
}

/// The capital letter of a Latin or Russian one.
pub const fn upper(letter: char) -> char {
    match letter {
        'а'..='я' => shift(letter, -32),
        'ѐ'..='џ' => shift(letter, -80),
        _ => letter.to_ascii_uppercase(),
    }
}

const fn shift(letter: char, by: i32) -> char {
    match char::from_u32((letter as u32).wrapping_add_signed(by)) {
        Some(other) => other,
        None => letter,
    }
}

/// A text in small letters, for searching.
pub fn lowercase(text: &str) -> String {
    text.chars().map(lower).collect()
}

/// The text with its first letter capital.
pub fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(upper(first)).chain(letters).collect()
    })
}

/// Letters to show in a round picture instead of a photograph.
pub fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| {
            word.chars()
                .find(|letter| letter.is_ascii_alphanumeric() || !letter.is_ascii())
        })
        .take(2)
        .map(upper)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_russian_counting() {
        let form = |n| plural(n, "событие", "события", "событий");
        for n in [1, 21, 101, 1_001] {
            assert_eq!(form(n), "событие", "{n}");
        }
        for n in [2, 3, 4, 22, 104] {
            assert_eq!(form(n), "события", "{n}");
        }
        for n in [0, 5, 11, 12, 14, 20, 111, 112, 1_011] {
            assert_eq!(form(n), "событий", "{n}");
        }
    }

    #[test]
    fn thousands_stand_apart_from_five_digits_on() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1234), "1234");
        assert_eq!(number(12_345), "12\u{a0}345");
        assert_eq!(decimal("-1234567.5"), "\u{2212}1\u{a0}234\u{a0}567,5");
    }

    #[test]
    fn shares_never_round_something_to_nothing() {
        assert_eq!(percent(0, 10), "0\u{a0}%");
        assert_eq!(percent(1, 1000), "<\u{a0}1\u{a0}%");
        assert_eq!(percent(999, 1000), "99\u{a0}%");
        assert_eq!(percent(1, 0), "—");
    }

    #[test]
    fn lists_end_with_a_word() {
        assert_eq!(list::<&str>(&[], "или"), "");
        assert_eq!(list(&["а"], "или"), "а");
        assert_eq!(list(&["а", "б", "в"], "или"), "а, б или в");
    }

    #[test]
    fn shortening_counts_letters_not_bytes() {
        assert_eq!(shorten("сделка", 6), "сделка");
        assert_eq!(shorten("новая сделка", 7), "новая…");
    }

    #[test]
    fn letters_change_only_at_the_start() {
        assert_eq!(upper_first("лид"), "Лид");
        assert_eq!(lowercase("Ёлка ABC Їжак № 5"), "ёлка abc їжак № 5");
        assert_eq!("ёжя z9".chars().map(upper).collect::<String>(), "ЁЖЯ Z9");
        assert_eq!(initials("Анна-Мария  де Ла"), "АД");
        assert_eq!(initials(""), "");
    }
}
