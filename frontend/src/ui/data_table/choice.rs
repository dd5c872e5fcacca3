//! Which columns a person wants to see. Remembered in the browser, table by table.

use leptos::prelude::*;

use super::Head;
use crate::ui::unique_id;

/// A table with fewer columns needs no choice.
const FEW: usize = 4;

/// Columns that are left out, one bit each.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    hidden: RwSignal<u32>,
    table: &'static str,
}

impl Choice {
    /// The choice made for a table before.
    pub(super) fn of(table: &'static str) -> Self {
        let kept = storage().and_then(|storage| storage.get_item(&key(table)).ok()?);
        let hidden = kept.and_then(|text| text.parse().ok()).unwrap_or(0);
        Self {
            hidden: RwSignal::new(hidden),
            table,
        }
    }

    /// Classes of the table: the stylesheet leaves out the columns that they name.
    pub(super) fn class(self) -> String {
        let hidden = self.hidden.get();
        let mut class = String::from("table");
        for at in (0..u32::BITS).filter(|at| hidden & (1 << at) != 0) {
            class.push_str(&format!(" without-{}", at + 1));
        }
        class
    }

    fn set(self, at: usize, shown: bool) {
        self.hidden.update(|hidden| match shown {
            true => *hidden &= !(1 << at),
            false => *hidden |= 1 << at,
        });
        if let Some(storage) = storage() {
            let _ = storage.set_item(&key(self.table), &self.hidden.get_untracked().to_string());
        }
    }

    /// Boxes to tick. The heading column and columns of buttons always stay.
    pub(super) fn picker(self, heads: &[Head]) -> AnyView {
        if heads.len() < FEW {
            return ().into_any();
        }
        let boxes = heads
            .iter()
            .enumerate()
            .filter(|(_, head)| !head.class.contains("lead") && !head.class.contains("bare"))
            .map(|(at, head)| {
                let id = unique_id("column");
                view! {
                    <div class="check">
                        <input
                            type="checkbox"
                            id=id.clone()
                            prop:checked=move || self.hidden.get() & (1 << at) == 0
                            on:change=move |event| self.set(at, event_target_checked(&event))
                        />
                        <label for=id>{head.title}</label>
                    </div>
                }
            })
            .collect_view();
        view! {
            <details class="columns">
                <summary>"Столбцы"</summary>
                <div role="group" aria-label="Показывать столбцы">{boxes}</div>
            </details>
        }
        .into_any()
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

fn key(table: &str) -> String {
    format!("columns.{table}")
}
