//! Our widgets: the only place that knows thaw. What thaw lacks for people who cannot see (announced toasts,
//! errors tied to their fields, dialogs that keep the focus) is done here once.

mod badge;
mod button;
mod copyable;
mod data_table;
mod dialog;
mod field;
mod frame;
mod icon;
mod notice;
mod paging;
mod remote;
mod tabs;
mod times;
mod toast;

pub use badge::{Badge, SideTag, StateBadge, side_class};
pub use button::{Button, ButtonLink, Look};
pub use copyable::Copyable;
pub use data_table::{Column, DataTable, Sorting, by_time};
pub use dialog::{Confirm, Dialog};
pub use field::{
    Check, Choices, LabelledSwitch, SecretField, SelectField, TextArea, TextField, Toggle, blamed, text,
};
pub use frame::{Card, Facts, Fold, Page, page_title, when};
pub use icon::{Glyph, Icon};
pub use notice::{Empty, ErrorBox, Notice, Skeletons};
pub use paging::{Pager, Paging};
pub use remote::{Remote, loaded, run, run_all};
pub use tabs::Tabs;
pub use times::{Ago, Moment};
pub use toast::{ToastHost, Toasts};

use leptos::prelude::*;

/// What everything else stands in: the theme of thaw's widgets.
#[component]
pub fn Theme(children: Children) -> impl IntoView {
    let theme = RwSignal::new(thaw::Theme::dark());
    view! { <thaw::ConfigProvider theme=theme>{children()}</thaw::ConfigProvider> }
}

/// An id that no other element of the page has.
pub fn unique_id(prefix: &str) -> String {
    use std::cell::Cell;
    thread_local! {
        static LAST: Cell<u32> = const { Cell::new(0) };
    }
    let next = LAST.get() + 1;
    LAST.set(next);
    format!("{prefix}-{next}")
}
