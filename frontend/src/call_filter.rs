//! Filters of results of calls as they stand in the address.

use api::call::{CallOrder, CallQuery, CallSource, ExportFormat, SyncState};
use domain::time::Zone;

use crate::clock;
use crate::filters::query;

/// Filters, as texts of form controls. Empty means «any».
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallFilter {
    /// Part of a phone, name or comment.
    pub text: String,
    /// Result.
    pub result: String,
    /// Word of [`SyncState`].
    pub sync: String,
    /// Word of [`CallSource`].
    pub source: String,
    /// Operator.
    pub operator: String,
    /// Start, as `datetime-local` writes it.
    pub from: String,
    /// End, as `datetime-local` writes it.
    pub to: String,
    /// Word of [`CallOrder`].
    pub order: String,
}

impl CallFilter {
    const NAMES: [&'static str; 8] = [
        "text", "result", "sync", "source", "operator", "from", "to", "order",
    ];

    /// Reads the address; `get` gives a parameter.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let mut filter = Self::default();
        for name in Self::NAMES {
            *filter.place(name) = get(name).unwrap_or_default();
        }
        filter
    }

    fn place(&mut self, name: &str) -> &mut String {
        match name {
            "text" => &mut self.text,
            "result" => &mut self.result,
            "sync" => &mut self.sync,
            "source" => &mut self.source,
            "operator" => &mut self.operator,
            "from" => &mut self.from,
            "to" => &mut self.to,
            _ => &mut self.order,
        }
    }

    /// Sets one filter by its name in the address.
    pub fn set(&mut self, name: &str, value: String) {
        *self.place(name) = value;
    }

    /// What stands after the path in the address.
    pub fn query(&self) -> String {
        let mut filter = self.clone();
        query(Self::NAMES.map(|name| (name, filter.place(name).clone())))
    }

    /// Nothing is filtered.
    pub fn is_empty(&self) -> bool {
        let unordered = Self {
            order: String::new(),
            ..self.clone()
        };
        unordered == Self::default()
    }

    /// What the API is asked for.
    pub fn to_api(&self, zone: &Zone) -> CallQuery {
        let text = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let moment = |text: &str| clock::from_control(text, zone).map(|at| at.0);
        CallQuery {
            result: text(&self.result),
            sync: SyncState::parse(&self.sync),
            source: CallSource::parse(&self.source),
            operator: text(&self.operator),
            from: moment(&self.from),
            to: moment(&self.to),
            text: text(&self.text),
            order: CallOrder::parse(&self.order),
            ..CallQuery::default()
        }
    }
}

/// A query as the API wants it in its address.
pub fn address(wanted: &CallQuery) -> String {
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    query([
        ("result", word(wanted.result.as_deref())),
        ("sync", word(wanted.sync.map(SyncState::as_str))),
        ("source", word(wanted.source.map(CallSource::as_str))),
        ("operator", word(wanted.operator.as_deref())),
        ("from", number(wanted.from)),
        ("to", number(wanted.to)),
        ("text", word(wanted.text.as_deref())),
        ("order", word(wanted.order.map(CallOrder::as_str))),
        ("cursor", word(wanted.cursor.as_deref())),
        ("limit", number(wanted.limit.map(i64::from))),
        ("format", word(wanted.format.map(ExportFormat::as_str))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_holds_the_filter() {
        let given = [
            ("result", "Отказ"),
            ("sync", "failed"),
            ("order", "longest"),
            ("sync_", "x"),
        ];
        let filter = CallFilter::read(|name| {
            let found = given.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        assert!(!filter.is_empty());
        let wanted = filter.to_api(&Zone::moscow());
        assert_eq!(wanted.sync, Some(SyncState::Failed));
        assert_eq!(
            address(&wanted),
            "?result=%D0%9E%D1%82%D0%BA%D0%B0%D0%B7&sync=failed&order=longest"
        );
        assert_eq!(filter.query(), address(&wanted));
        assert!(
            CallFilter {
                order: "oldest".to_owned(),
                ..CallFilter::default()
            }
            .is_empty()
        );
    }

    #[test]
    fn unknown_words_are_left_out() {
        let mut filter = CallFilter::default();
        filter.set("source", "pigeon".to_owned());
        assert_eq!(filter.to_api(&Zone::moscow()), CallQuery::default());
    }
}
