//! What the palette (Ctrl+K) finds.

use domain::id::EventId;

use crate::chronicle::Asked;
use crate::text::lowercase;

/// A place to go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is called.
    pub words: String,
    /// What it is.
    pub about: &'static str,
    /// Its address.
    pub href: String,
}

/// Entries shown at once.
const SHOWN: usize = 12;

/// Entries that hold every word of what is typed, those that begin with it first; before them what the typed text
/// itself leads to: an event by its id, the chronicle of a number or a phone.
pub fn find(all: &[Entry], typed: &str) -> Vec<Entry> {
    let typed = lowercase(typed.trim());
    let words: Vec<&str> = typed.split_whitespace().collect();
    let mut found = direct(&typed);
    let mut hits: Vec<&Entry> = all
        .iter()
        .filter(|entry| {
            let text = lowercase(&format!("{} {}", entry.words, entry.about));
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    hits.sort_by_key(|entry| !lowercase(&entry.words).starts_with(&typed));
    found.extend(hits.into_iter().cloned());
    found.truncate(SHOWN);
    found
}

fn direct(typed: &str) -> Vec<Entry> {
    if let Ok(id) = typed.parse::<EventId>() {
        return vec![Entry {
            words: format!("Событие {id}"),
            about: "по номеру",
            href: format!("/events/{id}"),
        }];
    }
    let asked = Asked::typed(typed);
    let numbers = typed.chars().any(|letter| letter.is_ascii_digit());
    let letters = typed.chars().any(char::is_alphabetic);
    if asked.is_empty() || !numbers || letters {
        return Vec::new();
    }
    let about = if asked.phone.is_empty() {
        "сделка или лид"
    } else {
        "по телефону"
    };
    vec![Entry {
        words: format!("Хроника: {}", asked.shown()),
        about,
        href: asked.address(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(words: &str, about: &'static str) -> Entry {
        Entry {
            words: words.to_owned(),
            about,
            href: String::new(),
        }
    }

    fn words(typed: &str) -> Vec<String> {
        let all = [
            entry("События", "страница"),
            entry("Мои события", "правило"),
            entry("Подключения", "страница"),
        ];
        find(&all, typed).into_iter().map(|entry| entry.words).collect()
    }

    #[test]
    fn entries_are_found_by_any_part() {
        assert_eq!(words("СОБЫТ"), ["События", "Мои события"]);
        assert_eq!(words("события правило"), ["Мои события"]);
        assert_eq!(words("").len(), 3);
        assert_eq!(words("нет такого"), Vec::<String>::new());
    }

    #[test]
    fn numbers_lead_somewhere_by_themselves() {
        assert_eq!(words("77"), ["Хроника: 77"]);
        assert_eq!(words("+7 999 555"), ["Хроника: +7 999 555"]);
        let id = "01a208a7-5073-73e7-bfa7-920ccfe7ff5d";
        assert_eq!(words(id), [format!("Событие {id}")]);
    }
}
