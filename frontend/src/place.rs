//! Which page an address means.

use domain::connection::ConnectorKind;
use domain::id::{ConnectionId, EventId, ImportId, RuleId};

/// A page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Sign-in.
    SignIn,
    /// One-time links.
    Welcome,
    /// Ways in by a letter.
    Entry(Entry),
    /// «Панель управления».
    Panel,
    /// Every connection.
    Connections,
    /// Adding a connection.
    NewConnection(ConnectorKind),
    /// One connection.
    Connection(ConnectionId),
    /// Every rule.
    Rules,
    /// The gallery of rules to begin with.
    Templates,
    /// A new rule.
    NewRule,
    /// One rule.
    Rule(RuleId),
    /// Every event.
    Events,
    /// One event.
    Event(EventId),
    /// Everything about one deal.
    Chronicle,
    /// Deliveries.
    Deliveries,
    /// Every import.
    Imports,
    /// One import.
    Import(ImportId),
    /// Results of calls.
    Calls,
    /// How calls become results.
    CallSettings,
    /// The audit log.
    Logs,
    /// Settings.
    Settings(Part),
    /// None of these.
    Missing,
}

/// A way in by a letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Asking to register.
    Register,
    /// Using an invitation.
    Join,
    /// Asking for a new password.
    Forgotten,
    /// Setting it.
    Reset,
}

/// A part of the settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The person and the workspace.
    Profile,
    /// Password, second factor, sessions.
    Security,
    /// API keys.
    Keys,
    /// People of the workspace.
    Members,
}

impl Place {
    /// The page of a path; a slash at its end does not matter.
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        Self::known(&parts).unwrap_or(Self::Missing)
    }

    fn known(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            [] => Self::Panel,
            ["sign-in"] => Self::SignIn,
            ["welcome"] => Self::Welcome,
            ["register"] => Self::Entry(Entry::Register),
            ["join"] => Self::Entry(Entry::Join),
            ["forgotten"] => Self::Entry(Entry::Forgotten),
            ["reset"] => Self::Entry(Entry::Reset),
            ["connections"] => Self::Connections,
            ["connections", "new", kind] => Self::NewConnection(ConnectorKind::parse(kind)?),
            ["connections", id] => Self::Connection(id.parse().ok()?),
            ["rules"] => Self::Rules,
            ["rules", "new"] => Self::NewRule,
            ["rules", "templates"] => Self::Templates,
            ["rules", id] => Self::Rule(id.parse().ok()?),
            ["events"] => Self::Events,
            ["events", id] => Self::Event(id.parse().ok()?),
            ["chronicle"] => Self::Chronicle,
            ["deliveries"] => Self::Deliveries,
            ["imports"] => Self::Imports,
            ["imports", id] => Self::Import(id.parse().ok()?),
            ["calls"] => Self::Calls,
            ["calls", "settings"] => Self::CallSettings,
            ["logs"] => Self::Logs,
            ["settings"] => Self::Settings(Part::Profile),
            ["settings", "security"] => Self::Settings(Part::Security),
            ["settings", "keys"] => Self::Settings(Part::Keys),
            ["settings", "members"] => Self::Settings(Part::Members),
            _ => return None,
        })
    }

    /// Shown to who is not signed in, too.
    pub const fn is_gate(self) -> bool {
        matches!(self, Self::SignIn | Self::Welcome | Self::Entry(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_their_pages() {
        let id = "01a208a7-5073-73e7-bfa7-920ccfe7ff5d";
        let cases = [
            ("/", Place::Panel),
            ("", Place::Panel),
            ("/rules/", Place::Rules),
            ("/join", Place::Entry(Entry::Join)),
            ("/rules/new", Place::NewRule),
            ("/rules/templates", Place::Templates),
            (
                "/connections/new/amocrm",
                Place::NewConnection(ConnectorKind::Amocrm),
            ),
            ("/imports", Place::Imports),
            (&format!("/imports/{id}"), Place::Import(id.parse().unwrap())),
            ("/calls/settings", Place::CallSettings),
            ("/chronicle", Place::Chronicle),
            ("/settings/keys", Place::Settings(Part::Keys)),
            (&format!("/events/{id}"), Place::Event(id.parse().unwrap())),
            (
                &format!("/connections/{id}"),
                Place::Connection(id.parse().unwrap()),
            ),
        ];
        for (path, place) in cases {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }

    #[test]
    fn other_addresses_lead_nowhere() {
        for path in [
            "/rules/12",
            "/connections/new/bitrix",
            "/settings/x",
            "/admin",
            "/events/x/y",
        ] {
            assert_eq!(Place::of(path), Place::Missing, "{path}");
        }
    }
}
