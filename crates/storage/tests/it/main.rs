//! Every function of `storage`, each case on SQLite and on PostgreSQL.

// A case that cannot be prepared has failed.
#![allow(clippy::unwrap_used)]

mod accounts;
mod audit;
mod connections;
mod counts;
mod credentials;
mod deliveries;
mod events;
mod import_rows;
mod lanes;
mod leases;
mod links;
mod memory;
mod migrations;
mod outbox;
mod published;
mod pulse;
mod request_keys;
mod retention;
mod rule_cases;
mod rules;
mod runs;
mod sessions;
mod support;
mod sweeps;
mod waiting;
