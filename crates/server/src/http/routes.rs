//! One file per resource; handlers are thin and carry their own description.

pub mod account;
pub mod api_keys;
pub mod call_results;
pub mod chronicle;
pub mod connections;
pub mod deliveries;
pub mod events;
pub mod health;
pub mod hooks;
pub mod imports;
pub mod joining;
pub mod links;
pub mod metrics;
pub mod oauth;
pub mod recordings;
pub mod retention;
pub mod rule_cases;
pub mod rule_travel;
pub mod rules;
pub mod sessions;
pub mod stops;
pub mod stream;
pub mod sweeps;
pub mod templates;
pub mod trials;
pub mod workspaces;
