//! The Leptos client.
//!
//! What decides is plain and compiles anywhere, so `cargo test -p frontend` tests it on the host: [`text`] and
//! [`clock`] (Russian words and moments), [`words`] (states), [`names`] (ids into names), [`rule_text`],
//! [`command_text`] and [`explain`] (rules, commands and reasons in words), [`audit_text`] (the audit log), [`sweep_text`] (walks over records), [`chronicle`] (one deal across both CRMs), [`why_not`] (rules that did not look), [`palette`] (going anywhere), [`figures`] (charts), [`checklist`] (setting up), [`draft`] (rules as text), [`filters`] and [`call_filter`] (lists in the address), [`call_chart`] (figures of calls), [`progress`] (speed and time left), [`gallery`] (searching templates), [`problem`] (failures), [`place`] (addresses), [`pretty`] (bodies), [`wire`] (reading JSON), [`rule_editor`] (the constructor), [`rule_list`] (its list).
//! What draws exists only in the browser: `api` (the typed client), `store` (what is loaded once), `ui` (our
//! widgets, the only place that knows thaw), `parts` (what several pages share), `pages`, `shell`, `app`.

pub mod audit_text;
pub mod call_chart;
pub mod call_filter;
pub mod checklist;
pub mod chronicle;
pub mod clock;
pub mod command_text;
pub mod draft;
pub mod explain;
pub mod figures;
pub mod filters;
pub mod gallery;
pub mod names;
pub mod palette;
pub mod place;
pub mod pretty;
pub mod problem;
pub mod progress;
pub mod rule_editor;
pub mod rule_list;
pub mod rule_text;
pub mod sweep_text;
pub mod text;
pub mod why_not;
pub mod wire;
pub mod words;

#[cfg(target_arch = "wasm32")]
pub mod api;
#[cfg(target_arch = "wasm32")]
pub mod app;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod parts;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod ui;
