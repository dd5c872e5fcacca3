//! The client against the sandbox, and the readers against bodies of every kind.

// Helpers are tests, too; the lint sees only the functions marked so.
#![allow(clippy::unwrap_used)]

mod auth;
mod bodies;
mod client;
mod conformance;
mod contract;
mod entities;
mod hooks;
mod looks;
mod support;
