//! Equality of phones and what to search for. amoCRM stores phones as typed, so equality is ours to decide.

/// Both texts hold the same number. Numbers that no plan recognises are compared by their digits.
pub fn same(a: &str, b: &str) -> bool {
    domain::phone::same(a, b) || {
        let digits = digits(a);
        digits.len() >= 5 && digits == self::digits(b)
    }
}

/// What to search for: the last ten digits, which any spelling without separators contains. `None` when there
/// are too few digits to mean a phone.
pub fn search_text(phone: &str) -> Option<String> {
    let digits = match domain::phone::parse_all(phone).next() {
        Some(known) => known.digits().to_owned(),
        None => digits(phone),
    };
    (digits.len() >= 5).then(|| digits[digits.len().saturating_sub(10)..].to_owned())
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, equal: bool) {
        assert_eq!(same(a, b), equal, "{a} {b}");
    }

    #[test]
    fn spellings() {
        check("+7 (900) 000-00-01", "89000000001", true);
        check("9000000001", "+79000000001", true);
        check("+79000000001", "+79000000002", false);
        check("333-333", "333333", true);
        check("112", "112", false);
        check("", "", false);
        assert_eq!(search_text("+7 (900) 000-00-01").as_deref(), Some("9000000001"));
        assert_eq!(
            search_text("8 900 000 00 01 доб. 12").as_deref(),
            Some("9000000001")
        );
        assert_eq!(search_text("112"), None);
    }
}
