//! The client against the contract's bodies and against the sandbox.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod contract;
mod harness;
mod sandboxed;
mod session;
mod told;
