//! Comparing what is known by number: users, stages, pipelines, records.

use super::{Demanded, Trouble};
use crate::value::{Stage, Value};

/// A comparison of numbers that name things.
#[derive(Clone, Debug)]
pub(crate) struct CodeCheck {
    pub(crate) wanted: Wanted,
    pub(crate) negate: bool,
}

/// Ascending, each once.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Users(Box<[i64]>),
    Stages(Box<[Stage]>),
    Ids(Box<[i64]>),
}

impl CodeCheck {
    /// See [`Check::demanded`](super::Check::demanded).
    pub(crate) fn demanded(&self) -> Option<Vec<Demanded<'_>>> {
        (!self.negate).then(|| match &self.wanted {
            Wanted::Users(list) => list.iter().map(|id| Demanded::User(*id)).collect(),
            Wanted::Stages(list) => list.iter().map(|stage| Demanded::Stage(*stage)).collect(),
            Wanted::Ids(list) => list.iter().map(|id| Demanded::Id(*id)).collect(),
        })
    }

    pub(crate) fn holds(&self, left: &Value) -> Result<bool, Trouble> {
        let found = match (&self.wanted, left) {
            (Wanted::Users(list), Value::User(user)) => list.binary_search(user).is_ok(),
            (Wanted::Stages(list), Value::Stage(stage)) => list.binary_search(stage).is_ok(),
            (Wanted::Ids(list), Value::Id(id)) => list.binary_search(id).is_ok(),
            (_, Value::Empty) => false,
            _ => return Err(Trouble::WrongType),
        };
        Ok(found != self.negate)
    }
}
