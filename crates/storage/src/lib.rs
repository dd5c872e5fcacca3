//! The only crate that knows tables and queries.
//!
//! **Invariant.** No type of the database library stands in a public signature; rows are found through their
//! workspace; documents are parsed here and a row that does not parse is [`StorageError::Corrupt`], never a
//! panic. One file per aggregate; statements are written once for both databases.

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod backlog;
pub mod call_results;
pub mod call_settings;
pub mod causes;
pub mod chronicle;
pub mod connections;
pub mod counts;
pub mod credentials;
pub mod db;
pub mod deliveries;
pub mod error;
pub mod events;
pub mod figures;
pub mod heard;
pub mod import_rows;
pub mod imports;
pub mod invitations;
pub mod leases;
pub mod links;
pub mod memory;
pub mod outcomes;
#[cfg(test)]
mod plans;
pub mod published;
pub mod pulse;
pub mod quiet;
pub mod reconciliations;
pub mod request_keys;
pub mod retention;
pub mod rule_cases;
pub mod rules;
pub mod runs;
pub mod schedules;
pub mod sealed;
pub mod second_factors;
pub mod sessions;
pub mod settings;
pub mod sign_in_links;
pub mod sign_in_throttle;
mod sql;
pub mod stops;
pub mod sweeps;
mod upkeep;
pub mod workspaces;

pub use db::{Conn, Db, Tx};
pub use error::StorageError;
pub use sql::{Order, PageOf};
pub use upkeep::PoolUse;
