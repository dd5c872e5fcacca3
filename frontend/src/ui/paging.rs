//! Lists that come page by page from the server.

use leptos::prelude::*;

use super::when;
use super::{Button, Glyph};

/// Where a list stands: the cursors of the pages that were left behind.
#[derive(Clone, Copy)]
pub struct Paging {
    cursors: RwSignal<Vec<String>>,
}

impl Paging {
    /// At the first page.
    pub fn new() -> Self {
        Self {
            cursors: RwSignal::new(Vec::new()),
        }
    }

    /// Cursor of the page shown; `None` at the first.
    pub fn cursor(self) -> Option<String> {
        self.cursors.with(|cursors| cursors.last().cloned())
    }

    /// At the first page; not followed.
    pub fn is_first(self) -> bool {
        self.cursors.with_untracked(Vec::is_empty)
    }

    /// Back to the first page, after a filter changed.
    pub fn reset(self) {
        if self.cursors.with_untracked(|cursors| !cursors.is_empty()) {
            self.cursors.set(Vec::new());
        }
    }
}

/// Buttons that go to the page before and the one after; nothing when all fit one page.
#[component]
pub fn Pager(paging: Paging, #[prop(into)] next: Signal<Option<String>>) -> impl IntoView {
    let number = move || paging.cursors.with(Vec::len) + 1;
    let alone = move || number() == 1 && next.with(Option::is_none);
    view! {
        {when(move || !alone(), move || view! {
            <nav class="table-foot" aria-label="Страницы списка">
                <span>"Страница " <span class="number">{number}</span></span>
                <div class="row">
                    <Button
                        small=true
                        glyph=Glyph::Left
                        disabled=Signal::derive(move || number() == 1)
                        on_click=move |_| {
                            paging.cursors.update(|cursors| {
                                cursors.pop();
                            });
                        }
                    >
                        "Назад"
                    </Button>
                    <Button
                        small=true
                        glyph=Glyph::Right
                        testid="further"
                        disabled=Signal::derive(move || next.with(Option::is_none))
                        on_click=move |_| {
                            if let Some(next) = next.get_untracked() {
                                paging.cursors.update(|cursors| cursors.push(next));
                            }
                        }
                    >
                        "Дальше"
                    </Button>
                </div>
            </nav>
        }.into_any())}
    }
}
