//! The history of the database schema for SQLite and PostgreSQL.
//!
//! Rules for a migration stand in this crate's README. Ids are UUIDs (version 7, so ascending in time),
//! moments are Unix milliseconds in `BIGINT`, documents are JSON in `TEXT`: the same in both databases.

// The trait is declared with hidden lifetimes; spelling them out would not match it.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

mod m20261123_000001_create_accounts;
mod m20261123_000002_create_connections;
mod m20261123_000003_create_rules;
mod m20261123_000004_create_pipeline;
mod m20261125_100001_create_quiet;
mod m20261125_200001_create_stop;
mod m20261125_300001_create_reconciliation;
mod m20261125_300002_create_retention;
mod m20261125_400001_index_audit_entry;
mod m20261125_500001_create_rule_case;
mod m20261125_500002_create_sweep;
mod m20261125_600001_add_echo_of_to_event;
mod m20261125_700001_create_imports;
mod m20261125_700002_create_call_results;
mod m20261125_800001_harden_accounts;
mod m20261126_100001_index_delivery_rule;
mod m20261126_100002_add_seen_to_to_snapshot;
mod m20261126_300001_add_as_then_to_event;
mod table;

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_create_accounts::Migration),
            Box::new(m20261123_000002_create_connections::Migration),
            Box::new(m20261123_000003_create_rules::Migration),
            Box::new(m20261123_000004_create_pipeline::Migration),
            Box::new(m20261125_100001_create_quiet::Migration),
            Box::new(m20261125_200001_create_stop::Migration),
            Box::new(m20261125_300001_create_reconciliation::Migration),
            Box::new(m20261125_300002_create_retention::Migration),
            Box::new(m20261125_400001_index_audit_entry::Migration),
            Box::new(m20261125_500001_create_rule_case::Migration),
            Box::new(m20261125_600001_add_echo_of_to_event::Migration),
            Box::new(m20261125_500002_create_sweep::Migration),
            Box::new(m20261125_700001_create_imports::Migration),
            Box::new(m20261125_700002_create_call_results::Migration),
            Box::new(m20261125_800001_harden_accounts::Migration),
            Box::new(m20261126_100001_index_delivery_rule::Migration),
            Box::new(m20261126_100002_add_seen_to_to_snapshot::Migration),
            Box::new(m20261126_300001_add_as_then_to_event::Migration),
        ]
    }
}
