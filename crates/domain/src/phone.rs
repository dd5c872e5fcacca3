//! Telephone numbers: recognising one or several in a cell as people type them, and E.164.
//!
//! Russian rules: `8…` and ten digits are `+7…`; a number is recognised only when its length and its first
//! digits fit the numbering plan. What is not recognised is kept as it stands: a wrong guess would call a
//! stranger.

mod countries;
mod scan;
#[cfg(test)]
mod tests;

pub use countries::{COUNTRIES, Country};
pub use scan::{Piece, pieces};

use std::fmt;

/// A recognised number in international form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    digits: [u8; 15],
    len: u8,
}

impl Phone {
    /// Takes digits with calling code, already known to be right.
    fn of(digits: &[u8]) -> Option<Self> {
        let mut out = Self {
            digits: [0; 15],
            len: u8::try_from(digits.len()).ok()?,
        };
        out.digits.get_mut(..digits.len())?.copy_from_slice(digits);
        Some(out)
    }

    /// Digits with calling code, without `+`.
    pub fn digits(&self) -> &str {
        std::str::from_utf8(&self.digits[..usize::from(self.len)]).unwrap_or_default()
    }

    /// International form: `+79123456789`.
    pub fn e164(&self) -> String {
        format!("+{}", self.digits())
    }

    /// The country. `+7 6…` and `+7 7…` are Kazakhstan, every other `+7` is Russia.
    pub fn country(&self) -> Option<&'static Country> {
        let digits = self.digits();
        if let Some(national) = digits.strip_prefix('7') {
            return COUNTRIES.get(usize::from(national.starts_with(['6', '7'])));
        }
        by_code(digits)
    }

    /// As people write it: `+7 912 345-67-89`; foreign numbers in international form.
    pub fn pretty(&self) -> String {
        let digits = self.digits();
        match (digits.strip_prefix('7'), digits.len()) {
            (Some(n), 11) => format!("+7 {} {}-{}-{}", &n[..3], &n[3..6], &n[6..8], &n[8..]),
            _ => self.e164(),
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.digits())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn by_code(digits: &str) -> Option<&'static Country> {
    COUNTRIES
        .iter()
        .filter(|country| digits.starts_with(country.code))
        .max_by_key(|country| country.code.len())
}

/// Reads exactly one number; `None` when the text holds none, several, or something besides.
pub fn parse(text: &str) -> Option<Phone> {
    let mut all = pieces(text);
    match (all.next(), all.next()) {
        (Some(Piece::Known { phone, .. }), None) => Some(phone),
        _ => None,
    }
}

/// Every recognised number of a cell, in order.
pub fn parse_all(text: &str) -> impl Iterator<Item = Phone> + '_ {
    pieces(text).filter_map(|piece| match piece {
        Piece::Known { phone, .. } => Some(phone),
        Piece::Unknown(_) => None,
    })
}

/// The numbers of a cell in international form, extensions left out; what is not recognised as it stands.
pub fn normalise(text: &str) -> Vec<String> {
    pieces(text)
        .map(|piece| match piece {
            Piece::Known { phone, .. } => phone.e164(),
            Piece::Unknown(raw) => raw.to_owned(),
        })
        .collect()
}

/// The two texts share a recognised number.
pub fn same(left: &str, right: &str) -> bool {
    parse_all(left).any(|phone| parse_all(right).any(|other| other == phone))
}

/// Recognises digits. `plus` tells that they began with `+`.
fn recognise(digits: &[u8], plus: bool) -> Option<Phone> {
    if plus {
        return with_plus(digits);
    }
    if let Some(rest) = digits.strip_prefix(b"810").filter(|_| digits.len() > 11) {
        return with_plus(rest);
    }
    if let Some(rest) = digits.strip_prefix(b"00") {
        return with_plus(rest);
    }
    match digits {
        [b'7' | b'8', national @ ..] if national.len() == 10 => seven(national),
        _ if digits.len() == 10 => seven(digits),
        [b'7', b'8', national @ ..] if national.len() == 10 => seven(national),
        _ => {
            let text = std::str::from_utf8(digits).ok()?;
            let country = by_code(text).filter(|country| country.near && country.code != "7")?;
            fits(country, digits).then(|| Phone::of(digits)).flatten()
        }
    }
}

fn with_plus(digits: &[u8]) -> Option<Phone> {
    match digits {
        [b'7', national @ ..] if national.len() == 10 => return seven(national),
        // «+7 8 912 …» and «+8 912 …» are slips for +7; no country has these codes and lengths.
        [b'7', b'8', national @ ..] if national.len() == 10 => return seven(national),
        [b'7', ..] => return None,
        [b'8', national @ ..] if national.len() == 10 && national[0] == b'9' => return seven(national),
        _ => {}
    }
    let country = by_code(std::str::from_utf8(digits).ok()?)?;
    fits(country, digits).then(|| Phone::of(digits)).flatten()
}

fn fits(country: &Country, digits: &[u8]) -> bool {
    let national = &digits[country.code.len()..];
    (country.min..=country.max).contains(&national.len()) && (country.iso == "IT" || national[0] != b'0')
}

/// Area codes of Russian geographic and free numbers. Mobile codes are all of 9xx, Kazakh ones all of 6xx, 7xx.
const AREAS: [u16; 101] = [
    301, 302, 336, 341, 342, 343, 345, 346, 347, 349, 351, 352, 353, 365, 381, 382, 383, 384, 385, 388, 390,
    391, 394, 395, 401, 411, 413, 415, 416, 421, 423, 424, 426, 427, 471, 472, 473, 474, 475, 481, 482, 483,
    484, 485, 486, 487, 491, 492, 493, 494, 495, 496, 498, 499, 800, 803, 804, 805, 808, 809, 811, 812, 813,
    814, 815, 816, 817, 818, 820, 821, 831, 833, 834, 835, 836, 840, 841, 842, 843, 844, 845, 846, 847, 848,
    851, 855, 856, 857, 861, 862, 863, 865, 866, 867, 869, 871, 872, 873, 877, 878, 879,
];

/// Ten digits of the Russian and Kazakh plan. A number with a lost or a stray digit begins with a code that
/// does not exist, and is then not recognised.
fn seven(national: &[u8]) -> Option<Phone> {
    let code = national
        .iter()
        .take(3)
        .fold(0u16, |code, digit| code * 10 + u16::from(digit - b'0'));
    let exists = matches!(code, 600..=799 | 900..=999) || AREAS.binary_search(&code).is_ok();
    if !exists {
        return None;
    }
    let mut digits = [b'7'; 11];
    digits[1..].copy_from_slice(national);
    Phone::of(&digits)
}
