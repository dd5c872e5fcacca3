//! One file per page.

pub mod calls;
pub mod chronicle;
pub mod connection;
pub mod connection_new;
pub mod connections;
pub mod deliveries;
pub mod entry;
pub mod event;
pub mod events;
pub mod import;
pub mod imports;
pub mod lazy;
pub mod logs;
pub mod missing;
pub mod panel;
pub mod rule;
pub mod rules;
pub mod settings;
pub mod sign_in;
pub mod templates;
pub mod welcome;
