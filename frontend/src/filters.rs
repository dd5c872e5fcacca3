//! Filters of lists as they stand in the address, so that a filtered list can be linked to.

use api::event::{EventQuery, EventState};
use api::page::Order;
use domain::delivery::DeliveryState;
use domain::event::EventKind;
use domain::record::RecordKind;
use domain::time::{Timestamp, Zone};

use crate::clock;

/// Filters of the list of events, as texts of form controls. Empty means «any».
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// Connection id.
    pub connection: String,
    /// Word of [`EventKind`].
    pub kind: String,
    /// Word of [`EventState`], or `matched` / `unmatched`.
    pub state: String,
    /// Rule id.
    pub rule: String,
    /// Id of the record in its CRM.
    pub record: String,
    /// Word of [`RecordKind`].
    pub record_kind: String,
    /// A phone in any spelling.
    pub phone: String,
    /// Start, as `datetime-local` writes it.
    pub from: String,
    /// End, as `datetime-local` writes it.
    pub to: String,
    /// How the list is sorted, see [`order`].
    pub sort: String,
}

impl EventFilter {
    /// Names in the address, in its order.
    const NAMES: [&'static str; 10] = [
        "connection",
        "kind",
        "state",
        "rule",
        "record",
        "record_kind",
        "phone",
        "from",
        "to",
        "sort",
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
            "connection" => &mut self.connection,
            "kind" => &mut self.kind,
            "state" => &mut self.state,
            "rule" => &mut self.rule,
            "record" => &mut self.record,
            "record_kind" => &mut self.record_kind,
            "phone" => &mut self.phone,
            "from" => &mut self.from,
            "to" => &mut self.to,
            _ => &mut self.sort,
        }
    }

    /// Sets one filter by its name in the address.
    pub fn set(&mut self, name: &str, value: String) {
        *self.place(name) = value;
    }

    /// What stands after the path in the address: empty, or `?kind=…`.
    pub fn query(&self) -> String {
        let mut filter = self.clone();
        let pairs = Self::NAMES.map(|name| (name, filter.place(name).clone()));
        query(pairs)
    }

    /// Every event is asked for, however sorted.
    pub fn is_empty(&self) -> bool {
        let filter = Self {
            sort: String::new(),
            ..self.clone()
        };
        filter == Self::default()
    }

    /// What the API is asked for. Words that it would not know are left out.
    pub fn to_api(&self, zone: &Zone, cursor: Option<String>) -> EventQuery {
        let moment = |text: &str| clock::from_control(text, zone).map(|at: Timestamp| at.0);
        EventQuery {
            cursor,
            limit: None,
            from: moment(&self.from),
            to: moment(&self.to),
            connection: self.connection.parse().ok(),
            kind: EventKind::parse(&self.kind),
            state: EventState::parse(&self.state),
            matched: match self.state.as_str() {
                "matched" => Some(true),
                "unmatched" => Some(false),
                _ => None,
            },
            rule: self.rule.parse().ok(),
            record: named(&self.record),
            phone: named(&self.phone),
            record_kind: RecordKind::parse(&self.record_kind),
            order: order(&self.sort),
        }
    }
}

fn named(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The order that a list by time is asked for: `when` is from the oldest on, everything else from the newest.
pub fn order(sort: &str) -> Option<Order> {
    (sort == "when").then_some(Order::Oldest)
}

/// Filters of the list of deliveries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryFilter {
    /// Word of [`DeliveryState`]; empty means the dead ones, `all` every one.
    pub state: String,
    /// Connection id.
    pub connection: String,
    /// Rule id.
    pub rule: String,
    /// Stable word of the failure.
    pub error_code: String,
    /// How the list is sorted, see [`order`].
    pub sort: String,
}

impl DeliveryFilter {
    /// Reads the address; `get` gives a parameter.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name| get(name).unwrap_or_default();
        Self {
            state: text("state"),
            connection: text("connection"),
            rule: text("rule"),
            error_code: text("error_code"),
            sort: text("sort"),
        }
    }

    /// What stands after the path in the address.
    pub fn query(&self) -> String {
        query([
            ("state", self.state.clone()),
            ("connection", self.connection.clone()),
            ("rule", self.rule.clone()),
            ("error_code", self.error_code.clone()),
            ("sort", self.sort.clone()),
        ])
    }

    /// Sets one filter by its name in the address.
    pub fn set(&mut self, name: &str, value: String) {
        match name {
            "state" => self.state = value,
            "connection" => self.connection = value,
            "rule" => self.rule = value,
            "error_code" => self.error_code = value,
            _ => self.sort = value,
        }
    }

    /// The state asked for; `None` for every one.
    pub fn wanted(&self) -> Option<DeliveryState> {
        match self.state.as_str() {
            "" => Some(DeliveryState::Dead),
            word => DeliveryState::parse(word),
        }
    }
}

/// A query string of the pairs that are not empty.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if value.is_empty() {
            continue;
        }
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&escape(&value));
    }
    out
}

/// Percent-encodes everything but what RFC 3986 calls unreserved.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The page to go to after sign-in: a path of ours, never another site's address.
pub fn safe_return(path: &str) -> &str {
    let inside = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']);
    if inside && !path.starts_with("/sign-in") && !path.starts_with("/welcome") {
        path
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_survive_the_address() {
        let filter = EventFilter {
            kind: "deal_created".to_owned(),
            record: "12 34&5".to_owned(),
            ..EventFilter::default()
        };
        assert_eq!(filter.query(), "?kind=deal_created&record=12%2034%265");
        let again = EventFilter::read(|name| match name {
            "kind" => Some("deal_created".to_owned()),
            "record" => Some("12 34&5".to_owned()),
            _ => None,
        });
        assert_eq!(again, filter);
        assert_eq!(EventFilter::default().query(), "");
    }

    #[test]
    fn sorting_is_no_filter() {
        let filter = EventFilter {
            sort: "when".to_owned(),
            ..EventFilter::default()
        };
        assert!(filter.is_empty());
        assert_eq!(filter.query(), "?sort=when");
        assert_eq!(filter.to_api(&Zone::moscow(), None).order, Some(Order::Oldest));
        assert_eq!(order("-when"), None);
    }

    #[test]
    fn unknown_words_ask_for_nothing() {
        let filter = EventFilter {
            kind: "nonsense".to_owned(),
            state: "matched".to_owned(),
            connection: "x".to_owned(),
            from: "1970-01-01T03:00".to_owned(),
            ..EventFilter::default()
        };
        let query = filter.to_api(&Zone::moscow(), None);
        assert_eq!((query.kind, query.connection, query.state), (None, None, None));
        assert_eq!(query.matched, Some(true));
        assert_eq!(query.from, Some(0));
    }

    #[test]
    fn dead_deliveries_are_shown_unless_asked_otherwise() {
        let wanted = |state: &str| {
            DeliveryFilter {
                state: state.to_owned(),
                ..DeliveryFilter::default()
            }
            .wanted()
        };
        assert_eq!(wanted(""), Some(DeliveryState::Dead));
        assert_eq!(wanted("pending"), Some(DeliveryState::Pending));
        assert_eq!(wanted("all"), None);
    }

    #[test]
    fn sign_in_never_leads_to_another_site() {
        for path in [
            "//evil.example",
            "https://evil.example",
            "\\\\evil",
            "/\\evil",
            "",
            "/sign-in?return=/x",
        ] {
            assert_eq!(safe_return(path), "/", "{path}");
        }
        assert_eq!(safe_return("/events?kind=x"), "/events?kind=x");
    }
}
