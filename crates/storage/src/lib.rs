//! The only crate that knows tables and queries.
//!
//! **Invariant.** No type of the database library stands in a public signature; rows are found through their
//! workspace; documents are parsed here and a row that does not parse is [`StorageError::Corrupt`], never a
//! panic. One file per aggregate; statements are written once for both databases.

pub mod connections;
pub mod credentials;
pub mod db;
pub mod deliveries;
pub mod error;
pub mod events;
pub mod figures;
pub mod leases;
pub mod links;
pub mod memory;
pub mod runs;
mod sql;

pub use db::{Conn, Db, Tx};
pub use error::StorageError;
pub use sql::PageOf;
