//! The integrator: configuration, HTTP, sessions, static files, wiring.
//!
//! **Invariants.** Nothing outside [`config`] reads the environment. Handlers reach the business only through the
//! handles of [`http::access`]. Every refusal is a [`http::problem::Problem`]. No type of actix stands in a
//! signature below `http`.
//!
//! Reading order: [`startup`] puts everything together, [`http`] is the route table, `http/routes` the handlers,
//! [`connectors`] names the CRMs, [`demo`] fills a first workspace.

pub mod commands;
pub mod config;
pub mod connecting;
pub mod connectors;
pub mod csv;
pub mod demo;
pub mod http;
pub mod mail;
pub mod metrics;
pub mod openapi;
pub mod password;
pub mod startup;
pub mod telemetry;
pub mod usage;
