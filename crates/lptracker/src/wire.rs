//! What the service says, read tolerantly: ids as numbers or texts, flags as booleans or 0/1, details under
//! either name. A reader gives `None` only when the thing has no identity; an odd part of it is left out.

pub mod call;
pub mod contact;
pub mod lead;
pub mod project;
pub mod scalar;

use serde_json::Value;

/// Reads every element of an array that can be read; anything but an array is nothing.
pub fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    value
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(read)
        .collect()
}
