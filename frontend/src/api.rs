//! The typed client of our HTTP API. One function per operation, one file per resource.

pub mod account;
pub mod calls;
mod client;
pub mod connections;
pub mod deliveries;
pub mod events;
pub mod imports;
pub mod links;
pub mod rule_cases;
pub mod rules;
pub mod sessions;
pub mod stops;
pub mod sweeps;
pub mod travel;
pub mod trials;
pub mod workspace;

pub use client::{Answer, Carried, Pending, Request, choose_workspace, download, on_signed_out, unwrap};
