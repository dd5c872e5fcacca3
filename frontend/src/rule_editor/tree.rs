//! Work on a JSON tree by pointers: what the draft's steps are made of, and how a condition tree lies in it.

use serde_json::Value;

/// List and place of a pointer to an item: `/actions/2` → `/actions`, 2.
pub fn split(pointer: &str) -> Option<(&str, usize)> {
    let (list, index) = pointer.rsplit_once('/')?;
    Some((list, index.parse().ok()?))
}

/// Puts a value at a place. The last member of the path may be new; `null` takes a member away.
pub fn set(document: &mut Value, at: &str, to: Value) -> Option<()> {
    if let Some(place) = document.pointer_mut(at).filter(|_| !to.is_null()) {
        *place = to;
        return Some(());
    }
    let (parent, member) = at.rsplit_once('/')?;
    let parent = document.pointer_mut(parent)?.as_object_mut()?;
    if to.is_null() {
        parent.remove(member);
    } else {
        parent.insert(member.to_owned(), to);
    }
    Some(())
}

/// Puts an item into a list; gives its pointer. A list that is not there yet is made.
pub fn insert(document: &mut Value, list: &str, at: usize, item: Value) -> Option<String> {
    if document.pointer(list).is_none() {
        set(document, list, Value::Array(Vec::new()))?;
    }
    let items = document.pointer_mut(list)?.as_array_mut()?;
    let at = at.min(items.len());
    items.insert(at, item);
    Some(format!("{list}/{at}"))
}

/// Takes an item out of its list.
pub fn remove(document: &mut Value, at: &str) -> Option<Value> {
    let (list, index) = split(at)?;
    let items = document.pointer_mut(list)?.as_array_mut()?;
    (index < items.len()).then(|| items.remove(index))
}

/// Takes an item to another place; gives its new pointer.
pub fn relocate(document: &mut Value, from: &str, list: &str, at: usize) -> Option<String> {
    let inside = format!("{from}/");
    if list == from || list.starts_with(&inside) {
        return None;
    }
    let item = document.pointer(from)?.clone();
    let (home, index) = split(from)?;
    let landed = insert(document, list, at, item)?;
    let (_, at) = split(&landed)?;
    let left = shifted(from, list, at, 1);
    remove(document, &left)?;
    let (emptied, gone) = split(&left)?;
    Some(if home == list {
        let at = if at > index { at - 1 } else { at };
        format!("{list}/{at}")
    } else {
        shifted(&landed, emptied, gone + 1, -1)
    })
}

/// A pointer after something came to, or left, a place of a list.
fn shifted(pointer: &str, list: &str, at: usize, by: isize) -> String {
    let rest = pointer.strip_prefix(list).and_then(|rest| rest.strip_prefix('/'));
    let Some(rest) = rest else {
        return pointer.to_owned();
    };
    let (head, tail) = rest
        .split_once('/')
        .map_or((rest, None), |(head, tail)| (head, Some(tail)));
    match head.parse::<usize>() {
        Ok(index) if index >= at => {
            let index = index.saturating_add_signed(by);
            match tail {
                Some(tail) => format!("{list}/{index}/{tail}"),
                None => format!("{list}/{index}"),
            }
        }
        _ => pointer.to_owned(),
    }
}

/// What a condition is, below its НЕ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// И.
    All,
    /// ИЛИ.
    Any,
    /// A comparison.
    Compare,
}

impl Kind {
    /// Member of the document.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Compare => "compare",
        }
    }
}

/// A condition without the НЕ around it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Core {
    /// What it is.
    pub kind: Kind,
    /// Pointer of the condition below its НЕ.
    pub pointer: String,
    /// How many НЕ stand around it.
    pub n_not: usize,
}

impl Core {
    /// Pointer of the list of a group, or of a comparison.
    pub fn inside(&self) -> String {
        format!("{}/{}", self.pointer, self.kind.word())
    }
}

/// Looks below the НЕ of a condition.
pub fn core(document: &Value, pointer: &str) -> Option<Core> {
    let mut node = document.pointer(pointer)?;
    let mut pointer = pointer.to_owned();
    let mut n_not = 0;
    while let Some(inner) = node.get("not") {
        node = inner;
        pointer.push_str("/not");
        n_not += 1;
    }
    let kind = [Kind::All, Kind::Any, Kind::Compare]
        .into_iter()
        .find(|kind| node.get(kind.word()).is_some())?;
    Some(Core { kind, pointer, n_not })
}

/// How many conditions a group has.
pub fn count(document: &Value, list: &str) -> usize {
    document
        .pointer(list)
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

/// Where a condition goes by the keys: out of its group, behind it.
pub fn outwards(document: &Value, pointer: &str) -> Option<(String, usize)> {
    let (list, _) = split(pointer)?;
    let mut group = list.rsplit_once('/')?.0;
    while let Some(outer) = group.strip_suffix("/not") {
        group = outer;
    }
    let (list, index) = split(group)?;
    document.pointer(list)?.as_array()?;
    Some((list.to_owned(), index + 1))
}

/// Where a condition goes by the keys: into the group before it, at its end.
pub fn inwards(document: &Value, pointer: &str) -> Option<(String, usize)> {
    let (list, index) = split(pointer)?;
    let before = core(document, &format!("{list}/{}", index.checked_sub(1)?))?;
    let inside = before.inside();
    (before.kind != Kind::Compare).then(|| {
        let n = count(document, &inside);
        (inside, n)
    })
}
