//! Equality of phones and what to search for. amoCRM stores phones as typed, so equality is ours to decide.

/// Both texts hold the same number. Numbers that no plan recognises are compared by their digits.
pub fn same(a: &str, b: &str) -> bool {
    domain::phone::same(a, b) || {
        let digits = digits(a);
        digits.len() >= 5 && digits == self::digits(b)
    }
}

/// What to search for, in order: the last ten digits, which any spelling without separators contains; then,
/// for numbers of the Russian plan, their ends as people write them apart. Empty when there are too few digits
/// to mean a phone.
pub fn search_texts(phone: &str) -> Vec<String> {
    let known = domain::phone::parse_all(phone).next();
    let digits = known.map_or_else(|| digits(phone), |known| known.digits().to_owned());
    if digits.len() < 5 {
        return Vec::new();
    }
    let mut texts = vec![digits[digits.len().saturating_sub(10)..].to_owned()];
    if let (Some(end), true) = (digits.get(4..), digits.len() == 11 && digits.starts_with('7')) {
        for between in ['-', ' '] {
            texts.push(format!(
                "{}{between}{}{between}{}",
                &end[..3],
                &end[3..5],
                &end[5..]
            ));
        }
    }
    texts
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
        assert_eq!(
            search_texts("+7 (900) 111-22-33"),
            ["9001112233", "111-22-33", "111 22 33"]
        );
        assert_eq!(search_texts("8 900 111 22 33 доб. 12")[0], "9001112233");
        assert_eq!(search_texts("333-333"), ["333333"]);
        assert!(search_texts("112").is_empty());
    }
}
