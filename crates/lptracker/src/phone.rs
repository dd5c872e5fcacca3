//! Spelling of phones: LPTracker answers digits, people write anything.

/// Digits of a phone in one spelling: Russian numbers as `7XXXXXXXXXX`, others as their digits (contract §8.3).
pub fn normalised(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        11 if digits.starts_with('8') && !text.trim_start().starts_with('+') => format!("7{}", &digits[1..]),
        10 if !text.trim_start().starts_with('+') => format!("7{digits}"),
        _ => digits,
    }
}

/// The spelling in which a phone is written to a contact: `+7XXXXXXXXXX`; other numbers keep their digits and
/// their plus.
pub fn sent(text: &str) -> String {
    let digits = normalised(text);
    let russian = digits.len() == 11 && digits.starts_with('7');
    if russian || text.trim_start().starts_with('+') {
        format!("+{digits}")
    } else {
        digits
    }
}

/// Whether two spellings are one number. Nothing is not a number.
pub fn same(left: &str, right: &str) -> bool {
    let left = normalised(left);
    !left.is_empty() && left == normalised(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, digits: &str, written: &str) {
        assert_eq!(normalised(text), digits, "{text}");
        assert_eq!(sent(text), written, "{text}");
    }

    #[test]
    fn spellings() {
        check("+7 (999) 000-00-01", "79990000001", "+79990000001");
        check("8 999 000 00 01", "79990000001", "+79990000001");
        check("9990000001", "79990000001", "+79990000001");
        check("79990000001", "79990000001", "+79990000001");
        check("+375 29 123 45 67", "375291234567", "+375291234567");
        check("375291234567", "375291234567", "375291234567");
        check("+8613800000000", "8613800000000", "+8613800000000");
        check("+81312345678", "81312345678", "+81312345678");
        check("100", "100", "100");
        check("", "", "");
    }

    #[test]
    fn nothing_is_not_the_same_number() {
        assert!(same("8(999)0000001", "+7 999 000 00 01"));
        assert!(!same("", ""));
        assert!(!same("нет", "-"));
    }
}
