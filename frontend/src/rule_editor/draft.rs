//! The draft of a rule while a person edits it: a plain state machine over the JSON document. It knows what was
//! done, how to take it back, what is saved and whether somebody else saved meanwhile.
//!
//! The document stays a tree, because places in it are JSON pointers on both sides: the compiler's findings, the
//! reasons of an evaluation and the forms all speak of the same places.

use domain::rule::Rule;
use serde_json::Value;

use super::tree;
use crate::wire::{self, WireError};

/// Steps that can be taken back; older ones are forgotten.
const REMEMBERED: usize = 200;

/// Something a person does to the document.
#[derive(Clone, PartialEq, Debug)]
pub enum Edit {
    /// Puts a value at a place. Several at the same place in a row are one step.
    Set {
        /// JSON pointer.
        at: String,
        /// What shall stand there.
        to: Value,
    },
    /// Puts an item into a list.
    Insert {
        /// JSON pointer of the list.
        list: String,
        /// Its place; past the end means the end.
        at: usize,
        /// The item.
        item: Value,
    },
    /// Takes an item of a list away.
    Remove {
        /// JSON pointer of the item.
        at: String,
    },
    /// Puts a copy behind an item of a list.
    Duplicate {
        /// JSON pointer of the item.
        at: String,
    },
    /// Takes an item to another place, maybe of another list.
    Move {
        /// JSON pointer of the item.
        from: String,
        /// JSON pointer of the list.
        list: String,
        /// Its place there, counted before the item leaves its old one.
        at: usize,
    },
    /// НЕ around a condition, or away from it.
    Negate {
        /// JSON pointer of the condition.
        at: String,
    },
    /// A group around a condition.
    Group {
        /// JSON pointer of the condition.
        at: String,
    },
    /// И becomes ИЛИ and the other way round.
    Join {
        /// JSON pointer of the group.
        at: String,
    },
}

impl Edit {
    /// Where it changes the document.
    pub fn touches(&self) -> Touched {
        match self {
            Self::Set { at, .. } => Touched::Place(at.clone()),
            // Items get other places by these.
            _ => Touched::Everything,
        }
    }
}

/// Where a document was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Touched {
    /// At a place, as a JSON pointer.
    Place(String),
    /// Anywhere.
    Everything,
}

impl Touched {
    /// Whether what stands at a pointer may have become another: it lies at the place, above it or below it.
    pub fn concerns(&self, pointer: &str) -> bool {
        let Self::Place(place) = self else {
            return true;
        };
        let below = |inner: &str, outer: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        below(pointer, place) || below(place, pointer)
    }
}

/// Somebody else saved meanwhile.
#[derive(Clone, PartialEq, Debug)]
pub struct Conflict {
    /// What is saved now.
    pub theirs: Value,
    /// Its version.
    pub version: i64,
}

/// A draft under way.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    document: Value,
    saved: Value,
    version: Option<i64>,
    undo: Vec<Value>,
    redo: Vec<Value>,
    typing: Option<String>,
    conflict: Option<Conflict>,
}

impl Draft {
    /// Of a rule as it is saved; without a version it is not saved at all yet.
    pub fn new(saved: Value, version: Option<i64>) -> Self {
        Self {
            document: saved.clone(),
            saved,
            version,
            undo: Vec::new(),
            redo: Vec::new(),
            typing: None,
            conflict: None,
        }
    }

    /// The document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// What the server has, as far as known.
    pub fn saved(&self) -> &Value {
        &self.saved
    }

