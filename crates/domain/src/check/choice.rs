//! Comparing options and tags: by id when both sides have one, else by name.

use super::{Demanded, Trouble};
use crate::condition::Alike;
use crate::text;
use crate::value::{Choice, Value};

/// What is asked of the options a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChoiceOp {
    Any,
    All,
    None,
}

/// A comparison of options.
#[derive(Clone, Debug)]
pub(crate) struct ChoiceCheck {
    op: ChoiceOp,
    wanted: Box<[Wanted]>,
    alike: Alike,
}

#[derive(Clone, Debug)]
struct Wanted {
    id: Option<i64>,
    /// Already in the compared form.
    name: Box<str>,
}

impl ChoiceCheck {
    /// See [`Check::demanded`](super::Check::demanded).
    pub(crate) fn demanded(&self) -> Option<Vec<Demanded<'_>>> {
        let usual = Alike {
            phone: self.alike.phone,
            ..Alike::default()
        } == self.alike;
        let all = || {
            self.wanted.iter().map(|one| Demanded::Option {
                id: one.id,
                name: &one.name,
            })
        };
        match self.op {
            ChoiceOp::Any if usual => Some(all().collect()),
            ChoiceOp::All if usual => Some(all().take(1).collect()),
            _ => None,
        }
    }

    pub(crate) fn new<'c>(op: ChoiceOp, wanted: impl IntoIterator<Item = &'c Choice>, alike: Alike) -> Self {
        let wanted = wanted
            .into_iter()
            .map(|choice| Wanted {
                id: choice.id,
                name: text::normalise(&choice.name, alike).into(),
            })
            .collect();
        Self { op, wanted, alike }
    }

    pub(crate) fn holds(&self, left: &Value) -> Result<bool, Trouble> {
        let held = match left {
            Value::Choice(choice) => std::slice::from_ref(choice),
            Value::Choices(list) => list,
            Value::Empty => &[],
            _ => return Err(Trouble::WrongType),
        };
        let is_held = |wanted: &Wanted| held.iter().any(|choice| self.is_same(wanted, choice));
        Ok(match self.op {
            ChoiceOp::Any => self.wanted.iter().any(is_held),
            ChoiceOp::All => self.wanted.iter().all(is_held),
            ChoiceOp::None => !self.wanted.iter().any(is_held),
        })
    }

    fn is_same(&self, wanted: &Wanted, choice: &Choice) -> bool {
        match (wanted.id, choice.id) {
            (Some(a), Some(b)) => a == b,
            _ => !wanted.name.is_empty() && text::equals(&choice.name, &wanted.name, self.alike),
        }
    }
}
