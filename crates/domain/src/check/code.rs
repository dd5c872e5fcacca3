//! Comparing what is known by number: users, stages, pipelines, records.

use super::Trouble;
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
