//! The HTTP edge, from outside: a whole server on a free port with a database of its own.
#![allow(clippy::unwrap_used)] // The lint knows tests, not what they call.

mod access;
mod accounts;
mod attacks;
mod chaos;
mod commands;
mod crash;
mod crms;
mod demo;
mod downtime;
mod effects;
mod files;
mod harness;
mod hooks;
mod interface;
mod live;
mod mailbox;
mod metrics;
mod openapi;
mod outage;
mod problems;
mod processes;
mod reconciliation;
mod retention;
mod rule_cases;
mod rule_travel;
mod rules;
mod seeds;
mod sessions;
mod sweeps;
