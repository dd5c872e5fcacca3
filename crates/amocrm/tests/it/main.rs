//! The client against the sandbox, and the readers against bodies of every kind.

mod auth;
mod bodies;
mod client;
mod conformance;
mod contract;
mod hooks;
mod support;
