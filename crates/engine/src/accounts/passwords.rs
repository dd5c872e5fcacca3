//! Which passwords are taken: long enough, and not one that guessing begins with.

use super::invalid;
use crate::error::EngineError;
use secrecy::{ExposeSecret, SecretString};
use zxcvbn::{Score, zxcvbn};

/// The shortest accepted password.
pub const MIN_PASSWORD: usize = 12;
/// The longest accepted password, so that hashing stays bounded.
pub const MAX_PASSWORD: usize = 200;
/// Guessing is estimated over so many characters at most, which bounds its time.
const ESTIMATED: usize = 64;

/// So many characters must be left when the names of the person and of the product are taken out: the estimate thinks
/// better of names put together than who knows them does.
const OWN: usize = 6;

/// Whether a password may be taken by somebody with this e-mail and name.
///
/// The estimate knows the thirty thousand most common passwords, words and names, keyboard walks, dates,
/// repetitions and the usual disguises of letters (zxcvbn); ten to the eighth guesses are the least.
pub fn check_password(password: &SecretString, about: &[&str]) -> Result<(), EngineError> {
    let password = password.expose_secret();
    let n_chars = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&n_chars) {
        return Err(invalid(
            "/password",
            "пароль должен содержать от 12 до 200 символов",
        ));
    }
    let head: String = password.chars().take(ESTIMATED).collect();
    let mut known = vec!["integrator", "интегратор", "amocrm", "lptracker"];
    for text in about {
        known.push(text);
        known.extend(
            text.split(|c: char| !c.is_alphanumeric())
                .filter(|part| part.len() > 3),
        );
    }
    let of_their_own = known.iter().fold(head.to_lowercase(), |rest, word| {
        rest.replace(&word.to_lowercase(), "")
    });
    if of_their_own.chars().count() < OWN || zxcvbn(&head, &known).score() < Score::Three {
        return Err(invalid(
            "/password",
            "такой пароль легко подобрать: возьмите несколько случайных слов или создайте пароль менеджером",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str, good: bool) {
        let taken = check_password(
            &password.to_owned().into(),
            &["anna.petrova@example.ru", "Анна Петрова"],
        );
        assert_eq!(taken.is_ok(), good, "{password:?}");
    }

    #[test]
    fn passwords_have_bounds() {
        check("коротко", false);
        check("длинный пароль", true);
        check(&"щ7ы".repeat(70), false);
    }

    #[test]
    fn what_guessing_begins_with_is_refused() {
        check("password1234", false);
        check("P@ssw0rd12345", false);
        check("qwertyuiop123", false);
        check("111111111111", false);
        check("123456789012", false);
        check("abcdefghijkl", false);
        check("iloveyou1234", false);
        check("annapetrova1", false);
        check("integrator2026", false);
        check("ПетроваАнна77", false);
        check("correct horse battery staple", true);
        check("vR7#kq92Lw!x", true);
    }
}