    /// What stands at a place.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.document.pointer(pointer)
    }

    /// The document as a rule.
    pub fn rule(&self) -> Result<Rule, WireError> {
        wire::from_tree(self.document.clone())
    }

    /// The version it was begun from.
    pub fn version(&self) -> Option<i64> {
        self.version
    }

    /// It differs from what is saved.
    pub fn is_dirty(&self) -> bool {
        self.version.is_none() || self.document != self.saved
    }

    /// Somebody else saved meanwhile.
    pub fn conflict(&self) -> Option<&Conflict> {
        self.conflict.as_ref()
    }

    /// There is a step to take back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// There is a step to do again.
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// Does something; gives where the thing it was done to stands now. Nothing happens when the place is not
    /// there, or an item would go into itself.
    pub fn apply(&mut self, edit: Edit) -> Option<String> {
        let typing = match &edit {
            Edit::Set { at, .. } => Some(at.clone()),
            _ => None,
        };
        let mut next = self.document.clone();
        let place = perform(&mut next, edit)?;
        if next == self.document {
            return Some(place);
        }
        let goes_on = typing.is_some() && typing == self.typing && self.redo.is_empty();
        if !goes_on {
            if self.undo.len() == REMEMBERED {
                self.undo.remove(0);
            }
            self.undo.push(std::mem::replace(&mut self.document, next));
        } else {
            self.document = next;
        }
        self.redo.clear();
        self.typing = typing;
        Some(place)
    }

    /// The next letter begins a new step, wherever it is typed.
    pub fn pause(&mut self) {
        self.typing = None;
    }

    /// Takes the last step back.
    pub fn undo(&mut self) {
        if let Some(before) = self.undo.pop() {
            self.redo.push(std::mem::replace(&mut self.document, before));
            self.typing = None;
        }
    }

    /// Does it again.
    pub fn redo(&mut self) {
        if let Some(after) = self.redo.pop() {
            self.undo.push(std::mem::replace(&mut self.document, after));
            self.typing = None;
        }
    }

    /// Puts a whole document in, as one step: from text, from a file, from a browser that was closed.
    pub fn replace(&mut self, document: Value) {
        if document != self.document {
            self.undo.push(std::mem::replace(&mut self.document, document));
            self.redo.clear();
        }
        self.typing = None;
    }

    /// The server has saved what was sent; what was typed meanwhile stays unsaved.
    pub fn was_saved(&mut self, sent: Value, version: i64) {
        self.saved = sent;
        self.version = Some(version);
        self.conflict = None;
        self.typing = None;
    }

    /// The server has something newer than this draft was begun from. Without own changes it is taken over at
    /// once, else the person decides.
    pub fn meets(&mut self, theirs: Value, version: i64) {
        if self.version == Some(version) {
            return;
        }
        if self.document == self.saved || self.document == theirs {
            self.document = theirs.clone();
            self.was_saved(theirs, version);
            self.undo.clear();
            self.redo.clear();
        } else {
            self.conflict = Some(Conflict { theirs, version });
        }
    }

    /// The own text stands: the next save replaces theirs.
    pub fn keep_mine(&mut self) {
        if let Some(conflict) = self.conflict.take() {
            self.saved = conflict.theirs;
            self.version = Some(conflict.version);
        }
    }

    /// Theirs stands; the own text can be had back by «отменить».
    pub fn take_theirs(&mut self) {
        if let Some(conflict) = self.conflict.take() {
            self.replace(conflict.theirs.clone());
            self.saved = conflict.theirs;
            self.version = Some(conflict.version);
        }
    }
}

fn perform(document: &mut Value, edit: Edit) -> Option<String> {
    match edit {
        Edit::Set { at, to } => {
            tree::set(document, &at, to)?;
            Some(at)
        }
        Edit::Insert { list, at, item } => tree::insert(document, &list, at, item),
        Edit::Remove { at } => {
            tree::remove(document, &at)?;
            Some(at)
        }
        Edit::Duplicate { at } => {
            let copy = document.pointer(&at)?.clone();
            let (list, index) = tree::split(&at)?;
            tree::insert(document, list, index + 1, copy)
        }
        Edit::Move { from, list, at } => tree::relocate(document, &from, &list, at),
        Edit::Negate { at } => {
            let node = document.pointer_mut(&at)?;
            *node = match node.get_mut("not").map(Value::take) {
                Some(inner) => inner,
                None => serde_json::json!({ "not": node.take() }),
            };
            Some(at)
        }
        Edit::Group { at } => {
            let node = document.pointer_mut(&at)?;
            *node = serde_json::json!({ "all": [node.take()] });
            Some(format!("{at}/all/0"))
        }
        Edit::Join { at } => {
            let node = document.pointer_mut(&at)?.as_object_mut()?;
            let (from, to) = if node.contains_key("all") {
                ("all", "any")
            } else {
                ("any", "all")
            };
            let list = node.remove(from)?;
            node.insert(to.to_owned(), list);
            Some(at)
        }
    }
}

#[cfg(test)]
mod tests;
