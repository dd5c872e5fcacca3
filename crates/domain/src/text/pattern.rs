//! Patterns with `*` (anything) and `?` (one character), matched in one pass over the text.
//!
//! All ways through the pattern are followed at once as the bits of a small set, so no text and no pattern
//! makes it slow.

use super::folded;
use crate::condition::Alike;

/// The longest pattern, in characters.
pub const MAX_PATTERN: usize = 255;

const WORDS: usize = MAX_PATTERN.div_ceil(64) + if MAX_PATTERN.is_multiple_of(64) { 1 } else { 0 };

type Set = [u64; WORDS];

/// A compiled pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// For each character of the pattern, ascending: the places that take it.
    places: Vec<(char, Set)>,
    /// Places that take any character: `?`.
    any: Set,
    /// Places that may stay where they are: a `*` stands there.
    stay: Set,
    /// Number of single places.
    len: usize,
    alike: Alike,
}

impl Pattern {
    /// Compiles a pattern; `None` when it is longer than [`MAX_PATTERN`].
    pub fn new(pattern: &str, alike: Alike) -> Option<Self> {
        let mut out = Self {
            places: Vec::new(),
            any: [0; WORDS],
            stay: [0; WORDS],
            len: 0,
            alike,
        };
        for c in folded(pattern, alike) {
            let (word, bit) = (out.len / 64, 1u64 << (out.len % 64));
            if c == '*' {
                out.stay[word] |= bit;
                continue;
            }
            if out.len >= MAX_PATTERN {
                return None;
            }
            match c {
                '?' => out.any[word] |= bit,
                c => {
                    let at = match out.places.binary_search_by_key(&c, |(c, _)| *c) {
                        Ok(at) => at,
                        Err(at) => {
                            out.places.insert(at, (c, [0; WORDS]));
                            at
                        }
                    };
                    out.places[at].1[word] |= bit;
                }
            }
            out.len += 1;
        }
        Some(out)
    }

    /// The whole text fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let mut state: Set = [0; WORDS];
        state[0] = 1;
        let words = self.len / 64 + 1;
        for c in folded(text, self.alike) {
            let takes = self
                .places
                .binary_search_by_key(&c, |(c, _)| *c)
                .ok()
                .map(|at| &self.places[at].1);
            let mut carry = 0;
            let mut alive = 0;
            for word in 0..words {
                let now = state[word];
                let step = now & (self.any[word] | takes.map_or(0, |set| set[word]));
                let next = (now & self.stay[word]) | (step << 1) | carry;
                carry = step >> 63;
                alive |= next;
                state[word] = next;
            }
            if alive == 0 {
                return false;
            }
        }
        state[self.len / 64] >> (self.len % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, text: &str, expect: bool) {
        let pattern = Pattern::new(pattern, Alike::default()).expect("short enough");
        assert_eq!(pattern.matches(text), expect, "{pattern:?} {text:?}");
    }

    #[test]
    fn stars_and_question_marks() {
        check("*", "", true);
        check("", "", true);
        check("", "а", false);
        check("а*б", "аб", true);
        check("а*б", "аXXб", true);
        check("а*б", "аXXбв", false);
        check("?", "", false);
        check("?ван*", "Иван Петров", true);
        check("*петров", "Иван ПЕТРОВ", true);
        check("*ёлк*", "зелёная Елка", true);
        check("а**б", "аб", true);
        check("*а*а*а*", "аа", false);
        check("иван  петров", "Иван Петров", true);
    }

    #[test]
    fn long_patterns_cross_the_words_of_the_set() {
        let text = "абв".repeat(85);
        check(&text, &text, true);
        check(&format!("{}*", "?".repeat(254)), &text, true);
        check(&"?".repeat(254), &text, false);
        check(&format!("*{}", "абв".repeat(70)), &text, true);
        assert!(Pattern::new(&"а".repeat(256), Alike::default()).is_none());
        assert!(Pattern::new(&"*".repeat(5000), Alike::default()).is_some());
    }

    /// The meaning, written as plainly as possible.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            Some((c, rest)) => text
                .split_first()
                .is_some_and(|(first, tail)| (*c == '?' || c == first) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_meaning(pattern in "[аб*?]{0,8}", text in "[абв]{0,10}") {
            let expect = slow(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            let compiled = Pattern::new(&pattern, Alike::default()).expect("short enough");
            prop_assert_eq!(compiled.matches(&text), expect);
        }
    }
}
