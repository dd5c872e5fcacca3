//! Between amoCRM's words and the neutral ones.

pub mod read;
pub mod value;
pub mod write;

use domain::record::RecordKind;

/// Kinds that amoCRM calls entities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Entity {
    /// «Сделка».
    Leads,
    /// «Контакт».
    Contacts,
    /// «Компания».
    Companies,
}

impl Entity {
    /// Every entity.
    pub const ALL: [Self; 3] = [Self::Leads, Self::Contacts, Self::Companies];

    /// The entity of a neutral kind.
    pub const fn of(kind: RecordKind) -> Option<Self> {
        match kind {
            RecordKind::Deal => Some(Self::Leads),
            RecordKind::Contact => Some(Self::Contacts),
            RecordKind::Company => Some(Self::Companies),
            _ => None,
        }
    }

    /// The neutral kind.
    pub const fn kind(self) -> RecordKind {
        match self {
            Self::Leads => RecordKind::Deal,
            Self::Contacts => RecordKind::Contact,
            Self::Companies => RecordKind::Company,
        }
    }

    /// The word in paths, lists and `entity_type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Contacts => "contacts",
            Self::Companies => "companies",
        }
    }

    /// The entity behind `leads`, `contacts`, `companies`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.word() == word)
    }

    /// The entity behind the number in webhooks: 1 contact, 2 lead, 3 company.
    pub const fn numbered(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Contacts),
            2 => Some(Self::Leads),
            3 => Some(Self::Companies),
            _ => None,
        }
    }
}
