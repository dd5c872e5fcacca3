//! Walking a table by the keyboard.

use leptos::ev::KeyboardEvent;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Up and down go from row to row, to the same control where the next row has it.
pub(super) fn walk(event: KeyboardEvent) {
    let down = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        _ => return,
    };
    let from = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let Some(control) = from.filter(|control| !matches!(control.tag_name().as_str(), "SELECT" | "TEXTAREA"))
    else {
        return;
    };
    let Ok(Some(row)) = control.closest("tr") else {
        return;
    };
    let next = if down {
        row.next_element_sibling()
    } else {
        row.previous_element_sibling()
    };
    let Some(next) = next else { return };
    let place = controls(&row)
        .iter()
        .position(|other| *other == control)
        .unwrap_or(0);
    let all = controls(&next);
    let to = all.get(place).or_else(|| all.first());
    if let Some(to) = to.and_then(|to| to.dyn_ref::<HtmlElement>()) {
        event.prevent_default();
        let _ = to.focus();
    }
}

fn controls(row: &Element) -> Vec<Element> {
    let Ok(found) = row.query_selector_all("a[href], button, input") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into::<Element>().ok())
        .collect()
}
