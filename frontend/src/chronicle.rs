//! The chronicle of one deal: whose it is, as it stands in the address, and how its events hang together.

use api::chronicle::{ChronicleEvent, ChronicleQuery};
use domain::id::EventId;
use domain::record::RecordKind;
use domain::run::RunOutcome;

use crate::filters::query;
use crate::text::plural;

/// Whose chronicle is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Id of a record.
    pub record: String,
    /// Word of the record's kind; empty for any.
    pub kind: String,
    /// A phone.
    pub phone: String,
}

impl Asked {
    /// Reads the address; `get` gives a parameter.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name| get(name).unwrap_or_default();
        Self {
            record: text("record"),
            kind: text("kind"),
            phone: text("phone"),
        }
    }

    /// What a person has typed: a phone has at least ten digits or begins with a plus, everything else is the number
    /// of a record.
    pub fn typed(text: &str) -> Self {
        let text = text.trim();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let only_phone = text
            .chars()
            .all(|letter| letter.is_ascii_digit() || " +-()".contains(letter));
        if only_phone && (digits >= 10 || text.starts_with('+')) {
            return Self {
                phone: text.to_owned(),
                ..Self::default()
            };
        }
        Self {
            record: text.trim_start_matches(['№', '#', ' ']).to_owned(),
            ..Self::default()
        }
    }

    /// What stands in the search field.
    pub fn shown(&self) -> String {
        if self.phone.is_empty() {
            self.record.clone()
        } else {
            self.phone.clone()
        }
    }

    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.record.trim().is_empty() && self.phone.trim().is_empty()
    }

    /// The address of this chronicle.
    pub fn address(&self) -> String {
        let pairs = [
            ("record", self.record.clone()),
            ("kind", self.kind.clone()),
            ("phone", self.phone.clone()),
        ];
        format!("/chronicle{}", query(pairs))
    }

    /// What the API is asked for.
    pub fn to_api(&self, cursor: Option<String>) -> ChronicleQuery {
        let named = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        ChronicleQuery {
            cursor,
            limit: None,
            record: named(&self.record),
            record_kind: RecordKind::parse(&self.kind),
            phone: named(&self.phone),
        }
    }
}

/// The address of a record's chronicle.
pub fn address_of(kind: RecordKind, record: &str) -> String {
    let asked = Asked {
        record: record.to_owned(),
        kind: kind.as_str().to_owned(),
        ..Asked::default()
    };
    asked.address()
}

/// «Ещё 3 правила не подошли», when rules looked at an event without matching.
pub fn unmatched(event: &ChronicleEvent) -> Option<String> {
    let runs = &event.runs;
    let n = runs
        .iter()
        .filter(|run| run.outcome != RunOutcome::Matched)
        .count();
    let n = u64::try_from(n).ok().filter(|n| *n > 0)?;
    let (more, word) = if n < runs.len() as u64 {
        (
            "ещё ",
            plural(n, "правило не подошло", "правила не подошли", "правил не подошли"),
        )
    } else {
        (
            "",
            plural(n, "правило не подошло", "правила не подошли", "правил не подошли"),
        )
    };
    Some(format!("{more}{n} {word}"))
}

/// Which of these events were caused by writes of this one: the echoes that came of it.
pub fn echoes_of(events: &[ChronicleEvent], of: EventId) -> Vec<EventId> {
    events
        .iter()
        .filter(|event| event.cause.is_some_and(|cause| cause.event_id == Some(of)))
        .map(|event| event.event.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_record_or_a_phone() {
        for phone in ["+7 999 555-01-01", "8 (999) 555-01-01", "79995550101", "+7999"] {
            assert_eq!(Asked::typed(phone).phone, phone, "{phone}");
        }
        for (typed, record) in [
            ("123456", "123456"),
            (" № 77 ", "77"),
            ("#5", "5"),
            ("а-17", "а-17"),
        ] {
            let asked = Asked::typed(typed);
            assert_eq!(
                (asked.record.as_str(), asked.phone.as_str()),
                (record, ""),
                "{typed}"
            );
        }
        assert!(Asked::typed("  ").is_empty());
    }

    #[test]
    fn an_address_survives() {
        let asked = Asked::typed("+7 999");
        assert_eq!(asked.address(), "/chronicle?phone=%2B7%20999");
        assert_eq!(address_of(RecordKind::Deal, "5"), "/chronicle?record=5&kind=deal");
        let again = Asked::read(|name| (name == "record").then(|| "5".to_owned()));
        assert_eq!(again.to_api(None).record.as_deref(), Some("5"));
        assert_eq!(again.to_api(None).phone, None);
    }
}
