//! The catalogues of all connections of a workspace, and the part of them that one rule looks at.

use crate::catalogue::{Catalogue, FieldInfo};
use crate::connection::ConnectorKind;
use crate::id::ConnectionId;
use crate::record::RecordKind;
use crate::rule::Rule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One connection with what it offers. Catalogues are shared: thousands of compiled rules point to one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConnectionCatalogue {
    /// Which CRM.
    pub kind: ConnectorKind,
    /// Name of the connection as the workspace calls it.
    #[serde(default)]
    pub name: String,
    /// What it offers.
    pub catalogue: Arc<Catalogue>,
}

/// The catalogues of a workspace.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalogues {
    connections: BTreeMap<ConnectionId, ConnectionCatalogue>,
}

impl Catalogues {
    /// No connection at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a connection.
    pub fn insert(&mut self, id: ConnectionId, kind: ConnectorKind, catalogue: impl Into<Arc<Catalogue>>) {
        self.insert_named(id, kind, "", catalogue);
    }

    /// Adds or replaces a connection with its name.
    pub fn insert_named(
        &mut self,
        id: ConnectionId,
        kind: ConnectorKind,
        name: impl Into<String>,
        catalogue: impl Into<Arc<Catalogue>>,
    ) {
        self.connections.insert(
            id,
            ConnectionCatalogue {
                kind,
                name: name.into(),
                catalogue: catalogue.into(),
            },
        );
    }

    /// A connection, for building in one expression.
    #[must_use]
    pub fn with(mut self, id: ConnectionId, kind: ConnectorKind, catalogue: Catalogue) -> Self {
        self.insert(id, kind, catalogue);
        self
    }

    /// A connection by id.
    pub fn get(&self, id: ConnectionId) -> Option<&ConnectionCatalogue> {
        self.connections.get(&id)
    }

    /// Every connection, ascending by id (which is ascending by age).
    pub fn iter(&self) -> impl Iterator<Item = (ConnectionId, &ConnectionCatalogue)> {
        self.connections.iter().map(|(id, connection)| (*id, connection))
    }

    /// Every connection of one CRM.
    pub fn of_kind(&self, kind: ConnectorKind) -> impl Iterator<Item = (ConnectionId, &ConnectionCatalogue)> {
        self.iter().filter(move |(_, connection)| connection.kind == kind)
    }
}

impl FromIterator<(ConnectionId, (ConnectorKind, Catalogue))> for Catalogues {
    fn from_iter<T: IntoIterator<Item = (ConnectionId, (ConnectorKind, Catalogue))>>(iter: T) -> Self {
        let mut all = Self::new();
        for (id, (kind, catalogue)) in iter {
            all.insert(id, kind, catalogue);
        }
        all
    }
}

/// The CRM in which a kind of record lives; `None` for calls and events, which both know.
pub const fn home_of(kind: RecordKind) -> Option<ConnectorKind> {
    match kind {
        RecordKind::Deal
        | RecordKind::Contact
        | RecordKind::Company
        | RecordKind::Task
        | RecordKind::Unsorted => Some(ConnectorKind::Amocrm),
        RecordKind::Lead | RecordKind::LeadContact => Some(ConnectorKind::Lptracker),
        RecordKind::Call | RecordKind::Note | RecordKind::Structure | RecordKind::Event => None,
    }
}

/// The two connections that the field names of one rule speak of.
///
/// A rule names fields by record and id only. `deal.cf.5` of a rule is field 5 of the rule's amoCRM
/// connection: its source, or else the one that its actions work on, or else the only one there is.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    amocrm: Option<(ConnectionId, Arc<Catalogue>)>,
    lptracker: Option<(ConnectionId, Arc<Catalogue>)>,
    source: Option<ConnectorKind>,
}

/// Catalogues are shared, so two scopes usually hold the very same ones and nothing has to be compared.
impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        type Side = Option<(ConnectionId, Arc<Catalogue>)>;
        let same = |one: &Side, two: &Side| match (one, two) {
            (Some((id, one)), Some((other, two))) => id == other && (Arc::ptr_eq(one, two) || one == two),
            (None, None) => true,
            _ => false,
        };
        self.source == other.source
            && same(&self.amocrm, &other.amocrm)
            && same(&self.lptracker, &other.lptracker)
    }
}

impl Scope {
    /// The connections a rule speaks of.
    pub fn of(rule: &Rule, catalogues: &Catalogues) -> Self {
        let source = catalogues.get(rule.source).map(|connection| connection.kind);
        let pick = |kind: ConnectorKind| {
            let named = std::iter::once(rule.source)
                .chain(rule.actions.iter().filter_map(|card| card.connection))
                .find(|id| {
                    catalogues
                        .get(*id)
                        .is_some_and(|connection| connection.kind == kind)
                });
            let id = named.or_else(|| {
                let mut all = catalogues.of_kind(kind).map(|(id, _)| id);
                all.next().filter(|_| all.next().is_none())
            })?;
            Some((id, Arc::clone(&catalogues.get(id)?.catalogue)))
        };
        Self {
            amocrm: pick(ConnectorKind::Amocrm),
            lptracker: pick(ConnectorKind::Lptracker),
            source,
        }
    }

    /// The first connection of each CRM, where no rule says which.
    pub fn any(catalogues: &Catalogues) -> Self {
        let first = |kind| {
            catalogues
                .of_kind(kind)
                .next()
                .map(|(id, connection)| (id, Arc::clone(&connection.catalogue)))
        };
        Self {
            amocrm: first(ConnectorKind::Amocrm),
            lptracker: first(ConnectorKind::Lptracker),
            source: None,
        }
    }

    /// A scope for each pair of connections, oldest first; one at least.
    pub fn each(catalogues: &Catalogues) -> impl Iterator<Item = Self> {
        let side = |kind| -> Vec<_> {
            catalogues
                .of_kind(kind)
                .map(|(id, one)| (id, Arc::clone(&one.catalogue)))
                .collect()
        };
        let (amocrm, lptracker) = (side(ConnectorKind::Amocrm), side(ConnectorKind::Lptracker));
        (0..amocrm.len().max(lptracker.len()).max(1)).map(move |at| Self {
            amocrm: amocrm.get(at).cloned(),
            lptracker: lptracker.get(at).cloned(),
            source: None,
        })
    }

    /// The CRM whose events the rule looks at.
    pub fn source(&self) -> Option<ConnectorKind> {
        self.source
    }

    /// The connection to one CRM.
    pub fn side(&self, kind: ConnectorKind) -> Option<(ConnectionId, &Catalogue)> {
        let side = match kind {
            ConnectorKind::Amocrm => &self.amocrm,
            ConnectorKind::Lptracker => &self.lptracker,
        };
        side.as_ref().map(|(id, catalogue)| (*id, &**catalogue))
    }

    /// The CRM a kind of record is to be looked up in: its home, or the source's.
    pub fn kind_of(&self, record: RecordKind) -> Option<ConnectorKind> {
        home_of(record).or(self.source)
    }

    /// The catalogue a kind of record is described in.
    pub fn catalogue(&self, record: RecordKind) -> Option<&Catalogue> {
        self.side(self.kind_of(record)?).map(|(_, catalogue)| catalogue)
    }

    /// A custom field.
    pub fn field(&self, record: RecordKind, id: i64) -> Option<&FieldInfo> {
        self.catalogue(record)?.field(record, id)
    }
}
