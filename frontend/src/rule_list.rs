//! The list of rules, sorted as a person wants to look at it. The order of evaluation stays.

use api::rule::RuleSummary;

use crate::text::lowercase;

/// Sorts rules by a word of the address: `name`, `matched`, `place`, with a minus from the greatest down. Anything
/// else leaves them in the order of evaluation.
pub fn sort(rules: &mut [RuleSummary], by: &str) {
    let (word, reversed) = match by.strip_prefix('-') {
        Some(word) => (word, true),
        None => (by, false),
    };
    match word {
        "name" => rules.sort_by_cached_key(|rule| lowercase(&rule.name)),
        "matched" => rules.sort_by_key(|rule| rule.n_matched_day),
        _ => {}
    }
    if reversed && matches!(word, "name" | "matched" | "place") {
        rules.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(by: &str) -> Vec<String> {
        let mut rules: Vec<RuleSummary> = [("Яблоко", 3), ("абрикос", 7), ("Груша", 5)]
            .into_iter()
            .map(|(name, matched)| {
                let id = uuid::Uuid::nil();
                let row = serde_json::json!({ "id": id, "name": name, "source": id, "version": 1, "enabled": true,
                    "has_changes": false, "position": 1, "summary": "", "n_runs_day": 9,
                    "n_matched_day": matched, "updated_at": 0 });
                serde_json::from_value(row).unwrap()
            })
            .collect();
        sort(&mut rules, by);
        rules.into_iter().map(|rule| rule.name).collect()
    }

    #[test]
    fn names_are_sorted_whatever_their_letters() {
        assert_eq!(sorted("name"), ["абрикос", "Груша", "Яблоко"]);
        assert_eq!(sorted("-name"), ["Яблоко", "Груша", "абрикос"]);
    }

    #[test]
    fn numbers_and_places() {
        assert_eq!(sorted("matched"), ["Яблоко", "Груша", "абрикос"]);
        assert_eq!(sorted("-place"), ["Груша", "абрикос", "Яблоко"]);
        assert_eq!(sorted("-nonsense"), ["Яблоко", "абрикос", "Груша"]);
    }
}
