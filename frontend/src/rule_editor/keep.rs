//! What is not saved yet is kept in the browser, so that neither a reload nor an expired session loses it.

use serde_json::{Value, json};

use super::draft::Draft;

/// What was kept.
pub struct Kept {
    /// The document.
    pub document: Value,
    /// What was saved when it was begun.
    pub saved: Value,
    /// The version of that.
    pub version: Option<i64>,
}

fn storage() -> Option<web_sys::Storage> {
    leptos::prelude::window().local_storage().ok()?
}

/// Keeps a draft under a name.
pub fn keep(place: &str, draft: &Draft) {
    let text = json!({
        "document": draft.document(), "saved": draft.saved(), "version": draft.version(),
    });
    if let Some(storage) = storage() {
        // A full or forbidden store: the draft then lives as long as the page.
        let _ = storage.set_item(place, &text.to_string());
    }
}

/// What was kept under a name.
pub fn kept(place: &str) -> Option<Kept> {
    let text = storage()?.get_item(place).ok()??;
    let mut kept: Value = serde_json::from_str(&text).ok()?;
    Some(Kept {
        document: kept.get_mut("document")?.take(),
        saved: kept.get_mut("saved")?.take(),
        version: kept["version"].as_i64(),
    })
}

/// Nothing is unsaved any more.
pub fn forget(place: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(place);
    }
}
